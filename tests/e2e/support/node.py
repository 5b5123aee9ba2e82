"""Starts and stops real `cloister serve` processes, and runs the other commands."""

import json
import os
import pathlib
import resource
import select
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("CLOISTER_BINARY", ROOT / "build/release/cloister"))
# Sanitised builds are some times slower, and so is a machine that builds at the same time.
PATIENCE = float(os.environ.get("CLOISTER_PATIENCE", "1"))
# The simulated platform runs in the node's own process. Where CLOISTER_TEE is "dstack", the platform is behind the socket of a
# `cloister simulator`, and the same tests have to pass. The fixtures start one simulator for each process of the tests, because two nodes
# behind one simulator measure into one register, and the second changes what the reports of the first prove.
DSTACK = os.environ.get("CLOISTER_TEE") == "dstack"
SIMULATED = ["--tee", "insecure-simulator", "--gpu", "insecure-simulator"]
ADMIN_TOKEN = "token-of-the-operator-0123456789"
# These tests are about nodes that keep the seed of their own simulated platform. They have no meaning behind one shared socket.
own_seed = pytest.mark.own_seed


def wait_until(condition, seconds, what):
    """Polls until the condition returns a true value, and returns that value."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds * PATIENCE} s")
        time.sleep(0.01)


def raise_descriptor_limit():
    """Raises the limit of open files to the hard limit, for this process and its children. Returns the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def reports_at_rest(node):
    """Waits until no more reports are made and returns their number. A node makes its own reports for clients that look up its receipts."""
    counts = []

    def same():
        counts.append(node.metric("cloister_report_seconds_count"))
        return len(counts) > 30 and counts[-1] >= 2 and len(set(counts[-30:])) == 1

    wait_until(same, 20, "the node's own reports are made")
    return counts[-1]


def run(*arguments, timeout=60, **options):
    """Runs any command of the program to its end."""
    return subprocess.run(
        [str(BINARY), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout * PATIENCE,
        **({} if "input" in options else {"stdin": subprocess.DEVNULL}),
        **options,
    )


class Node:
    """One running server on a free port of the loopback."""

    def __init__(self, folder, *arguments, listen="127.0.0.1:0", state=None, simulated=True, wait=True):
        folder.mkdir(parents=True, exist_ok=True)
        self.log_path = folder / "stderr.log"
        self.state = pathlib.Path(state or folder / "state")
        command = [str(BINARY), "serve", "--listen", listen, "--state", str(self.state)]
        arguments = [str(argument) for argument in arguments]
        # A node that asks for tokens shows its metrics only to its operator.
        self.operator = {}
        if ("--api-key-file" in arguments or "--no-auth" in arguments) and "--admin-token-file" not in arguments:
            (folder / "admin-token").write_text(ADMIN_TOKEN + "\n")
            arguments += ["--admin-token-file", str(folder / "admin-token")]
            self.operator = {"authorization": f"Bearer {ADMIN_TOKEN}"}
        command += (SIMULATED if simulated else []) + arguments
        self.started = time.monotonic()
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL)
        try:
            self.url = self._read_url()
            self.host, port = self.url.split("//")[1].rsplit(":", 1)
            self.port = int(port)
            if wait:
                self.wait_healthy()
        except BaseException:
            self.kill()
            raise

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def _read_url(self):
        ready, _, _ = select.select([self.process.stdout], [], [], 30 * PATIENCE)
        line = self.process.stdout.readline().decode() if ready else ""
        prefix = "listening on "
        if not line.startswith(prefix):
            raise AssertionError(f"no ready line but {line!r}; stderr: {self.log}")
        return line[len(prefix) :].strip()

    def wait_healthy(self, seconds=60):
        def healthy():
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}: {self.log}")
            return self.get("/health")[0] == 200

        wait_until(healthy, seconds, "health")

    def get(self, path, headers=None):
        return self.request("GET", path, None, headers)

    def post(self, path, body, headers=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", path, data, {"content-type": "application/json", **(headers or {})})

    def request(self, method, path, data, headers=None):
        """Returns (status, headers, body bytes). Certificates are not verified."""
        request = urllib.request.Request(self.url + path, data=data, headers=headers or {}, method=method)
        context = ssl._create_unverified_context() if self.url.startswith("https") else None
        try:
            with urllib.request.urlopen(request, timeout=60 * PATIENCE, context=context) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def get_json(self, path, headers=None):
        status, _, body = self.get(path, headers)
        assert status == 200, (status, body)
        return json.loads(body)

    def model(self):
        return self.get_json("/v1/models")["data"][0]["id"]

    def metric(self, name, headers=None, **labels):
        """Returns the sum over all samples with that name and those labels."""
        status, _, body = self.get("/metrics", {**(headers or {}), **self.operator})
        assert status == 200, (status, body)
        text = body.decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def alive(self):
        return self.process.poll() is None

    def memory_kib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def stop(self, seconds=20):
        """Sends SIGTERM and returns the exit status."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds * PATIENCE)
        finally:
            self.kill()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
