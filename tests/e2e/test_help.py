"""--help: each command shows its usage and its exit statuses, and every option of the program occurs in a document."""

import re
import shlex

import pytest

from support.node import ROOT, run

pytestmark = pytest.mark.fast


def commands(words=()):
    """Returns all commands of the program as lists of words, with the output of their --help."""
    shown = run(*words, "--help")
    assert shown.returncode == 0 and shown.stderr == ""
    yield list(words), shown.stdout
    listed = re.search(r"^Subcommands:\n((?:  .+\n)+)", shown.stdout, re.MULTILINE)
    for line in listed.group(1).splitlines() if listed else []:
        yield from commands((*words, line.split()[0]))


HELP = {" ".join(words): text for words, text in commands()}


def options(text):
    """Returns the options that a help text names at the beginning of a line."""
    return set(re.findall(r"^ +(?:-\w,)?(--[\w-]+)", text.split("\nExamples:\n")[0], re.MULTILINE))


def test_there_are_many():
    assert len(HELP) > 20 and "verify quote" in HELP and "receipts export" in HELP


@pytest.mark.parametrize("command", HELP)
def test_each_says_how_it_is_called_and_how_it_ends(command):
    _, examples, status = re.fullmatch(r"(.*)\nExamples:\n((?:  .+\n)+)\n(Exit status.*)\n", HELP[command], re.DOTALL).groups()
    assert re.search(r"\b0 ", status) and re.search(r"\b2 ", status)
    lines = [line for line in examples.splitlines() if re.match(r"  cloister ", line)]
    assert any(f"{line.strip()} ".startswith(f"cloister {command} ".replace("  ", " ")) for line in lines)
    for line in lines:
        words = shlex.split(line.split(" > ")[0].split(" < ")[0])[1:]
        called = next(name for size in (2, 1, 0) if (name := " ".join(words[:size])) in HELP)
        used = {word for word in words if word.startswith("--")}
        assert used <= options(HELP[called]) | options(HELP[""]), (line, used)


def test_every_option_stands_in_a_document():
    pages = "\n".join(page.read_text() for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
    known = {option for text in HELP.values() for option in options(text)} - {"--help"}
    assert {option for option in known if not re.search(rf"{option}(?![\w-])", pages)} == set()


def test_every_option_in_the_table_is_one():
    page = (ROOT / "docs/guide/options.md").read_text()
    for heading, section in re.findall(r"^## `cloister ([a-z ]+)`.*?\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL):
        there = options(HELP[heading])
        for name in HELP:
            if name.startswith(heading + " "):
                there |= options(HELP[name])
        named = set(re.findall(r"`(--[\w-]+)", "\n".join(re.findall(r"^\| (.*?) \|", section, re.MULTILINE))))
        assert named <= there, (heading, named - there)


def test_every_option_of_serve_is_in_the_table():
    """A unit test compares the table with the rows of the options. This test compares it with the output of the program."""
    section = (ROOT / "docs/guide/options.md").read_text().split("## `cloister serve`")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(--[\w-]+)` \|.*\|.*\|.*\|$", section, re.MULTILINE)
    assert len(rows) == len(set(rows)) and set(rows) == options(HELP["serve"]) - {"--help", "--print-config"}


def test_choices_are_shown_as_a_set_and_defaults_with_them():
    serve = HELP["serve"]
    for shown in ("--log-level TEXT:{debug,info,warn,error}=info", "--log-format TEXT:{text,json}=text", "--tls TEXT:{self-signed,tee-key}",
                  "--parallel INT:in [0 - 1024]=0", "default: upstream with --upstream, else llama"):
        assert shown in serve, shown
    assert "--config FILE" in HELP[""]
    refused = run("serve", "--log-level", "loud")
    assert refused.returncode == 2 and "debug,info,warn,error" in refused.stderr
