"""The measures: which cells there are, and how one cell is run. Every cell starts its arm afresh, so that memory and caches of one cell do
not favour the next. Only measure f keeps its three engines through a round."""
import json
import random
import socket
import subprocess
import time
import urllib.request

from . import arms as A
from .children import BenchError, free_port
from .machine import OtherWork, busy_share

# Each entry holds connections, requests a second (0: closed loop) and bytes of a request.
A1_LOADS = [("1 connection", 1, 0, 600), ("64 connections", 64, 0, 600), ("1024 connections", 1024, 0, 600),
            ("2000/s over 64", 64, 2000, 600), ("16 KB requests", 1, 0, 16 << 10), ("1 MB requests", 1, 0, 1 << 20)]
A2_STREAMS = [(1, 0.0), (64, 0.5), (1024, 1.0)]  # streams, seconds over which they start
D_REPORT = "/v1/attestation/report"
D_CACHED = "cached report"
D_STREAMS, D_FLOOD_RATE, D_FLOOD_CONNECTIONS = 64, 500, 8
D_FLOOD = f"{D_STREAMS} streams"
F_WIDTHS = [1, 4, 8, 16]
F_TOKENS = 64
F_CONTEXT = 512
_SAMPLES = 4
_IDLE_SHARE = 0.05
DISTURBED_SHARE = 0.1
_ATTEMPTS = 3
_PROMPT = "@N@ Tell a long story about a lighthouse keeper who measures the sea and writes it all down."


class Plan:
    """The durations of a run."""

    def __init__(self, quick, rounds, wait_idle_s):
        self.wait_idle_s = wait_idle_s
        self.rounds = rounds or (2 if quick else 5)
        self.request_s = 1.0 if quick else 2.0
        self.warmup_s = 0.3 if quick else 0.5
        self.stream_events = 100 if quick else 150
        self.repeats = {1: 2, 4: 1, 8: 1, 16: 1} if quick else {1: 4, 4: 3, 8: 2, 16: 1}
        self.starts = 5 if quick else 9


class Bench:
    def __init__(self, plan, children, client, tools, machine, wanted_arms, say, folder, seed):
        self.plan = plan
        self._children = children
        self._arms = A.Arms(children, tools, machine)
        self._client = client
        self._tools = tools
        self._machine = machine
        self._wanted = wanted_arms
        self._say = say
        self._folder = folder
        self._random = random.Random(seed)
        self.cells = []
        self.shape = A.Shape(events=plan.stream_events)

    # -- shape ---------------------------------------------------------------------------------------------------------

    def calibrate(self):
        """Sets the echo engine's token counts so that its replies come near the wanted size. The source is then set to send as many bytes
        and events as the echo engine really does."""
        if not {A.PLAIN, A.SIGNED} & self._wanted:
            return
        shape = self.shape
        small, large = self._probe_reply(1), self._probe_reply(101)
        per_token = (large - small) / 100
        shape.reply_tokens = max(1, round(1 + (shape.reply_bytes - small) / per_token))
        shape.reply_bytes = round(self._probe_reply(shape.reply_tokens))
        shape.stream_tokens = self.plan.stream_events
        probe = self._probe_stream(shape.stream_tokens)
        shape.events = probe["events_per_stream"]["most"]
        done_bytes = len("data: [DONE]\n\n")
        shape.event_bytes = round(probe["event_bytes"] - done_bytes / shape.events)

    def _probe_reply(self, tokens):
        running = self._arms.cloister_echo(A.PLAIN, tokens, 0)
        try:
            return self._client.requests(running, 1, 0.05, 0)["reply_bytes"]
        finally:
            running.stop()

    def _probe_stream(self, tokens):
        running = self._arms.cloister_echo(A.PLAIN, tokens, 0)
        try:
            return self._client.streams(running, 1)
        finally:
            running.stop()

    # -- a1, a2 --------------------------------------------------------------------------------------------------------

    def proxy_round(self, number, measures):
        blocks = [("a1", load) for load in A1_LOADS if "a1" in measures]
        blocks += [("a2", load) for load in A2_STREAMS if "a2" in measures]
        self._random.shuffle(blocks)
        for measure, load in blocks:
            for arm in self._shuffled(A.PROXY_ARMS):
                if measure == "a1":
                    self._cell("a1", load[0], arm, number, lambda a=arm, l=load: self._request_cell(a, l))
                else:
                    self._cell("a2", f"{load[0]} streams", arm, number, lambda a=arm, l=load: self._stream_cell(a, l))

    def _request_cell(self, arm, load):
        _, connections, rate, body_bytes = load
        running = self._arms.proxy(arm, self.shape, stream=False)
        try:
            return self._client.requests(running, connections, self.plan.request_s, self.plan.warmup_s, rate,
                                         min(_SAMPLES, max(1, 256 // connections)) if arm in A.SIGNING else 0, body_bytes)
        finally:
            running.stop()

    def _stream_cell(self, arm, load):
        streams, ramp_s = load
        running = self._arms.proxy(arm, self.shape, stream=True)
        try:
            return self._client.streams(running, streams, ramp_s, events=self.shape.events,
                                        samples=min(streams, _SAMPLES) if arm in A.SIGNING else 0)
        finally:
            running.stop()

    # -- d -------------------------------------------------------------------------------------------------------------

    def report_round(self, number):
        for arm in self._shuffled(A.REPORT_ARMS):
            self._cell("d", D_CACHED, arm, number, lambda a=arm: self._cached_cell(a))
        for arm in self._shuffled(A.FLOOD_ARMS):
            self._cell("d", D_FLOOD, arm, number, lambda a=arm: self._flood_cell(a))

    def _cached_cell(self, arm):
        node = self._arms.cloister_echo(A.SIGNED, 1, 0)
        try:
            with urllib.request.urlopen(node.url + D_REPORT, timeout=30) as reply:
                report = reply.read()
            if arm == A.SIGNED:
                return self._client.gets(node, D_REPORT, 1, self.plan.request_s, self.plan.warmup_s)
        finally:
            node.stop()
        rival = self._arms.static(report)
        try:
            return self._client.gets(rival, "/report.json", 1, self.plan.request_s, self.plan.warmup_s)
        finally:
            rival.stop()

    def _flood_cell(self, arm):
        """Measures the streams of one caller while another caller asks for a fresh report as often as it can."""
        names = {}
        for who in ("streamer", "flooder"):
            names[who] = self._folder / f"{who}.token"
            names[who].write_text(f"bench-token-of-the-{who}\n")
        tokens_file = self._folder / "tokens"
        tokens_file.write_text("".join(path.read_text() for path in names.values()))
        body = self._folder / "nonce.json"
        body.write_text(json.dumps({"nonce": "ab" * 28 + "@N@"}))
        running = self._arms.cloister_locked(self.plan.stream_events, tokens_file, self.shape.gap_ms)
        flood = None
        try:
            if arm == A.FLOODED:
                flood = self._children.start(self._client.flood_command(
                    running, D_REPORT, body, names["flooder"], D_FLOOD_CONNECTIONS, 120, D_FLOOD_RATE), "flood")
            return self._client.streams(running, D_STREAMS, 0.5, samples=_SAMPLES, bearer=names["streamer"])
        finally:
            if flood:
                self._children.stop(flood)
            running.stop()

    # -- f -------------------------------------------------------------------------------------------------------------

    def engine_round(self, number):
        running = {}
        try:
            for arm in self._shuffled(A.ENGINE_ARMS):
                try:
                    running[arm] = self._arms.engine(arm, max(F_WIDTHS), F_CONTEXT, self._machine.cores)
                    self._engine_cell(running[arm], arm, 4, 1)  # This call warms up and is not recorded.
                except BenchError as error:
                    self._record("f", "start", arm, number, {"error": str(error)})
                    if arm in running:
                        running.pop(arm).stop()
            widths = F_WIDTHS[:]
            self._random.shuffle(widths)
            for width in widths:
                for arm in self._shuffled(running):
                    self._cell("f", f"{width} parallel", arm, number, lambda a=arm, w=width: self._engine_cell(
                        running[a], a, w, self.plan.repeats[w]))
        finally:
            for arm in running.values():
                arm.stop()

    def _engine_cell(self, running, arm, width, repeat):
        body = self._folder / f"engine-{arm}.json"
        body.write_text(json.dumps({
            "model": A.model_id(running.url), "messages": [{"role": "user", "content": _PROMPT}], "max_tokens": F_TOKENS,
            "temperature": 0, "ignore_eos": True, "stream": True, "stream_options": {"include_usage": True}}))
        return self._client.streams(running, width, repeat=repeat, samples=1 if arm == A.SIGNED else 0, body=body,
                                    tokens=F_TOKENS)

    # -- g -------------------------------------------------------------------------------------------------------------

    def starts(self):
        cores = self._machine.cores
        model = ["--engine", "llama", "--model", self._tools.model, "--parallel", 4, "--context", F_CONTEXT, "--threads",
                 cores]
        commands = {}
        if self._tools.cloister:
            commands[("no model", A.PLAIN)] = lambda port: self._arms.cloister_command(port, "--engine", "echo")
        if self._tools.cloister and self._tools.has_engine:
            commands[("model", A.PLAIN)] = lambda port: self._arms.cloister_command(port, *model)
        if self._tools.llama_server:
            commands[("model", A.LLAMA)] = lambda port: self._arms.llama_command(port, 4, F_CONTEXT, cores)
        for number in range(1, self.plan.starts + 1):
            for load, arm in self._shuffled(commands):
                self._cell("g", load, arm, number, lambda key=(load, arm): self._start_cell(commands[key]))

    def _start_cell(self, command):
        port = free_port()
        child = self._children.start(command(port), "start")
        try:
            first, ready = _watch_health(child, port)
            time.sleep(0.3)
            return {"first_answer_ms": 1e3 * (first - child.started), "ready_ms": 1e3 * (ready - child.started),
                    "idle_rss_kb": _rss_kb(child.pid)}
        finally:
            self._children.stop(child)

    # -- b -------------------------------------------------------------------------------------------------------------

    def micro(self):
        """Returns the CPU time of the raw primitives, and of making a receipt, in ns an operation. Each is the median of three."""
        out = {}
        for program in (self._tools.crypto_bench, self._tools.receipt_bench):
            done = subprocess.run([str(program), "--benchmark_format=json", "--benchmark_min_time=0.1",
                                   "--benchmark_repetitions=3", "--benchmark_report_aggregates_only=true"],
                                  capture_output=True, text=True, timeout=120, check=True)
            out |= {run["run_name"]: round(run["cpu_time"], 1) for run in json.loads(done.stdout)["benchmarks"]
                    if run["aggregate_name"] == "median"}
        return out

    # -- cells ---------------------------------------------------------------------------------------------------------

    def _shuffled(self, arms):
        """Returns those of `arms` that are wanted, in a new order. `arms` may hold (load, arm) pairs."""
        chosen = [arm for arm in arms if (arm[1] if isinstance(arm, tuple) else arm) in self._wanted]
        self._random.shuffle(chosen)
        return chosen

    def _cell(self, measure, load, arm, number, run):
        for attempt in range(1, 1 + (_ATTEMPTS if self.plan.wait_idle_s else 1)):
            self._wait_until_idle()
            self._say(f"round {number}: {measure}, {load}, {arm}" + (f", attempt {attempt}" if attempt > 1 else ""))
            with OtherWork(self._children) as other:
                try:
                    result = run()
                except BenchError as error:
                    result = {"error": str(error)}
            result["other_work"] = other.share
            if "error" in result or other.share <= DISTURBED_SHARE:
                break
        self._record(measure, load, arm, number, result)

    def _wait_until_idle(self):
        end = time.monotonic() + self.plan.wait_idle_s
        while time.monotonic() < end and busy_share(0.3) > _IDLE_SHARE:
            self._say("waiting for other work to end")

    def _record(self, measure, load, arm, number, result):
        self.cells.append({"measure": measure, "load": load, "arm": arm, "round": number, "result": result})
        if "error" in result:
            self._say(f"no result for {measure}, {load}, {arm}: {result['error']}", keep=True)


def _watch_health(child, port, limit_s=60):
    """Returns the times of the first answer of /health (200 or 503) and of the first 200."""
    first = None
    while time.monotonic() - child.started < limit_s:
        if child.process.poll() is not None:
            raise BenchError(f"ended with status {child.process.returncode}: {child.log_end()}")
        status = _health_status(port)
        if status in (200, 503):
            first = first or time.monotonic()
        if status == 200:
            return first, time.monotonic()
        time.sleep(0.001)
    raise BenchError(f"/health did not answer 200 within {limit_s} s")


def _health_status(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as link:
            link.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return int(link.recv(4096).split(b" ", 2)[1])
    except (OSError, IndexError, ValueError):
        return None


def _rss_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
