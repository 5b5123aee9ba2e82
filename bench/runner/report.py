"""Medians, floors and the printed tables."""
import json
import statistics

from . import arms as A
from .measures import D_CACHED, D_FLOOD, DISTURBED_SHARE, F_WIDTHS

MET, NOT_MET, NO_RESULT = "met", "NOT MET", "no result"


def disturbed(cells):
    """Returns how many cells lost more than a tenth of the machine to other work."""
    return sum(cell["result"].get("other_work", 0) > DISTURBED_SHARE for cell in cells)


class Summary:
    """Medians over the rounds by (measure, load, arm). An arm that had an error in any round of a load has no median for that load."""

    def __init__(self, cells):
        self.failed = {}
        self._values = {}
        for cell in cells:
            key = (cell["measure"], cell["load"], cell["arm"])
            if "error" in cell["result"]:
                self.failed.setdefault(key, cell["result"]["error"])
                continue
            for name, value in _figures(cell["measure"], cell["result"]).items():
                self._values.setdefault(key, {}).setdefault(name, {})[cell["round"]] = value

    def loads(self, measure):
        order = list(dict.fromkeys(key[1] for key in self._values if key[0] == measure))
        return sorted(order, key=lambda load: (len(load.split()[0]) if load[0].isdigit() else 99, load))

    def rounds(self, measure, load, arm, name):
        key = (measure, load, arm)
        return {} if key in self.failed else self._values.get(key, {}).get(name, {})

    def median(self, measure, load, arm, name):
        values = self.rounds(measure, load, arm, name).values()
        return statistics.median(values) if values else None

    def spread(self, measure, load, arm, name):
        """Returns half the range over the median, which shows how far the rounds lie apart."""
        values = list(self.rounds(measure, load, arm, name).values())
        middle = statistics.median(values) if values else 0
        return (max(values) - min(values)) / 2 / middle if middle else None

    def paired_ratio(self, measure, load, arm, base, name):
        """Returns the median of the ratios of the rounds. A disturbance that both arms share in a round cancels out."""
        ours, theirs = (self.rounds(measure, load, a, name) for a in (arm, base))
        ratios = [ours[n] / theirs[n] for n in ours if n in theirs and theirs[n]]
        return statistics.median(ratios) if ratios else None

    def table(self):
        """Returns all figures, for the JSON."""
        return [{"measure": m, "load": l, "arm": a, "figures": {
            name: {"median": round(self.median(m, l, a, name), 4), "min": round(min(v.values()), 4),
                   "max": round(max(v.values()), 4)} for name, v in figures.items()}}
            for (m, l, a), figures in self._values.items() if (m, l, a) not in self.failed]


def _figures(measure, result):
    if measure == "g":
        return {name: result[name] for name in ("first_answer_ms", "ready_ms", "idle_rss_kb")}
    server = result["server"]
    if "latency_us" in result:
        return {"p50_us": result["latency_us"]["p50"], "p99_us": result["latency_us"]["p99"],
                "replies_per_s": result["replies_per_s"], "cpu_us": server["cpu_us_per_unit"],
                "reply_bytes": result["reply_bytes"]}
    figures = {"ttft_p50_us": result["ttft_us"]["p50"], "ttft_p99_us": result["ttft_us"]["p99"],
               "gap_p50_us": result["gap_us"]["p50"], "gap_p99_us": result["gap_us"]["p99"],
               "cpu_us": server["cpu_us_per_unit"], "event_bytes": result["event_bytes"]}
    if measure in ("a2", "d"):
        figures["rss_kb_per_stream"] = (server["rss_peak_kb"] - server["rss_before_kb"]) / result["connections"]
        figures["threads_more"] = server["threads_peak"] - server["threads_before"]
        if result["steady"]:
            figures["steady_cpu_us"] = result["steady"]["server"]["cpu_us_per_unit"]
    else:
        figures["tokens_per_s"] = result["tokens_per_s"]
    return figures


# -- floors ------------------------------------------------------------------------------------------------------------

def floors(summary, micro):
    """Returns every floor as {id, what, value, limit, verdict, kind}. A `required` floor must hold to ship; a `wanted` floor is only
    reported."""
    out = []
    _stream_floors(summary, out)
    _request_floors(summary, micro, out)
    _receipt_floors(micro, out)
    _report_floors(summary, out)
    _engine_floors(summary, out)
    _start_floors(summary, out)
    return out


def _add(out, kind, name, what, value, limit, unit="", least=False):
    verdict = NO_RESULT
    if value is not None and limit is not None:
        verdict = MET if (value >= limit if least else value <= limit) else NOT_MET
    out.append({"id": name, "kind": kind, "what": what, "value": value, "limit": limit, "unit": unit,
                "at": "least" if least else "most", "verdict": verdict})


def _ratio(a, b):
    return a / b if a is not None and b else None


def _added(summary, measure, load, arm, name):
    ours, direct = (summary.median(measure, load, a, name) for a in (arm, A.DIRECT))
    return ours - direct if ours is not None and direct is not None else None


def _stream_floors(summary, out):
    for load in ("64 streams", "1024 streams"):
        ours, rival, source = (summary.median("a2", load, arm, "cpu_us") for arm in (A.SIGNED, A.NGINX, A.DIRECT))
        _add(out, "required", "a2.cpu", f"{load}: CPU per chunk, signed, over nginx's", _ratio(ours, rival), 1.3, "x")
        both = rival + source if rival is not None and source is not None else None
        _add(out, "wanted", "a2.cpu.whole", f"{load}: the same, over nginx's and its source's", _ratio(ours, both), 1.0, "x")
        passing = summary.median("a2", load, A.UPSTREAM_SIGNED, "cpu_us")
        _add(out, "required", "a2.upstream", f"{load}: CPU per chunk, {A.UPSTREAM_SIGNED}, over nginx's", _ratio(passing, rival), 1.3, "x")
    load = "1024 streams"
    _add(out, "required", "a2.memory", f"{load}: memory per open stream, signed",
         summary.median("a2", load, A.SIGNED, "rss_kb_per_stream"), 36, "KB")
    _add(out, "required", "a2.threads", f"{load}: threads that the load added",
         summary.median("a2", load, A.SIGNED, "threads_more"), 4)
    for load in ("64 streams", "1024 streams"):
        ours, rival = (_added(summary, "a2", load, arm, "ttft_p50_us") for arm in (A.SIGNED, A.NGINX))
        limit = 1.5 * rival if rival is not None else None
        _add(out, "wanted", "a2.ttft", f"{load}: added time to first event, p50, signed (1.5 x nginx's)", ours, limit, "us")


def _request_floors(summary, micro, out):
    load = "1 connection"
    rival = _added(summary, "a1", load, A.NGINX, "p50_us")
    limit = 2 * rival if rival is not None else None
    for arm in (A.PLAIN, A.UPSTREAM):
        _add(out, "required", "a1.added", f"{load}: added p50, {arm} (2 x nginx's)",
             _added(summary, "a1", load, arm, "p50_us"), limit, "us")
    raw = _raw_us(micro)
    limit = limit + 1.3 * raw if limit and raw else None
    for arm in A.SIGNING:
        _add(out, "wanted", "a1.added.signed", f"{load}: added p50, {arm} (2 x nginx's + 1.3 x raw crypto)",
             _added(summary, "a1", load, arm, "p50_us"), limit, "us")
    for load in ("1 connection", "64 connections"):
        rival = summary.median("a1", load, A.NGINX, "cpu_us")
        limit = 1.5 * rival if rival else None
        signed_limit = limit + 1.3 * raw if limit and raw else None
        for arm in (A.PLAIN, A.UPSTREAM):
            _add(out, "required" if arm == A.UPSTREAM else "wanted", "a1.cpu", f"{load}: CPU per request, {arm} (1.5 x nginx's)",
                 summary.median("a1", load, arm, "cpu_us"), limit, "us")
        for arm in A.SIGNING:
            _add(out, "wanted", "a1.cpu.signed", f"{load}: CPU per request, {arm} (1.5 x nginx's + 1.3 x raw crypto)",
                 summary.median("a1", load, arm, "cpu_us"), signed_limit, "us")
    for load in ("1 connection", "64 connections", "1024 connections"):
        rival = _added(summary, "a1", load, A.NGINX, "p99_us")
        _add(out, "wanted", "a1.p99", f"{load}: added p99, {A.UPSTREAM} (2 x nginx's)",
             _added(summary, "a1", load, A.UPSTREAM, "p99_us"), 2 * rival if rival is not None else None, "us")


def _raw_us(micro):
    """Returns the cost of both signatures and both hashes of a reply."""
    names = ("sign_ecdsa", "sign_ed25519", "hash_whole/600", "hash_whole/1536")
    return sum(micro[name] for name in names) / 1e3 if micro else None


def _receipt_floors(micro, out):
    for events in (0, 300):
        made, raw = (micro.get(f"{name}/{events}") if micro else None for name in ("make_receipt", "raw_receipt"))
        _add(out, "required", "b.receipt", f"a receipt of {events} events, made and signed, over its raw signatures and hashes",
             _ratio(made, raw), 1.25, "x")


def _report_floors(summary, out):
    _add(out, "required", "d.cached", "cached report: p50 over a static file of nginx",
         summary.paired_ratio("d", D_CACHED, A.SIGNED, A.STATIC, "p50_us"), 1.5, "x")
    _add(out, "required", "d.flood", f"{D_FLOOD}: p99 token gap, while 500 nonces/s come in, over quiet",
         summary.paired_ratio("d", D_FLOOD, A.FLOODED, A.QUIET, "gap_p99_us"), 1.05, "x")


def _engine_floors(summary, out):
    for width in F_WIDTHS:
        load = f"{width} parallel"
        _add(out, "required", "f.engine", f"{load}: tokens/s, {A.PLAIN} over llama-server",
             summary.paired_ratio("f", load, A.PLAIN, A.LLAMA, "tokens_per_s"), 0.99, "x", least=True)
        _add(out, "required", "f.signing", f"{load}: tokens/s, signing on over off",
             summary.paired_ratio("f", load, A.SIGNED, A.PLAIN, "tokens_per_s"), 0.99, "x", least=True)


def _start_floors(summary, out):
    _add(out, "required", "g.start", "start to /health, no model", summary.median("g", "no model", A.PLAIN, "first_answer_ms"),
         150, "ms")
    _add(out, "wanted", "g.model", "start to ready with a model, over llama-server",
         _ratio(summary.median("g", "model", A.PLAIN, "ready_ms"), summary.median("g", "model", A.LLAMA, "ready_ms")),
         1.05, "x")


# -- print -------------------------------------------------------------------------------------------------------------

_COLUMNS = {
    "a1": ("a1  buffered requests", A.PROXY_ARMS, [
        ("p50 us", "p50_us", 1), ("p99 us", "p99_us", 0), ("replies/s", "replies_per_s", 0), ("CPU us/reply", "cpu_us", 1)],
        A.NGINX, "cpu_us", "CPU"),
    "a2": ("a2  event streams, one event per 20 ms", A.PROXY_ARMS, [
        ("TTFT p50 us", "ttft_p50_us", 0), ("gap p50 us", "gap_p50_us", 0), ("gap p99 us", "gap_p99_us", 0),
        ("CPU us/event", "cpu_us", 1), ("steady", "steady_cpu_us", 1), ("KB/stream", "rss_kb_per_stream", 1)],
        A.NGINX, "cpu_us", "CPU"),
    "d": ("d   reports", A.REPORT_ARMS + A.FLOOD_ARMS, [
        ("p50 us", "p50_us", 1), ("p99 us", "p99_us", 0), ("gap p50 us", "gap_p50_us", 0), ("gap p99 us", "gap_p99_us", 0),
        ("TTFT p50 us", "ttft_p50_us", 0), ("CPU us/unit", "cpu_us", 1)],
        A.STATIC, "cpu_us", "CPU"),
    "f": ("f   tokens a second, same model file, same flags", A.ENGINE_ARMS, [
        ("tokens/s", "tokens_per_s", 1), ("TTFT p50 us", "ttft_p50_us", 0), ("CPU us/event", "cpu_us", 0)],
        A.LLAMA, "tokens_per_s", "tokens/s"),
    "g": ("g   start", [A.PLAIN, A.LLAMA], [
        ("first answer ms", "first_answer_ms", 1), ("ready ms", "ready_ms", 1), ("idle RSS KB", "idle_rss_kb", 0)],
        A.LLAMA, "ready_ms", "ready"),
}


def text(summary, floor_list, micro, sizes):
    lines = []
    for measure, columns in _COLUMNS.items():
        if summary.loads(measure):
            lines += _measure_lines(summary, measure, *columns)
    if micro:
        lines += ["b   raw primitives, ns of CPU", "    " + "  ".join(f"{n} {v:.0f}" for n, v in micro.items()), ""]
    if sizes:
        lines += ["    program size: " + ", ".join(f"{n} {v / 1e6:.1f} MB" for n, v in sizes.items()), ""]
    lines += _floor_lines(floor_list)
    for (measure, load, arm), reason in summary.failed.items():
        lines.append(f"no result: {measure}, {load}, {arm}: {reason}")
    return "\n".join(lines)


def _measure_lines(summary, measure, title, arm_names, columns, base, by, what):
    head = f"{'':18}{'arm':15}" + "".join(f"{name:>17}" for name, _, _ in columns) + f"   {what} x {base}"
    lines = [title, head]
    for load in summary.loads(measure):
        for arm in arm_names:
            if summary.median(measure, load, arm, by) is None:
                continue
            cells = "".join(f"{_value(summary, measure, load, arm, name, digits):>17}" for _, name, digits in columns)
            ratio = summary.paired_ratio(measure, load, arm, base, by)
            shown = "-" if ratio is None else f"{ratio:.3f}"
            lines.append(f"{load:18}{arm:15}{cells}{shown:>{len(what) + len(base) + 6}}")
    return lines + [""]


def _value(summary, measure, load, arm, name, digits):
    middle = summary.median(measure, load, arm, name)
    if middle is None:
        return "-"
    spread = summary.spread(measure, load, arm, name)
    return f"{middle:.{digits}f}" + ("" if spread is None else f" ±{min(999, 100 * spread):.0f}%")


def _floor_lines(floor_list):
    lines = ["floors"]
    for floor in floor_list:
        sign = ">=" if floor["at"] == "least" else "<="
        value = "-" if floor["value"] is None else f"{floor['value']:.3g}{floor['unit']}"
        limit = "-" if floor["limit"] is None else f"{floor['limit']:.3g}{floor['unit']}"
        lines.append(f"  {floor['verdict']:10}{floor['kind']:10}{floor['what']:84}{value:>10} {sign} {limit}")
    return lines + [""]


def write(path, document):
    """Writes one cell a line, so that a diff of two results can be read."""
    cells = document.pop("cells")
    front = json.dumps(document, indent=1)
    body = ",\n".join("  " + json.dumps(cell, separators=(",", ":")) for cell in cells)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(front[:-2] + ',\n "cells": [\n' + body + "\n ]\n}\n")
    document["cells"] = cells
