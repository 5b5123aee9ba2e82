"""Header lines that two servers in a row read differently (RFC 9112, sections 5.2 and 11.2; RFC 9110, section 7.2). nginx 1.22.1 also
answers 400 to each of the folded lines, and to the hosts with white space, with a slash and without a name. It accepts the other hosts.
Here the grammar of RFC 3986, section 3.2.2, decides."""

import pytest

from support.rawhttp import Connection

pytestmark = pytest.mark.fast

GET = "GET /v1/models HTTP/1.1\r\n"
POST = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SMUGGLED = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"

FOLDED = {
    "any field": GET + "Host: localhost\r\nX-A: one\r\n two\r\n\r\n",
    "with a tab": GET + "Host: localhost\r\nX-A: one\r\n\ttwo\r\n\r\n",
    "an empty continuation": GET + "Host: localhost\r\nX-A: one\r\n \r\n\r\n",
    "the first field": GET + " Host: localhost\r\n\r\n",
    "the host": GET + "Host:\r\n localhost\r\n\r\n",
    "the host, twice": GET + "Host: localhost\r\n evil.example\r\n\r\n",
    "the length": POST + "Content-Length:\r\n 2\r\n\r\n{}",
    "the length, in pieces": POST + "Content-Length: 1\r\n 0\r\n\r\n{}",
    "the transfer coding": POST + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "the transfer coding behind another": POST + "Transfer-Encoding: identity,\r\n chunked\r\n\r\n0\r\n\r\n",
    "a coding hidden in another field": POST + "X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
    "a credential": GET + "Host: localhost\r\nAuthorization: Bearer\r\n token\r\n\r\n",
}


def answers(node, data, pieces):
    """Returns the statuses of all replies until the server closes the connection."""
    out = []
    with Connection(node) as connection:
        for at in range(0, len(data), pieces):
            connection.send(data[at : at + pieces])
        while (reply := connection.reply()) is not None:
            out.append(reply.status)
            if reply.header("connection") == "close":
                break
    return out


@pytest.mark.parametrize("name", FOLDED)
@pytest.mark.parametrize("pieces", [1, 1 << 16])
def test_a_folded_line_is_refused(echo, name, pieces):
    assert answers(echo, FOLDED[name].encode(), pieces) == [400]


@pytest.mark.parametrize("name", ["the length", "the transfer coding", "a coding hidden in another field"])
def test_nothing_behind_a_folded_line_is_a_request(echo, name):
    assert answers(echo, FOLDED[name].encode() + SMUGGLED, 1 << 16) == [400]


HOSTS = ["a, b", "a,b", "a b", "a\tb", "", " ", "a/b", "a@b", "a?b", "a#b", "a\\b", "a:b", "a:80:80", "a:123456", "[::1", "::1", "[::1]x", "[a]b", ":80",
         "a;b", "\"a\"", "a%00", "\xe9"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_is_none_or_two(echo, host):
    assert answers(echo, (GET + f"Host: {host}\r\n\r\n").encode("latin-1"), 1 << 16) == [400]


def test_white_space_in_a_body_is_no_folded_line(echo):
    """The pieces do not matter: one piece holds the end of the head, the next a body that begins with a line break and a space."""
    body = b'\n {\r\n "model":"echo",\n\t"messages":[{"role":"user","content":"x"}]}\r\n '
    head = (POST + f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode()
    for cut in (len(head) - 4, len(head) - 3, len(head) - 2, len(head) - 1, len(head), len(head) + 1):
        with Connection(echo) as connection:
            connection.send((head + body)[:cut])
            assert echo.get("/health")[0] == 200  # the first piece has been read by now
            connection.send((head + body)[cut:])
            assert connection.reply().status == 200, cut
