"""keys.text_keys: keys of text are told from random ones, and go on working with a warning."""

import base64
import json
import os
import subprocess
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from service.crypto.aead import key_id_of
from service.keys import loading, text_keys
from tests import yaml_files
from tests.commands.operator import operate
from tests.conftest import MASTER_KEY, make_ring
from tests.gunicorn_server import ROOT, Server

PASSPHRASE = b"correct horse battery staple, ok"
METRIC = "vault_master_keys_of_text"


@pytest.mark.parametrize(
    "key",
    [
        PASSPHRASE,
        b"0123456789abcdef0123456789abcdef",
        # What `openssl rand -base64 24` prints, read as raw bytes.
        base64.b64encode(bytes(range(24))),
        b"thirty-one characters and a nl.\n",
        "sechzehn Umlaute: äöüßäöü".encode(),
        "ключ из шестнадц".encode().ljust(32),
    ],
    ids=str,
)
def test_finds_text(key: bytes) -> None:
    """Also with the newline of an editor, and in other alphabets than the Latin one."""
    assert 32 == len(key)
    assert text_keys.looks_like_text(key)
    assert [key_id_of(key).hex()] == text_keys.text_key_ids(make_ring(MASTER_KEY, key))


def test_random_keys_are_none() -> None:
    """One that is not valid UTF-8, or has a control character, was not typed."""
    assert not any(text_keys.looks_like_text(os.urandom(32)) for _ in range(10_000))
    assert not text_keys.looks_like_text(PASSPHRASE[:-1] + b"\0")
    assert not text_keys.looks_like_text(PASSPHRASE[:-1] + b"\xff")


def test_readyz_and_a_metric_warn_and_the_service_is_ready(make_client: Callable[..., FlaskClient]) -> None:
    """Neither shows the key's id, with which anyone could try guesses."""
    client = make_client(MASTER_KEY=PASSPHRASE.decode())

    answer = client.get("/readyz")

    assert (200, "ready") == (answer.status_code, answer.json["status"])
    assert text_keys.WARNING in answer.json["warnings"]
    assert key_id_of(PASSPHRASE).hex() not in answer.text
    assert f"\n{METRIC} 1.0\n" in client.get("/metrics").text
    assert f"\n{METRIC} 0.0\n" in make_client().get("/metrics").text


def test_the_start_warns_and_the_data_stays_readable(serve: Callable[..., Server]) -> None:
    """One line in the log, without the key."""
    server = serve(MASTER_KEY=PASSPHRASE.decode())
    server.wait_until()
    secret_id = server.create("YQ==").json()["secret_id"]

    assert "YQ==" == server.fetch(secret_id).json()["secret"]
    assert 1 == server.log.read_text().count("a master key looks like text")
    assert PASSPHRASE not in server.log.read_bytes()


def test_the_status_names_the_key(environment: dict[str, str]) -> None:
    """To the operator, who has the keys anyway."""
    shown = operate(environment | {"MASTER_KEY": PASSPHRASE.decode()}, "key", "status")

    (warning,) = json.loads(shown.stdout)["warnings"]
    assert f"master key {key_id_of(PASSPHRASE).hex()} looks like text" in warning


def test_the_role_makes_random_keys() -> None:
    """In base64, so no byte of it is taken for text or cut off."""
    (task,) = [
        task
        for task in yaml_files.load(ROOT / "roles/master_key/tasks/generate.yml")
        if "key=" in str(task.get("ansible.builtin.shell"))
    ]
    line = next(line for line in task["ansible.builtin.shell"]["cmd"].splitlines() if line.startswith("key="))

    for _ in range(20):
        made = subprocess.run(["bash", "-euc", f'{line}; printf %s "$key"'], capture_output=True, check=True)
        assert 44 == len(made.stdout)
        assert not text_keys.looks_like_text(loading.parse("MASTER_KEY", made.stdout))
