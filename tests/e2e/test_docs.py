"""What the documentation says is so: its code runs, its links lead somewhere, its list of checks is the program's."""

import re
import shutil
import subprocess
import sys

import pytest

from support.node import ROOT

PAGES = sorted(path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NODE_PACKAGES = ROOT / "tests/e2e/node/node_modules"


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def at(node, code):
    return code.replace("http://127.0.0.1:8080", node.url)


@pytest.mark.fast
def test_every_check_is_explained():
    source = (ROOT / "src/verify/checks.def").read_text()
    rows = re.findall(r'^CLOISTER_CHECK\("([^"]+)",\s*"([^"]+)",\s*"([^"]+)"\)', source, re.MULTILINE)
    page = (ROOT / "docs/guide/verify.md").read_text()
    assert len(rows) > 20
    missing = [row[0] for row in rows if "| `{}` | {} | {} |".format(*row) not in page]
    assert not missing, missing
    assert len(re.findall(r"^\| `[a-z_]+\.", page, re.MULTILINE)) == len(rows), "a row for a check that is no more"


@pytest.mark.fast
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.fast
def test_readme_python(echo):
    """The blocks of the README, one after the other: the last prints the recovered and the attested address."""
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


@pytest.mark.fast
def test_curl(echo):
    """The curl lines of the README, as a shell runs them."""
    (code,) = [block for block in blocks(ROOT / "README.md", "") if "curl" in block]
    script = "set -e\n" + at(echo, code).replace("MODEL", echo.model())
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0 and "chat.completion" in result.stdout, result.stderr
