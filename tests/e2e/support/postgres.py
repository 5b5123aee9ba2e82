"""A real PostgreSQL of the test's own. It is Debian's, on a Unix socket in a private folder, and never runs as root."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

import pytest

from support.node import PATIENCE, wait_until

CI = os.environ.get("CI") == "true"


def programs():
    """Returns the folder of initdb and postgres, which PostgreSQL does not put on the path."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    if CI:
        pytest.fail("PostgreSQL is not installed")
    pytest.skip("PostgreSQL is not installed")


class Postgres:
    def __init__(self):
        self.programs = programs()
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        # The path must be short, because a socket's path has 107 bytes at most.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        os.chmod(self.folder, 0o755)
        if os.geteuid() == 0:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.data = self.folder / "data"
        self._run("initdb", "--pgdata", self.data, "--username", "cloister", "--auth", "trust", "--no-sync", "--encoding", "UTF8")
        self.process = None
        self.start()

    def _command(self, name, *arguments):
        return [str(self.programs / name), *map(str, arguments)]

    def _as_user(self):
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}

    def _run(self, name, *arguments):
        done = subprocess.run(self._command(name, *arguments), capture_output=True, text=True, cwd="/", **self._as_user())
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self):
        self.process = subprocess.Popen(
            self._command("postgres", "-D", self.data, "-k", self.folder, "-c", "listen_addresses=", "-c", "fsync=off"),
            stdout=subprocess.DEVNULL, stderr=open(self.folder / "log", "ab"), stdin=subprocess.DEVNULL, cwd="/", **self._as_user())
        ready = lambda: subprocess.run(self._command("pg_isready", "-h", self.folder, "-q")).returncode == 0  # noqa: E731
        wait_until(ready, 30, "PostgreSQL takes connections")

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # SIGINT means "fast". SIGTERM would wait for the nodes to leave.
        self.process.wait(30 * PATIENCE)

    def close(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connection_file(self, folder):
        path = folder / "postgres.conninfo"
        path.write_text(f"host={self.folder} user=cloister dbname=postgres\n")
        path.chmod(0o600)
        return path
