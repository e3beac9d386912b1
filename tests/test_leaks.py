"""No secret, key or token appears anywhere that it must not: known values are searched for everywhere."""

import base64
import hashlib
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from pymongo import MongoClient
from pymongo.database import Database

from service.access import token_format
from service.access.token_format import Credential
from service.crypto.aead import key_id_of
from service.dev.mongod import EmbeddedMongo
from tests.calls import APPROLE, BATCH, CREATE, FETCH, TOKEN, WHOAMI, id_of, post
from tests.calls import SECRET as SECRETS
from tests.conftest import MASTER_KEY
from tests.gunicorn_server import Server

SECRET = b"canary-secret-7f3a9c"
KEY = b"canary-master-key-of-32-bytes!!!"


def forms(value: bytes) -> tuple[bytes, ...]:
    """Return a value as it is, and in every encoding in which it might be written."""
    return (
        value,
        base64.b64encode(value),
        base64.b64encode(value)[:20],
        value.hex().encode(),
        repr(value).encode(),
    )


FORMS = [form for value in (SECRET, KEY) for form in forms(value)]


def assert_clean(what: str, content: bytes, canaries: Sequence[bytes] = FORMS) -> None:
    """Fail if any of ``canaries`` is in ``content``, without showing it."""
    found = [number for number, form in enumerate(canaries) if form in content]
    assert [] == found, f"{what} contains form {found}"


def test_secret_and_key_appear_nowhere(own_mongo: EmbeddedMongo, tmp_path: Path) -> None:
    """Not in logs at level DEBUG, errors, metrics, arguments, the database or its files."""
    key_file = tmp_path / "key"
    key_file.write_bytes(KEY)
    server = Server(
        {
            "MASTER_KEY_FILE": str(key_file),
            "MONGO_URI": own_mongo.uri,
            "AUTH_REQUIRED": "false",
            "LOG_LEVEL": "DEBUG",
            "MAX_SECRET_BYTES": "1000",
            "MONGO_TIMEOUT_SECONDS": "1",
        },
        tmp_path / "log",
    )
    try:
        server.wait_until()
        encoded = base64.b64encode(SECRET).decode()
        secret_id = server.create(encoded).json()["secret_id"]
        assert encoded == server.fetch(secret_id).json()["secret"]

        answers = [
            server.create(encoded + "!"),
            server.create(SECRET.decode()),
            server.create(encoded * 100),
            server.fetch(encoded),
            server.post("/vault/secret/create/", {"secret": [encoded]}),
            server.post("/vault/secret/create/", encoded),
            server.post(f"/vault/{SECRET.decode()}", {}),
            *(
                server.post(f"/vault/secret/{operation}", body)
                for operation, body in (
                    ("create/", {"secret": encoded, "expires_in": encoded}),
                    ("create/", {"secret": encoded, "labels": {"k": [encoded]}}),
                    ("create/", {"generate": {"characters": encoded + "!"}}),
                    ("create/", {"generate": {"alphabet": encoded}}),
                    ("create/batch", {"secrets": [{"secret": encoded}, {"secret": SECRET.decode()}]}),
                    ("update", {"secret_id": secret_id, "secret": encoded + "!"}),
                    ("update", {"secret_id": secret_id, "secret": encoded, "expected_version": 7}),
                    ("update", {"secret_id": secret_id, "new_path": f"{encoded}!", "secret": encoded}),
                    ("update", {"secret_id": secret_id, "secret": encoded * 100}),
                    ("fetch", {"secret_id": secret_id, "version": encoded}),
                    ("describe", {"path": f"{encoded}!"}),
                    ("list", {"prefix": f"{encoded}!"}),
                    ("list", {"cursor": encoded}),
                    ("delete", {"secret_id": secret_id, "versions": [encoded]}),
                )
            ),
            requests.post(f"{server.url}/vault/secret/create/", data=SECRET, timeout=10),
            requests.post(
                f"{server.url}/vault/secret/create/",
                data=b'{"secret": "' + SECRET,
                headers={"Content-Type": "application/json"},
                timeout=10,
            ),
            requests.get(
                f"{server.url}/nothing/{encoded}",
                params={"secret": SECRET.decode()},
                headers={
                    "Authorization": f"Bearer {encoded}",
                    "Cookie": SECRET.decode(),
                    "User-Agent": encoded,
                },
                timeout=10,
            ),
        ]
        with MongoClient(own_mongo.uri) as client:
            client.vault.command("collMod", "audit_logs", validator={"never": {"$exists": True}})
            answers += [server.create(encoded), server.fetch(secret_id)]
            client.vault.command("collMod", "audit_logs", validator={})
            client.vault.secrets.update_one({"_id": secret_id}, {"$set": {"versions.0.payload": b"x" * 60}})
            answers.append(server.fetch(secret_id))
            stored = repr([list(client.vault[name].find()) for name in client.vault.list_collection_names()])
        os.kill(own_mongo.process.pid, signal.SIGSTOP)
        answers += [server.create(encoded), server.fetch(secret_id)]
        os.kill(own_mongo.process.pid, signal.SIGCONT)
        server.wait_until()
        for line in (
            b"GET /%s %s HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n%s %s: x\r\n\r\n",
            b"%s /%s HTTP/1.1\r\nHost: x\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
                connection.sendall(line % (SECRET, SECRET))
                assert_clean("the response to malformed HTTP", connection.recv(65536))

        assert [response.status_code for response in answers if response.status_code < 400] == []
        for response in answers:
            assert_clean(
                f"a response {response.status_code}", response.content + repr(response.headers).encode()
            )
        assert_clean("/metrics", requests.get(f"{server.url}/metrics", timeout=10).content)
        assert_clean("/readyz", requests.get(f"{server.url}/readyz", timeout=10).content)
        assert_clean("the database", stored.encode())
        for process in (server.process.pid, *server.workers()):
            assert_clean("an argument list", Path(f"/proc/{process}/cmdline").read_bytes())
    finally:
        server.stop()
        own_mongo.stop()

    assert_clean("the log", server.log.read_bytes())
    for file in sorted((tmp_path / "mongo").rglob("*")):
        if file.is_file():
            assert_clean(file.name, file.read_bytes())


def test_a_generated_value_appears_nowhere(serve: Callable[..., Server], database: Database) -> None:
    """Except in the response to a fetch."""
    server = serve(LOG_LEVEL="DEBUG")
    server.wait_until()
    answers = [server.post(CREATE, {"generate": {}, "path": "a"})]
    answers.append(server.post(SECRETS + "update", {"path": "a", "generate": {"alphabet": "printable"}}))
    answers += [
        server.post(SECRETS + operation, body)
        for operation, body in (
            ("describe", {"path": "a"}),
            ("list", {}),
            ("delete", {"path": "a", "versions": [1]}),
            ("undelete", {"path": "a", "versions": [1]}),
        )
    ]
    values = [
        base64.b64decode(server.post(FETCH, {"path": "a", "version": number}).json()["secret"])
        for number in (1, 2)
    ]
    server.post(SECRETS + "destroy", {"path": "a"})
    metrics = requests.get(f"{server.url}/metrics", timeout=10).content
    server.stop()
    stored = repr([list(database[name].find()) for name in database.list_collection_names()])

    canaries = [form for value in values for form in forms(value)]
    assert [200] * 6 == [answer.status_code for answer in answers]
    assert_clean("a response", b"".join(answer.content for answer in answers), canaries)
    assert_clean("/metrics", metrics, canaries)
    assert_clean("the log", server.log.read_bytes(), canaries)
    assert_clean("the database", stored.encode(), canaries)


def token_forms(token: str) -> list[bytes]:
    """Return a token, or a secret id, and its secret part in every form; id and hash are not secret."""
    secret = token_format.parse(token, token[:3]).secret
    return [*forms(token.encode()), *forms(secret), secret.hex()[:32].encode(), secret.hex().upper().encode()]


def test_tokens_appear_nowhere(
    serve: Callable[..., Server], give: Callable[..., str], mongo_client: MongoClient
) -> None:
    """Wherever they are sent: not in logs, errors, metrics, arguments or the database."""
    server = serve(
        AUTH_REQUIRED="true", LOG_LEVEL="DEBUG", AUTH_FAILURES_PER_MINUTE="10000", TRUSTED_PROXIES="127.0.0.1"
    )
    server.wait_until()
    admin = give("admin")
    made = server.post(
        TOKEN + "create",
        {"name": "x", "scopes": ["fetch:*", "create:*"]},
        headers={"Authorization": f"Bearer {admin}"},
    ).json()["token"]
    guess = Credential(id_of(made), bytes(range(100, 132))).text
    expired, revoked = give("admin", expires_in=-1), give("admin")
    authorized = {"Authorization": f"Bearer {admin}"}
    role_id = server.post(
        APPROLE + "create", {"name": "ci", "scopes": ["fetch:*"]}, headers=authorized
    ).json()["role_id"]
    secret_id = server.post(APPROLE + "secret-id/create", {"role": "ci"}, headers=authorized).json()[
        "secret_id"
    ]
    login = {"role_id": role_id, "secret_id": secret_id}
    assert 200 == server.post(APPROLE + "login", login, headers={}).status_code
    guessed = Credential(id_of(secret_id), bytes(range(100, 132)), token_format.SECRET_ID).text
    session = server.post("/vault/session/create", {}, headers={"Authorization": f"Bearer {made}"}).json()[
        "session"
    ]
    link = server.post("/vault/share/create", {"secret": "", "for": "x"}, headers=authorized).json()["link"]
    assert 200 == server.post("/vault/share/peek", {"link": link}).status_code
    sent = [admin, made, guess, expired, revoked, secret_id, guessed, session, link]
    server.post(TOKEN + "revoke", {}, headers={"Authorization": f"Bearer {revoked}"})

    answers = []
    for token in sent:
        mistyped, half = token[:-1] + ("0" if token[-1] != "0" else "1"), token[:60]
        for text in (token, mistyped, half, f"x{token}", f"{token}, {token}"):
            answers += [
                server.post(WHOAMI, None, headers={"Authorization": value})
                for value in (f"Bearer {text}", text)
            ]
        for path, body in (
            (CREATE, {"secret": token}),
            (CREATE, {"secret": "", "path": token}),
            (CREATE, {"secret": "", "path": f"team/{token}"}),
            (FETCH, {"secret_id": token}),
            (FETCH, {"path": token}),
            (FETCH, {"path": f"team/{half}"}),
            (BATCH, {"secrets": [{"path": token}, {"secret_id": token}]}),
            (CREATE, {"secret": "", "labels": {token: ""}}),
            (CREATE, {"secret": "", "labels": {"k": f"x {half}"}}),
            (SECRETS + "update", {"path": "a", "new_path": token}),
            (SECRETS + "list", {"prefix": token}),
            (SECRETS + "list", {"cursor": token}),
            (SECRETS + "destroy", {"path": token}),
            (TOKEN + "create", {"name": token, "scopes": ["audit"]}),
            (TOKEN + "create", {"name": "x", "scopes": [token]}),
            (TOKEN + "create", {"name": "x", "scopes": [f"fetch:{token}"]}),
            (TOKEN + "create", {"name": "x", "scopes": ["audit"], "networks": [token]}),
            (TOKEN + "describe", {"token_id": token}),
            (TOKEN + "renew", {"token_id": token}),
            (TOKEN + "revoke", {"token_id": token}),
            (TOKEN + "revoke", {"token_id": half}),
            (TOKEN + "list", token),
            ("/vault/share/create", {"secret": "", "for": token}),
            ("/vault/share/create", {"path": token, "for": "x"}),
            ("/vault/share/revoke", {"share_id": token}),
            ("/vault/share/list", {"after": token}),
            ("/vault/share/peek", {"link": half}),
            ("/vault/share/reveal", {"link": token, "attempt": token}),
            ("/vault/session/confirm", {"token": token}),
            ("/vault/session/confirm", {"token": half}),
            ("/vault/session/revoke", {"session_id": token}),
            ("/vault/session/list", {"after": token}),
            (APPROLE + "create", {"name": token, "scopes": ["audit"]}),
            (APPROLE + "describe", {"role": token}),
            (APPROLE + "delete", {"role": half}),
            (APPROLE + "secret-id/create", {"role": token}),
            (APPROLE + "secret-id/list", {"role": token}),
            (APPROLE + "secret-id/revoke", {"accessor": token}),
            (APPROLE + "login", {"role_id": token, "secret_id": token}),
            (APPROLE + "login", {"role_id": role_id, "secret_id": half}),
            (APPROLE + "login", {"role_id": role_id, "secret_id": [token]}),
        ):
            refused = server.post(path, body, headers=authorized)
            assert refused.status_code >= 400, (path, list(body))
            answers.append(refused)
        answers += [
            server.post(f"/vault/{token}", {}),
            server.post(f"{WHOAMI}?access_token={token}", {}),
            requests.get(
                f"{server.url}/docs/{token}",
                headers={
                    "X-Request-ID": token,
                    "X-Forwarded-For": token,
                    "Cookie": token,
                    "User-Agent": token,
                },
                timeout=10,
            ),
            requests.request(token.upper(), f"{server.url}/healthz", timeout=10),
        ]
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(f"GET / {token}\r\nAuthorization: {token}\r\n\r\n".encode())
            assert_clean("the response to malformed HTTP", connection.recv(65536), token_forms(token))
    metrics = requests.get(f"{server.url}/metrics", timeout=10).content
    arguments = [
        Path(f"/proc/{process}/cmdline").read_bytes() for process in (server.process.pid, *server.workers())
    ]
    server.stop()
    database = mongo_client["vault"]
    stored = [document for name in database.list_collection_names() for document in database[name].find()]

    canaries = [form for token in sent for form in token_forms(token)]
    for answer in answers:
        assert_clean(
            f"a response {answer.status_code}", answer.content + repr(answer.headers).encode(), canaries
        )
    assert_clean("/metrics", metrics, canaries)
    assert_clean("an argument list", b"".join(arguments), canaries)
    assert_clean("the log", server.log.read_bytes(), canaries)
    assert_clean("the database", repr(stored).encode(), canaries)
    assert 100 < len(stored)


def test_nothing_of_vaults_clients_appears(
    serve: Callable[..., Server], give: Callable[..., str], mongo_client: MongoClient
) -> None:
    """Values and tokens are in no log, error, metric or document; paths, which are in URLs, in no log."""
    server = serve(
        AUTH_REQUIRED="true", LOG_LEVEL="DEBUG", AUTH_FAILURES_PER_MINUTE="10000", MAX_SECRET_BYTES="1000"
    )
    server.wait_until()
    value, path = SECRET.decode(), "canary-path-51d0/canary-name-9be2"
    token, limited = give("admin"), give("fetch:elsewhere")
    guess = Credential(id_of(token), bytes(range(100, 132))).text
    data, metadata = f"secret/data/{path}", f"secret/metadata/{path}"

    def send(
        method: str, where: str, body: Any = None, sent: str = token, **headers: str
    ) -> requests.Response:
        own = {"X-Vault-Token": sent, "Connection": "close", **headers}
        return requests.request(
            method, f"{server.url}/v1/{where}", json=body, headers=own, timeout=10, allow_redirects=False
        )

    done = [
        send("PUT", data, {"data": {"password": value}}),
        send("PATCH", data, {"data": {value: value}}, **{"Content-Type": "application/merge-patch+json"}),
        send("PUT", metadata, {"custom_metadata": {"owner": "x"}}),
        send("LIST", f"secret/metadata/{path.split('/')[0]}"),
        send("GET", metadata),
        send("GET", f"sys/internal/ui/mounts/{data}"),
        send("GET", "sys/mounts"),
        send("PUT", "sys/capabilities-self", {"paths": [data]}),
        send("PUT", f"secret/delete/{path}", {"versions": [1]}),
        send("PUT", f"secret/undelete/{path}", {"versions": [1]}),
    ]
    assert [] == [(answer.request.method, answer.text) for answer in done if not answer.ok]
    assert value == send("GET", data).json()["data"]["data"]["password"]
    assert token == send("GET", "auth/token/lookup-self").json()["data"]["id"]
    send("HEAD", data)
    authorized = {"Authorization": f"Bearer {token}"}
    role = server.post(APPROLE + "create", {"name": "ci", "scopes": ["fetch:*"]}, headers=authorized).json()
    made = server.post(APPROLE + "secret-id/create", {"role": "ci"}, headers=authorized).json()["secret_id"]
    login = {"role_id": role["role_id"], "secret_id": made}
    given = [
        send("PUT", "auth/token/create", {"policies": ["fetch:*"], "ttl": "10m"}).json()["auth"],
        send("PUT", "auth/approle/login", login, sent="").json()["auth"],
    ]
    wrapping = send("GET", data, **{"X-Vault-Wrap-TTL": "60s"}).json()["wrap_info"]["token"]
    unwrapped = send("PUT", "sys/wrapping/unwrap", sent=wrapping).json()["data"]["data"]
    assert value == unwrapped["password"]
    unused = send("GET", data, **{"X-Vault-Wrap-TTL": "60s"}).json()["wrap_info"]["token"]
    tokens = [token, limited, guess, made, wrapping, unused, *(auth["client_token"] for auth in given)]

    refused = [
        *(
            send("PUT", where, body)
            for text in (value, guess, token[:-1], f"x{token}", made[:-1])
            for where, body in (
                ("auth/token/lookup", {"token": text}),
                ("auth/token/renew", {"token": text}),
                ("auth/token/lookup-accessor", {"accessor": text}),
                ("auth/token/create", {"policies": [text]}),
                ("auth/token/create", {"display_name": text, "ttl": text}),
                ("auth/approle/login", {"role_id": text, "secret_id": text}),
                ("auth/approle/login", {"role_id": role["role_id"], "secret_id": text}),
                ("sys/wrapping/unwrap", {"token": text}),
                ("sys/wrapping/lookup", {"token": text}),
                ("sys/wrapping/wrap", {"password": text}),
            )
        ),
        send("PUT", "sys/wrapping/unwrap", {"token": wrapping}),
        send("PUT", data, {"data": {"password": value * 100}}),
        send("PUT", data, {"data": value}),
        send("PUT", data, {"data": {"password": value}, "options": {"cas": value}}),
        send("PUT", data, {"data": {"password": value}, "options": {"cas": 7}}),
        send("PUT", data, {"data": {"password": value}, "options": [value]}),
        send("PUT", data, [value]),
        send("PUT", f"secret/data/{value}!", {"data": {"password": value}}),
        send("PATCH", data, {"data": {"password": value}}),
        send("PUT", metadata, {"max_versions": value}),
        send("PUT", metadata, {"delete_version_after": value}),
        send("PUT", metadata, {"custom_metadata": {"k": [value]}}),
        send("PUT", "secret/config", {"cas_required": value}),
        send("PUT", f"secret/destroy/{path}", {"versions": [value]}),
        send("GET", f"{data}?version={value}"),
        send("GET", f"{metadata}?list={value}"),
        send("PUT", "sys/capabilities-self", {"paths": [[value]]}),
        send("GET", data, **{"X-Vault-Namespace": value}),
        send("GET", data, **{"X-Vault-Wrap-TTL": value}),
        send("GET", f"sys/health?activecode={value}"),
        send("GET", f"secret/data/{token}"),
        send("GET", f"secret/data/team/{token[:60]}"),
        send("PUT", f"secret/data/{token}", {"data": {}}),
        send("PUT", metadata, {"custom_metadata": {token: "x"}}),
        send("PUT", metadata, {"custom_metadata": {"k": token}}),
        *(send("GET", data, sent=other) for other in (value, limited, guess, token[:-1], f"x{token}")),
        *(send("GET", "auth/token/lookup-self", sent=other) for other in (value, guess, token[:60])),
        requests.get(f"{server.url}/v1/{data}", headers={"Authorization": f"Bearer {guess}"}, timeout=10),
        requests.request(value.upper(), f"{server.url}/v1/{data}", timeout=10),
    ]
    database = mongo_client["vault"]
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})
    refused += [send("GET", data), send("PUT", data, {"data": {"password": value}})]
    database.command("collMod", "audit_logs", validator={})
    database.secrets.update_many({}, {"$set": {"versions.$[].payload": b"x" * 60}})
    refused.append(send("GET", data))
    metrics = requests.get(f"{server.url}/metrics", timeout=10).content
    server.stop()
    stored = repr([list(database[name].find()) for name in database.list_collection_names()]).encode()

    assert [] == [answer.url for answer in refused if answer.status_code < 400]
    canaries = [
        *forms(SECRET),
        *(form for each in tokens for form in token_forms(each)),
    ]
    for answer in refused:
        content = answer.content + repr(answer.headers).encode()
        assert_clean(f"a response {answer.status_code}", content, canaries)
    assert_clean("the database", stored, canaries)
    canaries += [name.encode() for name in path.split("/")]
    assert_clean("/metrics", metrics, canaries)
    assert_clean("the log", server.log.read_bytes(), canaries)


def strings(value: Any) -> Iterator[str]:
    """Yield every value in a document, as text that an attacker might send."""
    if isinstance(value, dict):
        yield from (text for each in value.values() for text in strings(each))
    elif isinstance(value, list):
        yield from (text for each in value for text in strings(each))
    elif isinstance(value, bytes):
        yield from (value.hex(), base64.b64encode(value).decode(), value.decode("latin-1"))
    else:
        yield str(value)


def test_a_stolen_database_contains_no_usable_token(
    make_client: Callable[..., FlaskClient], give: Callable[..., str], database: Database
) -> None:
    """Every value in it is refused, as a token and as the secret part of one."""
    client = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="100000")
    tokens = [give("admin"), give("fetch:*", expires_in=600, renewable=True), give("token", rate_limit=100)]
    documents = list(database.tokens.find())
    assert {id_of(token) for token in tokens} == {document["_id"] for document in documents}

    tried = 0
    for document in documents:
        for text in strings(document):
            attempts = [text, f"smt_{document['_id']}_{text}"]
            # As the secret part, with a correct checksum: raw, hashed, and cut to its length.
            raw = [
                text.encode("latin-1", "replace"),
                hashlib.sha256(text.encode("latin-1", "replace")).digest(),
            ]
            if len(text) % 2 == 0 and all(character in "0123456789abcdef" for character in text):
                raw += [bytes.fromhex(text), hashlib.sha256(bytes.fromhex(text)).digest()]
            for secret in raw:
                attempts += [
                    Credential(document["_id"], secret[:32].ljust(32, b"\0")).text,
                    Credential(document["_id"], secret[-32:].rjust(32, b"\0")).text,
                ]
            for attempt in attempts:
                header = f"Bearer {attempt}".encode("latin-1", "replace").decode("latin-1")
                if "\n" in header or "\r" in header:
                    continue  # not possible in a header
                answer = client.post(WHOAMI, headers={"Authorization": header})
                assert 401 == answer.status_code
                tried += 1
    assert 100 < tried
    assert [200] * 3 == [post(client, WHOAMI, None, token).status_code for token in tokens]


@pytest.mark.parametrize(
    "altered",
    [
        {"scopes": ["admin"]},
        {"digest": hashlib.sha256(bytes(32)).digest()},
        {"expires_at": None},
        {"max_uses": None},
        {"networks": []},
        {"rate_limit": None},
        {"lifetime": 10**6},
        {"created_by": "operator", "name": "y"},
        {"tag": b"\x02" + key_id_of(MASTER_KEY) + bytes(32)},
    ],
    ids=str,
)
def test_tokens_forged_in_the_database_are_refused(
    guarded: FlaskClient, give: Callable[..., str], database: Database, altered: dict[str, Any]
) -> None:
    """With write access but no master key, an attacker can neither extend a token nor add one."""
    token = give("fetch:a", expires_in=60, max_uses=9, networks=("127.0.0.1",), rate_limit=9)
    document = database.tokens.find_one()
    database.tokens.update_one({}, {"$set": altered})
    own = token_format.new()
    database.tokens.insert_one(
        document | {"scopes": ["admin"]} | altered | {"_id": own.token_id, "digest": own.digest}
    )
    sent = Credential(id_of(token), bytes(32)).text if "digest" in altered else token

    for answer in (post(guarded, WHOAMI, None, sent), post(guarded, WHOAMI, None, own.text)):
        assert 500 == answer.status_code, answer.text
        assert "the record cannot be opened" in answer.json["detail"]
    records = list(database.audit_logs.find({"operation": "token_whoami"}, sort=[("_id", 1)]))
    assert [("tampered", f"unproven:{id_of(token)}"), ("tampered", f"unproven:{own.token_id}")] == [
        (record["reason"], record["actor"]) for record in records
    ]


def test_assert_clean_can_fail() -> None:
    """Otherwise the tests above would prove nothing."""
    for value in (SECRET, base64.b64encode(SECRET), KEY, KEY.hex().encode()):
        with pytest.raises(AssertionError):
            assert_clean("a log", b"some line " + value + b" and more")
