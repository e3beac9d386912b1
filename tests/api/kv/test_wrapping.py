"""api.kv: answers are wrapped, and exactly one of many gets them."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service.access.token_format import Credential
from tests.api.kv.calls import DENIED, MEMBERS, Vault
from tests.approles.roles import make_role
from tests.calls import UNKNOWN, ask, id_of

INVALID = "wrapping token is not valid or does not exist"
UNWRAP, LOOKUP, WRAP = "sys/wrapping/unwrap", "sys/wrapping/lookup", "sys/wrapping/wrap"
INFO = {"token", "accessor", "ttl", "creation_time", "creation_path"}


def ask_wrapped(
    client: Vault, path: str, body: Any = None, method: str = "GET", ttl: str = "60"
) -> TestResponse:
    """Make a call whose answer is to be wrapped."""
    return client.send(method, path, body, {"X-Vault-Wrap-TTL": ttl})


def wrapped(client: Vault, path: str, body: Any = None, method: str = "GET", ttl: str = "60") -> str:
    """Return the wrapping token of a call that succeeds."""
    response = ask_wrapped(client, path, body, method, ttl)
    assert 200 == response.status_code, response.text
    text: str = response.json["wrap_info"]["token"]
    return text


def assert_invalid(response: TestResponse) -> None:
    """Check that there is nothing to unwrap."""
    assert (400, {"errors": [INVALID]}) == (response.status_code, response.json)


@pytest.mark.parametrize(("ttl", "seconds"), [("60", 60), ("60s", 60), ("1m0s", 60), ("1h30m", 5400)])
def test_wraps_an_answer(kv: Vault, guarded: FlaskClient, ttl: str, seconds: int) -> None:
    """What comes instead has all members, and nothing of the value; unwrapped, it is as it was."""
    kv.write("team/db", password="hunter2")

    response = ask_wrapped(kv, "secret/data/team/db", ttl=ttl)

    assert (200, MEMBERS, None, None) == (
        response.status_code,
        response.json.keys(),
        response.json["data"],
        response.json["auth"],
    )
    info = response.json["wrap_info"]
    assert INFO == info.keys()
    assert (seconds, "secret/data/team/db") == (info["ttl"], info["creation_path"])
    assert info["creation_time"].endswith("Z")
    assert info["accessor"] == id_of(info["token"])
    assert "hunter2" not in response.text
    answer = Vault(guarded, info["token"]).put(UNWRAP)
    assert (200, "application/json") == (answer.status_code, answer.headers["Content-Type"])
    assert MEMBERS == answer.json.keys()
    assert {"password": "hunter2"} == answer.json["data"]["data"]


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("body", ["", "{}", "null"])
def test_unwraps_with_the_token_itself(kv: Vault, guarded: FlaskClient, method: str, body: str) -> None:
    """In the header, with whatever empty body."""
    token = wrapped(kv, WRAP, {"a": "b"}, "PUT")

    response = Vault(guarded, token).send(method, UNWRAP, data=body)

    assert {"a": "b"} == response.json["data"]


def test_unwraps_with_the_token_in_the_body(
    kv: Vault, guarded: FlaskClient, vault_as: Callable[..., Vault]
) -> None:
    """Beside one's own, which must be valid, with whatever scopes."""
    token = wrapped(kv, WRAP, {"a": "b"}, "PUT")
    for other in (None, "s.old"):
        assert DENIED == Vault(guarded, other).put(UNWRAP, {"token": token}).json
    assert {"a": "b"} == vault_as("fetch:x").put(UNWRAP, {"token": token}).json["data"]


def test_unwrapping_takes_a_use_of_the_callers_own_token(kv: Vault, vault_as: Callable[..., Vault]) -> None:
    """As every call does, and its rate limit counts too."""
    first, second = (wrapped(kv, WRAP, {"a": "b"}, "PUT") for _ in range(2))
    once, slow = vault_as("audit", max_uses=1), vault_as("audit", rate_limit=1)

    assert 200 == once.put(UNWRAP, {"token": first}).status_code
    assert DENIED == once.put(UNWRAP, {"token": second}).json
    slow.get("auth/token/lookup-self")
    assert 429 == slow.put(UNWRAP, {"token": second}).status_code
    assert 200 == kv.put(UNWRAP, {"token": second}).status_code


def test_keeps_the_answer_word_for_word(kv: Vault, guarded: FlaskClient) -> None:
    """Also digits that no float has."""
    body = '{"n": 12345678901234567890123, "f": 1.10, "t": "é\\u0001"}'
    response = kv.send("PUT", WRAP, None, {"X-Vault-Wrap-TTL": "60"}, data=body)

    text = Vault(guarded, response.json["wrap_info"]["token"]).put(UNWRAP).text

    assert '"data":{"f":1.10,"n":12345678901234567890123,"t":"é\\u0001"}' in text


def test_whoever_is_second_is_told_who_was_faster(kv: Vault, guarded: FlaskClient) -> None:
    """That is how an interception shows."""
    token = wrapped(kv, WRAP, {"a": "b"}, "PUT")
    assert 200 == Vault(guarded, token).put(UNWRAP).status_code

    for response in (Vault(guarded, token).put(UNWRAP), Vault(guarded).get(f"{LOOKUP}")):
        assert (400, INVALID) == (response.status_code, response.json["errors"][0])
    again = kv.put(UNWRAP, {"token": token})
    assert "it was already read at " in again.json["errors"][1]
    assert ", from 127.0.0.1, " in again.json["errors"][1]


def test_what_is_no_wrapping_token(kv: Vault, guarded: FlaskClient, give: Callable[..., str]) -> None:
    """One answer for all: none, nonsense, unknown, a guess, an ordinary token; never 403."""
    token = wrapped(kv, WRAP, {"a": "b"}, "PUT")
    guess = Credential(id_of(token), bytes(32)).text
    for text in (None, "", "s.abc", UNKNOWN, guess, give("admin"), give("fetch:*")):
        assert_invalid(Vault(guarded, text).put(UNWRAP))
        assert_invalid(Vault(guarded, text).get(LOOKUP))
        if text:
            assert_invalid(kv.put(UNWRAP, {"token": text}))
            assert_invalid(kv.put(LOOKUP, {"token": text}))
    assert 400 == kv.put(UNWRAP, {"token": 1}).status_code
    assert 200 == Vault(guarded, token).put(UNWRAP).status_code


def test_it_expires(kv: Vault, guarded: FlaskClient) -> None:
    """After its time."""
    token = wrapped(kv, WRAP, {"a": "b"}, "PUT", ttl="1s")
    time.sleep(1.1)

    assert_invalid(Vault(guarded, token).put(UNWRAP))
    assert_invalid(Vault(guarded, token).get(LOOKUP))


def test_lookup_uses_nothing_up(kv: Vault, guarded: FlaskClient) -> None:
    """It needs no token of one's own."""
    kv.write("team/db", x="1")
    info = ask_wrapped(kv, "secret/data/team/db", ttl="10m").json["wrap_info"]
    token = info["token"]

    for response in (
        Vault(guarded).put(LOOKUP, {"token": token}),
        Vault(guarded).send("POST", LOOKUP, {"token": token}),
        Vault(guarded, token).get(LOOKUP),
        Vault(guarded, "s.old").put(LOOKUP, {"token": token}),
    ):
        assert {
            "creation_path": "secret/data/team/db",
            "creation_time": info["creation_time"],
            "creation_ttl": 600,
        } == response.json["data"]
    assert 200 == Vault(guarded, token).put(UNWRAP).status_code


def test_the_token_can_do_nothing_else(kv: Vault, guarded: FlaskClient) -> None:
    """No read, no list, no token; it does not even see mounts."""
    kv.write("team/db", x="1")
    holder = Vault(guarded, wrapped(kv, "secret/data/team/db"))

    assert DENIED["errors"][0] == holder.get("secret/data/team/db").json["errors"][0]
    assert 403 == holder.send("LIST", "secret/metadata").status_code
    assert 403 == holder.put("secret/data/new", {"data": {}}).status_code
    assert 403 == holder.put("auth/token/create").status_code
    assert 403 == holder.get("sys/internal/ui/mounts/secret").status_code
    assert 400 == holder.put("auth/token/renew-self").status_code
    found = holder.get("auth/token/lookup-self").json["data"]
    assert ([], False) == (found["policies"], found["renewable"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("LIST", "secret/metadata/team", None),
        ("GET", "secret/metadata/team/db", None),
        ("PUT", "secret/data/team/db", {"data": {"x": "2"}}),
        ("GET", "secret/config", None),
        ("GET", "auth/token/lookup-self", None),
        ("PUT", "sys/capabilities-self", {"path": "secret/data/team/db"}),
    ],
)
def test_wraps_whatever_is_answered(
    kv: Vault, guarded: FlaskClient, method: str, path: str, body: Any
) -> None:
    """Under the path of the call."""
    kv.write("team/db", x="1")

    info = ask_wrapped(kv, path, body, method).json["wrap_info"]

    assert path == info["creation_path"]
    answer = Vault(guarded, info["token"]).put(UNWRAP).json
    assert MEMBERS <= answer.keys()
    assert answer["data"]


def test_an_unwrapped_answer_can_be_wrapped_again(kv: Vault, guarded: FlaskClient) -> None:
    """To hand it on for longer."""
    token = wrapped(kv, WRAP, {"a": "b"}, "PUT")
    another = wrapped(Vault(guarded, token), UNWRAP, None, "PUT", ttl="1h")

    assert 400 == Vault(guarded, token).put(UNWRAP).status_code
    assert {"a": "b"} == Vault(guarded, another).put(UNWRAP).json["data"]


def test_only_what_succeeds_with_a_body_is_wrapped(kv: Vault) -> None:
    """Errors and empty answers are as ever, and so are those about the server."""
    kv.write("a", x="1")

    assert 404 == ask_wrapped(kv, "secret/data/none").status_code
    assert "wrap_info" not in ask_wrapped(kv, "secret/data/none").json
    kv.delete("secret/data/a")
    gone = ask_wrapped(kv, "secret/data/a")
    assert (404, None) == (gone.status_code, gone.json["wrap_info"])
    assert (204, b"") == (
        ask_wrapped(kv, "secret/metadata/a", method="DELETE").status_code,
        ask_wrapped(kv, "secret/metadata/a", method="DELETE").data,
    )
    assert False is ask_wrapped(kv, "sys/health").json["sealed"]
    assert None is ask_wrapped(kv, "sys/mounts").json["wrap_info"]


@pytest.mark.parametrize("ttl", ["soon", "-1", "0", "0s", "10ms", "33d", "60 s"])
def test_a_malformed_duration_is_refused_before_the_call(kv: Vault, ttl: str) -> None:
    """Nobody gets the value in the clear, and no read is used up."""
    kv.write("a", x="hunter2")

    for path, method in (("secret/data/a", "GET"), ("secret/metadata/a", "DELETE")):
        response = ask_wrapped(kv, path, method=method, ttl=ttl)
        assert 400 == response.status_code
        assert response.json["errors"][0].startswith("error parsing X-Vault-Wrap-TTL header: ")
        assert "hunter2" not in response.text
    assert {"x": "hunter2"} == kv.get("secret/data/a").json["data"]["data"]


def test_wrap_wants_the_header(kv: Vault, guarded: FlaskClient) -> None:
    """And a token."""
    response = kv.put(WRAP, {"a": "b"})

    assert (400, ["endpoint requires response wrapping to be used"]) == (
        response.status_code,
        response.json["errors"],
    )
    assert DENIED == ask_wrapped(Vault(guarded), WRAP, {"a": "b"}, "PUT").json


def test_a_wrapped_read_of_a_limited_secret_is_its_read(
    kv: Vault, guarded: FlaskClient, give: Callable[..., str]
) -> None:
    """The value is then in the wrapping token alone."""
    made = ask(guarded, "create/", give("admin"), secret="aHVudGVyMg==", path="a", max_reads=1)
    assert 200 == made.status_code

    token = wrapped(kv, "secret/data/a")

    assert "already read" in kv.get("secret/data/a").json["errors"][0]
    assert {"value": "hunter2"} == Vault(guarded, token).put(UNWRAP).json["data"]["data"]


def test_the_largest_value_can_be_wrapped(
    make_client: Callable[..., FlaskClient], give: Callable[..., str]
) -> None:
    """It is longer in JSON than the largest secret; its only read must not be lost."""
    client = make_client(AUTH_REQUIRED="true", MAX_SECRET_BYTES="3000")
    admin = give("admin")
    ask(client, "create/", admin, secret="AQEB" * 1000, path="a", max_reads=1)

    token = wrapped(Vault(client, admin), "secret/data/a")

    assert {"value": "\x01" * 3000} == Vault(client, token).put(UNWRAP).json["data"]["data"]


def test_wraps_what_gives_a_token(
    kv: Vault, guarded: FlaskClient, give: Callable[..., str], database: Database
) -> None:
    """Also a login, which needs none; its accessor is shown, its text is not."""
    role = make_role(guarded, give("admin"))
    login = {"role_id": role.role_id, "secret_id": role.secret_id()}
    for caller, path, body in (
        (kv, "auth/token/create", {"policies": ["fetch:team/*"]}),
        (Vault(guarded), "auth/approle/login", login),
    ):
        response = ask_wrapped(caller, path, body, "PUT")

        info = response.json["wrap_info"]
        assert {*INFO, "wrapped_accessor"} == info.keys()
        auth = Vault(guarded, info["token"]).put(UNWRAP).json["auth"]
        assert info["wrapped_accessor"] == auth["accessor"]
        assert ["fetch:team/*"] == auth["policies"]
        secret = auth["client_token"].split("_")[2][:64]
        assert secret not in response.text
        for name in database.list_collection_names():
            assert not [one for one in database[name].find() if secret in str(one)], name


def test_outlives_the_token_that_had_it_wrapped(
    kv: Vault, guarded: FlaskClient, vault_as: Callable[..., Vault]
) -> None:
    """A job that ends, and its token, hands something on."""
    kv.write("team/db", x="1")
    job = vault_as("fetch:team/*", expires_in=60)
    token = wrapped(job, "secret/data/team/db", ttl="1h")
    assert 204 == job.put("auth/token/revoke-self").status_code

    assert {"x": "1"} == Vault(guarded, token).put(UNWRAP).json["data"]["data"]


def test_one_of_many_gets_it(kv: Vault, guarded: FlaskClient) -> None:
    """The others are told so, however they ask."""
    token = wrapped(kv, WRAP, {"a": "b"}, "PUT")

    def unwrap(turn: int) -> TestResponse:
        client = Vault(guarded.application.test_client(), token)
        return client.put(UNWRAP) if turn % 2 else client.put(UNWRAP, {"token": token})

    with ThreadPoolExecutor(16) as threads:
        responses = list(threads.map(unwrap, range(24)))

    assert [200] == [each.status_code for each in responses if each.status_code != 400]
    assert 23 == sum(INVALID in each.text for each in responses)


def test_the_log_says_who_wrapped_and_who_got_it(
    kv: Vault, guarded: FlaskClient, give: Callable[..., str], database: Database
) -> None:
    """With the same secret and wrapping token; and nothing of what was wrapped is anywhere in the clear."""
    kv.write("team/db", password="hunter2")
    token = wrapped(kv, "secret/data/team/db")
    mine = give("audit")
    Vault(guarded).put(LOOKUP, {"token": token})
    Vault(guarded, mine).put(UNWRAP, {"token": token})
    Vault(guarded, token).put(UNWRAP)

    records = list(database.audit_logs.find({"token_id": id_of(token)}, sort=[("timestamp", 1), ("_id", 1)]))
    assert [
        ("wrap", None),
        ("wrap_lookup", None),
        ("unwrap", None),
        ("unwrap", "already read"),
    ] == [(record["operation"], record["reason"]) for record in records]
    (fetch,) = database.audit_logs.find({"operation": "fetch"})
    assert [fetch["actor"], id_of(token), id_of(mine), id_of(token)] == [each["actor"] for each in records]
    assert 1 == len({record["secret_id"] for record in records})
    assert {"v1"} == {record["api"] for record in records}
    assert fetch["request_id"] == records[0]["request_id"]
    for name in database.list_collection_names():
        for one in database[name].find():
            assert "hunter2" not in str(one)
            assert token.split("_")[2][:64] not in str(one)


def test_guesses_are_counted(make_client: Callable[..., FlaskClient], give: Callable[..., str]) -> None:
    """As failures of whoever has no token."""
    client = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="2")
    token = wrapped(Vault(client, give("admin")), WRAP, {"a": "b"}, "PUT")

    statuses = [Vault(client, "s.x").put(path).status_code for path in (UNWRAP, LOOKUP) * 3]

    assert (400, 429) == (statuses[0], statuses[-1])
    assert 200 == Vault(client, token).put(UNWRAP).status_code


def test_if_the_answer_cannot_be_kept_that_is_said(
    kv: Vault, guarded: FlaskClient, database: Database
) -> None:
    """503, without the value; nobody has it."""
    kv.write("a", x="hunter2")
    database.command("collMod", "tokens", validator={"name": {"$ne": "wrapped answer"}})

    response = ask_wrapped(kv, "secret/data/a")

    database.command("collMod", "tokens", validator={})
    assert (503, "1") == (response.status_code, response.headers["Retry-After"])
    assert response.json["errors"][0].startswith("the call was made, but its answer is lost: ")
    assert "hunter2" not in response.text
    record = database.audit_logs.find_one({"operation": "wrap"})
    assert record is not None
    assert "failure" == record["status"]


def test_no_wrapping_token_leaves_without_its_record(kv: Vault, database: Database) -> None:
    """As no value does."""
    kv.write("a", x="hunter2")
    database.command("collMod", "audit_logs", validator={"operation": {"$ne": "wrap"}})

    response = ask_wrapped(kv, "secret/data/a")

    database.command("collMod", "audit_logs", validator={})
    assert (503, ["errors"]) == (response.status_code, list(response.json))
    assert "smt_" not in response.text


def test_without_authentication(client: FlaskClient) -> None:
    """It works as well, and a wrapping token is still for one."""
    token = wrapped(Vault(client), WRAP, {"a": "b"}, "PUT")

    assert {"a": "b"} == Vault(client, token).put(UNWRAP).json["data"]
    assert 400 == Vault(client, token).put(UNWRAP).status_code
