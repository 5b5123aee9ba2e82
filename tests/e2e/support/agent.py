"""Starts and stops `cloister simulator`, the simulated dstack guest agent. It also plays agents that misbehave."""

import contextlib
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from support.node import BINARY, PATIENCE


class Agent:
    """One simulated guest agent on a Unix socket. The path of a socket must be short, so the agent gets its own folder."""

    def __init__(self, seed_file=None, arguments=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cloister-agent-"))
        self.socket = self.folder / "dstack.sock"
        self.seed_file = seed_file or self.folder / "seed"
        self.arguments = [str(argument) for argument in arguments]
        self.process = None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        command = [str(BINARY), "simulator", "--socket", str(self.socket), "--seed-file", str(self.seed_file), *self.arguments]
        with open(self.folder / "stderr.log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL)
        ready, _, _ = select.select([self.process.stdout], [], [], 30 * PATIENCE)
        line = self.process.stdout.readline().decode() if ready else ""
        assert line == f"listening on unix:{self.socket}\n", (line, self.log)

    @property
    def log(self):
        return (self.folder / "stderr.log").read_text(errors="replace")

    def stop(self):
        """Sends SIGTERM and returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(20 * PATIENCE)
        self.process.stdout.close()
        return status

    def kill(self):
        """Sends SIGKILL. The socket's file stays behind, as after a crash."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def scripted_agent(path, answer):
    """Serves a socket where every connection gets the bytes that `answer(path, body)` returns. The bytes are sent as they are, and the
    connection is closed. When `answer` returns None, the socket sends nothing and stays open until the end."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    held = []

    def serve():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                request = b""
                while b"\r\n\r\n" not in request:
                    request += peer.recv(65536) or (_ for _ in ()).throw(OSError())
                head, _, body = request.partition(b"\r\n\r\n")
                length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
                while len(body) < length:
                    body += peer.recv(65536) or (_ for _ in ()).throw(OSError())
                reply = answer(head.split(b" ")[1].decode(), body)
                if reply is None:
                    held.append(peer)
                    continue
                peer.sendall(reply)
            peer.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
        for peer in held:
            peer.close()
        pathlib.Path(path).unlink(missing_ok=True)


def http_reply(body, status="200 OK"):
    return f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def ask(path, call, body=b"{}"):
    """Returns the agent's own reply to one call, as (status, body)."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(20 * PATIENCE)
        peer.connect(str(path))
        peer.sendall(
            f"POST {call} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n".encode() + body
        )
        reply = b""
        while piece := peer.recv(65536):
            reply += piece
    head, _, content = reply.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), content
