"""A server between a client and a node. It passes requests on and changes the replies."""

import http.server
import threading
import urllib.error
import urllib.request

OWN_HEADERS = ("transfer-encoding", "content-length", "connection", "trailer")  # headers of the connection to the node


class _Between(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        self.pass_on(None)

    def do_POST(self):
        self.pass_on(self.rfile.read(int(self.headers["content-length"])))

    def pass_on(self, body):
        request = urllib.request.Request(self.server.node + self.path, body, {"content-type": "application/json"})
        try:
            reply = urllib.request.urlopen(request, timeout=20)
        except urllib.error.HTTPError as error:
            reply = error
        status, headers, text = self.server.meddle(self.path, reply.status, dict(reply.headers), reply.read())
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in OWN_HEADERS:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Between:
    """`meddle(path, status, headers, body)` returns the status, the headers and the body that the client gets."""

    def __init__(self, node, meddle):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Between)
        self.server.node, self.server.meddle = node.url, meddle
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
