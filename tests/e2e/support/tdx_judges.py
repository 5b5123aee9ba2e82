"""The judges of TDX quotes that are put beside each other: ours, dcap-qvl from PyPI and from npm, and go-tdx-guest. Each has
judge(quote, bundle, time, root) -> (status, advisories) of an accepted quote, else None; and `said`, what it found or why it
refused the last one."""

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
    """A program that judges a case a line (tests/differential/tdx_cases.cc says what stands in a line)."""

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
        # Which code runs in the TD is no subject here.
        skipped = [check for check in found.get("skipped", ()) if not check.startswith("tdx.measurements")]
        if "error" in found or found["failed"] or skipped:
            return None
        return found["tcb_status"], sorted(found["advisory_ids"])


class Pypi:
    """The Rust library."""

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
    """go-tdx-guest, which accepts nothing but UpToDate and reads quotes of version 4."""

    def __init__(self):
        super().__init__(opinions(), "tdx")
        self.said = ""

    def judge(self, quote, bundle, time, root=None):
        found = self.ask(quote, bundle, time, root)
        self.said = found["error"]
        return ("UpToDate", []) if found["accepted"] else None
