"""api.kv: what holds for every request of Vault's clients, whatever it asks for."""

import json
import uuid
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from tests.api.kv.calls import DENIED, MEMBERS, Vault
from tests.calls import OF_CALLERS, UNKNOWN, id_of


def assert_refused(response: TestResponse, status: int, *texts: str) -> None:
    """Check status, content type and the whole body of an error."""
    assert (status, "application/json") == (response.status_code, response.headers["Content-Type"])
    assert {"errors": list(texts)} == response.json


@pytest.mark.parametrize("token", [None, "", "s.abcdefgh", "hvs.CAESI", "é", UNKNOWN, UNKNOWN[:-1] + "0"])
def test_an_invalid_token_is_403(guarded: FlaskClient, token: str | None) -> None:
    """Never 401, which hvac and Ansible do not catch, and never 500."""
    for path in ("secret/data/a", "auth/token/lookup-self", "sys/internal/ui/mounts/secret", "sys/mounts"):
        response = Vault(guarded, token).get(path)

        assert (403, DENIED) == (response.status_code, response.json), path
        assert "application/json" == response.headers["Content-Type"]
        assert "WWW-Authenticate" not in response.headers


def test_takes_the_token_from_either_header(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """Of both, Vault's counts, unless it is empty."""
    token, path = give("admin"), "auth/token/lookup-self"
    bearer = {"Authorization": f"Bearer {token}"}

    assert 200 == Vault(guarded, token).get(path).status_code
    assert 200 == Vault(guarded).send("GET", path, None, bearer).status_code
    assert 403 == Vault(guarded, "s.other").send("GET", path, None, bearer).status_code
    assert 200 == Vault(guarded, "").send("GET", path, None, bearer).status_code


def test_ended_tokens_are_403(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """Used up, and used from elsewhere."""
    used, foreign = Vault(guarded, give("audit", max_uses=1)), give("audit", networks=("192.0.2.0/24",))
    used.get("auth/token/lookup-self")

    assert DENIED == used.get("auth/token/lookup-self").json
    assert DENIED == Vault(guarded, foreign).get("auth/token/lookup-self").json


def test_an_answer_has_all_members(kv: Vault) -> None:
    """Go's client and others read each of them."""
    response = kv.put("secret/data/a", {"data": {"x": "y"}})

    assert (200, "application/json") == (response.status_code, response.headers["Content-Type"])
    assert MEMBERS == response.json.keys()
    assert ("", False, 0) == tuple(
        response.json[name] for name in ("lease_id", "renewable", "lease_duration")
    )
    assert (None, None, None) == tuple(response.json[name] for name in ("wrap_info", "warnings", "auth"))
    assert uuid.UUID(response.json["request_id"])


@pytest.mark.parametrize("content_type", [None, "application/x-www-form-urlencoded", "text/plain"])
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_bodies_are_json_whatever_they_say(kv: Vault, method: str, content_type: str | None) -> None:
    """Go sends no content type, curl and node-vault the form's."""
    headers = {} if content_type is None else {"Content-Type": content_type}

    written = kv.send(method, "secret/data/a", {"data": {"x": "1"}}, headers)

    assert 200 == written.status_code, written.text
    assert {"x": "1"} == kv.get("secret/data/a").json["data"]["data"]


@pytest.mark.parametrize(
    "body", ["[]", "1", '"x"', "{", "{} {}", '{"data": {"a": NaN}}', '{"data": {"a": "\\ud800"}}', "\xff"]
)
def test_refuses_what_is_no_json_object(kv: Vault, body: str) -> None:
    """With the text that clients know."""
    response = kv.send("PUT", "secret/data/a", data=body.encode("latin-1"))

    assert 400 == response.status_code
    assert response.json["errors"][0].startswith("failed to decode JSON input: ")


@pytest.mark.parametrize("body", ["", "null", "{}"])
def test_no_body_is_an_empty_object(kv: Vault, body: str) -> None:
    """As `bao unwrap` and node-vault send it."""
    assert_refused(kv.send("PUT", "secret/data/a", data=body), 400, "no data provided")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "secret/metadata/?list=true"),
        ("GET", "secret/metadata?list=True"),
        ("GET", "secret/metadata?list=1"),
        ("LIST", "secret/metadata"),
        ("LIST", "secret/metadata/"),
        ("LIST", "secret//metadata//"),
    ],
)
def test_lists_in_every_way(kv: Vault, method: str, path: str) -> None:
    """Proxies drop LIST, so there is the query, in the spellings of Go and Python."""
    kv.write("a/b", x="1")

    assert {"keys": ["a/"]} == kv.send(method, path).json["data"]


def test_an_unclear_list_is_refused(kv: Vault) -> None:
    """What is false reads, and so does no text."""
    kv.write("a", x="1")

    assert_refused(kv.get("secret/metadata/a?list=yes"), 400)
    for text in ("f", ""):
        assert 1 == kv.get(f"secret/metadata/a?list={text}").json["data"]["current_version"]


def test_head_uses_no_read_up(kv: Vault, guarded: FlaskClient, give: Callable[..., str]) -> None:
    """Flask would answer it with the view of GET."""
    headers = {"Authorization": f"Bearer {give('admin')}"}
    limited = {"secret": "aGVsbG8=", "path": "once", "max_reads": 1}
    guarded.post("/vault/secret/create/", json=limited, headers=headers)

    assert 405 == kv.send("HEAD", "secret/data/once").status_code
    assert 405 == kv.send("HEAD", "sys/mounts").status_code
    assert 200 == kv.send("HEAD", "sys/health").status_code
    assert {"value": "hello"} == kv.get("secret/data/once").json["data"]["data"]


@pytest.mark.parametrize("method", ["TRACE", "BREW", "OPTIONS", "DELETE"])
def test_other_methods_are_405(kv: Vault, method: str) -> None:
    """Never Flask's own page, and a method that makes the command line try another way."""
    assert_refused(kv.send(method, "sys/mounts"), 405, "unsupported operation")


def test_patch_wants_its_content_type(kv: Vault) -> None:
    """As Vault does."""
    response = kv.send("PATCH", "secret/data/a", {"data": {}}, {"Content-Type": "application/json"})

    text = "PATCH requires Content-Type of application/merge-patch+json, provided application/json"
    assert_refused(response, 415, text)


@pytest.mark.parametrize("path", ["", "nothing", "nothing/data/a", "secre/data/a", "secretx/data/a", "a%0Ab"])
def test_no_such_mount(kv: Vault, path: str) -> None:
    """Mounts are told by whole segments."""
    named = path.replace("%0A", "\n")
    assert_refused(kv.get(path), 404, f'no handler for route "{named}". route entry not found.')


@pytest.mark.parametrize("path", ["secret/a", "secret", "secret/dataface/x", "secret/config/x"])
def test_a_path_without_a_verb_says_what_to_do(kv: Vault, path: str) -> None:
    """The command line shows the warning."""
    response = kv.get(path)

    assert (404, MEMBERS, None) == (response.status_code, response.json.keys(), response.json["data"])
    assert "kv get" in response.json["warnings"][0]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "sys/mounts/kv"),
        ("GET", "sys/policies/acl/x"),
        ("GET", "sys/auth"),
        ("GET", "cubbyhole/x"),
        ("POST", "auth/userpass/login/x"),
    ],
)
def test_what_cannot_be_had_is_403(kv: Vault, method: str, path: str) -> None:
    """Clients then go on or say what is missing."""
    assert_refused(kv.send(method, path), 403, "permission denied")


def test_paths(kv: Vault) -> None:
    """Decoded once, and as the service's own rule says."""
    kv.write("team/app", x="1")

    assert 200 == kv.get("secret/data/team%2Fapp").status_code
    assert 200 == kv.get("secret//data///team//app").status_code
    assert 400 == kv.get("secret/data/team%252Fapp").status_code
    assert kv.get("secret/data/a b").json["errors"][0].startswith("invalid path: ")
    for path in ("secret/data/../sys/health", "secret/data/./a", "secret/data/%2e%2e/a"):
        assert 400 == kv.get(path).status_code
    assert_refused(kv.get("secret/data/team/app/"), 404)
    text = "cannot write to a path ending in '/'"
    assert_refused(kv.put("secret/data/team/app/", {"data": {}}), 400, text)


@pytest.mark.parametrize(
    ("namespace", "status"), [("", 200), ("/", 200), ("root", 200), ("root/", 200), ("team", 404)]
)
def test_there_is_one_namespace(kv: Vault, namespace: str, status: int) -> None:
    """It comes back."""
    response = kv.send("GET", "sys/mounts", None, {"X-Vault-Namespace": namespace})

    assert status == response.status_code
    if status == 200:
        assert namespace == response.headers["X-Vault-Namespace"]


def test_too_many_calls_say_when_to_come_again(vault_as: Callable[..., Vault]) -> None:
    """Go's client waits and repeats."""
    slow = vault_as("admin", rate_limit=1)
    slow.get("auth/token/lookup-self")

    response = slow.get("auth/token/lookup-self")

    assert (429, "application/json") == (response.status_code, response.headers["Content-Type"])
    assert 1 <= int(response.headers["Retry-After"]) <= 60


def test_forbidden_says_which_scope_is_missing(vault_as: Callable[..., Vault]) -> None:
    """After the text that clients know; whether the secret exists makes no difference."""
    other = vault_as("fetch:other/*")

    text = "the token lacks a scope for this path: fetch:team/app"
    assert_refused(other.get("secret/data/team/app"), 403, "permission denied", text)


def test_records_as_natively(kv: Vault, vault_as: Callable[..., Vault], database: Database) -> None:
    """The same operations, paths, actors and reasons."""
    kv.write("a/b", x="1")
    kv.write("a/b", x="2")
    kv.get("secret/data/a/b")
    kv.send("LIST", "secret/metadata/a")
    kv.get("secret/metadata/a/b")
    kv.delete("secret/data/a/b")
    kv.get("secret/data/a/b")
    kv.delete("secret/metadata/a/b")
    vault_as("fetch:other").get("secret/data/a/b")

    records = list(database.audit_logs.find(OF_CALLERS, sort=[("timestamp", 1), ("_id", 1)]))
    assert [
        ("create", None),
        ("update", None),
        ("fetch", None),
        ("list", None),
        ("describe", None),
        ("delete", None),
        ("fetch", "deleted"),
        ("destroy", None),
        ("fetch", "forbidden"),
    ] == [(record["operation"], record["reason"]) for record in records]
    assert {"v1"} == {record["api"] for record in records}
    assert {"a/b"} == {record["path"] for record in records if record["operation"] != "list"}


def test_a_refused_token_is_recorded_and_counted(guarded: FlaskClient, database: Database) -> None:
    """Also where an accepted one leaves no record."""
    for path in ("sys/mounts", "sys/internal/ui/mounts/secret/data/a", "secret/data/a"):
        Vault(guarded, UNKNOWN).get(path)

    records = list(database.audit_logs.find(OF_CALLERS))
    assert [f"unproven:{id_of(UNKNOWN)}"] * 3 == [record["actor"] for record in records]


def test_no_answer_leaves_without_its_record(kv: Vault, database: Database) -> None:
    """503, without the value."""
    kv.write("a", x="hunter2")
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})

    response = kv.get("secret/data/a")

    database.command("collMod", "audit_logs", validator={})
    assert (503, "1") == (response.status_code, response.headers["Retry-After"])
    assert ["errors"] == list(response.json)
    assert "hunter2" not in response.text


def test_a_page_of_another_name_gets_no_answer(client: FlaskClient) -> None:
    """Without authentication, as elsewhere (DNS rebinding)."""
    response = client.get("/v1/secret/data/a", headers={"Host": "evil.example.org"})

    assert (421, "application/json") == (response.status_code, response.headers["Content-Type"])


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/secret/data/a", "/v1/sys/health"])
def test_without_mounts_there_is_no_door(make_client: Callable[..., FlaskClient], path: str) -> None:
    """All of it is as any other route that there is not."""
    assert "application/problem+json" == make_client(KV_MOUNTS="").get(path).content_type


def test_mounts_have_prefixes(make_client: Callable[..., FlaskClient]) -> None:
    """The longest name wins, and the scopes speak of native paths."""
    kv = Vault(make_client(KV_MOUNTS="secret=,kv=legacy,kv/two=second/place"))

    for path in ("kv/data/x", "kv/two/data/x", "secret/data/x"):
        assert 200 == kv.put(path, {"data": {"from": path}}).status_code
    for path in ("legacy/x", "second/place/x", "x"):
        assert 200 == kv.get(f"secret/data/{path}").status_code
    assert {"from": "kv/two/data/x"} == kv.get("secret/data/second/place/x").json["data"]["data"]
    assert {"keys": ["x"]} == kv.send("LIST", "kv/two/metadata").json["data"]


def test_big_bodies_are_413(kv: Vault) -> None:
    """As one that is too long for a secret."""
    assert 413 == kv.put("secret/data/a", {"data": {"x": "a" * 530_000}}).status_code
    assert 413 == kv.put("secret/data/a", {"data": {"x": "a" * 800_000}}).status_code
    assert 415 == kv.send("PUT", "secret/data/a", {}, {"Content-Encoding": "gzip"}).status_code


def test_log_and_metrics_name_the_route_only(
    kv: Vault, client: FlaskClient, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Paths reach neither."""
    caplog.set_level("INFO")
    kv.write("team/hidden-name", x="1")
    kv.send("LIST", "secret/metadata/team/hidden-name")
    kv.send("BREW", "secret/data/team/hidden-name")

    metrics = client.get("/metrics").text
    log = capfd.readouterr().err
    assert '"route": "/v1/<mount>/data/<path>", "status": 200' in log
    assert "hidden-name" not in metrics + log
    assert 'method="LIST",route="/v1/<mount>/metadata/<path>",status="404"' in metrics
    assert 'method="other",route="/v1/<mount>/data/<path>",status="405"' in metrics


def test_the_request_id_is_the_services_own_if_it_is_a_uuid(kv: Vault) -> None:
    """Else there is a new one: clients expect a UUID."""
    known = "5f0c7e0a-4d5b-4c0f-8a35-b1a8e3f1c2d4"

    assert known == kv.send("GET", "sys/mounts", None, {"X-Request-ID": known}).json["request_id"]
    other = kv.send("GET", "sys/mounts", None, {"X-Request-ID": "trace.1"}).json["request_id"]
    assert uuid.UUID(other)


def test_numbers_keep_their_digits(kv: Vault) -> None:
    """Vault rounds them; a client that asks for text gets what was written."""
    kv.send("PUT", "secret/data/a", data='{"data": {"n": 12345678901234567890123, "f": 1.10}}')

    assert '"data":{"f":1.10,"n":12345678901234567890123}' in kv.get("secret/data/a").text
    assert {"f": 1.1, "n": 12345678901234567890123} == json.loads(kv.get("secret/data/a").text)["data"][
        "data"
    ]
