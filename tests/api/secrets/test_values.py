"""api.secrets.values: create and fetch, with a real database."""

import base64
import gzip
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.database import Database
from werkzeug.test import TestResponse

from service import readiness
from service.crypto.aead import key_id_of
from tests.calls import OF_CALLERS
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY

CREATE, FETCH, BATCH = "/vault/secret/create/", "/vault/secret/fetch", "/vault/secret/fetch/batch"
UPDATE = "/vault/secret/update"
HELLO = base64.b64encode(b"hello").decode()
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


def create(client: FlaskClient, secret: str = HELLO) -> str:
    """Store a secret and return its id."""
    response = client.post(CREATE, json={"secret": secret})
    assert 200 == response.status_code, response.text
    return str(response.json["secret_id"])


def assert_problem(response: TestResponse, status: int) -> dict[str, Any]:
    """Check that the response is a problem document, and return it."""
    assert status == response.status_code, response.text
    assert "application/problem+json" == response.content_type
    problem: dict[str, Any] = response.json
    assert {"type", "title", "status", "detail", "request_id"} <= problem.keys()
    assert status == problem["status"]
    assert response.headers["X-Request-ID"] == problem["request_id"]
    return problem


def test_fetches_what_was_created(client: FlaskClient) -> None:
    """The basic round trip."""
    created = client.post(CREATE, json={"secret": HELLO})
    fetched = client.post(FETCH, json={"secret_id": created.json["secret_id"]})

    assert {"secret_id", "version"} == created.json.keys()
    assert 1 == created.json["version"]
    assert 4 == uuid.UUID(created.json["secret_id"]).version
    assert HELLO == fetched.json["secret"]
    assert (created.json["secret_id"], 1) == (fetched.json["secret_id"], fetched.json["version"])
    assert "no-store" in fetched.headers["Cache-Control"]


@pytest.mark.parametrize("path", [CREATE, CREATE.rstrip("/")])
def test_create_needs_no_trailing_slash_and_never_redirects(client: FlaskClient, path: str) -> None:
    """Many clients drop the body when they follow a redirect."""
    assert 200 == client.post(path, json={"secret": HELLO}).status_code


@pytest.mark.parametrize("path", [FETCH, f"{FETCH}/"])
def test_fetch_needs_no_trailing_slash_and_never_redirects(client: FlaskClient, path: str) -> None:
    """The same for fetch."""
    assert 200 == client.post(path, json={"secret_id": create(client)}).status_code


@settings(
    max_examples=settings().max_examples // 4,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(value=st.binary(max_size=5000))
def test_any_value_is_returned_unchanged(client: FlaskClient, value: bytes) -> None:
    """Including the empty one."""
    encoded = base64.b64encode(value).decode()

    assert encoded == client.post(FETCH, json={"secret_id": create(client, encoded)}).json["secret"]


def test_a_secret_can_be_empty(client: FlaskClient) -> None:
    """It is stored like any other value."""
    assert "" == client.post(FETCH, json={"secret_id": create(client, "")}).json["secret"]


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "ab",
        "abc",
        "aGk",
        "aGk==",
        "aGk=\n",
        " aGk=",
        "aG k=",
        "aGk=aGk=",
        "a-_=",
        "aGl=",
        "====",
        "é",
        "\ud800",
        "=aGk",
    ],
    ids=ascii,
)
def test_refuses_what_is_not_strict_base64(client: FlaskClient, text: str) -> None:
    """Another alphabet, white space, wrong padding, non-zero padding bits: 400."""
    problem = assert_problem(client.post(CREATE, json={"secret": text}), 400)

    assert problem["detail"].startswith("invalid base64")


def test_an_unknown_id_is_not_found(client: FlaskClient) -> None:
    """With exactly this text, which does not say whether the id exists."""
    problem = assert_problem(client.post(FETCH, json={"secret_id": str(uuid.uuid4())}), 404)

    assert "Secret not found" == problem["detail"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (CREATE, {}, "secret"),
        (CREATE, {"secret": None}, "secret"),
        (CREATE, {"secret": 5}, "secret"),
        (CREATE, {"secret": ["aGk="]}, "secret"),
        (CREATE, {"secret": HELLO, "extra": 1}, "extra"),
        (CREATE, [], "_schema"),
        (CREATE, "text", "_schema"),
        (CREATE, {"secret": HELLO, "path": "no//path"}, "path"),
        (CREATE, {"secret": HELLO, "path": None}, "path"),
        (FETCH, {}, "_schema"),
        (FETCH, {"secret_id": UNKNOWN_ID, "path": "a"}, "_schema"),
        (FETCH, {"path": "../up"}, "path"),
        (FETCH, {"path": {"$ne": ""}}, "path"),
        (BATCH, {}, "secrets"),
        (BATCH, {"secrets": []}, "secrets"),
        (BATCH, {"secrets": [{"path": "a"}] * 101}, "secrets"),
        (BATCH, {"secrets": [{}]}, "secrets"),
        (BATCH, {"secrets": [{"path": "a"}, {"path": "/"}]}, "path"),
        (FETCH, {"secret_id": "no-uuid"}, "secret_id"),
        (FETCH, {"secret_id": 5}, "secret_id"),
        (FETCH, {"secret_id": {"$ne": ""}}, "secret_id"),
        (FETCH, {"secret_id": UNKNOWN_ID, "extra": 1}, "extra"),
    ],
    ids=str,
)
def test_names_the_invalid_field(client: FlaskClient, path: str, body: Any, field: str) -> None:
    """422 with the errors by field; a MongoDB operator is just a value of the wrong type."""
    problem = assert_problem(client.post(path, json=body), 422)

    assert [field] == list(problem["errors"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"secret",
        b'{"secret": "aGk="',
        b"\xff\xfe",
        b"[" * 80_000,
        b'{"secret": ' + b"1" * 5000 + b"}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_refuses_a_body_that_is_not_json(client: FlaskClient, body: bytes) -> None:
    """Syntax errors, deep nesting, a huge number: 400, never a 500."""
    assert_problem(client.post(CREATE, data=body, content_type="application/json"), 400)


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_refuses_a_body_without_the_content_type_of_json(
    client: FlaskClient, content_type: str | None
) -> None:
    """curl -d without a header sends a form: the message says which header to send."""
    problem = assert_problem(client.post(CREATE, data='{"secret": ""}', content_type=content_type), 415)

    assert "Content-Type: application/json" in problem["detail"]


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b'{"secret": ""}')),
        ("GZIP", gzip.compress(b'{"secret": ""}')),
        ("deflate, gzip", b"..."),
        ("br", b'{"secret": ""}'),
    ],
    ids=["gzip", "upper case", "two", "not even encoded"],
)
def test_refuses_an_encoded_body(client: FlaskClient, coding: str, body: bytes) -> None:
    """The message says so, instead of calling it no JSON, and the header says what would do."""
    headers = {"Content-Encoding": coding}

    refused = client.post(CREATE, data=body, content_type="application/json", headers=headers)

    problem = assert_problem(refused, 415)
    assert "without the header Content-Encoding" in problem["detail"]
    assert ("/problems/encoded-body", "identity") == (problem["type"], refused.headers["Accept-Encoding"])


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_takes_a_body_that_says_it_is_not_encoded(client: FlaskClient, coding: str) -> None:
    """RFC 9110 reserves a name for that."""
    assert 200 == client.post(CREATE, json={"secret": ""}, headers={"Content-Encoding": coding}).status_code


def test_limits_a_secret_by_its_own_size(make_client: Callable[..., FlaskClient]) -> None:
    """The limit is for the bytes of the value, not of its base64."""
    client = make_client(MAX_SECRET_BYTES="100")

    assert create(client, base64.b64encode(b"x" * 100).decode())
    problem = assert_problem(client.post(CREATE, json={"secret": base64.b64encode(b"x" * 101).decode()}), 413)
    assert "100 bytes (MAX_SECRET_BYTES)" in problem["detail"]
    longer = assert_problem(client.post(CREATE, json={"secret": "A" * 66_000}), 413)
    assert "the body must be shorter than 65672 bytes (see MAX_SECRET_BYTES)" == longer["detail"]


def test_a_keystore_fits(client: FlaskClient) -> None:
    """Anything that Docker takes as a secret, whose limit is 500 KiB."""
    value = base64.b64encode(os.urandom(512 * 1024)).decode()

    secret_id = create(client, value)

    assert value == client.post(FETCH, json={"secret_id": secret_id}).json["secret"]


def test_31_versions_of_the_largest_secret_fit(client: FlaskClient) -> None:
    """They are one document of MongoDB, up to 16 MiB; what is stored stays readable."""
    value = base64.b64encode(bytes(512 * 1024)).decode()
    name = {"path": "a"}
    assert 200 == client.post(CREATE, json=name | {"secret": value, "max_versions": 100}).status_code
    for _ in range(30):
        assert 200 == client.post(UPDATE, json=name | {"secret": value}).status_code

    problem = assert_problem(client.post(UPDATE, json=name | {"secret": value}), 413)

    assert "limited to 16 MiB: destroy some, or lower max_versions" in problem["detail"]
    assert 31 == client.post(FETCH, json=name).json["version"]


def test_no_plaintext_is_in_the_database(client: FlaskClient, database: Database) -> None:
    """Neither as text nor as base64."""
    create(client, base64.b64encode(b"a very readable password").decode())

    stored = repr(list(database.secrets.find())) + repr(list(database.audit_logs.find()))
    assert b"readable" not in stored.encode()
    assert base64.b64encode(b"a very readable password").decode() not in stored


@pytest.mark.parametrize("part", ["payload", "data_key"])
def test_an_altered_byte_is_an_error_and_never_a_wrong_value(
    client: FlaskClient, database: Database, part: str
) -> None:
    """500, a failure in the audit log, a count in the metrics."""
    secret_id = create(client)
    (version,) = database.secrets.find_one({"_id": secret_id})["versions"]
    altered = bytearray(version[part])
    altered[-1] ^= 1
    database.secrets.update_one({"_id": secret_id}, {"$set": {f"versions.0.{part}": bytes(altered)}})

    problem = assert_problem(client.post(FETCH, json={"secret_id": secret_id}), 500)

    assert "the record cannot be opened" in problem["detail"]
    record = database.audit_logs.find_one({"operation": "fetch"})
    assert ("failure", "tampered", secret_id) == (record["status"], record["reason"], record["secret_id"])
    assert 'vault_crypto_failures_total{reason="tampered"} 0.0' not in client.get("/metrics").text


def test_a_ciphertext_opens_only_for_its_own_version(client: FlaskClient, database: Database) -> None:
    """Copied to another secret or to another version number, it cannot be decrypted."""
    one, other = create(client), create(client)
    versions = database.secrets.find_one({"_id": one})["versions"]
    database.secrets.update_one({"_id": other}, {"$set": {"versions": versions}})
    assert_problem(client.post(FETCH, json={"secret_id": other}), 500)

    database.secrets.update_one({"_id": one}, {"$set": {"current": 2, "versions.0.version": 2}})
    assert_problem(client.post(FETCH, json={"secret_id": one}), 500)


def test_a_record_under_an_unknown_key_names_the_key(
    client: FlaskClient, make_client: Callable[..., FlaskClient], database: Database, tmp_path: Path
) -> None:
    """Not "tampered": the response has the id of the missing key and those of the key ring."""
    (tmp_path / "v1").write_bytes(MASTER_KEY)
    (tmp_path / "v2").write_bytes(OTHER_MASTER_KEY)
    create(client)
    both = make_client(MASTER_KEY=None, MASTER_KEYS_DIR=str(tmp_path), MASTER_KEY_PRIMARY="v2")
    secret_id = create(both)

    problem = assert_problem(client.post(FETCH, json={"secret_id": secret_id}), 500)

    assert f"master key {key_id_of(OTHER_MASTER_KEY).hex()}" in problem["detail"]
    assert f"holds {key_id_of(MASTER_KEY).hex()}" in problem["detail"]
    assert "unknown key" == database.audit_logs.find_one({"operation": "fetch"})["reason"]
    assert HELLO == both.post(FETCH, json={"secret_id": secret_id}).json["secret"]


def test_a_key_added_to_the_ring_is_found_without_a_restart(
    client: FlaskClient, make_client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    """The key ring is reloaded if a record names a key that it does not hold."""
    (tmp_path / "v1").write_bytes(MASTER_KEY)
    old = make_client(MASTER_KEY=None, MASTER_KEYS_DIR=str(tmp_path), MASTER_KEY_PRIMARY="v1")
    create(old)
    (tmp_path / "v2").write_bytes(OTHER_MASTER_KEY)
    new = make_client(MASTER_KEY=None, MASTER_KEYS_DIR=str(tmp_path), MASTER_KEY_PRIMARY="v2")

    assert HELLO == old.post(FETCH, json={"secret_id": create(new)}).json["secret"]


def test_a_wrong_key_serves_nothing(
    client: FlaskClient, make_client: Callable[..., FlaskClient], database: Database
) -> None:
    """It adds nothing to the database, responds with 503, and names the keys of both sides."""
    secret_id = create(client)
    wrong = make_client(MASTER_KEY=base64.b64encode(OTHER_MASTER_KEY).decode())

    for response in (
        wrong.post(CREATE, json={"secret": HELLO}),
        wrong.post(FETCH, json={"secret_id": secret_id}),
        wrong.get("/readyz"),
    ):
        assert_problem(response, 503)
    assert 1 == database.secrets.count_documents({})
    assert "sealed under master key" in wrong.get("/readyz").json["checks"]["keys"]


def test_fetches_documents_of_an_earlier_implementation(client: FlaskClient, database: Database) -> None:
    """nonce ‖ ciphertext ‖ tag in base64, under the same master key."""
    secret_id, nonce = str(uuid.uuid4()), bytes(range(12))
    record = nonce + AESGCM(MASTER_KEY).encrypt(nonce, b"hello", None)
    database.secrets.insert_one({"_id": secret_id, "ciphertext": base64.b64encode(record).decode()})

    response = client.post(FETCH, json={"secret_id": secret_id})

    assert {
        "secret_id": secret_id,
        "version": 1,
        "secret": HELLO,
        "created_at": None,
        "path": None,
        "expires_at": None,
        "reads_left": None,
    } == response.json


def test_a_name_twice_is_refused(client: FlaskClient, database: Database) -> None:
    """Proxies and programs disagree on which of the two counts, so one of them may have checked the other."""
    other = base64.b64encode(b"other").decode()
    bodies = (
        f'{{"secret": "{HELLO}", "secret": "{other}"}}',
        f'{{"secret": "{HELLO}", "path": "a", "labels": {{"x": "1", "x": "2"}}}}',
    )

    for body in bodies:
        problem = assert_problem(client.post(CREATE, data=body, content_type="application/json"), 400)
        assert (
            "/problems/malformed-json",
            "the body has a name twice in one object: send each name once",
        ) == (
            problem["type"],
            problem["detail"],
        )
    assert 0 == database.secrets.count_documents({})


def test_every_call_writes_one_record(client: FlaskClient, database: Database) -> None:
    """Successes and failures, unknown ids and invalid input, each with its reason."""
    secret_id, unknown = create(client), str(uuid.uuid4())
    client.post(FETCH, json={"secret_id": secret_id}, headers={"X-Request-ID": "mine"})
    client.post(FETCH, json={"secret_id": unknown})
    client.post(FETCH, json={"secret_id": "no-uuid"})
    client.post(FETCH, data="{", content_type="application/json")
    client.post(CREATE, json={"secret": "a"})
    client.post(CREATE, data="x")
    client.post(CREATE, json={"secret": "A" * 800_000})
    client.get(FETCH)

    records = list(database.audit_logs.find(OF_CALLERS, sort=[("_id", 1)]))
    assert [
        ("create", "success", secret_id, None),
        ("fetch", "success", secret_id, None),
        ("fetch", "failure", unknown, "not found"),
        ("fetch", "failure", None, "invalid fields"),
        ("fetch", "failure", None, "malformed json"),
        ("create", "failure", None, "invalid base64"),
        ("create", "failure", None, "not json"),
        ("create", "failure", None, "too large"),
    ] == [(r["operation"], r["status"], r["secret_id"], r["reason"]) for r in records]
    assert "mine" == records[1]["request_id"]
    assert {"127.0.0.1"} == {record["client_ip"] for record in records}


def test_a_response_that_cannot_be_recorded_is_not_sent(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 without the secret; works again once the log can be written."""
    monkeypatch.setattr(readiness, "_VALID_SECONDS", 0)
    secret_id = create(client)
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})

    problem = assert_problem(client.post(FETCH, json={"secret_id": secret_id}), 503)
    assert HELLO not in str(problem)
    assert "audit" in problem["detail"]
    assert_problem(client.post(FETCH, json={"secret_id": str(uuid.uuid4())}), 503)
    assert "audit" in assert_problem(client.get("/readyz"), 503)["detail"]

    database.command("collMod", "audit_logs", validator={})
    assert HELLO == client.post(FETCH, json={"secret_id": secret_id}).json["secret"]
    assert 200 == client.get("/readyz").status_code


def test_auditing_can_be_turned_off(make_client: Callable[..., FlaskClient], database: Database) -> None:
    """Then no record is written, and readiness does not check the log."""
    client = make_client(AUDIT_ENABLED="false")

    create(client)

    assert 0 == database.audit_logs.count_documents({})
    assert {"database", "keys"} == client.get("/readyz").json["checks"].keys()


@pytest.mark.parametrize("value", [1, 0, 1.0, "true", None])
def test_a_flag_is_true_or_false(client: FlaskClient, value: object) -> None:
    """Nothing similar is taken for it."""
    response = client.post(BATCH, json={"secrets": [{"path": "a"}], "all_or_nothing": value})

    assert (422, ["all_or_nothing"]) == (response.status_code, list(response.json["errors"]))
