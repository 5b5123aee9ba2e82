"""The documentation must be true: its code runs, its links lead somewhere, and its list of checks is the program's."""

import re
import shlex
import shutil
import subprocess
import sys

import pytest

from support.node import BINARY, ROOT, Node, run

PAGES = sorted(path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NODE_PACKAGES = ROOT / "tests/e2e/node/node_modules"


def blocks(page, language):
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [text for named, text in found if named == language]


def at(node, code):
    return code.replace("http://127.0.0.1:8080", node.url)


@pytest.mark.fast
def test_every_check_is_explained():
    """A unit test compares docs/checks.md with the code. This test compares it with the output of the program."""
    page = (ROOT / "docs/checks.md").read_text()
    rows = re.findall(r"^\| `([a-zA-Z0-9_.]+)` \| (.+) \| (.+) \|$", page, re.MULTILINE)
    assert len(rows) > 60
    explained = run("verify", "--explain", "all").stdout
    for identity, meaning, without in rows:
        assert f"{identity}\n  a pass says: {meaning}\n  without it one could: {without}\n" in explained
    one = run("verify", "--explain", "nvidia.gpu.3.signature")
    assert one.returncode == 0 and one.stdout.startswith("nvidia.gpu.N.signature\n")
    unknown = run("verify", "--explain", "no.such.check")
    assert unknown.returncode == 2 and "no.such.check" in unknown.stderr


@pytest.mark.fast
def test_the_threat_model_names_every_attack_and_checks_that_there_are():
    page = (ROOT / "docs/threat-model.md").read_text()
    rows = re.findall(r"^\| `(test_\w+\.py)` \|", page, re.MULTILINE)
    assert sorted(rows) == sorted(path.name for path in (ROOT / "tests/attacks").glob("test_*.py"))
    known = re.findall(r"^\| `([a-zA-Z0-9_.]+)` \|", (ROOT / "docs/checks.md").read_text(), re.MULTILINE)
    families = {name.split(".")[0] for name in known}
    for name in re.findall(r"`([a-z_]+\.[a-zA-Z0-9_.*]+)`", page):
        if name.split(".")[0] in families and not name.endswith((".h", ".py", ".md")):
            assert any(one == name or (name.endswith(".*") and one.startswith(name[:-1])) for one in known), name


@pytest.mark.fast
def test_every_pitfall_has_its_test():
    rows = re.findall(r"^\| (\d+) \| (.+) \| (.+) \|$", (ROOT / "docs/pitfalls.md").read_text(), re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == list(range(1, 46))
    sources = [*ROOT.glob("src/**/*_test.cc"), *ROOT.glob("tests/**/*_test.cc")]
    written = {".".join(names) for path in sources for names in re.findall(r"^TEST\((\w+), (\w+)\)", path.read_text(), re.MULTILINE)}
    for number, _, tests in rows:
        named = re.findall(r"`(\w+\.\w+)`", tests)
        assert named and set(named) <= written, (number, set(named) - written)
        assert all(re.search(rf"(No|P|Pitfall){number}\D", name) for name in named), (number, named)
    listed = {name for _, _, tests in rows for name in re.findall(r"`(\w+\.\w+)`", tests)}
    pitfalls = {name for name in written if re.match(r"\w*Pitfall\d*\.", name)}
    assert pitfalls == listed, pitfalls ^ listed


@pytest.mark.fast
def test_the_printed_policy_is_a_policy(echo, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text(run("verify", "--default-policy").stdout)
    assert run("verify", "host", echo.url, "--policy", policy, "--accept-simulator").returncode == 0
    policy.write_text(policy.read_text() + "\n[tdy]\n")
    refused = run("verify", "host", echo.url, "--policy", policy, "--accept-simulator")
    assert refused.returncode == 2 and "tdy" in refused.stderr


@pytest.mark.fast
@pytest.mark.parametrize("number, block", list(enumerate(blocks(ROOT / "docs/guide/policy.md", "toml"))))
def test_policies_in_the_guide(echo, tmp_path, number, block):
    policy = tmp_path / "policy.toml"
    policy.write_text(block)
    assert run("verify", "host", echo.url, "--policy", policy, "--accept-simulator").returncode in (0, 1), f"block {number}"


@pytest.mark.fast
def test_complete_policies_in_the_guide(echo, tmp_path, vectors_folder):
    """Both policies have the results that the guide states: the policy for the simulated node and that for the public quote."""
    section = (ROOT / "docs/guide/policy.md").read_text().split("## Policies that are complete")[1].split("\n## ")[0]
    simulated, genuine = re.findall(r"^```toml\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    policy = tmp_path / "policy.toml"
    policy.write_text(simulated)
    judged = run("verify", "host", echo.url, "--policy", policy)
    assert judged.returncode == 0 and "mr_td" in judged.stdout, judged.stdout
    policy.write_text(genuine)
    quote, collateral = (vectors_folder / "tdx" / f"v4_b0c06f_uptodate.{kind}" for kind in ("bin", "collateral.json"))
    report_data = quote.read_bytes()[568:632].hex()
    judged = run("verify", "quote", quote, "--collateral", collateral, "--policy", policy, "--report-data", report_data,
                 "--at", "2025-06-25T00:00:00Z", "--offline")
    assert judged.returncode == 0, judged.stdout


@pytest.mark.fast
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.fast
def test_readme_python(echo):
    """The blocks of the README run one after the other. The last one prints the recovered and the attested address."""
    code = at(echo, "\n".join(blocks(ROOT / "README.md", "python")))
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    *_, recovered, attested = result.stdout.strip().splitlines()
    assert recovered == attested and recovered.startswith("0x")


def test_quickstart_python(echo):
    (code,) = blocks(ROOT / "docs/guide/quickstart.md", "python")
    result = subprocess.run([sys.executable, "-c", at(echo, code)], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0 and "capital of France" in result.stdout, result.stderr


@pytest.mark.skipif(not NODE_PACKAGES.is_dir() or not shutil.which("node"), reason="the Node packages are not installed")
@pytest.mark.parametrize("page", ["README.md", "docs/guide/quickstart.md"])
def test_node(echo, page):
    for code in blocks(ROOT / page, "js"):
        command = ["node", "--input-type=module", "-e", at(echo, code)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=NODE_PACKAGES.parent)
        assert result.returncode == 0 and "capital of France" in result.stdout, result.stderr


def printed_script(page, program):
    """The shell blocks of a page run as one script. Each command has to end with 0, or with the status that a comment after it states."""
    lines = "\n".join(block for block in blocks(page, "") if program in block or "curl " in block).replace("\\\n", " ").splitlines()
    script = []
    for line in lines:
        status = re.search(r"# exit status (\d)$", line)
        script += [line, f"s=$?; if [ $s != {status.group(1) if status else 0} ]; then echo \"$s: \"{shlex.quote(line)} >&2; exit 99; fi"]
    return "\n".join(script)


def test_readme_shell(tmp_path, model_file, vectors_folder):
    """The blocks of the README run one after the other, as a reader pastes them, in a folder like the one that ./run builds in."""
    names = {"build/release/cloister": BINARY, f".cache/model/{model_file.name}": model_file, "tools/fetch": shutil.which("true")}
    for name in ("tdx/v4_b0c06f_uptodate.bin", "tdx/v4_b0c06f_uptodate.collateral.json"):
        names[f".cache/vectors/{name}"] = vectors_folder / name
    for name, target in names.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(target)
    node = Node(tmp_path / "node", "--model", tmp_path / ".cache/model" / model_file.name, "--context", 1024)
    try:
        assert node.model() in (ROOT / "README.md").read_text()
        script = at(node, printed_script(ROOT / "README.md", "build/release/cloister"))
        result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=300, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert result.stdout.count("The capital of France is Paris.") == 2 and "reproduced: " in result.stdout
        assert result.stdout.count("verdict: accepted") >= 9 and result.stdout.count("verdict: undetermined") == 2
        assert "tdx.tcb.status\n" in result.stdout
    finally:
        node.stop()


def test_quickstart_shell(echo):
    (code,) = [block for block in blocks(ROOT / "docs/guide/quickstart.md", "") if "curl" in block]
    script = "set -e\n" + at(echo, code).replace("SmolLM2-135M-Instruct.Q4_1", echo.model())
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0 and "capital of France" in result.stdout, result.stderr


def test_audit_guide(echo, tmp_path, model_file):
    """The files of the guide's first command are made as the guide says. The command then runs with an option for the simulator added."""
    block = next(block for block in blocks(ROOT / "docs/guide/audit.md", "") if "x-receipt-id" in block)
    (tmp_path / "model.gguf").symlink_to(model_file)
    (tmp_path / "cloister").symlink_to(BINARY)
    judge = "cloister verify receipt receipt.json --report report.json --nonce $N --request request.bin --response response.bin"
    script = f"set -e; PATH=$PWD:$PATH; U={echo.url}\n{block}\n{judge} --accept-simulator --archive reply.archive"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / "reply.archive").exists() and (tmp_path / "manifest.json").exists()
