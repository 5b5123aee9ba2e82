"""A tiny HTTP/1.1 client over a plain socket, which keeps every byte. It does not decode, re-encode or normalise the body, so a hash over
`body` is a hash over the bytes on the wire."""

import json
import socket

from support.node import PATIENCE


class Reply:
    def __init__(self, status, headers, body, chunks, complete, trailers=()):
        self.status = status
        self.headers = headers  # list of (lower-case name, value)
        self.body = body  # chunk framing removed, nothing else
        self.chunks = chunks  # payload of each chunk; empty when there is a content-length
        self.trailers = list(trailers)  # like headers
        self.complete = complete  # the end was marked, by length or by the closing chunk

    def header(self, name):
        return next((value for key, value in self.headers if key == name), None)

    def json(self):
        return json.loads(self.body)

    def events(self):
        """Returns the payloads of the SSE events without [DONE]."""
        lines = self.body.decode("utf-8").split("\n")
        data = [line[len("data: ") :] for line in lines if line.startswith("data: ")]
        return [json.loads(text) for text in data if text != "[DONE]"]

    def reply_id(self):
        return self.events()[0]["id"] if self.body.startswith(b"data:") else self.json()["id"]


class Connection:
    def __init__(self, node, timeout=60):
        self.socket = socket.create_connection((node.host, node.port), timeout=timeout * PATIENCE)
        self.pending = b""
        self.node = node

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def request(self, method, path, body=None, headers=()):
        self.send(head(self.node, method, path, body, headers) + (body or b""))
        return self.reply()

    def _more(self):
        data = self.socket.recv(65536)
        self.pending += data
        return bool(data)

    def _until(self, mark):
        while mark not in self.pending:
            if not self._more():
                return None
        found, self.pending = self.pending.split(mark, 1)
        return found

    def _exactly(self, size):
        while len(self.pending) < size:
            if not self._more():
                break
        found, self.pending = self.pending[:size], self.pending[size:]
        return found

    def reply(self):
        """Returns the next reply, or None when the peer closed before it."""
        top = self._until(b"\r\n\r\n")
        if top is None:
            return None
        status_line, *lines = top.decode("latin-1").split("\r\n")
        headers = [(name.strip().lower(), value.strip()) for name, value in (line.split(":", 1) for line in lines)]
        status = int(status_line.split(" ")[1])
        known = dict(headers)
        if known.get("transfer-encoding", "").lower() == "chunked":
            trailers = []
            chunks, complete = self._chunks(trailers)
            return Reply(status, headers, b"".join(chunks), chunks, complete, trailers)
        size = int(known.get("content-length", 0))
        body = self._exactly(size)
        return Reply(status, headers, body, [], len(body) == size)

    def _chunks(self, trailers):
        chunks = []
        while True:
            size_line = self._until(b"\r\n")
            if size_line is None:
                return chunks, False
            size = int(size_line.split(b";")[0], 16)
            if size == 0:
                while (line := self._until(b"\r\n")) not in (b"", None):
                    name, value = line.decode("latin-1").split(":", 1)
                    trailers.append((name.strip().lower(), value.strip()))
                return chunks, line == b""
            chunk = self._exactly(size)
            if len(chunk) < size or self._exactly(2) != b"\r\n":
                return chunks + [chunk], False
            chunks.append(chunk)


def head(node, method, path, body=None, headers=()):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {node.host}:{node.port}"]
    if body is not None or method == "POST":
        lines.append("Content-Type: application/json")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def exchange(node, method, path, body=None, headers=()):
    """Sends one request on its own connection."""
    with Connection(node) as connection:
        return connection.request(method, path, body, [*headers, ("Connection", "close")])
