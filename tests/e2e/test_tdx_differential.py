"""A seeded generator changes the same TDX quotes and collateral some thousands of times. dcap-qvl (the Rust library from PyPI, the JavaScript
library and the Rust library as WebAssembly from npm), go-tdx-guest and Cloister verify each case. Both sides reject, or both accept with
the same TCB status and advisories. Every other difference is listed and reasoned here and in tests/differential/README.md.

CLOISTER_DIFFERENTIAL_CASES sets how many changed cases of each kind are made (default 1500)."""

import collections
import json
import os

import pytest

from support import tdx_platform as tp
from support.tdx_changes import STATUSES, platform_cases, recorded_cases
from support.tdx_bundles import tdx_bundle
from support.tdx_judges import Go, Npm, Ours, Pypi

pytestmark = pytest.mark.no_tee
CASES = int(os.environ.get("CLOISTER_DIFFERENTIAL_CASES", "1500"))
FEW = 40

# Where Cloister rejects and dcap-qvl accepts, each of Cloister's failing checks has to be listed here with the change that explains it.
# A comment before an entry states Cloister's requirement.
STRICTER = {
    # Version 3, tcbType 0, exactly 16 components, and dates of the one form are required. dcap-qvl leaves these to Intel.
    "tdx.collateral.tcb_info.form": {"tcb info version", "tcb type", "component too few", "component too many", "odd date", "pce id"},
    # Version 2 is required.
    "tdx.collateral.qe_identity.form": {"qe identity version"},
    # T < nextUpdate is required. dcap-qvl also accepts nextUpdate itself and does not check when a list begins.
    "tdx.collateral.tcb_info.window": {"window"},
    "tdx.collateral.qe_identity.window": {"window"},
    "tdx.collateral.root_crl.window": {"window"},
    "tdx.collateral.pck_crl.window": {"window"},
    # PERFMON is refused unless the policy allows it.
    "tdx.td_attributes.perfmon": {"attributes"},
    # The PCEID of the certificate must be that of the TCB info.
    "tdx.pce_id": {"pce id"},
    # The common name must show the role of a certificate, and PEM must hold nothing but certificates and white space.
    "tdx.pck_chain": {"name", "quote bits"},
    "tdx.collateral.tcb_info.chain": {"name", "bundle text"},
    "tdx.collateral.qe_identity.chain": {"name", "bundle text"},
    # The issuer chain of the platform's list must verify. dcap-qvl takes the issuer from the quote and never reads that chain.
    "tdx.collateral.pck_crl.chain": {"name", "bundle text"},
    "tdx.collateral.pck_crl.signature": {"bundle text"},
    "tdx.collateral.pck_crl.issuer": {"bundle text"},
    # A certificate next to the quote must be the one that the quote names.
    "tdx.pck.identifier": {"another certificate named"},
    # The bytes after a quote must be zero.
    "tdx.quote.form": {"longer quote", "quote bits"},
}

# The JavaScript library leaves out more. It reads revocation lists only for serial numbers. It does not check who signed them, for whom and
# for when, nor whether they can be parsed or exist at all. It checks no TDX module, and it reads only the TCB level that it needs.
JAVASCRIPT_STRICTER = STRICTER | {
    "tdx.collateral.tcb_info.form": STRICTER["tdx.collateral.tcb_info.form"] | {"unknown status"},
    "tdx.collateral.root_crl.form": {"root_ca_crl"},
    "tdx.collateral.root_crl.signature": {"root_ca_crl"},
    "tdx.collateral.root_crl.window": {"window", "root_ca_crl"},
    "tdx.collateral.pck_crl.form": {"pck_crl"},
    "tdx.collateral.pck_crl.signature": {"pck_crl", "name", "bundle text"},
    "tdx.collateral.pck_crl.issuer": {"pck_crl", "name", "bundle text"},
    "tdx.collateral.pck_crl.window": {"window", "pck_crl"},
    "tdx.pck.revocation": {"pck_crl", "root_ca_crl"},
    "tdx.collateral.tcb_info.revocation": {"root_ca_crl"},
    "tdx.collateral.qe_identity.revocation": {"root_ca_crl"},
    # The JavaScript library truncates hex at the end of a field.
    "tdx.collateral.tcb_info.signature": {"tcb_info_signature"},
    "tdx.collateral.qe_identity.signature": {"qe_identity_signature"},
    "tdx.seam.mr_signer": {"module signer"},
    "tdx.seam.attributes": {"module attributes"},
}
# In these cases a TDX module with its own identity is verified (major version above 0), or the second SVN of a TD report 1.5.
MODULE = {"tdx.tcb.module", "tdx.tcb.platform", "tdx.seam.mr_signer", "tdx.seam.attributes", "tdx.tcb.status", "tdx.tcb.qe"}

# The WebAssembly build is of an older version, which checks no QE identity.
QE_IDENTITY = {"qe_identity", "qe_identity_signature", "qe_identity_issuer_chain"}
WASM_STRICTER = STRICTER | {
    f"tdx.collateral.qe_identity.{check}": QE_IDENTITY | {"window"}
    for check in ("form", "kind", "chain", "signature", "window", "revocation")
} | {
    check: QE_IDENTITY for check in (
        "tdx.collateral.evaluation_data_number", "tdx.qe_identity.mr_signer", "tdx.qe_identity.isv_prod_id",
        "tdx.qe_identity.misc_select", "tdx.qe_identity.attributes", "tdx.tcb.qe", "tdx.tcb.status", "tdx.tcb.advisories",
        "tdx.tcb.date")
}


class Difference:
    """One case in which Cloister and the other program disagree."""

    def __init__(self, changes, found, our, their, said):
        self.changes, self.found, self.our, self.their, self.said = changes, found, our, their, said
        # The checks that failed or could not run in Cloister.
        self.against = {*found.get("failed", ()), *found.get("skipped", ())} - {"tdx.measurements"}
        self.failed = set(found.get("failed", ()))

    def ours_is_stricter(self, by, beside=frozenset()):
        """Tells whether a change explains each failed check. Checks that were skipped because of a failure are left out."""
        because = self.failed or self.against
        return (self.our is None and self.their is not None and bool(because)
                and all(check in beside or by.get(check, set()) & self.changes for check in because))

    def levels_are_sorted(self, sign="levels reversed"):
        # Cloister sorts the levels before the search, so it still finds a level of Intel's that stands too low.
        return sign in self.changes and self.failed <= {"tdx.tcb.status"}

    def white_space(self, *words):
        # Tells whether the case is about white space around hex or in PEM.
        return self.our is not None and self.their is None and "bundle text" in self.changes and any(
            word in self.said for word in words)

    def __repr__(self):
        return f"{sorted(self.changes)}: ours {self.our}, theirs {self.their} ({self.said}), {self.found}"


def meant_of_rust(d):
    return d.levels_are_sorted() or d.white_space("parse JSON", "parse certs") or d.ours_is_stricter(STRICTER)


def meant_of_wasm(d):
    return d.white_space("number of digits", "parse certs", "Invalid") or d.ours_is_stricter(WASM_STRICTER)


def meant_of_javascript(d):
    if d.levels_are_sorted() or d.levels_are_sorted("levels out of order"):
        return True
    if d.ours_is_stricter(JAVASCRIPT_STRICTER) or d.white_space("chain is too short", "asn1", "PEM"):
        return True
    if "error" in d.found and {"root_ca_crl", "pck_crl"} & d.changes:
        return True  # Cloister takes a list that is no hex for no collateral at all.
    if d.our and d.their and (d.our[0], d.their[0]) == ("OutOfDateConfigurationNeeded", "OutOfDate") and d.our[1] == d.their[1]:
        return True  # The JavaScript library takes the worse of two statuses, where both apply at once.
    if d.our and d.said == "Certificate is revoked":
        return "authority revoked" in d.changes  # The library looks up every serial number in every list, whoever issued it.
    if not {"module", "relaunch"} & d.changes:
        return False
    return (d.our and d.their) or "No matching TCB level" in d.said or d.ours_is_stricter(JAVASCRIPT_STRICTER, MODULE)


# go-tdx-guest accepts only UpToDate. It reads no quote of version 5, no quote with a separate certificate, and no certificate of a platform
# with fewer extensions than those of its own samples. It verifies evidence of one genuine machine.
GO_STRICTER = {
    check: STRICTER[check] for check in ("tdx.quote.form", "tdx.collateral.tcb_info.window", "tdx.collateral.qe_identity.window",
                                         "tdx.collateral.root_crl.window", "tdx.collateral.pck_crl.window")
} | {
    # The signature covers bytes. go-tdx-guest reads an object from JSON, which allows white space around it.
    "tdx.collateral.tcb_info.signature": {"tcb_info"},
    "tdx.collateral.qe_identity.signature": {"qe_identity"},
    # go-tdx-guest takes the issuer of the platform's list from the quote, as dcap-qvl does. It does not read bytes after the end of a list.
    "tdx.collateral.pck_crl.chain": {"pck_crl_issuer_chain"},
    "tdx.collateral.pck_crl.signature": {"pck_crl_issuer_chain"},
    "tdx.collateral.pck_crl.issuer": {"pck_crl_issuer_chain"},
    "tdx.collateral.pck_crl.form": {"pck_crl"},
    "tdx.collateral.root_crl.form": {"root_ca_crl"},
}


def meant_of_go(d):
    return d.white_space("invalid byte: U+000A", "invalid byte: U+0020", "could not parse PEM formatted") or d.ours_is_stricter(GO_STRICTER)


JUDGES = {"pypi": (Pypi, meant_of_rust), "npm-javascript": (lambda: Npm("javascript"), meant_of_javascript),
          "npm-wasm": (lambda: Npm("wasm"), meant_of_wasm), "go": (Go, meant_of_go)}
ALL = list(JUDGES)
# These are dcap-qvl's builds. go-tdx-guest cannot read the other recorded evidence.
OF_PHALA = ["pypi", "npm-javascript", "npm-wasm"]


@pytest.fixture(scope="module")
def ours():
    judge = Ours()
    yield judge
    judge.close()


@pytest.fixture(scope="module", params=OF_PHALA)
def theirs(request):
    make, is_meant = JUDGES[request.param]
    judge = make()
    yield judge, is_meant
    judge.close()


def compare(ours, theirs, cases, root=None):
    """Returns how often each result was agreed on."""
    judge, is_meant = theirs
    agreed, meant, wrong = collections.Counter(), collections.Counter(), []
    for changes, quote, bundle, time in cases:
        our, their = ours.judge(quote, bundle, time, root), judge.judge(quote, bundle, time, root)
        difference = Difference(changes, ours.said, our, their, judge.said)
        if our == their:
            agreed[our[0] if our else "rejected"] += 1
        elif is_meant(difference):
            meant[our and our[0], their and their[0]] += 1
        else:
            wrong.append(difference)
    assert not wrong, f"{len(wrong)} differences that are not listed, the first: {wrong[:5]}"
    print(f"agreed: {dict(agreed)}; differences that are meant: {dict(meant)}")
    return agreed


@pytest.fixture(scope="module")
def recorded(vectors_folder):
    folder = vectors_folder / "tdx"
    return (folder / "v4_b0c06f_uptodate.bin").read_bytes(), json.loads((folder / "v4_b0c06f_uptodate.collateral.json").read_text())


# These verifiers accept a root from their caller.
WITH_ANY_ROOT = ["pypi", "npm-javascript"]


@pytest.mark.parametrize("theirs", WITH_ANY_ROOT, indirect=True)
@pytest.mark.parametrize("seed", [1, 2])
def test_platforms_of_our_own(ours, theirs, seed):
    agreed = compare(ours, theirs, platform_cases(seed, CASES), tp.ROOT)
    if CASES >= 1500:
        assert set(STATUSES) - {"Revoked"} | {"rejected"} <= set(agreed), "every status was agreed on"


@pytest.mark.parametrize("seed", [3, 4])
def test_recorded_evidence(ours, theirs, recorded, seed):
    agreed = compare(ours, theirs, recorded_cases(recorded, seed, CASES))
    assert agreed["UpToDate"] and agreed["rejected"]


# The machine has an H200. Its TCB info names its platform in the form that go-tdx-guest accepts.
H200_TIME = 1791504000
H200_EDGES = (1791419306, 1791754336, 1791755308, 1794011306)


@pytest.fixture(scope="module")
def h200(vectors_folder):
    parts = {"rest": "tdx/v5_td15ex_b0c06f.collateral.json", "tcb_info": "tdx/90c06f_20260912.tcbinfo.json",
             "qe_identity": "tdx/90c06f_20260912.qeidentity.json"}
    return (vectors_folder / "tdx/v4_90c06f_h200.bin").read_bytes(), tdx_bundle(vectors_folder, parts)


@pytest.mark.parametrize("theirs", ALL, indirect=True)
def test_evidence_of_an_h200(ours, theirs, h200):
    agreed = compare(ours, theirs, recorded_cases(h200, 7, CASES, H200_TIME, H200_EDGES))
    assert agreed["rejected"] and (agreed["UpToDate"] or CASES < 300)


@pytest.mark.fast
@pytest.mark.parametrize("theirs", ALL, indirect=True)
def test_evidence_of_an_h200_as_it_is(ours, theirs, h200):
    case = (h200[0], json.dumps(h200[1]), H200_TIME)
    assert ours.judge(*case) == theirs[0].judge(*case) == ("UpToDate", [])


@pytest.mark.fast
def test_recorded_quote_as_it_is(ours, theirs, recorded):
    case = (recorded[0], json.dumps(recorded[1]), 1750500000)
    assert ours.judge(*case) == theirs[0].judge(*case) == ("UpToDate", [])


@pytest.mark.fast
def test_a_few_of_recorded_evidence(ours, theirs, recorded):
    assert compare(ours, theirs, recorded_cases(recorded, 5, FEW))["rejected"]


@pytest.mark.fast
@pytest.mark.parametrize("theirs", WITH_ANY_ROOT, indirect=True)
def test_a_few_platforms_of_our_own(ours, theirs):
    assert compare(ours, theirs, platform_cases(6, FEW), tp.ROOT)["rejected"]
