#!/usr/bin/env python3
"""Measures how often a reply is reproduced on this machine, for each way of computing it.

    bench/replay/measure.py [--model F.gguf] [--replies N] [--batch N] [--tokens N] [--out FILE]

`cloister audit replay` computes one request alone, in an engine without a prompt cache, with the settings of the node that answered. This
script asks nodes for the same seeded replies in several ways, each with fresh nodes. It compares each reply with the reply that was
computed alone. The ways are: alone once more, in a batch, with one thread, and by a node that still has the prompt in its cache. One row
for each way and temperature shows how many texts are the same to the last character, and at which token the others first differ. The guide
is docs/guide/audit.md.
"""

import argparse
import concurrent.futures
import json
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from support.node import Node  # noqa: E402

SUBJECTS = ["the sea", "a small town", "an old clock", "bread", "winter", "a train", "two brothers", "the moon", "a garden", "numbers"]
SUBJECTS += ["a letter", "rain", "a teacher", "the market", "glass", "a long walk", "music", "a lost key", "honey", "the north"]


def ask(node, model, subject, tokens, temperature, seed, ignore_eos):
    body = {"model": model, "max_tokens": tokens, "temperature": temperature, "seed": seed, "ignore_eos": ignore_eos}
    body["messages"] = [{"role": "user", "content": f"Write a few sentences about {subject}."}]
    status, _, response = node.post("/v1/chat/completions", body)
    assert status == 200, response
    return json.loads(response)["choices"][0]["message"]["content"]


def tokens_of(node, model, text):
    status, _, response = node.post("/v1/tokenize", {"model": model, "prompt": text or " "})
    assert status == 200, response
    return json.loads(response)["tokens"]


def first_difference(before, after):
    same = (i for i, (a, b) in enumerate(zip(before, after)) if a != b)
    return next(same, min(len(before), len(after)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=pathlib.Path, default=next(iter(sorted((ROOT / ".cache/model").glob("*.gguf"))), None))
    parser.add_argument("--replies", type=int, default=16, help="at most %d" % len(SUBJECTS))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--ignore-eos", action="store_true", help="let no reply end before its limit")
    parser.add_argument("--temperatures", type=float, nargs="+", default=[0, 0.7, 1.0])
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:

        def replies(temperature, at_once=1, times=1, threads=2):
            node = Node(pathlib.Path(name) / f"{len(list(pathlib.Path(name).iterdir()))}", "--model", options.model, "--parallel", options.batch, "--context", 1024, "--threads", threads)
            try:
                model = node.model()
                jobs = [(subject, options.tokens, temperature, 1000 + i, options.ignore_eos) for i, subject in enumerate(SUBJECTS[: options.replies])]
                for _ in range(times):
                    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
                        texts = list(pool.map(lambda job: ask(node, model, *job), jobs))
                return [(text, tokens_of(node, model, text)) for text in texts]
            finally:
                node.stop()

        for temperature in options.temperatures:
            alone = replies(temperature)
            ways = {
                "alone": replies(temperature),
                f"in a batch of {options.batch}": replies(temperature, at_once=options.batch),
                "with one thread": replies(temperature, threads=1),
                "with the prompt remembered": replies(temperature, times=2),
            }
            for way, said in ways.items():
                differ = [first_difference(a[1], b[1]) for a, b in zip(alone, said) if a[0] != b[0]]
                row = {"temperature": temperature, "way": way, "replies": len(said), "reproduced": len(said) - len(differ), "differs_at_token": sorted(differ)}
                rows.append(row)
                print(json.dumps(row), flush=True)
    if options.out:
        options.out.write_text(json.dumps({"model": options.model.name, "tokens": options.tokens, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
