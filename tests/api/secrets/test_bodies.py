"""The shorter ways of loading and dumping the commonest bodies have marshmallow's results."""

from __future__ import annotations

import base64
import copy
import uuid
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from service.api.secrets.requests import CreateRequest, DeliverRequest, FetchRequest
from service.api.secrets.responses import DeliverResponse, FetchResponse
from service.errors import VaultError
from service.records import FetchedSecret

_TEXTS = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda each: str(each).upper()),
    st.uuids().map(lambda each: each.hex),
    st.binary(max_size=20).map(lambda each: base64.b64encode(each).decode()),
    st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3})?", fullmatch=True),
    st.text(max_size=6),
    # JSON can contain lone surrogates.
    st.text(st.characters(codec=None), max_size=3),
)
_VALUES = st.one_of(
    _TEXTS, st.none(), st.booleans(), st.integers(), st.lists(st.none(), max_size=1), st.just({})
)
_BODIES = st.one_of(
    st.dictionaries(st.sampled_from(["secret_id", "path", "version", "secret", "name"]), _VALUES, max_size=3),
    _VALUES,
)
# As the driver sends it; one or two parts of it are then replaced, removed or added.
_DELIVERY = {
    "path": "team/app/password",
    "version": 1,
    "service": {"id": "s1", "name": "billing_api", "labels": {"a": "b"}, "image": "billing:1.2"},
    "task": {"id": "t1", "name": "billing_api.1.t1"},
    "node": {"id": "n1"},
    "docker_secret": "password.v1",
}
_PLACES = st.sampled_from(
    [(each,) for each in ("path", "version", "service", "task", "node", "docker_secret", "check", "other")]
    + [
        (parent, each)
        for parent, children in (
            ("service", ("id", "name", "labels", "image", "other")),
            ("task", ("id", "name", "other")),
            ("node", ("id", "other")),
        )
        for each in children
    ]
)
_PARTS = st.one_of(
    _VALUES,
    st.just(...),
    st.sampled_from([0, 1, 2**31 - 1, 2**31, True, 1.0, "1"]),
    st.sampled_from(["é", "x" * 1024, "x" * 1025, "smt_0f3a5b7c9d1e2f40_" + "5a" * 36]),
    st.dictionaries(st.text(max_size=2), _VALUES, max_size=2),
)
_MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))


def _outcome(load: Any, *args: Any) -> tuple[str, Any]:
    try:
        return "loaded", load(*args)
    except ValidationError as error:
        return "invalid", error.messages
    except VaultError as error:
        return type(error).__name__, str(error)


@pytest.mark.parametrize("schema", [FetchRequest(), CreateRequest()], ids=["fetch", "create"])
@given(body=_BODIES)
def test_a_body_is_loaded_as_marshmallow_loads_it(schema: Schema, body: Any) -> None:
    """Whatever the body is: the same request, or the same error."""
    assert _outcome(schema.load, body) == _outcome(Schema.load, schema, body)


@given(changes=st.dictionaries(_PLACES, _PARTS, max_size=2))
def test_a_delivery_is_loaded_as_marshmallow_loads_it(changes: dict[tuple[str, ...], Any]) -> None:
    """Whatever of the driver's body is changed: the same request, or the same error."""
    body = copy.deepcopy(_DELIVERY)
    for place, value in changes.items():
        *parents, name = place
        parent: Any = body
        for each in parents:
            parent = parent.get(each)
        if isinstance(parent, dict):
            if value is ...:
                parent.pop(name, None)
            else:
                parent[name] = value

    assert _outcome(DeliverRequest().load, body) == _outcome(Schema.load, DeliverRequest(), body)


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        (FetchRequest(), {"secret_id": str(uuid.uuid4())}),
        (FetchRequest(), {"path": "team/app/password"}),
        (CreateRequest(), {"secret": "aGVsbG8="}),
        (CreateRequest(), {"secret": "", "path": "team/app/password"}),
        (DeliverRequest(), _DELIVERY),
        (DeliverRequest(), {name: part for name, part in _DELIVERY.items() if name != "version"}),
    ],
)
def test_the_commonest_bodies_take_the_shorter_way(
    monkeypatch: pytest.MonkeyPatch, schema: Schema, body: dict[str, Any]
) -> None:
    """They do not need marshmallow's own loading at all."""
    loaded = schema.load(body)
    monkeypatch.delattr(Schema, "_do_load")

    assert schema.load(body) == loaded


@pytest.mark.parametrize("schema", [FetchResponse(), DeliverResponse()], ids=["fetch", "deliver"])
@given(
    fetched=st.builds(
        FetchedSecret,
        secret_id=st.uuids().map(str),
        version=st.integers(1),
        plaintext=st.binary(),
        created_at=_MOMENTS,
        path=st.none() | st.text(),
        expires_at=_MOMENTS,
        reads_left=st.none() | st.integers(0),
    )
)
def test_a_fetched_secret_is_dumped_as_marshmallow_dumps_it(schema: Schema, fetched: FetchedSecret) -> None:
    """The fields in the same order, with the same values."""
    dumped = schema.dump(fetched)

    assert list(dumped.items()) == list(Schema.dump(schema, fetched).items())
