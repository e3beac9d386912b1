"""commands.import_: everything is checked before anything is written, and nothing is written twice."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from service.crypto import stream
from tests.calls import FETCH, OF_CALLERS
from tests.commands.operator import operate
from tests.gunicorn_server import ROOT
from tests.test_leaks import SECRET, assert_clean
from tests.transfer.formats import examples

ENV = b"# of the application\nexport DB_USER=app\nDB_PASSWORD='pa$$word'\n"
WAY = b"name the program that reads the file with --dialect docker, python or node"
KV = json.dumps(
    {
        "data": {
            "data": {"user": "ada", "password": "x"},
            "metadata": {"created_time": "2026-01-31T12:00:00Z", "custom_metadata": {"env": "prod"}},
        }
    }
).encode()


def line(path: str, value: bytes = b"value", **more: object) -> bytes:
    """Return a line of JSON."""
    return json.dumps({"path": path, "secret": base64.b64encode(value).decode(), **more}).encode() + b"\n"


def fetched(client: FlaskClient, path: str) -> bytes:
    """Return a value as the API returns it."""
    return base64.b64decode(client.post(FETCH, json={"path": path}).json["secret"])


def test_imports_an_env_file(environment: dict[str, str], client: FlaskClient, tmp_path: Path) -> None:
    """Names become paths below the prefix; upper and lower case are kept."""
    file = tmp_path / ".env"
    file.write_bytes(ENV)

    finished = operate(environment, "import", str(file), "--prefix", "team/app/", "--dialect", "python")

    assert (0, b"create: 2\n", b"") == (finished.returncode, finished.stdout, finished.stderr)
    assert b"app" == fetched(client, "team/app/DB_USER")
    assert b"pa$$word" == fetched(client, "team/app/DB_PASSWORD")


def test_imports_a_kv_export(environment: dict[str, str], client: FlaskClient) -> None:
    """As one secret at the prefix, or as one secret per field."""
    whole = operate(environment, "import", "-", "--prefix", "team/db", stdin=KV)
    split = operate(environment, "import", "-", "--prefix", "team/split", "--split", stdin=KV)

    assert (0, 0) == (whole.returncode, split.returncode)
    assert b'{"password":"x","user":"ada"}' == fetched(client, "team/db")
    assert b"ada" == fetched(client, "team/split/user")
    described = client.post("/vault/secret/describe", json={"path": "team/split/user"}).json
    assert ({"env": "prod"}, "operator") == (described["labels"], described["created_by"])


def test_a_dry_run_tells_and_changes_nothing(environment: dict[str, str], database: Database) -> None:
    """Line by line, with how it was read; exit code 1 if the import would be refused."""
    good = operate(environment, "import", "-", "--dry-run", "--dialect", "python", stdin=ENV)
    bad = operate(environment, "import", "-", "--dry-run", stdin=b"A=x\nB=$x\n")

    assert [
        b"line 2: DB_USER (no quotes): create",
        b"line 3: DB_PASSWORD (single quotes): create",
        b"dry run, nothing was changed; create: 2",
    ] == good.stdout.splitlines()
    assert (0, 1) == (good.returncode, bad.returncode)
    assert [
        b"line 1: create",
        b"line 2: refuse: compose reads a variable at a dollar sign, docker and node do not: " + WAY,
        b"dry run, nothing was changed; create: 1, refuse: 1",
        b"names are shown once every line can be read",
    ] == bad.stdout.splitlines()
    assert (0, 0) == (database.secrets.count_documents({}), database.audit_logs.count_documents({}))


@pytest.mark.parametrize("dialect", [[], ["--dialect", "compose"], ["--dialect", "node"]], ids=str)
@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]], ids=str)
def test_shows_nothing_of_a_file_that_is_not_understood(
    environment: dict[str, str], database: Database, dialect: list[str], dry_run: list[str]
) -> None:
    """The last line of a private key without quotes looks like a name and an equals sign."""
    lines = (
        b"KEY=-----BEGIN PRIVATE KEY-----",
        b"MIIEmadeup/CCCC",
        b"hunter2==",
        b"-----END PRIVATE KEY-----",
    )

    finished = operate(environment, "import", "-", *dialect, *dry_run, stdin=b"\n".join(lines))

    assert finished.returncode
    assert b"refuse: " in finished.stdout + finished.stderr
    for part in (b"hunter2", b"madeup", b"KEY"):
        assert part not in finished.stdout + finished.stderr
    assert 0 == database.secrets.count_documents({})


def test_each_dialect_reads_its_own_file(environment: dict[str, str], client: FlaskClient) -> None:
    """It is an .env file if a dialect is given; for another format there is none."""
    file = b"A='x'\nB: y\n"

    imported = operate(environment, "import", "-", "--dialect", "compose", stdin=file)
    refused = operate(environment, "import", "-", "--dialect", "node", "--format", "kv", stdin=KV)

    assert (0, b"create: 2\n") == (imported.returncode, imported.stdout)
    assert (b"x", b"y") == (fetched(client, "A"), fetched(client, "B"))
    assert b"-: the file is not an .env file: leave --dialect out" in refused.stderr


def test_writes_nothing_where_one_line_cannot_be_used(
    environment: dict[str, str], database: Database
) -> None:
    """All such lines are reported, without their values."""
    lines = line("a") + line("a b", b"hunter2") + b"hunter2\n" + line("c", max_reads="hunter2")

    finished = operate(environment, "import", "-", stdin=lines)

    assert (2, b"") == (finished.returncode, finished.stdout)
    assert [b"line 2: ", b"line 3: ", b"line 4: ", b"secret-m"] == [
        one[:8] for one in finished.stderr.splitlines()
    ]
    assert b"nothing was imported: 3 of 4 cannot be" in finished.stderr
    assert b"hunter2" not in finished.stderr
    assert 0 == database.secrets.count_documents({})


def test_what_there_is_decides_before_anything_is_written(
    environment: dict[str, str], client: FlaskClient, database: Database
) -> None:
    """All refused, or skipped, or updated if the value differs."""
    operate(environment, "import", "-", stdin=line("a", b"1") + line("b", b"2"))
    more = line("a", b"1") + line("b", b"new") + line("c", b"3")

    refused = operate(environment, "import", "-", stdin=more)
    assert (2, 2) == (refused.returncode, database.secrets.count_documents({}))
    assert b"line 1: a: refuse: another secret has this path" in refused.stderr
    assert b"--existing skip or update" in refused.stderr

    skipped = operate(environment, "import", "-", "--existing", "skip", stdin=more)
    assert b"skip, already exists: 2, create: 1\n" == skipped.stdout
    assert b"2" == fetched(client, "b")

    updated = operate(environment, "import", "-", "--existing", "update", stdin=more)
    assert b"unchanged: 2, new version: 1\n" == updated.stdout
    assert b"new" == fetched(client, "b")


def test_every_secret_has_its_own_record(environment: dict[str, str], database: Database) -> None:
    """By the operator, for created and changed secrets only."""
    operate(environment, "import", "-", stdin=line("a", b"1") + line("b", b"2"))
    operate(environment, "import", "-", "--existing", "update", stdin=line("a", b"1") + line("b", b"3"))

    records = list(database.audit_logs.find(OF_CALLERS).sort("timestamp"))
    ids = {one["path"]: one["_id"] for one in database.secrets.find()}
    assert [("import", path, ids[path], "success", "operator", "127.0.0.1") for path in ("a", "b", "b")] == [
        tuple(one[name] for name in ("operation", "path", "secret_id", "status", "actor", "client_ip"))
        for one in records
    ]


def test_stops_where_the_audit_log_cannot_be_written(
    environment: dict[str, str], database: Database, nothing_yet: None
) -> None:
    """Stops at the first secret and says how to go on; that one may have been stored, as with the API."""
    database.create_collection("audit_logs", validator={"never": {"$exists": True}})

    stopped = operate(environment, "import", "-", stdin=line("a") + line("b") + line("c"))
    assert (2, 1) == (stopped.returncode, database.secrets.count_documents({}))
    assert b"stopped at line 1; no secrets; run it again with --existing skip to go on\n" == stopped.stdout
    updating = operate(environment, "import", "-", "--existing", "update", stdin=line("b"))
    assert b"run it again with --existing update to go on\n" in updating.stdout

    database.command("collMod", "audit_logs", validator={})
    again = operate(environment, "import", "-", "--existing", "skip", stdin=line("a") + line("b") + line("c"))
    assert (0, b"skip, already exists: 2, create: 1\n") == (again.returncode, again.stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_no_secret_without_its_record(
    environment: dict[str, str], database: Database, tmp_path: Path, number: signal.Signals
) -> None:
    """The secret that is being written is finished; the same command goes on later."""
    file = tmp_path / "lines"
    file.write_bytes(b"".join(line(f"many/{one}") for one in range(2000)))
    importing = subprocess.Popen(
        [sys.executable, "-m", "service", "import", str(file)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    while database.secrets.count_documents({}) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    importing.send_signal(number)
    out, err = importing.communicate(timeout=30)

    assert (130, b"") == (importing.returncode, err)
    kept = {one["_id"] for one in database.secrets.find()}
    assert 3 <= len(kept) < 2000
    assert f"stopped; create: {len(kept)}; run it again with --existing skip".encode() in out
    assert kept == {one["secret_id"] for one in database.audit_logs.find(OF_CALLERS)}


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (("/nowhere",), b"", b"cannot read /nowhere"),
        (("-",), b"what is this?\n", b"name it with --format"),
        (("-",), b"\xff\xfe", b"neither UTF-8 text nor"),
        (("-", "--split"), ENV, b"leave --split out"),
        (("-", "--values-only"), ENV, b"leave --values-only out"),
        (("docs", "--split"), b"", b"in a folder each file is one value"),
        (("-",), b'{\n  "A": "x",\n  "B": "y"\n}\n', b"this looks like a flat map of names and values"),
        (("-", "--prefix", "no//path"), ENV, b"prefix: a path is segments"),
        (("-", "--passphrase-file", "README.md"), ENV, b"leave --passphrase-file out"),
        (("-",), ENV, b"MASTER_KEY"),
    ],
)
def test_says_in_one_line_why_it_cannot(
    environment: dict[str, str], arguments: tuple[str, ...], stdin: bytes, says: bytes
) -> None:
    """Exit code 2, like every command."""
    broken = {"MASTER_KEY": "short"} if says == b"MASTER_KEY" else {}
    finished = operate(environment, "import", *arguments, stdin=stdin, **broken)

    assert (2, b"", 1) == (finished.returncode, finished.stdout, len(finished.stderr.splitlines()))
    assert says in finished.stderr


def test_a_value_turns_up_nowhere(environment: dict[str, str], database: Database) -> None:
    """Neither in the output nor in the database, for every option and format."""
    good = (
        line("a", SECRET),
        b"B=" + SECRET + b"\n",
        json.dumps({"data": {"c": SECRET.decode()}}).encode(),
    )
    bad = (
        line(SECRET.decode() + " ", SECRET),
        b'{"path": "a", "secret": "' + SECRET + b'"}\n',
        b'{"path": "a", "' + SECRET + b'": 1, "secret": ""}\n',
        SECRET + b"\n",
        b"B='" + SECRET + b"'\n",
        b"A=$" + SECRET + b"\n" + SECRET + b"!=\n",
        b"A=" + SECRET + b"\n" + SECRET + b"==\n",
        b'{"data": {"' + SECRET + b' ": "' + SECRET + b'"}}',
        stream.MAGIC + SECRET,
    )
    ways = ((), ("--existing", "update", "--dry-run"))

    finished = [
        operate(environment, "import", "-", *("--prefix", "p"), *way, stdin=content)
        for content in (*good, *bad)
        for way in ways
    ]

    for one in finished:
        assert_clean("what was printed", one.stdout + one.stderr)
    assert {0, 1, 2} == {one.returncode for one in finished}
    assert database.secrets.count_documents({}) >= 3
    stored = repr([list(database[name].find()) for name in database.list_collection_names()])
    assert_clean("the database", stored.encode())


@pytest.mark.parametrize(
    ("text", "options", "path", "value"),
    [
        (json.dumps(examples.KUBERNETES, indent=2), (), "app", b'{"password":"hunter2","username":"admin"}'),
        (examples.KUBERNETES_YAML, ("--split",), "app/password", b"hunter2"),
        (examples.INFISICAL, (), "app/db/DB_PASSWORD", b"it's"),
        (examples.INFISICAL_DOTENV, ("--dialect", "node"), "DB_PASSWORD", b"pa$$word # 1"),
        (examples.INFISICAL_DOTENV_EXPORT, ("--dialect", "node"), "DB_PASSWORD", b"pa$$word # 1"),
        (examples.DOPPLER, (), "DB_PASSWORD", b"it's"),
        (examples.DOPPLER_LISTED, (), "DB_PASSWORD", b"it's"),
        (json.dumps(examples.one_password()), ("--split",), "app-db/password", b"it's"),
        (examples.BITWARDEN, (), "DB_PASSWORD", b"it's"),
        (examples.BITWARDEN_EXPORT, (), "DB_PASSWORD", b"it's"),
        (examples.MEDUSA_YAML, ("--format", "medusa", "--split"), "app/mail/smtp/password", b"no"),
        (
            examples.MEDUSA_JSON,
            ("--format", "medusa"),
            "app/db",
            b'{"password":"0123","port":5432,"user":"ada"}',
        ),
    ],
)
def test_imports_the_exports_of_other_programs(
    environment: dict[str, str],
    client: FlaskClient,
    database: Database,
    text: str,
    options: tuple[str, ...],
    path: str,
    value: bytes,
) -> None:
    """As they come, and a dry run tells the same before."""
    dry = operate(environment, "import", "-", "--prefix", "p", *options, "--dry-run", stdin=text.encode())
    before = database.secrets.count_documents({})
    done = operate(environment, "import", "-", "--prefix", "p", *options, stdin=text.encode())

    assert (0, 0, 0) == (dry.returncode, done.returncode, before), dry.stdout + done.stderr
    assert re.search(rf": p/{path}( \(single quotes\))?: create\n", dry.stdout.decode())
    assert value == fetched(client, f"p/{path}")


def test_imports_a_folder_of_files(environment: dict[str, str], client: FlaskClient, tmp_path: Path) -> None:
    """From where it is, or as a tar archive on standard input, which is how it gets into a container."""
    (tmp_path / "db_password").write_bytes(b"s3cret\n")
    archive = subprocess.run(["tar", "-C", tmp_path, "-c", "."], capture_output=True, check=True).stdout

    dry = operate(environment, "import", str(tmp_path), "--dry-run")
    piped = operate(environment, "import", "-", "--prefix", "app", stdin=archive)

    assert b"file 1: db_password: create\ndry run, nothing was changed; create: 1\n" == dry.stdout
    assert (0, b"create: 1\n") == (piped.returncode, piped.stdout)
    assert b"s3cret\n" == fetched(client, "app/db_password")


def test_numbers_keep_their_text_and_a_null_is_named(
    environment: dict[str, str], client: FlaskClient, database: Database
) -> None:
    """A version 1.10 is not 1.1, and no secret has the value null."""
    export = b'{"data": {"prec": 0.1234567890123456789, "ver": 1.10, "none": null}}'

    finished = operate(environment, "import", "-", "--prefix", "n", "--split", stdin=export)

    assert (0, b"line 1: n/none: skip, null\ncreate: 2, skip, null: 1\n") == (
        finished.returncode,
        finished.stdout,
    )
    assert b"0.1234567890123456789" == fetched(client, "n/prec")
    assert b"1.10" == fetched(client, "n/ver")
    assert 2 == database.secrets.count_documents({})


def test_an_empty_value_replaces_another_only_if_that_is_said(
    environment: dict[str, str], client: FlaskClient
) -> None:
    """The dry run tells it apart; a placeholder in a file does not empty production's password."""
    placeholder = b"DB_PASSWORD=\nAPI=k\n"
    operate(environment, "import", "-", stdin=b"DB_PASSWORD=real\n")
    update = ("import", "-", "--existing", "update")

    refused = operate(environment, *update, stdin=placeholder)
    assert (2, b"") == (refused.returncode, refused.stdout)
    assert (
        b"line 1: DB_PASSWORD (no quotes, empty): refuse: secret: empty, and the present value is not"
        in refused.stderr
    )
    assert b"real" == fetched(client, "DB_PASSWORD")

    dry = operate(environment, *update, "--allow-empty", "--dry-run", stdin=placeholder)
    assert (
        b"line 1: DB_PASSWORD (no quotes, empty): new version, empty in the place of a value\n" in dry.stdout
    )
    operate(environment, *update, "--allow-empty", stdin=placeholder)
    assert b"" == fetched(client, "DB_PASSWORD")


def test_imports_nothing_from_nothing(environment: dict[str, str]) -> None:
    """An empty file has no secrets, in any format."""
    finished = operate(environment, "import", "-")

    assert (0, b"no secrets\n") == (finished.returncode, finished.stdout)
