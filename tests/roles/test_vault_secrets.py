"""The role vault_secrets in a play, against a real server."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from pymongo import MongoClient
from pymongo.database import Database

from tests import databases
from tests.cluster.playbook import ROOT, Run, play
from tests.gunicorn_server import Server
from tests.proxy import Proxy

Fetch = Callable[..., Run]


@pytest.fixture
def database(standing_server: Server, mongo_client: MongoClient) -> Database:
    """The database, empty but for what the server has opened."""
    return databases.empty_beside_servers(mongo_client)


@pytest.fixture
def fetch(
    tmp_path: Path, standing_server: Server, database: Database, monkeypatch: pytest.MonkeyPatch
) -> Fetch:
    """Return a function that fetches secrets, such as role/a, with the role and this token file."""
    stored = standing_server.post("/vault/secret/create/", {"path": "role/a", "secret": "aGk="})
    assert 200 == stored.status_code
    monkeypatch.setenv("ANSIBLE_ROLES_PATH", str(ROOT / "roles"))
    show = {"ansible.builtin.debug": {"msg": "fetched {{ vault_secrets_values | length }}"}}
    playbook, token_file = tmp_path / "play.yml", tmp_path / "token"
    playbook.write_text(
        yaml.safe_dump(
            [{"hosts": "localhost", "gather_facts": False, "roles": ["vault_secrets"], "tasks": [show]}]
        )
    )

    def fetch(wanted: dict[str, str], token: bytes | None = None, url: str = standing_server.url) -> Run:
        variables = {"vault_secrets_url": url, "vault_secrets_wanted": wanted}
        if token is not None:
            token_file.write_bytes(token)
            variables["vault_secrets_token_file"] = str(token_file)
        run = play(str(playbook), "-i", "localhost,", "-e", json.dumps(variables), "-vvv")
        return Run(run.code, " ".join(run.output.split()))

    return fetch


def test_no_proxy_gets_what_is_for_the_controller(
    fetch: Fetch, proxy: Proxy, give: Callable[..., str]
) -> None:
    """Neither token nor values; the token's file may come from any editor."""
    token = give("fetch:role/*")

    run = fetch({"a": "role/a"}, b"\xef\xbb\xbf" + token.encode() + b"\r\n")

    assert "fetched 1" in run.output
    assert [] == proxy.requests
    assert token not in run.output


def test_a_proxy_may_lead_to_other_machines(fetch: Fetch, proxy: Proxy) -> None:
    """Over https, so that it learns no more than the machine's name."""
    fetch({"a": "role/a"}, b"canary", "https://vault.example")

    assert [b"CONNECT vault.example:443"] == [request.split(b" HTTP/")[0] for request in proxy.requests]
    assert b"canary" not in proxy.requests[0]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/team/app", "vault_secrets_wanted.wrong is /team/app: a path has no slash at its start or end"),
        ("team/app/", "vault_secrets_wanted.wrong is team/app/: a path has no slash at its start or end"),
        ("team//app", "see errors; path: a path is segments of"),
    ],
)
def test_says_what_is_wrong_with_a_path(fetch: Fetch, path: str, says: str) -> None:
    """Of the commonest mistake, also where it is."""
    run = fetch({"right": "team/app", "wrong": path})

    assert run.code != 0
    assert says in run.output


@pytest.mark.parametrize("content", [b"", b"canary\nand more\n", "canary\r\n".encode("utf-16")])
def test_refuses_a_file_that_holds_no_token(fetch: Fetch, content: bytes) -> None:
    """The output names the file and shows nothing of it."""
    run = fetch({"a": "role/a"}, content)

    assert run.code != 0
    assert "/token" in run.output
    assert "Check that the file holds a token" in run.output
    assert "Fetch the secrets from the API" not in run.output
    assert "canary" not in run.output
