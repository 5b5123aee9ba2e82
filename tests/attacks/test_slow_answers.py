"""A server that sends one byte now and then is never idle and could hold a command for any length of time. So each answer has to be
complete within a given time, however it is cut into pieces."""

import socket
import threading
import time

import pytest

from support.node import PATIENCE, run

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


class Dripping:
    """Sends `begin` to every client at once, and then a byte every 50 ms."""

    def __init__(self, begin, byte):
        self.begin, self.byte = begin, byte
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.drip, args=(client,), daemon=True).start()

    def drip(self, client):
        with client:
            try:
                client.recv(65536)
                client.sendall(self.begin)
                while True:
                    client.sendall(self.byte)
                    time.sleep(0.05)
            except OSError:
                pass


PARTS = {"a line of the head": (HEAD + b"x: ", b"x"), "body": (HEAD + b"content-length: 100000\r\n\r\n{", b" "),
         "chunks": (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"), "body to the end": (HEAD + b"\r\n{", b" ")}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("command", [["verify", "host"], ["chat"]])
def test_an_answer_has_to_come_in_time(part, command):
    server = Dripping(*PARTS[part])
    begun = time.monotonic()
    result = run(*command, server.url, *(["hello"] if command == ["chat"] else []), "--accept-simulator", "--timeout", 1)
    server.listener.close()
    assert result.returncode == 2 and "did not answer in full within 1 s" in result.stderr, result.stderr
    assert time.monotonic() - begun < 10 * PATIENCE


@pytest.mark.parametrize("options", [[], ["--no-stream"]])
def test_a_reply_has_to_begin_in_time(between, echo, options):
    """Everything else comes from a node. The reply hangs until the client is gone."""
    gone = threading.Event()

    def meddle(path, status, headers, text):
        if path.startswith("/v1/chat/completions"):
            gone.wait(30 * PATIENCE)
        return status, headers, text

    result = run("chat", between(meddle), "hello", "--accept-simulator", "--reply-timeout", 1, *options)
    gone.set()
    assert result.returncode == 2 and "1 s" in result.stderr, result.stderr


@pytest.mark.parametrize("name", ["--timeout", "--reply-timeout"])
@pytest.mark.parametrize("value", ["0", "-1", "1000000", "99999999999999999999", "nan", "x"])
def test_no_limit_cannot_be_asked_for(echo, name, value):
    result = run("chat", echo.url, "hello", "--accept-simulator", f"{name}={value}")
    assert result.returncode == 2 and name in result.stderr
