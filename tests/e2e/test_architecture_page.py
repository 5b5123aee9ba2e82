"""The pages for developers: the paths that pages name exist, the rooms and threads of docs/architecture.md match the source, and
docs/README.md links to every page."""

import importlib.machinery
import importlib.util
import re
import sys

import pytest

from support.node import ROOT

pytestmark = [pytest.mark.fast, pytest.mark.no_tee]

PAGES = sorted(ROOT.glob("docs/**/*.md"))
ARCHITECTURE = ROOT / "docs/architecture.md"
FOLDERS = ("src", "apps", "tools", "tests", "bench", "cmake")
# The pattern finds placeholders in a path.
PLACEHOLDER = r"(?<![A-Z])(?:NAME|KIND|HASH|HEX|URL|ID)(?![A-Z])"


def name_of(page):
    return str(page.relative_to(ROOT))


def layers():
    """Loads tools/check_layers as a module. It has no suffix, and loading leaves no compiled file next to it."""
    loader = importlib.machinery.SourceFileLoader("check_layers", str(ROOT / "tools/check_layers"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_layers", loader))
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def without_blocks(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def code_in(text):
    """Returns the text between backticks, without code blocks."""
    return re.findall(r"`([^`]+)`", without_blocks(text))


def paths_in(text):
    """Returns the words of code that begin with a folder of the repository."""
    return [word for code in code_in(text) for word in code.split() if re.match(rf"({'|'.join(FOLDERS)})/", word)]


def is_there(path):
    """Returns True for a path that exists as it stands, as a pattern, or with any suffix. For a path with a placeholder, the folder before
    it must exist."""
    path = re.split(rf"[^/]*{PLACEHOLDER}", path)[0].rstrip("/")
    return (ROOT / path).exists() or any(ROOT.glob(path)) or any(ROOT.glob(path + ".*"))


def tables_after(heading, text):
    """Returns the tables after the heading as lists of rows, which are lists of cells. The first two lines of each table are left out."""
    tables = re.findall(r"(?:^\|.*\n)+", text[text.index(f"\n{heading}\n"):], re.MULTILINE)
    return [[[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]] for table in tables]


def sources():
    """Returns the files of the program without tests."""
    files = [path for folder in ("src", "apps") for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".cc", ".h", ".def")]
    return [path for path in files if not re.search(r"_test\.cc$|/testing/|_test_util\.h$", str(path))]


def anchors(page):
    """Returns the anchors that GitHub gives the headings."""
    written = re.findall(r"^#+ (.+)$", without_blocks(page.read_text()), re.MULTILINE)
    headings = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in written]
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_are_there(page):
    missing = sorted({path for path in paths_in(page.read_text()) if not is_there(path)})
    assert missing == [], f"{name_of(page)} names what is not there"


def test_missing_paths_are_found():
    text = "`src/net/loop.cc`, `apps/*_parts.cc`, `src/store/NAME/x.cc`, `src/codec/json_fast`, `src/nobody.cc`, `run tools/none`, `docs/x`"
    assert [path for path in paths_in(text) if not is_there(path)] == ["src/nobody.cc", "tools/none"]
    assert paths_in("```\n`src/in/a/block.cc`\n```\n") == []


def test_source_names_pages_that_are_there():
    kinds = (".cc", ".h", ".def", ".cmake", ".txt", ".toml")
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in kinds and "node_modules" not in path.parts]
    named = {(name_of(path), page) for path in files for page in re.findall(r"\bdocs/[\w./-]+\.md", path.read_text(errors="replace"))}
    assert len(named) > 50
    assert {(path, page) for path, page in named if not (ROOT / page).exists()} == set()


def test_rooms_are_those_of_the_layers():
    rows = tables_after("## The rooms", ARCHITECTURE.read_text())[0]
    written = {re.fullmatch(r"`(\w+)`", room).group(1): re.findall(r"`(\w+)`", below) for room, below in rows}
    assert written == layers().BELOW


def test_the_build_has_the_same_layers():
    """The libraries of the build depend on everything that the layers allow, and on nothing else. The library of `abi` depends on the
    verifier, which brings the rest."""
    modules = re.findall(r"^cloister_module\((\w+)([^)]*)\)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)
    depends = {name: re.findall(r"[a-z]+", (re.search(r"DEPS ([a-z ]+)", rest) or [""])[0][4:]) for name, rest in modules}
    assert depends == {name: below for name, below in layers().BELOW.items() if name != "abi"}


def test_each_room_is_described():
    described = re.findall(r"^\*\*`(\w+)`\*\* owns ", ARCHITECTURE.read_text(), re.MULTILINE)
    assert described == [*layers().BELOW, "apps"]


def makes_threads(path):
    """Tells whether the file, or its header, starts a thread."""
    pattern = r"std::(j?thread\(|thread thread_|async\b)|std::vector<std::j?thread>|WorkerPool \w+\("
    return any(re.search(pattern, file.read_text()) for file in (path, path.with_suffix(".h")) if file.exists())


def test_threads_are_those_of_the_source():
    text = ARCHITECTURE.read_text()
    owners, rules = tables_after("## The threads", text)[:2]
    assert [row[0] for row in owners] == [row[0] for row in rules]
    named = {re.fullmatch(r"`([\w-]+)`", name).group(1) for _, name, *_ in owners if name != "none"}
    assert named == set(re.findall(r'pthread_setname_np\([^;]*"([\w-]+)"\)', "\n".join(path.read_text() for path in sources())))
    makers = {name_of(path) for path in sources() if path.suffix == ".cc" and makes_threads(path)}
    assert len(makers) > 15 and {path for path in makers if f"`{path}`" not in text} == set()


def test_names_of_code_are_there():
    """Checks the classes, functions, constants and options that the page for developers names."""
    code = "\n".join(path.read_text() for path in [*sources(), *(ROOT / "tests").rglob("*.h"), ROOT / "CMakeLists.txt", ROOT / "test"])
    words = set(re.findall(r"[\w-]+", code))
    words |= {f"--{name}" for name in re.findall(r'\.name = "([\w-]+)"', code)}  # the rows of options name them without dashes
    named = [name for name in code_in(ARCHITECTURE.read_text()) if "/" not in name and not re.search(PLACEHOLDER, name)]
    plain = {part for name in named if re.fullmatch(r"~?[\w:]+(\(\))?", name) for part in re.findall(r"\w+", name)}
    options = {option for name in named for option in re.findall(r"(?<!\w)--[a-z][\w-]+", name)}
    assert len(plain) > 100 and len(options) > 10
    assert {name for name in plain | options if name not in words} == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_link_is_dead(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(page.read_text())):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), f"{name_of(page)} links to {target}"
        if anchor:
            assert anchor in anchors(other), f"{name_of(page)} links to {target}"


def test_the_index_links_every_page():
    index = ROOT / "docs/README.md"
    links = [(index.parent / target).resolve() for target in re.findall(r"\]\(([^)#\s]+)\)", index.read_text()) if "://" not in target]
    pages = {page.resolve() for page in PAGES if page != index and page.parent.name != "decisions"}
    assert {path for path in links if path.suffix == ".md" and path.is_relative_to(ROOT / "docs")} == pages
    assert (ROOT / "docs/decisions").resolve() in links
    assert len(links) == len(set(links))


@pytest.mark.parametrize("page", ["docs/architecture.md", "docs/README.md"])
def test_pages_for_newcomers_are_linked_and_narrow(page):
    for place in ("README.md", "CONTRIBUTING.md"):
        assert f"]({page})" in (ROOT / place).read_text()
    assert [line for line in (ROOT / page).read_text().splitlines() if len(line) > 160] == []
