"""`cloister receipts`: export and import between stores, also while other processes have them open. The receipts are in the form that a
node makes."""

import json
import os
import pathlib
import signal
import sqlite3
import stat
import subprocess
import time

import pytest

from support.node import BINARY, PATIENCE, wait_until
from support import node
from support.exports import keyset_line, report_line, signed_receipt

pytestmark = [pytest.mark.fast, pytest.mark.no_tee]
START = 1_800_000_000
KEY = "5e" * 32


@pytest.fixture(autouse=True)
def key_file(tmp_path_factory, monkeypatch):
    """The key of the test's own store. run() adds it to commands that open a store."""
    path = tmp_path_factory.mktemp("key") / "key"
    path.write_text(KEY + "\n")
    monkeypatch.setattr(f"{__name__}.KEY_FILE", path)
    return path


KEY_FILE = None


def run(command, *arguments, **options):
    named = "--store" in arguments or "--postgres-file" in arguments
    given = named and not {"--key-file", "--tee", "--no-key"} & set(map(str, arguments))
    plain = ["--plain"] if named and arguments[0] == "export" and "--sealed" not in arguments else []
    arguments = [each for each in arguments if each not in ("--no-key", "--sealed")]
    return node.run(command, *arguments, *(["--key-file", KEY_FILE] if given else []), *plain, **options)


def receipt(number, **changes):
    return signed_receipt(number, START + number, model="größe", **changes)


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


def written(path, lines):
    path.write_text("".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines))
    return path


@pytest.fixture
def lines():
    return [keyset_line(START), report_line(START), *(receipt(number) for number in range(600))]


@pytest.fixture
def store(tmp_path, lines):
    file = tmp_path / "state/receipts.db"
    done = run("receipts", "import", written(tmp_path / "first", lines), "--store", file)
    assert done.returncode == 0 and done.stderr == "imported 600 receipts and 2 documents\n"
    return file


def test_there_and_back(store, lines, tmp_path):
    exported = run("receipts", "export", "--store", store)
    assert exported.returncode == 0 and exported.stderr == "exported 600 receipts and 2 documents\n"
    assert lines_of(exported.stdout) == lines and exported.stdout == (tmp_path / "first").read_text()
    out = tmp_path / "out"
    assert run("receipts", "export", "--store", store, "--out", out).returncode == 0
    assert out.read_text() == exported.stdout and stat.S_IMODE(out.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "out", "state"], "nothing else is left"
    second = tmp_path / "second.db"
    for _ in range(2):
        assert run("receipts", "import", "-", "--store", second, input=exported.stdout).returncode == 0
        assert run("receipts", "export", "--store", second).stdout == exported.stdout
    assert stat.S_IMODE(second.stat().st_mode) == 0o600


def test_what_is_there_already_is_counted_apart(store, tmp_path):
    again = run("receipts", "import", tmp_path / "first", "--store", store)
    assert again.returncode == 0 and again.stderr == "imported 0 receipts and 0 documents; 600 receipts and 2 documents were there already\n"
    more = written(tmp_path / "more", [receipt(number) for number in range(595, 605)])  # the keyset is in the store
    assert run("receipts", "import", more, "--store", store).stderr == "imported 5 receipts and 0 documents; 5 receipts and 0 documents were there already\n"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("command", [["list"], ["show", "rcpt-1"], ["export"]])
@pytest.mark.parametrize("keys", [["--tee", "insecure-simulator"], []], ids=["a simulated TEE", "a key file"])
def test_reading_makes_nothing(store, tmp_path, command, keys):
    """A command must not make a store from an empty file, nor a seed next to a copied store."""
    folder = tmp_path / "copied"
    folder.mkdir()
    empty, copied = folder / "empty.db", folder / "receipts.db"
    empty.touch(mode=0o600)
    copied.write_bytes(store.read_bytes())
    copied.chmod(0o600)
    before = contents(folder)
    refused = run("receipts", *command, "--store", empty, *keys)
    assert refused.returncode in (1, 2) and contents(folder) == before, refused.stderr
    assert ("--state" if keys else "there is no receipt store in") in refused.stderr, refused.stderr
    if keys:
        refused = run("receipts", *command, "--store", copied, *keys)
        assert refused.returncode == 2 and "--state" in refused.stderr and contents(folder) == before
    else:
        run("receipts", *command, "--store", copied)
        assert contents(folder) == before, "it is read only"


def test_without_a_tee_nobody_speaks_of_serving(store):
    done = run("receipts", "list", "--store", store, "--tee", "auto")
    assert done.returncode == 2 and "serving" not in done.stderr and "no TEE" in done.stderr, done.stderr


def test_ranges(store):
    def count(*arguments):
        return sum(line["form"] == "cloister.receipt.v2" for line in lines_of(run("receipts", "export", "--store", store, *arguments).stdout))

    assert START == 1_800_000_000  # 2027-01-15T08:00:00Z
    assert count("--since", "2027-01-15T08:05:00Z") == 300
    assert count("--until", "2027-01-15T08:00:09Z") == 10
    assert count("--since", "2027-01-15T08:01:00Z", "--until", "2027-01-15T08:01:00Z") == 1
    assert count("--since", "2028-01-01T00:00:00Z") == 0
    wrong = run("receipts", "export", "--store", store, "--since", "yesterday")
    assert wrong.returncode == 2 and "--since" in wrong.stderr


def test_list_and_show(store, lines):
    table = run("receipts", "list", "--store", store, "--limit", 2).stdout.splitlines()
    assert table == ['2027-01-15T08:00:00Z  "rcpt-00000000"  "/v1/chat/completions"  "gr\\u00f6\\u00dfe"',
                     '2027-01-15T08:00:01Z  "rcpt-00000001"  "/v1/chat/completions"  "gr\\u00f6\\u00dfe"']
    rows = lines_of(run("receipts", "list", "--store", store, "--json").stdout)
    assert len(rows) == 600 and rows[7]["reply_ids"] == ["chatcmpl-7"] and rows[7]["model"] == "größe" and rows[7]["owner"] == "01" * 16
    for name in ("rcpt-00000007", "chatcmpl-7"):
        shown = run("receipts", "show", name, "--store", store)
        assert shown.returncode == 0 and shown.stdout == lines[9]["receipt"] + "\n"
    assert json.loads(run("receipts", "show", "chatcmpl-8", "--store", store, "--json").stdout) == lines[10]
    assert run("receipts", "show", "chatcmpl-7", "--store", store, "--owner", "01" * 16).returncode == 0
    assert run("receipts", "show", "chatcmpl-7", "--store", store, "--owner", "02" * 16).returncode == 1
    missing = run("receipts", "show", "chatcmpl-600", "--store", store)
    assert missing.returncode == 1 and missing.stdout == ""
    assert run("receipts", "show", "chatcmpl-7", "--store", store, "--owner", "x").returncode == 2


@pytest.mark.parametrize("number, change, complaint", [
    (5, lambda line: line | {"more": 1}, "unknown name"),
    (5, lambda line: line | {"receipt": "{}"}, "receipt: "),
    (5, lambda line: line | {"receipt_id": "rcpt-other"}, "not that of the receipt"),
    (5, lambda line: line | {"served_at": 1}, "not that of the receipt"),
    (5, lambda line: line | {"owner": "F" * 32}, "lower case"),
    (5, lambda line: line["receipt"], "expected an object"),
    (400, lambda line: receipt(7, method="GET"), "another content"),
])
def test_a_line_that_is_wrong(tmp_path, number, change, complaint):
    lines = [keyset_line(START), *(receipt(each) for each in range(500))]
    lines[number - 1] = change(lines[number - 1])
    store = tmp_path / "new.db"
    refused = run("receipts", "import", written(tmp_path / "in", lines), "--store", store)
    assert refused.returncode == 1 and f"in, line {number}: " in refused.stderr and complaint in refused.stderr, refused.stderr
    kept = lines_of(run("receipts", "list", "--json", "--store", store).stdout)
    assert len(kept) == number - 2, "those before it are in"


def test_a_row_that_was_moved(store):
    """The disk belongs to the host. A record in the place of another is damage."""
    with sqlite3.connect(store) as database:
        database.execute("UPDATE receipt SET sealed = (SELECT sealed FROM receipt WHERE seq = 4) WHERE seq = 3")
    database.close()
    exported = run("receipts", "export", "--store", store)
    assert exported.returncode == 1 and "damaged" in exported.stderr, "rows that were moved are no receipts of their place"


def test_keys(store, lines, tmp_path):
    """Nobody can read a store without its key. An export is encrypted with that key."""
    without = run("receipts", "list", "--store", store, "--no-key")
    assert without.returncode == 2 and "encrypted" in without.stderr
    (tmp_path / "other").write_text("ab" * 32)
    other = run("receipts", "list", "--store", store, "--key-file", tmp_path / "other")
    assert other.returncode == 1 and "encrypted with the key" in other.stderr and "Nothing was changed" in other.stderr
    (tmp_path / "no-key").write_text("secret")
    wrong = run("receipts", "list", "--store", store, "--key-file", tmp_path / "no-key")
    assert wrong.returncode == 2 and "64 hex" in wrong.stderr and "secret" not in wrong.stderr
    sealed = run("receipts", "export", "--store", store, "--sealed")
    assert sealed.returncode == 0 and len(sealed.stdout.splitlines()) == 602
    assert all(set(line) == {"form", "sealed"} and line["form"] == "cloister.sealed.v1" for line in lines_of(sealed.stdout))
    second = tmp_path / "second.db"
    assert run("receipts", "import", "-", "--store", second, input=sealed.stdout).returncode == 0
    assert lines_of(run("receipts", "export", "--store", second).stdout) == lines
    third = tmp_path / "third.db"
    refused = run("receipts", "import", "-", "--store", third, "--key-file", tmp_path / "other", input=sealed.stdout)
    assert refused.returncode == 1 and "line 1: is encrypted with the key" in refused.stderr
    newer = run("receipts", "import", "-", "--store", second, "--receipt-key-epoch", 2, input=sealed.stdout)
    assert newer.returncode == 0, newer.stderr
    assert run("receipts", "list", "--store", second).returncode == 1, "a key of a later epoch is not at hand"
    assert len(lines_of(run("receipts", "list", "--json", "--store", second, "--receipt-key-epoch", 3).stdout)) == 600


def test_owners_of_version_1_become_keyed(tmp_path):
    """Earlier exports hold digests of tokens that anybody can compute."""
    old = [receipt(number) | {"form": "cloister.receipt.v1"} for number in range(6)]
    store = tmp_path / "new.db"
    assert run("receipts", "import", written(tmp_path / "old", [keyset_line(START), *old]), "--store", store).returncode == 0
    keyset, *new = lines_of(run("receipts", "export", "--store", store).stdout)
    assert keyset == keyset_line(START)
    for before, after in zip(old, new, strict=True):
        nobody = before["owner"] == "0" * 32
        assert (after["owner"] == before["owner"]) == nobody
        assert after | {"owner": "", "form": ""} == before | {"owner": "", "form": ""}


def test_beside_others(store, lines, tmp_path):
    """A process that has the store open and writes keeps no other process from reading. An import waits for the writer."""
    other = sqlite3.connect(store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert lines_of(run("receipts", "export", "--store", store).stdout) == lines
    more = written(tmp_path / "more", [receipt(number) for number in range(1000, 1010)])
    locked = run("receipts", "import", more, "--store", store)
    assert locked.returncode == 1 and "locked" in locked.stderr
    other.execute("ROLLBACK")
    other.execute("BEGIN")
    other.execute("SELECT * FROM receipt").fetchone()
    writers = [subprocess.Popen([BINARY, "receipts", "import", str(more), "--store", str(store), "--key-file", str(KEY_FILE)], stderr=subprocess.DEVNULL) for _ in range(3)]
    assert [writer.wait(60 * PATIENCE) for writer in writers] == [0, 0, 0]
    other.close()
    assert len(lines_of(run("receipts", "list", "--json", "--store", store).stdout)) == 610


def test_interrupted(tmp_path):
    """Ctrl-C arrives while an import waits for its next line. The lines that it has read are stored. An interrupted export leaves no file."""
    store = tmp_path / "new.db"
    importing = subprocess.Popen([BINARY, "receipts", "import", "-", "--store", str(store), "--key-file", str(KEY_FILE)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    importing.stdin.write(json.dumps(keyset_line(START)) + "\n")
    for number in range(300):
        importing.stdin.write(json.dumps(receipt(number)) + "\n")
    importing.stdin.flush()
    wait_until(store.exists, 10, "the store")
    wait_until(lambda: len(run("receipts", "list", "--json", "--store", store).stdout.splitlines()) == 256, 20, "the first batch")
    importing.send_signal(signal.SIGINT)
    _, complaint = importing.communicate(timeout=20 * PATIENCE)
    assert importing.returncode == 130 and "interrupted" in complaint
    assert len(lines_of(run("receipts", "list", "--json", "--store", store).stdout)) == 300

    exporting = subprocess.Popen([BINARY, "receipts", "export", "--store", str(store), "--key-file", str(KEY_FILE)], stdout=subprocess.PIPE)
    exporting.stdout.read(10)
    exporting.stdout.close()
    assert exporting.wait(20 * PATIENCE) in (0, -signal.SIGPIPE), "it ends as other tools do, without a word"
    failed = run("receipts", "export", "--store", store, "--out", tmp_path / "no/such/folder")
    assert failed.returncode == 1 and "no/such" in failed.stderr


def test_usage(store, tmp_path):
    for arguments in (["list"], ["list", "--store", store, "--postgres-file", "x"], ["export"], ["import"], ["show", "--store", store], [], ["delete"]):
        assert run("receipts", *arguments).returncode == 2, arguments
    for command in (["list"], ["export"], ["show", "x"]):
        missing = run("receipts", *command, "--store", tmp_path / "no.db")
        assert missing.returncode == 1 and "no.db" in missing.stderr and not (tmp_path / "no.db").exists()
    assert run("receipts", "import", tmp_path / "no", "--store", tmp_path / "no.db").returncode == 2
    (tmp_path / "text").write_text("no database")
    damaged = run("receipts", "list", "--store", tmp_path / "text")
    assert damaged.returncode == 1 and "damaged" in damaged.stderr and (tmp_path / "text").read_text() == "no database"


def test_libpq_is_not_part_of_the_program():
    linked = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
    assert "libsqlite3" in linked and "libpq" not in linked


class Server:
    """Debian's PostgreSQL on a socket in its own folder. It refuses to run as root, so it then runs as `postgres`."""

    def __init__(self, folder):
        self.folder = folder
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("PostgreSQL is not installed")
        self.programs = found[-1].parent
        self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig", "QUIT"] if os.geteuid() == 0 else []
        folder.mkdir(mode=0o755)
        if self.user:
            subprocess.run(["chown", "postgres:postgres", folder], check=True)
        self.call("initdb", "-D", folder / "data", "-U", "cloister", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        self.process = subprocess.Popen(
            [*self.user, self.programs / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses=", "-c", "unix_socket_permissions=0777"],
            cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: subprocess.run([self.programs / "pg_isready", "-q", "-h", folder], check=False).returncode == 0, 30, "the server")

    def call(self, name, *arguments):
        subprocess.run([*self.user, self.programs / name, *arguments], cwd="/", check=True, capture_output=True)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30 * PATIENCE)


@pytest.fixture
def postgres():
    import shutil
    import tempfile

    # The path of a socket must be short, and the server's user must be able to open every folder above it.
    base = pathlib.Path(tempfile.mkdtemp(prefix="cloister-pg-"))
    base.chmod(0o755)
    server = Server(base / "server")
    yield server
    server.stop()
    shutil.rmtree(base)


def test_postgresql(postgres, store, tmp_path):
    connection = tmp_path / "connection"
    connection.write_text(f"host={postgres.folder} user=cloister dbname=postgres password=not-to-be-seen\n")
    absent = run("receipts", "list", "--postgres-file", connection)
    assert absent.returncode == 1 and "no receipt store" in absent.stderr
    exported = run("receipts", "export", "--store", store).stdout
    imported = run("receipts", "import", "-", "--postgres-file", connection, input=exported)
    assert imported.returncode == 0, imported.stderr
    assert run("receipts", "export", "--postgres-file", connection).stdout == exported
    for line, status in ((report_line(START) | {"text": "{}"}, 1), (report_line(START, quote="11"), 0)):
        assert run("receipts", "import", written(tmp_path / "in", [line]), "--postgres-file", connection).returncode == status
        assert run("receipts", "export", "--postgres-file", connection).stdout == exported
    assert run("receipts", "show", "chatcmpl-9", "--postgres-file", connection).stdout == run("receipts", "show", "chatcmpl-9", "--store", store).stdout
    postgres.stop()
    begun = time.monotonic()
    gone = run("receipts", "list", "--postgres-file", connection)
    assert gone.returncode == 1 and "PostgreSQL" in gone.stderr and "not-to-be-seen" not in gone.stderr
    assert time.monotonic() - begun < 10 * PATIENCE
