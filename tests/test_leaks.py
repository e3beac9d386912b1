"""A canary: one known secret and one known key, and every place where neither may turn up."""

import base64
import os
import signal
import socket
from pathlib import Path

import pytest
import requests
from pymongo import MongoClient

from service.embedded import EmbeddedMongo
from tests.server import Server

SECRET = b"canary-secret-7f3a9c"
KEY = b"canary-master-key-of-32-bytes!!!"
# As it is, and in every form in which it might be written down.
FORMS = [
    form
    for value in (SECRET, KEY)
    for form in (
        value,
        base64.b64encode(value),
        base64.b64encode(value)[:20],
        value.hex().encode(),
        repr(value).encode(),
    )
]


def assert_clean(what: str, content: bytes) -> None:
    """Fail where any form of the secret or the key is in ``content``, without showing it."""
    found = [number for number, form in enumerate(FORMS) if form in content]
    assert [] == found, f"{what} holds form {found}"


def test_secret_and_key_turn_up_nowhere(own_mongo: EmbeddedMongo, tmp_path: Path) -> None:
    """Not in logs at the lowest level, errors, metrics, arguments, the database or its files."""
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
                assert_clean("the answer to no HTTP", connection.recv(65536))

        assert [response.status_code for response in answers if response.status_code < 400] == []
        for response in answers:
            assert_clean(
                f"an answer {response.status_code}", response.content + repr(response.headers).encode()
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


def test_the_search_finds_what_it_looks_for() -> None:
    """A test that could not fail would be worse than none."""
    for value in (SECRET, base64.b64encode(SECRET), KEY, KEY.hex().encode()):
        with pytest.raises(AssertionError):
            assert_clean("a log", b"some line " + value + b" and more")
