"""The verifiers of SEV-SNP reports whose results are compared: Cloister's, go-sev-guest, and omne-attest from PyPI. Each has judge(case),
which says whether the chip of the certificate signed the report, and `said`, which holds the last result or the reason of the last
refusal."""

import hashlib
import json
import subprocess
from typing import NamedTuple

import pytest

from support.node import BINARY
from support.opinions import missing, opinions


class Case(NamedTuple):
    time: int      # seconds since 1970
    report: bytes
    vcek: bytes    # DER, as are the other two
    ask: bytes
    ark: bytes


class Program:
    """A program that verifies one case a line (tests/differential/snp_cases.cc describes a line)."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, case):
        self.process.stdin.write("\t".join([str(case.time), *(part.hex() for part in case[1:])]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=20) == 0


class Ours(Program):
    # These checks decide who signed, and for which chip. The other programs leave the guest's policy to their callers.
    ABOUT = {"snp.report.form", "snp.cert_chain", "snp.product", "snp.signing_key", "snp.signature", "snp.tcb.certified", "snp.chip_id"}

    def __init__(self):
        program = BINARY.parent / "snp_cases"
        if not program.is_file():
            missing(f"{program} is not there: build the target snp_cases")
        super().__init__(program)
        self.said = {}

    def judge(self, case):
        self.said = found = self.ask(case)
        # The failed checks, or else the checks that could not run. Checks that were skipped because of a failure are left out.
        self.against = self.ABOUT & set(found.get("failed", ())) or self.ABOUT & set(found.get("skipped", ()))
        return "error" not in found and not self.against


class Go(Program):
    """go-sev-guest, with AMD's roots as it has them."""

    def __init__(self):
        super().__init__(opinions(), "snp")
        self.said = ""

    def judge(self, case):
        found = self.ask(case)
        self.said = found["error"]
        return found["accepted"]


class Omne:
    """omne-attest, a library in Python. The root of the genuine chain is pinned."""

    def __init__(self, ark):
        self.library = pytest.importorskip("omne_attest")
        self.pin = hashlib.sha256(ark).digest()
        self.said = ""

    def judge(self, case):
        from omne_attest import snp

        try:
            report = snp.Report.parse(case.report)
            report.verify_signature(case.vcek)
            snp.verify_chain(case.vcek, case.ask, case.ark, self.pin)
            report.verify_vcek_binding(case.vcek)
        except Exception as refused:  # an exception of the libraries below it, which it does not catch, is a refusal too
            self.said = repr(refused)
            return False
        self.said = ""
        return True

    def close(self):
        pass
