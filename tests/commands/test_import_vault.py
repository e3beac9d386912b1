"""commands.import_vault: from a real OpenBao; credentials come from files, and values go nowhere else."""

import base64
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from service.transfer.kv_source import client as kv_client
from tests.calls import FETCH, OF_CALLERS
from tests.commands.operator import operate
from tests.gunicorn_server import ROOT, free_port
from tests.openbao import ROOT_TOKEN, OpenBao, running
from tests.test_leaks import SECRET, assert_clean

Import = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def name(openbao: OpenBao) -> str:
    """A mount."""
    return openbao.make_mount()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """A file with the administrator's token."""
    file = tmp_path / "token"
    file.write_text(f"{ROOT_TOKEN}\n")
    return file


@pytest.fixture
def imported(environment: dict[str, str], openbao: OpenBao, name: str, token_file: Path) -> Import:
    """Return a function that imports the mount as the administrator."""

    def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        return operate(environment, *command(openbao, name, token_file), *arguments, **options)

    return run


def command(openbao: OpenBao, name: str, token_file: Path) -> list[str]:
    """Return the command that imports a mount."""
    where = ["--from-vault", openbao.url, "--mount", name, "--token-file", str(token_file)]
    return ["import", *where, "--rate", "10000"]


def fetched(client: FlaskClient, path: str, **version: int) -> bytes:
    """Return a value as the API returns it."""
    return base64.b64decode(client.post(FETCH, json={"path": path, **version}).json["secret"])


def test_imports_a_mount(openbao: OpenBao, name: str, imported: Import, client: FlaskClient) -> None:
    """Below the prefix, with all versions; the last lines are the report."""
    openbao.write(name, "app/db", {"x": "1"}, {"x": "2"}, {"x": "3"})
    openbao.write(name, "other/mail", {"x": "1"})
    openbao.do("POST", f"{name}/destroy/app/db", {"versions": [2]})

    finished = imported("--prefix", "team")

    assert (0, b"") == (finished.returncode, finished.stderr)
    assert [
        b"team/app/db: create (3 versions, 1 deleted or destroyed there, so without a value)",
        b"create: 2; versions: 4, without a value: 1",
    ] == finished.stdout.splitlines()
    assert (b'{"x":"1"}', b'{"x":"3"}') == (
        fetched(client, "team/app/db", version=1),
        fetched(client, "team/app/db"),
    )
    described = client.post("/vault/secret/describe", json={"path": "team/app/db"}).json
    assert ["live", "destroyed", "live"] == [version["state"] for version in described["versions"]]


def test_imports_a_folder_or_each_field(
    openbao: OpenBao, name: str, imported: Import, client: FlaskClient
) -> None:
    """Paths are those in the mount."""
    openbao.write(name, "app/db", {"user": "ada", "password": "x"})
    openbao.write(name, "other/mail", {"x": "1"})

    finished = imported("--folder", "app", "--split")

    assert b"create: 2; versions: 2\n" == finished.stdout
    assert b"ada" == fetched(client, "app/db/user")


def test_every_secret_has_its_record(
    openbao: OpenBao, name: str, imported: Import, database: Database
) -> None:
    """One for each, not for each version."""
    openbao.write(name, "a", {"x": "1"}, {"x": "2"})
    imported()

    (record,) = database.audit_logs.find(OF_CALLERS)
    assert ("import", "operator", "a", "success") == tuple(
        record[field] for field in ("operation", "actor", "path", "status")
    )


def test_a_dry_run_tells_and_changes_nothing(
    openbao: OpenBao, name: str, imported: Import, database: Database
) -> None:
    """Each secret; exit code 1 if one would not be imported."""
    openbao.write(name, "a", {"x": "1"}, {"x": "2"})
    good = imported("--dry-run")
    openbao.write(name, "b c", {"x": "1"})
    bad = imported("--dry-run")

    assert (0, 1) == (good.returncode, bad.returncode)
    assert [
        b"a: create (2 versions)",
        b"dry run, nothing was changed; create: 1; versions: 2",
    ] == good.stdout.splitlines()
    assert b'"b c": refuse: the name "b c" cannot be a path' in bad.stdout
    assert bad.stdout.endswith(b"dry run, nothing was changed; create: 1, refuse: 1; versions: 2\n")
    assert (0, 0) == (database.secrets.count_documents({}), database.audit_logs.count_documents({}))


def test_one_that_is_refused_stops_nothing_unless_asked(
    openbao: OpenBao, name: str, imported: Import, database: Database
) -> None:
    """Exit code 1 in both cases; then it goes on."""
    for path in ("a", "b c", "d"):
        openbao.write(name, path, {"x": "1"})

    stopped = imported("--fail-fast")
    assert (1, 1) == (stopped.returncode, database.secrets.count_documents({}))
    assert (
        b"stopped; create: 1, refuse: 1; versions: 1; run it again with --existing skip to go on\n"
        == stopped.stdout
    )
    going_on = imported("--existing", "skip")
    assert (1, 2) == (going_on.returncode, database.secrets.count_documents({}))
    assert b"skip, already exists: 1, refuse: 1, create: 1; versions: 1\n" == going_on.stdout
    assert b'"b c": refuse: ' in going_on.stderr


def test_a_second_run_says_what_is_there(openbao: OpenBao, name: str, imported: Import) -> None:
    """It is refused by default, skipped or compared."""
    openbao.write(name, "a", {"x": "1"})

    assert [0, 1, 0, 0] == [
        imported(*options).returncode
        for options in ((), (), ("--existing", "skip"), ("--existing", "update"))
    ]
    assert b"unchanged: 1\n" == imported("--existing", "update").stdout


def test_logs_in_with_approle(
    environment: dict[str, str], openbao: OpenBao, name: str, client: FlaskClient, tmp_path: Path
) -> None:
    """Both ids from files."""
    openbao.write(name, "a", {"x": "1"})
    role_id, secret_id = openbao.make_role({f"{name}/*": ["read", "list"]}, secret_id_num_uses=1)
    (tmp_path / "role").write_text(role_id)
    (tmp_path / "secret").write_text(secret_id + "\n")
    files = ("--role-id-file", str(tmp_path / "role"), "--secret-id-file", str(tmp_path / "secret"))
    where = ("--from-vault", openbao.url, "--mount", name)

    finished = operate(environment, "import", *where, *files)
    assert (0, b"create: 1; versions: 1\n") == (finished.returncode, finished.stdout), finished.stderr
    assert b'{"x":"1"}' == fetched(client, "a")
    again = operate(environment, "import", *where, *files)
    assert (2, b"") == (again.returncode, again.stdout)
    assert b"the login at auth/approle is refused: invalid role or secret ID" in again.stderr


def test_takes_the_token_from_a_pipe(environment: dict[str, str], openbao: OpenBao, name: str) -> None:
    """As ``docker exec -i`` passes it."""
    openbao.write(name, "a", {"x": "1"})
    arguments = command(openbao, name, Path("/dev/stdin"))

    assert b"create: 1; versions: 1\n" == operate(environment, *arguments, stdin=ROOT_TOKEN.encode()).stdout


def test_the_mounts_settings_are_left_out_if_they_may_not_be_read(
    environment: dict[str, str], openbao: OpenBao, name: str, token_file: Path
) -> None:
    """It says so."""
    openbao.write(name, "a", {"x": "1"})
    token_file.write_text(
        openbao.make_token({f"{name}/metadata/*": ["list", "read"], f"{name}/data/*": ["read"]})
    )
    finished = operate(environment, *command(openbao, name, token_file))

    assert 0 == finished.returncode
    assert finished.stdout.startswith(
        b"the settings of the mount are left out, those of each secret are taken: the token may not read it"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_goes_on_after_an_interruption(
    environment: dict[str, str],
    openbao: OpenBao,
    name: str,
    token_file: Path,
    imported: Import,
    database: Database,
    number: signal.Signals,
) -> None:
    """The secret that is being written is finished, and the same command does the rest."""
    for index in range(60):
        openbao.write(name, f"many/{index}", {"x": str(index)})
    importing = subprocess.Popen(
        [sys.executable, "-m", "service", *command(openbao, name, token_file), "--rate", "60"],
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
    assert 3 <= len(kept) < 60
    assert (
        f"stopped; create: {len(kept)}; versions: {len(kept)}; run it again with --existing skip"
        in out.decode()
    )
    assert kept == {one["secret_id"] for one in database.audit_logs.find(OF_CALLERS)}
    finished = imported("--existing", "skip")
    assert f"skip, already exists: {len(kept)}, create: {60 - len(kept)}" in finished.stdout.decode()
    assert (0, 60) == (finished.returncode, database.secrets.count_documents({}))


def test_says_how_far_it_got_if_the_server_goes_away(
    environment: dict[str, str], token_file: Path, database: Database, tmp_path: Path
) -> None:
    """It waits for it, in vain; exit code 2."""
    with running(tmp_path) as server:
        name = server.make_mount()
        for index in range(100):
            server.write(name, f"many/{index}", {"x": "1"})
        importing = subprocess.Popen(
            [sys.executable, "-c", HASTY, *command(server, name, token_file), "--rate", "30"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + 30
        while database.secrets.count_documents({}) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    out, err = importing.communicate(timeout=60)

    kept = database.secrets.count_documents({})
    assert (2, True) == (importing.returncode, 3 <= kept < 100)
    assert out.startswith(f"stopped; create: {kept}; versions: {kept}; run it again".encode())
    assert re.search(rb"secret-manager: http://\S+ does not answer: ", err)


# The command, with pauses that are no test of patience; those of kv_source.client have tests of their own.
HASTY = """
import sys
from service import cli
from service.transfer.kv_source import client
client._PAUSES = (0.01, 0.01)
sys.exit(cli.main(sys.argv[1:]))
"""


def test_the_hasty_command_is_the_real_one() -> None:
    """The name that it changes is there."""
    assert kv_client._PAUSES[0] >= 0.5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-", "--from-vault", "https://a"), b"--from-vault takes the place of a file: leave FILE"),
        (("--from-vault", "https://a", "--format", "kv"), b"--from-vault takes the place of a file"),
        (("-", "--token-file", "README.md"), b"are for --from-vault"),
        (("-", "--fail-fast"), b"are for --from-vault"),
        (("--from-vault", "https://a"), b"--from-vault needs credentials in files"),
        (("--from-vault", "https://a", "--role-id-file", "README.md"), b"needs credentials in files"),
        (
            ("--from-vault", "https://a", *("--token-file", "README.md"), *("--secret-id-file", "README.md")),
            b"needs credentials in files",
        ),
        (("--from-vault", "https://a", "--token-file", "/nowhere"), b"--token-file: cannot read /nowhere"),
        (("--from-vault", "https://a", "--token-file", "/dev/null"), b"--token-file: the file is empty"),
        (("--from-vault", "https://a", "--token-file", "README.md"), b"must hold the token and nothing else"),
        (("--from-vault", "a.example.org", "--token-file", "README.md"), b"the address of the server must"),
        (
            ("--from-vault", "https://a", "--token-file", "README.md", "--prefix", "no//path"),
            b"prefix: a path is segments",
        ),
        (
            ("--from-vault", "https://a", "--token-file", "README.md", "--ca", "README.md"),
            b"README.md has no readable certificate",
        ),
    ],
)
def test_says_in_one_line_why_it_cannot(
    environment: dict[str, str], arguments: tuple[str, ...], says: bytes
) -> None:
    """Exit code 2, like every command."""
    finished = operate(environment, "import", *arguments)

    assert (2, b"", 1) == (finished.returncode, finished.stdout, len(finished.stderr.splitlines()))
    assert says in finished.stderr


def test_says_so_if_nothing_answers(environment: dict[str, str], token_file: Path) -> None:
    """At once: it is more likely a typing error than an outage."""
    url = f"http://127.0.0.1:{free_port()}"
    finished = operate(environment, "import", "--from-vault", url, "--token-file", str(token_file))

    assert (2, f"secret-manager: {url} does not answer: Connection refused\n".encode()) == (
        finished.returncode,
        finished.stderr,
    )


def test_a_value_turns_up_nowhere(openbao: OpenBao, name: str, imported: Import, database: Database) -> None:
    """Neither in the output nor in the database, whatever is done with it; nor does a token."""
    secret = SECRET.decode()
    openbao.write(name, "a", {"x": secret}, {"x": secret, "y": None, secret: secret})
    openbao.write(name, "b c", {"x": secret})
    openbao.write(name, "large", {"x": secret * 50_000})
    ways = (("--dry-run",), (), ("--existing", "update"), ("--split", "--prefix", "p", "--dry-run"))

    finished = [imported(*way) for way in ways]

    for one in finished[:3]:
        assert_clean("what was printed", one.stdout + one.stderr)
    for one in finished:
        assert ROOT_TOKEN.encode() not in one.stdout + one.stderr
    stored = repr([list(database[each].find()) for each in database.list_collection_names()])
    assert_clean("the database", stored.encode())
    assert ROOT_TOKEN not in stored
    assert 1 == database.secrets.count_documents({})
