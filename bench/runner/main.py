"""Command line of bench/run: builds what is missing, runs the rounds, writes the JSON, prints the tables."""
import argparse
import datetime
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from . import arms, machine, measures, report
from .children import BenchError, Children
from .load import LoadClient

ROOT = pathlib.Path(__file__).resolve().parents[2]
MEASURES = ["a1", "a2", "d", "f", "g", "b"]
_TARGETS = ["cloister", "cloister_load", "bench_source", "crypto_bench", "receipt_bench"]


class Tools:
    """The programs and files that take part. A member is None where the file is missing."""

    def __init__(self, build, model, llama_server):
        self.load = _program(build / "bench/cloister_load")
        self.source = _program(build / "bench/bench_source")
        self.crypto_bench = _program(build / "bench/crypto_bench")
        self.receipt_bench = _program(build / "bench/receipt_bench")
        self.cloister = _program(build / "cloister")
        self.nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        self.nginx_template = ROOT / "bench/rivals/nginx.conf.in"
        self.static_template = ROOT / "bench/rivals/nginx_static.conf.in"
        self.model = _existing(model or _newest(".cache/model/*.gguf"))
        self.llama_server = _program(llama_server or _newest(".cache/engine-cpu-*/bin/llama-server"))
        cache = build / "CMakeCache.txt"
        self.has_engine = cache.exists() and "CLOISTER_LLAMA:BOOL=ON" in cache.read_text()

    def missing(self, wanted):
        """Says in words what cannot be measured."""
        out = []
        if not self.cloister:
            out.append("cloister is not built: its arms are left out")
        if not self.nginx:
            out.append("nginx is not installed (apt-get install nginx-light): its arm is left out")
        if {"f", "g"} & set(wanted) and not self.llama_server:
            out.append("llama-server is not built (tools/engine llama-server): its arm is left out")
        if "f" in wanted and not self.model:
            out.append("there is no model file (tools/fetch model): measure f is left out")
        return out

    def arms(self):
        there = [arms.DIRECT, arms.NGINX if self.nginx else None, arms.LLAMA if self.llama_server else None]
        there += [arms.STATIC] if self.nginx else []
        there += [arms.PLAIN, arms.SIGNED, arms.UPSTREAM, arms.UPSTREAM_SIGNED, *arms.FLOOD_ARMS] if self.cloister else []
        return {arm for arm in there if arm}


def _existing(path):
    return pathlib.Path(path) if path and pathlib.Path(path).exists() else None


def _program(path):
    found = _existing(path)
    return found if found and os.access(found, os.X_OK) else None


def _newest(pattern):
    found = sorted(ROOT.glob(pattern), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 short rounds: a look, not a result")
    parser.add_argument("--rounds", type=int, help="default: 5, or 2 with --quick")
    parser.add_argument("--only", default=",".join(MEASURES), help="measures to run, default %(default)s")
    parser.add_argument("--arms", help="arms to run, default all that are there")
    parser.add_argument("--build", type=pathlib.Path, help="build folder to take as it is; default: build the preset bench")
    parser.add_argument("--model", type=pathlib.Path, help="GGUF file, default: the pinned one")
    parser.add_argument("--llama-server", type=pathlib.Path, help="default: the one of tools/engine")
    parser.add_argument("--out", type=pathlib.Path, help="default: bench/results/DATE-COMMIT.json, or none with --quick")
    parser.add_argument("--wait-idle", type=float, default=0, metavar="S",
                        help="before each cell, wait at most S seconds until nothing else runs")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="order of the rounds")
    parser.add_argument("--check", action="store_true", help="exit 1 when a required floor is not met")
    chosen = parser.parse_args()
    chosen.only = chosen.only.split(",")
    unknown = set(chosen.only) - set(MEASURES)
    if unknown:
        parser.error(f"unknown measure {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    return chosen


class Progress:
    """Prints one moving line on a terminal, and plain lines elsewhere."""

    def __init__(self):
        self._start = time.monotonic()
        self._moving = sys.stderr.isatty()

    def __call__(self, words, keep=False):
        clock = f"{time.monotonic() - self._start:6.0f} s  "
        if self._moving:
            print(f"\r\033[K{clock}{words}", end="\n" if keep else "", file=sys.stderr, flush=True)
        else:
            print(clock + words, file=sys.stderr, flush=True)


def build_all(say):
    """Builds the engine, its rival from the same source, and the preset bench, and fetches the model."""
    steps = [["tools/fetch"], ["tools/crypto"], ["tools/engine", "cpu", "llama-server"],
             ["cmake", "--preset", "bench"], ["cmake", "--build", "--preset", "bench", "--target", *_TARGETS]]
    for step in steps:
        say("build: " + " ".join(step))
        if subprocess.run([str(ROOT / step[0]) if "/" in step[0] else step[0], *step[1:]], cwd=ROOT, check=False,
                          stdout=subprocess.DEVNULL).returncode != 0:
            raise BenchError(f"{' '.join(step)} failed")
    return ROOT / "build/bench"


def run_rounds(bench, plan, tools, only, say):
    micro = bench.micro() if "b" in only else {}
    bench.calibrate()
    for number in range(1, plan.rounds + 1):
        bench.proxy_round(number, only)
        if "d" in only:
            bench.report_round(number)
        if "f" in only and tools.model:
            bench.engine_round(number)
    if "g" in only:
        bench.starts()
    say("done", keep=True)
    return micro


def document(options, tools, host, bench, summary, floor_list, micro, sizes, facts, seconds):
    return {
        "cloister_bench": 1,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "tree": host.tree(),
        "machine": facts,
        "run": {"quick": options.quick, "measures": options.only, "seed": options.seed, "seconds": round(seconds),
                "rounds": bench.plan.rounds},
        "programs": {"nginx": machine.version_line(tools.nginx, "-v") if tools.nginx else None,
                     "llama.cpp": machine.pinned(ROOT, "LLAMA_COMMIT"),
                     "model": tools.model.name if tools.model else None, "bytes": sizes},
        "shape": vars(bench.shape),
        "primitives_ns": micro,
        "floors": floor_list,
        "medians": summary.table(),
        "no_result": [{"measure": m, "load": l, "arm": a, "reason": reason} for (m, l, a), reason in summary.failed.items()],
        "cells": bench.cells,
    }


def measure(options, say):
    build = options.build.resolve() if options.build else build_all(say)
    tools = Tools(build, options.model, options.llama_server)
    if not tools.load or not tools.source:
        raise BenchError(f"cloister_load or bench_source is not in {build}/bench: configure with -DCLOISTER_BENCH=ON")
    wanted = set(options.arms.split(",")) & tools.arms() if options.arms else tools.arms()
    for words in tools.missing(options.only):
        say(words, keep=True)
    host = machine.Machine(ROOT)
    facts = host.facts()
    plan = measures.Plan(options.quick, options.rounds, options.wait_idle)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cloister-bench-") as folder, Children(folder) as children:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)  # nginx drops to another user.
        bench = measures.Bench(plan, children, LoadClient(tools, host), tools, host, wanted, say,
                               folder, options.seed)
        micro = run_rounds(bench, plan, tools, options.only, say)
    summary = report.Summary(bench.cells)
    floor_list = [f for f in report.floors(summary, micro) if f["id"].split(".")[0] in options.only]
    programs = {"cloister": tools.cloister, "llama-server": tools.llama_server, "nginx": tools.nginx}
    sizes = {name: os.stat(path).st_size for name, path in programs.items() if path}
    result = document(options, tools, host, bench, summary, floor_list, micro, sizes, facts, time.monotonic() - started)
    print_result(result, summary, floor_list, micro, sizes)
    save(options, result)
    return 1 if options.check and any(f["kind"] == "required" and f["verdict"] != report.MET for f in floor_list) else 0


def print_result(result, summary, floor_list, micro, sizes):
    facts, tree = result["machine"], result["tree"]
    print(f"Cloister {tree['commit']}{' with changes' if tree['changed'] else ''} on {facts['cpu']}, {facts['cores']} cores, "
          f"Linux {facts['kernel']}; {result['run']['rounds']} rounds, medians ± half the range")
    if not facts["pinned"]:
        print("Fewer than 4 cores: client, source and server share them. Trust CPU per unit and 1-connection figures only.")
    bad = report.disturbed(result["cells"])
    if bad:
        print(f"Other work took more than a tenth of the machine during {bad} of {len(result['cells'])} cells: figures are off.")
    shape = result["shape"]
    print(f"Replies of {shape['reply_bytes']} bytes; streams of {shape['events']} events of {shape['event_bytes']} bytes.\n")
    print(report.text(summary, floor_list, micro, sizes))


def save(options, result):
    path = options.out
    if not path and not options.quick:
        path = ROOT / "bench/results" / f"{result['date'][:10]}-{result['tree']['commit']}.json"
    if path:
        report.write(path, result)
        print(f"written: {path}")


def stop_once(number, _frame):
    """The first signal ends the run. Further signals would interrupt its clean-up."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


def main():
    for each in (signal.SIGINT, signal.SIGTERM):  # SIGINT is set too: shells set it to be ignored in background jobs.
        signal.signal(each, stop_once)
    say = Progress()
    try:
        return measure(parse_arguments(), say)
    except BenchError as error:
        print(f"bench/run: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbench/run: interrupted, all children are stopped", file=sys.stderr)
        return 130
