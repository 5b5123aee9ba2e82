"""The arms of a measure: what each arm starts, and the URL where it then answers."""
import json
import string
import urllib.request

from .children import free_port

SIGNED = "cloister+sign"
PLAIN = "cloister"
DIRECT = "direct"
NGINX = "nginx"
LLAMA = "llama-server"
UPSTREAM = "cloister+upstream"
UPSTREAM_SIGNED = "cloister+upstream+sign"
SIGNING = (SIGNED, UPSTREAM_SIGNED)
STATIC = "nginx static"
QUIET = "quiet"
FLOODED = "flooded"
REPORT_ARMS = [STATIC, SIGNED]
FLOOD_ARMS = [QUIET, FLOODED]
PROXY_ARMS = [DIRECT, NGINX, PLAIN, SIGNED, UPSTREAM, UPSTREAM_SIGNED]
ENGINE_ARMS = [LLAMA, PLAIN, SIGNED]


class Shape:
    """The size and pace of the replies, which are the same in every arm. `tokens` of the echo engine give about these bytes."""

    def __init__(self, reply_bytes=1536, reply_tokens=None, event_bytes=250, events=100, stream_tokens=None, gap_ms=20):
        self.reply_bytes = reply_bytes
        self.reply_tokens = reply_tokens
        self.event_bytes = event_bytes
        self.events = events
        self.stream_tokens = stream_tokens
        self.gap_ms = gap_ms


class Running:
    """A started arm. `pids` are the processes whose cost is counted."""

    def __init__(self, children, started, url, counted):
        self._children = children
        self._started = started
        self.url = url
        self.counted = counted

    def pids(self):
        return self.counted.pids()

    def stop(self):
        for child in reversed(self._started):
            self._children.stop(child)


class Arms:
    def __init__(self, children, tools, machine):
        self._children = children
        self._tools = tools
        self._machine = machine

    def proxy(self, name, shape, stream):
        """Starts one arm of the measures a1 and a2."""
        if name == DIRECT:
            return self._direct(shape)
        if name == NGINX:
            return self._nginx(shape)
        if name in (UPSTREAM, UPSTREAM_SIGNED):
            return self._upstream(name, shape)
        tokens = shape.stream_tokens if stream else shape.reply_tokens
        return self.cloister_echo(name, tokens, shape.gap_ms if stream else 0)

    def _source(self, shape):
        source = self._children.start(
            [self._tools.source, "--reply-bytes", shape.reply_bytes, "--event-bytes", shape.event_bytes, "--events",
             shape.events, "--gap-us", int(shape.gap_ms * 1000)], "source", self._machine.core(1))
        return source, source.wait_for_address()

    def _direct(self, shape):
        source, url = self._source(shape)
        return Running(self._children, [source], url, source)

    def _nginx(self, shape):
        source, url = self._source(shape)
        prefix = self._children.folder("nginx")
        port = free_port()
        config = string.Template(self._tools.nginx_template.read_text())
        (prefix / "nginx.conf").write_text(
            config.substitute(prefix=prefix, port=port, upstream_port=url.rsplit(":", 1)[1]))
        nginx = self._children.start(
            [self._tools.nginx, "-p", prefix, "-e", prefix / "error.log", "-c", prefix / "nginx.conf"], "nginx",
            self._machine.core(0))
        url = f"http://127.0.0.1:{port}"
        nginx.wait_for_health(url)
        return Running(self._children, [source, nginx], url, nginx)

    def _upstream(self, name, shape):
        """Starts Cloister in front of the same source that nginx has. Only the cost of Cloister is counted."""
        source, source_url = self._source(shape)
        child = self._children.start(self._cloister(name, 0) + ["--upstream", source_url, "--upstream-parallel", 65536], name, self._machine.core(0))
        url = child.wait_for_address()
        child.wait_for_health(url)
        return Running(self._children, [source, child], url, child)

    def cloister_echo(self, name, tokens, gap_ms, port=0):
        child = self._children.start(self._cloister(name, port) + [
            "--engine", "echo", "--echo-first-token-ms", 0, "--echo-token-gap-ms", gap_ms, "--echo-tokens", tokens],
            name, self._machine.core(0))
        url = child.wait_for_address()
        child.wait_for_health(url)
        return Running(self._children, [child], url, child)

    def static(self, file_bytes):
        """Starts nginx with one file. A cached report is compared with this arm."""
        prefix = self._children.folder("static")
        (prefix / "report.json").write_bytes(file_bytes)
        port = free_port()
        config = string.Template(self._tools.static_template.read_text())
        (prefix / "nginx.conf").write_text(config.substitute(prefix=prefix, port=port))
        nginx = self._children.start(
            [self._tools.nginx, "-p", prefix, "-e", prefix / "error.log", "-c", prefix / "nginx.conf"], "static",
            self._machine.core(0))
        url = f"http://127.0.0.1:{port}"
        nginx.wait_for_health(url)
        return Running(self._children, [nginx], url, nginx)

    def cloister_locked(self, tokens, tokens_file, gap_ms):
        """Starts the echo engine for callers with a token."""
        child = self._children.start(self._cloister(SIGNED, 0, ["--api-key-file", tokens_file]) + [
            "--engine", "echo", "--echo-first-token-ms", 0, "--echo-token-gap-ms", gap_ms, "--echo-tokens", tokens],
            "locked", self._machine.core(0))
        url = child.wait_for_address()
        child.wait_for_health(url)
        return Running(self._children, [child], url, child)

    def engine(self, name, parallel, context, threads):
        """Starts one arm of measure f, in which one process runs the real model."""
        if name == LLAMA:
            return self._llama_server(parallel, context, threads)
        child = self._children.start(self._cloister(name, 0) + [
            "--engine", "llama", "--model", self._tools.model, "--parallel", parallel, "--context", context,
            "--threads", threads], name)
        url = child.wait_for_address()
        child.wait_for_health(url)
        return Running(self._children, [child], url, child)

    def _llama_server(self, parallel, context, threads):
        port = free_port()
        child = self._children.start(self.llama_command(port, parallel, context, threads), LLAMA)
        url = f"http://127.0.0.1:{port}"
        child.wait_for_health(url)
        return Running(self._children, [child], url, child)

    def llama_command(self, port, parallel, context, threads):
        """The server divides --ctx-size among its slots, so the option gets the product here."""
        return [self._tools.llama_server, "--model", self._tools.model, "--host", "127.0.0.1", "--port", port,
                "--parallel", parallel, "--ctx-size", parallel * context, "--threads", threads]

    def cloister_command(self, port, *more):
        """Returns the command of a Cloister that signs, for a process that the caller starts."""
        return self._cloister(SIGNED, port) + list(more)

    def _cloister(self, name, port, auth=("--no-auth",)):
        return [self._tools.cloister, "serve", "--listen", f"127.0.0.1:{port}", "--tee", "insecure-simulator",
                "--signing", "on" if name in SIGNING else "off", *auth, "--log-level", "error",
                "--state", self._children.folder("state")]


def model_id(url):
    """Returns the name of the one model that is served."""
    with urllib.request.urlopen(url + "/v1/models", timeout=10) as reply:
        return json.load(reply)["data"][0]["id"]
