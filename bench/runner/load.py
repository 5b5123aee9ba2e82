"""Calls the load client once, and turns a bad run into an error."""
import json
import subprocess

from .children import BenchError, _prepare

_PER_RUN_LIMIT_S = 180


class LoadClient:
    def __init__(self, tools, machine):
        self._tools = tools
        self._machine = machine

    def requests(self, running, connections, duration_s, warmup_s, rate=0, samples=0, body_bytes=600):
        return self._call("request", running, samples, [
            "--connections", connections, "--duration", duration_s, "--warmup", warmup_s, "--rate", rate,
            "--body-bytes", body_bytes])

    def gets(self, running, path, connections, duration_s, warmup_s):
        return self._call("request", running, 0, [
            "--get", "--connections", connections, "--duration", duration_s, "--warmup", warmup_s], path)

    def flood_command(self, running, path, body, bearer, connections, duration_s, rate):
        """Returns the command of a load that runs next to another one. Every status counts as a reply."""
        return [self._tools.load, "request", "--url", running.url + path, "--any-status", "--connections", connections,
                "--duration", duration_s, "--warmup", 0, "--rate", rate, "--body", body, "--bearer-file", bearer]

    def streams(self, running, connections, ramp_s=0.0, repeat=1, samples=0, body=None, tokens=None, events=None,
                bearer=None):
        more = ["--bearer-file", bearer] if bearer else []
        more += ["--connections", connections, "--ramp", ramp_s, "--repeat", repeat]
        more += ["--body", body] if body else []
        more += ["--expect-tokens", tokens] if tokens else []
        more += ["--expect-events", events] if events else []
        return self._call("stream", running, samples, more)

    def _call(self, mode, running, samples, more, path="/v1/chat/completions"):
        core = self._machine.core(2)
        pids = ",".join(str(pid) for pid in running.pids())
        argv = [self._tools.load, mode, "--url", running.url + path, "--pid", pids, "--timeout", 120,
                "--verify-sample", samples, *more]
        try:
            done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=_PER_RUN_LIMIT_S,
                                  check=False, preexec_fn=lambda: _prepare(core))
        except subprocess.TimeoutExpired as error:
            raise BenchError(f"the load client did not end within {_PER_RUN_LIMIT_S} s") from error
        try:
            result = json.loads(done.stdout)
        except json.JSONDecodeError as error:
            raise BenchError(f"the load client said: {(done.stderr or done.stdout).strip()[:300]}") from error
        if "error" in result:
            raise BenchError(result["error"])
        signatures = result["signatures"]
        if signatures["good"] != signatures["asked"]:
            raise BenchError(f"{signatures['good']} of {signatures['asked']} sampled signatures were good: "
                             f"{'; '.join(signatures['complaints']) or 'the others were not reached'}")
        return result
