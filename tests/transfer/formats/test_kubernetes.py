"""transfer.formats.kubernetes: the values are decoded."""

import base64
import json
from typing import Any

import pytest

from service.transfer.formats import kubernetes
from tests.transfer.formats.examples import KUBERNETES, KUBERNETES_YAML
from tests.transfer.formats.readings import errors, read, shorten

SPLIT: list[tuple[str, bytes | None]] = [("app/password", b"hunter2"), ("app/username", b"admin")]


@pytest.mark.parametrize("text", [json.dumps(KUBERNETES), json.dumps(KUBERNETES, indent=4), KUBERNETES_YAML])
def test_decodes_the_values(text: str) -> None:
    """As one object at the secret's name, or as one secret for each of its fields."""
    assert [("app", b'{"password":"hunter2","username":"admin"}')] == read(text)
    assert SPLIT == read(text, split=True)


def test_takes_several_documents() -> None:
    """As `jq '.items[]'` takes them out of a list, and as manifests have them."""
    other = json.dumps(KUBERNETES | {"metadata": {"name": "other"}})

    assert ["app", "other"] == [path for path, _ in read(f"{json.dumps(KUBERNETES)}\n{other}")]
    assert ["app", "other"] == [path for path, _ in read(f"---\n{KUBERNETES_YAML}---\n{other}")]


def test_a_text_takes_precedence() -> None:
    """`stringData` is what the API server would store."""
    manifest = KUBERNETES | {"stringData": {"password": "new", "token": "t"}}

    assert [
        ("app/password", b"new"),
        ("app/username", b"admin"),
        ("app/token", b"t"),
    ] == read(json.dumps(manifest), split=True)


def test_bytes_need_a_secret_of_their_own() -> None:
    """A keystore is no text, so no JSON object can hold it."""
    text = json.dumps(KUBERNETES | {"data": {"key.p12": base64.b64encode(b"\xff\x00").decode()}})

    assert [("app/key.p12", b"\xff\x00")] == shorten(kubernetes.read(text, split=True))
    (error,) = errors(kubernetes.read(text, split=False))
    assert 'the value of "key.p12" is not text' in error
    assert "--split" in error


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"data": {"password": "hunter2!"}}, 'the value of "password" in `data` is not base64'),
        ({"data": {"password": 1}}, 'the value of "password" in `data` is not base64'),
        ({"stringData": {"password": 1}}, 'the value of "password" in `stringData` is not a text'),
        ({"data": None}, "neither `data` nor `stringData`"),
        ({"data": ["hunter2"]}, "not an object"),
        ({"metadata": {}}, "no name in `metadata`"),
        ({"metadata": {"name": "hunter 2"}}, 'the name "hunter 2" cannot be a path'),
        ({"kind": "ConfigMap"}, "this looks like a Kubernetes ConfigMap"),
        ({"kind": "hunter2"}, "this looks like an object of Kubernetes that is no Secret"),
        ({"apiVersion": None, "kind": 1}, "this looks like something else"),
    ],
)
def test_says_what_is_wrong(changes: dict[str, Any], says: str) -> None:
    """With the name of the field, and no value."""
    (error,) = errors(kubernetes.read(json.dumps(KUBERNETES | changes), split=False))

    assert says in error
