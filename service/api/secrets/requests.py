"""The bodies of requests about secrets, loaded as what the use cases take.

The OpenAPI document is generated from these schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from ...errors import InvalidFields
from ...secrets.create import CreateSecret
from ...secrets.generate import ALPHABETS, DEFAULT_ALPHABET, DEFAULT_LENGTH, MAX_CHARACTERS, Content, Recipe
from ...secrets.listing import MAX_PAGE, ListQuery
from ...secrets.modify import UpdateSecret
from ...secrets.options import SecretOptions
from ...secrets.read import SecretVersionRef
from ...store.secret_queries import SecretRef
from ..fields import ID, PATH, SECRET, VERSION, Base64Bytes, Text, count, flag, label_map, moment, seconds

MAX_BATCH = 100
_MAX_VERSIONS = 100

Body = dict[str, Any]


class Generate(Schema):
    """How the service generates the value, so that nobody has to see it."""

    length = count(1, MAX_CHARACTERS, metadata={"description": f"Characters; default {DEFAULT_LENGTH}."})
    alphabet = fields.String(
        validate=validate.OneOf(list(ALPHABETS)),
        metadata={"description": f"Which characters; default {DEFAULT_ALPHABET}."},
    )
    characters = Text(
        validate=[validate.Length(2, 256), lambda characters: _require_each_once(characters)],
        metadata={"description": "Which characters instead of an alphabet: each once, at least two."},
    )

    @validates_schema
    def _require_one_alphabet(self, data: Body, **_: object) -> None:
        _require_at_most_one(data, "alphabet", "characters")

    @post_load
    def _build(self, data: Body, **_: object) -> Recipe:
        alphabet = ALPHABETS[data.get("alphabet", DEFAULT_ALPHABET)]
        return Recipe(data.get("length", DEFAULT_LENGTH), data.get("characters", alphabet))


class OptionFields(Schema):
    """What can be set with a secret and changed later."""

    labels = label_map()
    expires_in = seconds("Seconds until the secret expires; null for never.", 86_400)
    expires_at = moment("When the secret expires; null for never.")
    version_expires_in = seconds(
        "Seconds until the version expires that comes with this request, or the current one.", 3600
    )
    version_expires_at = moment("When the version expires that comes with this request, or the current one.")
    max_reads = count(
        1,
        allow_none=True,
        metadata={
            "description": "The secret is destroyed after this many fetches from now on.",
            "example": 1,
        },
    )
    max_versions = count(
        1,
        _MAX_VERSIONS,
        metadata={"description": "How many versions are kept; older ones are destroyed. Default 10."},
    )
    cas_required = flag("Whether an update with a value must say which version it expects.")
    delete_version_after = seconds(
        "Seconds after which each new version is deleted automatically.", 2_592_000
    )

    @validates_schema
    def _require_one_expiry(self, data: Body, **_: object) -> None:
        _require_at_most_one(data, "expires_in", "expires_at")
        _require_at_most_one(data, "version_expires_in", "version_expires_at")


class CreateRequest(OptionFields):
    """A value to store: given as ``secret``, or generated as ``generate`` says."""

    secret = Base64Bytes(metadata=SECRET)
    generate = fields.Nested(Generate)
    path = fields.String(metadata=PATH)

    @validates_schema
    def _require_one_value(self, data: Body, **_: object) -> None:
        if ("secret" in data) == ("generate" in data):
            raise ValidationError({"secret": ["give the value as secret, or let generate make one"]})

    @post_load
    def _build(self, data: Body, **_: object) -> CreateSecret:
        # The schema has made sure that there is a value.
        return CreateSecret(cast(Content, _content(data)), data.get("path"), _options(data))


class CreateBatchRequest(Schema):
    """Values to store."""

    secrets = fields.List(fields.Nested(CreateRequest), required=True, validate=validate.Length(1, MAX_BATCH))
    all_or_nothing = flag("Whether nothing is stored if one of them cannot be.")


class Name(Schema):
    """Which secret: its id or its path."""

    secret_id = fields.UUID(metadata=ID)
    path = fields.String(metadata=PATH)

    @validates_schema
    def _require_one_name(self, data: Body, **_: object) -> None:
        if ("secret_id" in data) == ("path" in data):
            raise ValidationError("name the secret by either secret_id or path")

    @post_load
    def _build(self, data: Body, **_: object) -> Any:
        return _ref(data)


class FetchRequest(Name):
    """Which secret, and which version of it; without a version the current one."""

    version = count(1, metadata=VERSION)

    @post_load
    def _build(self, data: Body, **_: object) -> SecretVersionRef:
        return SecretVersionRef(_ref(data), data.get("version"))


class FetchBatchRequest(Schema):
    """Which secrets to return."""

    secrets = fields.List(fields.Nested(FetchRequest), required=True, validate=validate.Length(1, MAX_BATCH))
    all_or_nothing = flag("Whether no value is returned, and no read used up, if one cannot be read.")


class UpdateRequest(Name, OptionFields):
    """Which secret, and what to change: a value adds a version, and null removes an option."""

    secret = Base64Bytes(metadata=SECRET)
    generate = fields.Nested(Generate)
    expected_version = count(
        0,
        metadata={
            "description": "Change it only if this is the current version; 0, with a path and a value: only"
            " if there is no such secret, which is then created."
        },
    )
    new_path = fields.String(metadata={**PATH, "description": "Its path from now on."})

    @validates_schema
    def _require_one_value(self, data: Body, **_: object) -> None:
        _require_at_most_one(data, "secret", "generate")

    @post_load
    def _build(self, data: Body, **_: object) -> tuple[SecretRef, UpdateSecret]:
        return _ref(data), UpdateSecret(
            content=_content(data),
            expected_version=data.get("expected_version"),
            new_path=data.get("new_path"),
            options=_options(data),
        )


class VersionsRequest(Name):
    """Which secret, the whole of it, or which of its versions."""

    versions = fields.List(
        count(1),
        validate=validate.Length(1, _MAX_VERSIONS),
        metadata={"description": "Only these versions; without them the whole secret.", "example": [1]},
    )

    @post_load
    def _build(self, data: Body, **_: object) -> tuple[SecretRef, frozenset[int]]:
        return _ref(data), frozenset(data.get("versions", ()))


class ListRequest(Schema):
    """What to list."""

    prefix = fields.String(
        metadata={
            "description": "Only paths that begin with this: a path, or a path followed by a slash.",
            "example": "team/app/",
        }
    )
    labels = label_map()
    recursive = flag(
        "False for one level: what has a slash after the prefix is shown as a folder. Default true."
    )
    deleted = flag("True for deleted secrets that can be restored, and only those.")
    unnamed = flag("True for secrets without a path: your token's own, or all for administrators.")
    cursor = fields.String(metadata={"description": "`cursor` of the previous page."})
    limit = count(1, MAX_PAGE, metadata={"description": "Entries per page; default 100."})

    @validates_schema
    def _refuse_prefix_of_unnamed(self, data: Body, **_: object) -> None:
        if data.get("unnamed") and "prefix" in data:
            raise ValidationError(
                {"prefix": ["secrets without a path have no prefix: remove one of the two"]}
            )

    @post_load
    def _build(self, data: Body, **_: object) -> ListQuery:
        return ListQuery(**data)


def create_request(body: Mapping[str, object]) -> CreateSecret:
    """Return what a body of ``create`` asks for that did not come in a request.

    Raises:
        InvalidFields: the body does not fit the schema; the names of unknown fields are not repeated, as
            they could be anything.
        InvalidBase64: the value is not base64.
    """
    schema = CreateRequest()
    try:
        return cast(CreateSecret, schema.load(body))
    except ValidationError as error:
        found = error.normalized_messages()  # type: ignore[no-untyped-call]  # marshmallow's is not annotated
        known = {name: messages for name, messages in found.items() if name in {"_schema", *schema.fields}}
        unknown = {} if known.keys() == found.keys() else {"_schema": ["there is an unknown field"]}
        raise InvalidFields(known | unknown) from None


def _ref(data: Body) -> SecretRef:
    return SecretRef(data["path"], is_path=True) if "path" in data else SecretRef(str(data["secret_id"]))


def _content(data: Body) -> Content | None:
    content: Content | None = data["secret"] if "secret" in data else data.get("generate")
    return content


def _options(data: Body) -> SecretOptions:
    options = {name: data[name] for name in SecretOptions.__annotations__ if name in data}
    for name in ("expires", "version_expires"):
        if f"{name}_in" in data:
            lifetime = data[f"{name}_in"]
            options[f"{name}_at"] = None if lifetime is None else timedelta(seconds=lifetime)
    return cast(SecretOptions, options)


def _require_each_once(characters: str) -> None:
    if len(set(characters)) != len(characters):
        raise ValidationError("write each character once")


def _require_at_most_one(data: Body, one: str, other: str) -> None:
    if one in data and other in data:
        raise ValidationError({other: [f"give {one} or {other}, not both"]})
