#!/usr/bin/env python3
"""How often a reply is reproduced by `cloister audit replay` on this machine.

    bench/replay/measure.py [--model F.gguf] [--replies N] [--batch N] [--tokens N] [--out FILE]

Starts a node, asks for replies one at a time and then in batches, at several temperatures and seeds, makes an archive of each,
replays it, and prints one row for each way of asking: how many were reproduced to the last character, and at which token the
others first differed. Guide: docs/guide/audit.md.
"""

import argparse
import concurrent.futures
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from support.archive import archive  # noqa: E402
from support.node import BINARY, Node  # noqa: E402

SUBJECTS = ["the sea", "a small town", "an old clock", "bread", "winter", "a train", "two brothers", "the moon", "a garden", "numbers"]
PATH = "/v1/chat/completions"


def ask(node, subject, tokens, temperature, seed):
    body = {"model": node.model(), "max_tokens": tokens, "temperature": temperature, "seed": seed}
    body["messages"] = [{"role": "user", "content": f"Write a few sentences about {subject}."}]
    request = json.dumps(body).encode()
    status, _, response = node.post(PATH, request)
    assert status == 200, response
    return request, response


def replay(folder, model, identity, request, response, threads):
    file = folder / "archive.json"
    file.write_text(archive(PATH, request, response, identity))
    command = [BINARY, "audit", "replay", file, "--model", model, "--json", *(["--threads", str(threads)] if threads else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    facts = json.loads(done.stdout)["facts"]
    assert "replay" in facts, done.stdout
    return facts["replay"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=pathlib.Path, default=next(iter(sorted((ROOT / ".cache/model").glob("*.gguf"))), None))
    parser.add_argument("--replies", type=int, default=16)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        # A prompt that is partly remembered would be one more difference, so the sequences begin empty: a node a row.
        for batch in (1, options.batch):
            for temperature in (0, 0.7, 1.0):
                node = Node(folder / f"{batch}-{temperature}", "--model", options.model, "--parallel", options.batch, "--context", 1024)
                try:
                    identity = node.get_json("/v1/models")["data"][0]["identity"]
                    jobs = [(SUBJECTS[i % len(SUBJECTS)], options.tokens, temperature, 1000 + i) for i in range(options.replies)]
                    with concurrent.futures.ThreadPoolExecutor(batch) as pool:
                        replies = list(pool.map(lambda job: ask(node, *job), jobs))
                finally:
                    node.stop()
                for threads in (0, 1):
                    found = [replay(folder, options.model, identity, *reply, threads) for reply in replies]
                    differs = sorted(one["differs_at_token"] for one in found if not one["reproduced"])
                    row = {
                        "batch": batch,
                        "temperature": temperature,
                        "replay_threads": threads or "as the node",
                        "replies": len(found),
                        "reproduced": sum(one["reproduced"] for one in found),
                        "median_tokens": statistics.median(one["tokens"] for one in found),
                        "differs_at_token": differs,
                    }
                    rows.append(row)
                    print(json.dumps(row), flush=True)
    if options.out:
        options.out.write_text(json.dumps({"model": options.model.name, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
