"""The shorter ways of loading and dumping the commonest bodies have marshmallow's results."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from service.api.secrets.requests import CreateRequest, FetchRequest
from service.api.secrets.responses import FetchResponse
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


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        (FetchRequest(), {"secret_id": str(uuid.uuid4())}),
        (FetchRequest(), {"path": "team/app/password"}),
        (CreateRequest(), {"secret": "aGVsbG8="}),
        (CreateRequest(), {"secret": "", "path": "team/app/password"}),
    ],
)
def test_the_commonest_bodies_take_the_shorter_way(
    monkeypatch: pytest.MonkeyPatch, schema: Schema, body: dict[str, str]
) -> None:
    """They do not need marshmallow's own loading at all."""
    loaded = schema.load(body)
    monkeypatch.delattr(Schema, "_do_load")

    assert schema.load(body) == loaded


@given(
    st.builds(
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
def test_a_fetched_secret_is_dumped_as_marshmallow_dumps_it(fetched: FetchedSecret) -> None:
    """The fields in the same order, with the same values."""
    schema = FetchResponse()

    dumped = schema.dump(fetched)

    assert list(dumped.items()) == list(Schema.dump(schema, fetched).items())
