"""Child processes that never outlive the runner. They are stopped in order at the end, on Ctrl-C, and when the runner is killed."""
import ctypes
import os
import pathlib
import resource
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_STOP_S = 15
_OPEN_FILES = 16384


class BenchError(Exception):
    """A cell that has no result, with the reason in one line."""


class Child:
    """One running process, its log and the core it may be pinned to."""

    def __init__(self, argv, log, core=None):
        self.argv = [str(a) for a in argv]
        self.log = pathlib.Path(log)
        with open(self.log, "wb") as out:
            self.started = time.monotonic()
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                            preexec_fn=lambda: _prepare(core), start_new_session=True)
        self.pid = self.process.pid

    def pids(self):
        """Returns the process and its children, because nginx has workers."""
        found = [self.pid]
        if self.process.poll() is not None:
            return found
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            found += [int(pid) for pid in (task / "children").read_text().split()]
        return found

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def log_end(self, lines=5):
        text = self.log.read_text(errors="replace").strip().splitlines()
        return " | ".join(text[-lines:]) or "(no output)"

    def wait_for_address(self, limit_s=30):
        """Returns the URL of the line `listening on URL`."""
        def look():
            for line in self.log.read_text(errors="replace").splitlines():
                if line.startswith("listening on "):
                    return line.split()[2]
            return None
        return self._wait(look, limit_s, "did not say where it listens")

    def wait_for_health(self, url, limit_s=120, step_s=0.02):
        """Waits until GET url/health answers 200."""
        self._wait(lambda: http_status(url + "/health") == 200 or None, limit_s, "did not become healthy", step_s)

    def _wait(self, look, limit_s, complaint, step_s=0.005):
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            found = look()
            if found is not None:
                return found
            if self.process.poll() is not None:
                raise BenchError(f"{self.argv[0]} ended with status {self.process.returncode}: {self.log_end()}")
            time.sleep(step_s)
        raise BenchError(f"{self.argv[0]} {complaint} within {limit_s} s: {self.log_end()}")


class Children:
    """All children of a run. Use as a context: leaving it stops them."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._running = []
        self._count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in reversed(self._running):
            child.stop()

    def cpu_s(self):
        """Returns the CPU time of this process and of all processes that it has started so far."""
        ended = os.times()
        running = sum(_cpu_s(pid) for child in self._running for pid in child.pids())
        return ended.user + ended.system + ended.children_user + ended.children_system + running

    def start(self, argv, name, core=None):
        self._count += 1
        child = Child(argv, self._folder / f"{self._count:04d}-{name}.log", core)
        self._running.append(child)
        return child

    def stop(self, child):
        child.stop()
        self._running.remove(child)

    def folder(self, name):
        self._count += 1
        path = self._folder / f"{self._count:04d}-{name}"
        path.mkdir()
        return path


def _cpu_s(pid):
    """Returns utime and stime (proc(5)). The result is 0 when the process has ended, because the parent's times then include it."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _prepare(core):
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    want = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (want, hard))
    if core is not None:
        os.sched_setaffinity(0, {core})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def http_status(url):
    """Returns the status of a GET, or None when nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
