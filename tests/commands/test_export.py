"""commands.export: an encrypted copy of the secrets; unencrypted only with two options."""

import base64
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from tests.calls import CREATE, FETCH
from tests.commands.operator import operate
from tests.gunicorn_server import ROOT

VALUE = b"canary-value-7f3a9c"
CLEAR = ("export", "--in-the-clear", "--anyone-can-read-it")
PASSPHRASE = b"correct horse battery"


@pytest.fixture
def passphrase_file(tmp_path: Path) -> str:
    """A file with a passphrase and a final line break, as an editor writes it."""
    file = tmp_path / "passphrase"
    file.write_bytes(PASSPHRASE + b"\n")
    return str(file)


@pytest.fixture
def secrets(client: FlaskClient) -> list[str]:
    """Three secrets; one can be read only once, and one is in another folder."""
    for path, more in (("team/a", {"labels": {"env": "prod"}}), ("team/once", {"max_reads": 1}), ("z", {})):
        body = {"path": path, "secret": base64.b64encode(VALUE).decode(), **more}
        assert 200 == client.post(CREATE, json=body).status_code
    return ["team/a", "z"]


def test_what_was_exported_is_imported(
    environment: dict[str, str],
    client: FlaskClient,
    database: Database,
    secrets: list[str],
    passphrase_file: str,
    tmp_path: Path,
) -> None:
    """Into an empty database, values and labels alike; the file shows none of them."""
    file = tmp_path / "export"

    exported = operate(environment, "export", "--output", str(file), "--passphrase-file", passphrase_file)
    content = file.read_bytes()
    database.secrets.delete_many({})
    imported = operate(environment, "import", str(file), "--passphrase-file", passphrase_file)

    assert (0, b"") == (exported.returncode, exported.stdout)
    assert b"exported: 2; not decryptable: 0; left out: 1 limited in reads\n" == exported.stderr
    assert not any(
        clear in content for clear in (VALUE, base64.b64encode(VALUE), b"team", b"env", PASSPHRASE)
    )
    assert (0, b"create: 2\n") == (imported.returncode, imported.stdout)
    for path in secrets:
        assert VALUE == base64.b64decode(client.post(FETCH, json={"path": path}).json["secret"])
    described = client.post("/vault/secret/describe", json={"path": "team/a"}).json
    assert {"env": "prod"} == described["labels"]


def test_goes_through_pipes(environment: dict[str, str], secrets: list[str], passphrase_file: str) -> None:
    """The passphrase comes in and the export goes out through pipes, as with a container."""
    exported = operate(environment, "export", "--passphrase-file", "/dev/stdin", stdin=PASSPHRASE)
    shown = operate(
        environment,
        "import",
        "-",
        *("--dry-run", "--prefix", "copy", "--passphrase-file", passphrase_file),
        stdin=exported.stdout,
    )

    assert [b"line 1: copy/team/a: create", b"line 2: copy/z: create"] == shown.stdout.splitlines()[:2]


def test_refuses_another_passphrase_and_an_altered_file(
    environment: dict[str, str], secrets: list[str], passphrase_file: str, tmp_path: Path
) -> None:
    """One line, and nothing is imported."""
    sealed = operate(environment, "export", "--passphrase-file", passphrase_file).stdout
    other = tmp_path / "other"
    other.write_bytes(b"another passphrase")

    wrong = operate(environment, "import", "-", "--passphrase-file", str(other), stdin=sealed)
    cut = operate(environment, "import", "-", "--passphrase-file", passphrase_file, stdin=sealed[:-1])
    unasked = operate(environment, "import", "-", stdin=sealed)

    assert [2, 2, 2] == [one.returncode for one in (wrong, cut, unasked)]
    assert b"secret-manager: -: wrong passphrase, or it was altered or cut short" in wrong.stderr
    assert b"or it was altered or cut short" in cut.stderr
    assert b"no terminal to ask for the passphrase" in unasked.stderr


def test_writes_in_the_clear_only_when_told_twice(
    environment: dict[str, str], secrets: list[str], passphrase_file: str
) -> None:
    """One of the two options alone is a mistake; so is a passphrase that would protect nothing."""
    once = [operate(environment, "export", flag) for flag in CLEAR[1:]]
    both = operate(environment, *CLEAR, "--passphrase-file", passphrase_file)
    twice = operate(environment, *CLEAR, "--prefix", "team")

    assert [(2, b"")] * 3 == [(one.returncode, one.stdout) for one in (*once, both)]
    assert b"give both --in-the-clear and --anyone-can-read-it" in once[0].stderr
    assert {
        "path": "team/a",
        "secret": base64.b64encode(VALUE).decode(),
        "labels": {"env": "prod"},
    } == json.loads(twice.stdout)


def test_every_secret_has_its_own_record(
    environment: dict[str, str], database: Database, secrets: list[str]
) -> None:
    """By the operator, and none for secrets that were left out."""
    operate(environment, *CLEAR)

    records = list(database.audit_logs.find({"operation": "export"}))
    assert [(path, "success", "operator") for path in secrets] == [
        (one["path"], one["status"], one["actor"]) for one in records
    ]
    assert {one["_id"] for one in database.secrets.find({"path": {"$in": secrets}})} == {
        one["secret_id"] for one in records
    }


def test_no_record_no_value(
    environment: dict[str, str], database: Database, secrets: list[str], tmp_path: Path
) -> None:
    """If the audit log cannot be written, nothing is exported, and no file remains."""
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})
    file = tmp_path / "export"

    piped = operate(environment, *CLEAR)
    written = operate(environment, *CLEAR, "--output", str(file))

    assert [(2, b"")] * 2 == [(one.returncode, one.stdout) for one in (piped, written)]
    assert b"the audit log cannot be written" in piped.stderr
    assert [] == list(tmp_path.iterdir())


def test_exports_the_rest_where_one_does_not_open(
    environment: dict[str, str], database: Database, secrets: list[str]
) -> None:
    """It is named and recorded as a failure, and the exit code is 1."""
    database.secrets.update_one({"path": "team/a"}, {"$set": {"versions.0.payload": bytes(60)}})

    finished = operate(environment, *CLEAR)

    assert (1, "z") == (finished.returncode, json.loads(finished.stdout)["path"])
    assert b"team/a: not exported, because it cannot be decrypted: " in finished.stderr
    assert b"exported: 1; not decryptable: 1; left out: 1 limited in reads" in finished.stderr
    record = database.audit_logs.find_one({"operation": "export", "path": "team/a"})
    assert ("failure", "tampered") == (record["status"], record["reason"])


def test_replaces_no_file(environment: dict[str, str], tmp_path: Path) -> None:
    """An existing file might be the only other copy."""
    file = tmp_path / "export"
    file.write_bytes(b"mine")

    finished = operate(environment, *CLEAR, "--output", str(file))

    assert (2, b"mine") == (finished.returncode, file.read_bytes())
    assert b"already exists" in finished.stderr


def test_requires_a_usable_passphrase(environment: dict[str, str]) -> None:
    """Neither empty nor short; it is asked for only on a terminal."""
    for stdin, arguments, says in (
        (b"", ("--passphrase-file", "/dev/stdin"), b"the file is empty"),
        (b"eleven char\n", ("--passphrase-file", "/dev/stdin"), b"shorter than 12 characters"),
        (b"", ("--passphrase-file", "/nowhere"), b"cannot read /nowhere"),
        (b"", (), b"no terminal to ask for the passphrase"),
        (b"", ("--prefix", "no//path"), b"prefix: a path is segments"),
    ):
        finished = operate(environment, "export", *arguments, stdin=stdin)
        assert (2, b"", 1) == (finished.returncode, finished.stdout, len(finished.stderr.splitlines()))
        assert says in finished.stderr


@pytest.fixture
def type_into(environment: dict[str, str]) -> Callable[..., tuple[int, bytes]]:
    """Return a function that runs a command on a terminal and types a line at each of its prompts."""

    def type_into(arguments: Sequence[str], *lines: bytes) -> tuple[int, bytes]:
        command = [sys.executable, "-m", "service", *arguments]
        spawn = f"import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn({command!r})))"
        process = subprocess.Popen(
            [sys.executable, "-c", spawn],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin
        assert process.stdout
        seen, deadline = b"", time.monotonic() + 60
        with process.stdin, process.stdout:
            for line in lines:
                # What is typed before the prompt is thrown away.
                while not seen.endswith(b": ") and time.monotonic() < deadline:
                    if select.select([process.stdout], [], [], 1)[0]:
                        seen += os.read(process.stdout.fileno(), 4096)
                process.stdin.write(line + b"\n")
                process.stdin.flush()
                seen += b"|"
            seen += process.stdout.read()
        return process.wait(60), seen

    return type_into


def test_asks_for_the_passphrase_twice_and_shows_nothing(
    environment: dict[str, str],
    secrets: list[str],
    type_into: Callable[..., tuple[int, bytes]],
    tmp_path: Path,
) -> None:
    """Twice for an export, once for an import; typed characters are not echoed."""
    file = str(tmp_path / "export")

    different, _ = type_into(("export", "--output", file), PASSPHRASE, b"correct horse buttery")
    to_terminal, said = type_into(("export",))
    exported, shown = type_into(("export", "--output", file), PASSPHRASE, PASSPHRASE)
    imported, listed = type_into(("import", file, "--existing", "update", "--dry-run"), PASSPHRASE)

    assert (2, 2, 0, 0) == (different, to_terminal, exported, imported)
    assert b"an encrypted export is not printed on a terminal" in said
    assert b"unchanged: 2" in listed
    assert PASSPHRASE not in shown + listed
