"""The verifiers of TDX quotes whose results are compared: Cloister's, dcap-qvl from PyPI and from npm, and go-tdx-guest. Each has
judge(quote, bundle, time, root), which returns (status, advisories) of an accepted quote and None otherwise. `said` holds the last
result or the reason of the last refusal."""

import json
import pathlib
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization

from support import tdx_platform as tp
from support.node import BINARY
from support.opinions import missing, opinions

NODE_FOLDER = pathlib.Path(__file__).resolve().parents[1] / "node"


class Program:
    """A program that verifies one case a line (tests/differential/tdx_cases.cc describes a line)."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, quote, bundle, time, root):
        root_hex = tp.pem(root).encode().hex() if root else "-"
        self.process.stdin.write(f"{root_hex}\t{time}\t{quote.hex()}\t{bundle}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=20) == 0


class Ours(Program):
    def __init__(self):
        program = BINARY.parent / "tdx_cases"
        if not program.is_file():
            missing(f"{program} is not there: build the target tdx_cases")
        super().__init__(program)
        self.said = None

    def judge(self, quote, bundle, time, root=None):
        self.said = found = self.ask(quote, bundle, time, root)
        # The comparison does not cover which code runs in the TD.
        skipped = [check for check in found.get("skipped", ()) if not check.startswith("tdx.measurements")]
        if "error" in found or found["failed"] or skipped:
            return None
        return found["tcb_status"], sorted(found["advisory_ids"])


class Pypi:
    """The Rust library of dcap-qvl."""

    def __init__(self):
        self.library = pytest.importorskip("dcap_qvl")
        self.said = ""

    def judge(self, quote, bundle, time, root=None):
        try:
            collateral = self.library.QuoteCollateralV3.from_json(bundle)
            if root:
                der = root.public_bytes(serialization.Encoding.DER)
                report = self.library.verify_with_root_ca(quote, collateral, der, time)
            else:
                report = self.library.verify(quote, collateral, time)
        except (ValueError, RuntimeError) as refused:
            self.said = str(refused)
            return None
        return report.status, sorted(report.advisory_ids)

    def close(self):
        pass


class Npm(Program):
    """`build` is "javascript" or "wasm" (tests/e2e/node/tdx_cases.mjs)."""

    def __init__(self, build):
        if not (NODE_FOLDER / "node_modules/@phala").is_dir():
            missing(f"dcap-qvl's npm builds are not there: npm ci --prefix {NODE_FOLDER}")
        super().__init__("node", str(NODE_FOLDER / "tdx_cases.mjs"), build)
        self.build = build
        self.said = ""

    def judge(self, quote, bundle, time, root=None):
        found = self.ask(quote, bundle, time, root)
        self.said = found.get("error", "")
        return None if "error" in found else (found["status"], sorted(found["advisory_ids"]))


class Go(Program):
    """go-tdx-guest, which accepts only UpToDate and reads quotes of version 4."""

    def __init__(self):
        super().__init__(opinions(), "tdx")
        self.said = ""

    def judge(self, quote, bundle, time, root=None):
        found = self.ask(quote, bundle, time, root)
        self.said = found["error"]
        return ("UpToDate", []) if found["accepted"] else None
