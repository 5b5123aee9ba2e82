"""Servers to put behind `cloister serve --upstream`: real servers, a scripted server, and a relay that keeps every byte."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import threading
import urllib.request

from support.node import PATIENCE, ROOT, wait_until


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find_llama_server():
    """Returns the server of the pinned engine's source (tools/engine llama-server), or None."""
    name = os.environ.get("CLOISTER_LLAMA_SERVER")
    found = [pathlib.Path(name)] if name else sorted((ROOT / ".cache").glob("engine-cpu-*/bin/llama-server"))
    return found[-1] if found and os.access(found[-1], os.X_OK) else None


class Process:
    """Runs a server program on a port of the loopback."""

    def __init__(self, folder, command, port, name):
        folder.mkdir(parents=True, exist_ok=True)
        self.host, self.port = "127.0.0.1", port
        self.url = f"http://127.0.0.1:{port}"
        self._command, self._log, self._name = [str(word) for word in command], folder / f"{name}.log", name
        self.process = None
        self.start()

    def start(self):
        with open(self._log, "ab") as log:
            self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._answers, 120, f"{self._name} answers")

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self._name} ended: {self._log.read_text(errors='replace')[-2000:]}")
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(self.url + "/v1/models", timeout=5).status == 200
        return False

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class RecordingRelay:
    """A TCP relay to one port. `received` holds the bytes that the server sent on each connection."""

    def __init__(self, port):
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.received = []
        self.sent = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                for kept, source, sink in ((self.sent, client, server), (self.received, server, client)):
                    kept.append(bytearray())
                    threading.Thread(target=self._pump, args=(source, sink, kept[-1]), daemon=True).start()

    @staticmethod
    def _pump(source, sink, kept):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                kept += data
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
            source.shutdown(socket.SHUT_RD)

    def replies_to(self, path):
        """Returns the bodies of the replies to requests for that path, as they were on the wire but without framing."""
        return [body for (line, _), body in self.exchanges() if line.split(" ")[1].split("?")[0] == path]

    def exchanges(self):
        """Returns ((request line, request body), reply body) of every exchange that passed."""
        out = []
        for sent, received in zip(self.sent, self.received):
            requests, replies = bytes(sent), bytes(received)
            while requests and b"\r\n\r\n" in replies:
                line, request, requests = _take_message(requests)
                _, reply, replies = _take_message(replies)
                out.append(((line, request), reply))
        return out

    def close(self):
        self._listener.close()


def _take_message(data):
    """Returns (first line, body without framing, the rest)."""
    head, rest = data.split(b"\r\n\r\n", 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {line.split(":", 1)[0].strip().lower(): line.split(":", 1)[1].strip() for line in lines}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while rest:
            size_line, rest = rest.split(b"\r\n", 1)
            size = int(size_line.split(b";")[0], 16)
            body, rest = body + rest[:size], rest[size + 2 :]
            if size == 0:
                break
        return first, body, rest
    size = int(headers.get("content-length", 0))
    return first, rest[:size], rest[size:]


class ScriptedServer:
    """Answers the requests of the watcher itself. It answers every request with a body as `answer(connection, request)` does. A request is
    (first line, headers as dict, body). The server listens on a port of the loopback, or on the Unix socket `path`."""

    def __init__(self, answer, owner="script", port=0, path=None):
        self.answer, self.owner = answer, owner
        self.requests = []
        if path:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            self._listener.listen(128)
            self.url = f"unix:{path}"
        else:
            self._listener = socket.create_server(("127.0.0.1", port))
            self.port = self._listener.getsockname()[1]
            self.url = f"http://127.0.0.1:{self.port}"
        self._open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # A waiting accept() keeps the port until it is woken.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            reader = connection.makefile("rb")
            while line := reader.readline():
                headers = {}
                while (field := reader.readline()) not in (b"\r\n", b""):
                    name, value = field.decode("latin-1").split(":", 1)
                    headers[name.strip().lower()] = value.strip()
                body = reader.read(int(headers.get("content-length", 0)))
                self._dispatch(connection, line.decode("latin-1").strip(), headers, body)
        self._open.discard(connection)

    def _dispatch(self, connection, line, headers, body):
        if line.startswith("GET /v1/models"):
            model = {"id": "m", "object": "model", "created": 1, "owned_by": self.owner}
            connection.sendall(whole(json.dumps({"object": "list", "data": [model]}).encode()))
        elif line.startswith("GET /health"):
            connection.sendall(whole(b"{}"))
        elif line.startswith("GET"):
            connection.sendall(whole(b"{}", "404 Not Found"))
        elif not body:
            connection.sendall(whole(b"{}", "400 Bad Request"))
        else:
            self.requests.append((line, headers, body))
            self.answer(connection, (line, headers, body))


def whole(body, status="200 OK", kind="application/json", more=""):
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


def chunked(data, size):
    """Returns a whole stream in chunks of this many bytes, wherever that cuts it."""
    return STREAM_HEAD + b"".join(chunk(data[i : i + size]) for i in range(0, len(data), size)) + b"0\r\n\r\n"
