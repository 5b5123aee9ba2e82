"""The judges of SEV-SNP reports that are put beside each other: ours, go-sev-guest, and omne-attest from PyPI. Each has judge(case) ->
whether the chip of the certificate signed the report; and `said`, what it found or why it refused the last one."""

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
    vcek: bytes    # DER, as the two others
    ask: bytes
    ark: bytes


class Program:
    """A program that judges a case a line (tests/differential/snp_cases.cc says what stands in a line)."""

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
    # These checks say who signed, and for which chip; the other programs leave the guest's policy to their callers.
    ABOUT = {"snp.report.form", "snp.cert_chain", "snp.product", "snp.signing_key", "snp.signature", "snp.tcb.certified", "snp.chip_id"}

    def __init__(self):
        program = BINARY.parent / "snp_cases"
        if not program.is_file():
            missing(f"{program} is not there: build the target snp_cases")
        super().__init__(program)
        self.said = {}

    def judge(self, case):
        self.said = found = self.ask(case)
        # What failed, else what could not be found out: what is skipped in the train of a failure is not asked about.
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
    """omne-attest, a library in Python, with the root of the genuine chain pinned."""

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
        except Exception as refused:  # what it does not catch of the library below it is a refusal too
            self.said = repr(refused)
            return False
        self.said = ""
        return True

    def close(self):
        pass
