"""Every file of recorded evidence gets the verdict that its description states, at the stated time (tests/vectors/cases.json), from the
program."""

import base64
import hashlib
import json
import pathlib

import pytest

from support.node import ROOT, run
from support.tdx_bundles import tdx_bundle
from support.vectors import FROM_PACKAGES, PACKAGES, missing

pytestmark = [pytest.mark.fast, pytest.mark.no_tee]

DATA = json.loads((ROOT / "tests/vectors/cases.json").read_text())
ANY_CODE = "[boot]\nallow_any_measurements = true\n"
# These files are given by an option of the same name.
BESIDE = ("chain", "report", "request", "response", "instances")


@pytest.fixture(scope="module")
def vectors(vectors_folder):
    return vectors_folder


def snp_bundle(vectors, parts):
    encode = lambda file: base64.b64encode((vectors / file).read_bytes()).decode()
    entry = {name: (vectors / file).read_text() if name == "ask_ark" else encode(file) for name, file in parts.items()}
    return {"collateral": "cloister.collateral.v1", "snp": [{"vcek": "", "ask_ark": "", "crl": "", **entry}]}


def rim_bundle(vectors, rims):
    encoded = {name: base64.b64encode((vectors / file).read_bytes()).decode() for name, file in rims.items()}
    return {"collateral": "cloister.collateral.v1", "rims": encoded}


def arguments_of(case, vectors, tmp_path):
    judged = vectors / case["file"]
    if "cut" in case:
        judged = tmp_path / "cut.bin"
        judged.write_bytes((vectors / case["file"]).read_bytes()[:case["cut"]])
    policy = tmp_path / "policy.toml"
    # No verifier asked for these quotes, so a policy that requires freshness accepts none of them.
    policy.write_text(("require_nonce = false\n" if case["command"] == "quote" else "") + case.get("policy", ANY_CODE))
    out = ["verify", case["command"], judged, "--offline", "--json", *(["--policy", policy] if policy.read_text() else [])]
    for name in ("at", "nonce", "address"):
        if name in case:
            out += ["--" + name, case[name]]
    for name in BESIDE:
        if name in case:
            out += ["--" + name, vectors / case[name]]
    bundles = [vectors / file for file in case.get("collateral", [])]
    for number, (make, name) in enumerate([(tdx_bundle, "tdx"), (snp_bundle, "snp"), (rim_bundle, "rims")]):
        if name in case:
            bundles.append(tmp_path / f"bundle{number}.json")
            bundles[-1].write_text(json.dumps(make(vectors, case[name])))
    for bundle in bundles:
        out += ["--collateral", bundle]
    return out


def label(case):
    return f"{case['command']}:{case['file']}@{case.get('at', 'now')}" + ("+" + case["label"] if "label" in case else "")


def parameters():
    """A row that the program still gets wrong states the reason in `expected_failure`. The mark is strict, so it has to be removed when the
    program is corrected."""
    def marks(case):
        return [pytest.mark.xfail(strict=True, reason=case["expected_failure"])] if "expected_failure" in case else []

    return [pytest.param(case, id=label(case), marks=marks(case)) for case in DATA["cases"]]


@pytest.mark.parametrize("case", parameters())
def test_verdict(case, vectors, tmp_path):
    result = run(*arguments_of(case, vectors, tmp_path))
    verdict = json.loads(result.stdout) if result.stdout.startswith("{") else {"checks": []}
    failed = {check["id"]: check["detail"] for check in verdict["checks"] if check["state"] == "fail"}
    assert result.returncode == case["exit"], f"{failed} {result.stderr}"
    if case["exit"] == 2:
        return
    states = {}
    for check in verdict["checks"]:
        states.setdefault(check["state"], set()).add(check["id"])
    assert set(failed) == set(case.get("fail", [])), failed
    assert not set(case.get("pass", [])) - states.get("pass", set())
    assert not set(case.get("skip", [])) - states.get("skipped", set())
    for name, value in case.get("facts", {}).items():
        assert verdict["facts"].get(name) == value, name
    assert verdict["facts"]["collateral"] == {"offline": True, "fetched": [], "problems": []}


def named_files():
    named = {*DATA["elsewhere"], *DATA["no_verdict"]}
    for case in DATA["cases"]:
        named |= {case["file"], *case.get("collateral", []), *case.get("rims", {}).values(), *case.get("tdx", {}).values(),
                  *case.get("snp", {}).values(), *(case.get(name) for name in BESIDE)}
    return named


def test_every_file_has_a_verdict(vectors):
    listed = [line.split("\t")[0] for line in (vectors / "manifest.tsv").read_text().splitlines()[1:]]
    assert len(listed) > 60 and not set(listed) - named_files(), set(listed) - named_files()


def test_every_file_of_a_package_has_a_verdict():
    assert not set(PACKAGES["files"]) - named_files(), set(PACKAGES["files"]) - named_files()


def test_a_file_of_a_package_is_the_recorded_one(vectors):
    """A name that both lists contain must stand for the same evidence."""
    listed = {line.split("\t")[0]: line.split("\t")[1] for line in (vectors / "manifest.tsv").read_text().splitlines()[1:]}
    both = {name for name in PACKAGES["files"] if name in listed and not name.startswith("wycheproof/")}
    assert len(both) >= 32
    assert {name for name in both if PACKAGES["files"][name]["sha256"] != listed[name]} == set()


@pytest.mark.parametrize("name", PACKAGES["files"])
def test_a_file_of_a_package_is_the_pinned_one(name):
    path = FROM_PACKAGES / name
    if not path.is_file():
        missing(name)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == PACKAGES["files"][name]["sha256"]


@pytest.mark.parametrize("file, test", DATA["elsewhere"].items())
def test_what_is_judged_elsewhere_is_judged_there(file, test):
    assert pathlib.PurePath(file).name in (ROOT / test).read_text(), f"{test} does not read {file}"
