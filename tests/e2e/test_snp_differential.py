"""A seeded generator changes a genuine SEV-SNP report and its certificates some hundreds of times. go-sev-guest, omne-attest and Cloister
verify each case. All of them say that the chip of the certificate signed the report, or none does. Every other difference is listed here
and argued in tests/differential/README.md.

CLOISTER_DIFFERENTIAL_CASES sets how many changed cases are made for each seed (default 1500; here a third of it)."""

import collections
import os
import re

import pytest
from cryptography import x509

from support.snp_changes import der, forged_chains, other_layout, other_products, seeded_cases, timestamp
from support.snp_judges import Case, Go, Omne, Ours

pytestmark = pytest.mark.no_tee
CASES = int(os.environ.get("CLOISTER_DIFFERENTIAL_CASES", "1500")) // 3
AT = timestamp("2026-10-01T00:00:00+00:00")


def pem_chain(text):
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.S)
    return [der(x509.load_pem_x509_certificate(block.encode())) for block in blocks]


@pytest.fixture(scope="module")
def genuine(vectors_folder):
    folder = vectors_folder / "snp"
    ask, ark = pem_chain((folder / "ask_ark_milan.pem").read_text())
    return Case(AT, (folder / "milan_report_go.bin").read_bytes(), (folder / "milan_vcek_kds.der").read_bytes(), ask, ark)


@pytest.fixture(scope="module")
def ours():
    judge = Ours()
    yield judge
    judge.close()


@pytest.fixture(scope="module", params=["go-sev-guest", "omne-attest"])
def theirs(request, genuine):
    judge = Go() if request.param == "go-sev-guest" else Omne(genuine.ark)
    yield judge, DIFFERENCES[request.param]
    judge.close()


# The cases that Cloister refuses and the other program accepts: the change -> the checks of Cloister that may fail.
CHAIN = {"snp.cert_chain", "snp.product"}
DIFFERENCES = {
    # go-sev-guest has its own copy of AMD's authorities and reads none that come with the report.
    "go-sev-guest": dict.fromkeys(("ask bits", "ask size", "ark bits", "ark size", "certificates swapped", "other product"), CHAIN) | {
        # go-sev-guest reads the first 1,184 bytes and ignores the rest.
        "report size": {"snp.report.form"},
    },
    "omne-attest": {
        # omne-attest does not check validity periods.
        "time": {"snp.cert_chain"},
        # omne-attest does not require that the reserved bytes after the signature are zero.
        "signature bits": {"snp.report.form"},
        # omne-attest does not read the algorithm that a certificate names, and always tries the same one.
        "ask bits": {"snp.cert_chain"}, "vcek bits": {"snp.cert_chain"},
    },
}


def compare(ours, theirs, cases):
    """Returns how often each result was agreed on."""
    judge, stricter = theirs
    agreed, meant, wrong = collections.Counter(), collections.Counter(), []
    for change, case in cases:
        our, their = ours.judge(case), judge.judge(case)
        if our == their:
            agreed[our] += 1
        elif their and ours.against and ours.against <= stricter.get(change, set()):
            meant[change] += 1
        else:
            wrong.append(f"{change}: ours {our} ({ours.said}), theirs {their} ({judge.said})")
    assert not wrong, f"{len(wrong)} differences that are not listed, the first: {wrong[:5]}"
    print(f"agreed: {dict(agreed)}; differences that are meant: {dict(meant)}")
    return agreed


@pytest.mark.fast
def test_genuine(ours, theirs, genuine):
    assert compare(ours, theirs, [("nothing", genuine)]) == {True: 1}


@pytest.mark.parametrize("seed", [1, 2])
def test_changed(ours, theirs, genuine, seed):
    agreed = compare(ours, theirs, seeded_cases(genuine, seed, CASES))
    assert agreed[False] and (agreed[True] or CASES < 300)


@pytest.mark.fast
def test_every_field_that_says_how_the_rest_is_read(ours, theirs, genuine):
    assert compare(ours, theirs, other_layout(genuine))[False]


def test_forged_chains(ours, theirs, genuine):
    assert compare(ours, theirs, forged_chains(genuine)) == {False: 4}


def test_certificates_of_other_products(ours, theirs, genuine, vectors_folder):
    chains = [pem_chain((vectors_folder / f"snp/ask_ark_{name}.pem").read_text()) for name in ("genoa", "turin")]
    assert not compare(ours, theirs, other_products(genuine, chains))[True]
