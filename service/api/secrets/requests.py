"""The bodies of requests about secrets, loaded as the parameters of the use cases.

The OpenAPI document is generated from these schemas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from ...errors import InvalidFields
from ...grants import rules
from ...grants.rules import Recipient
from ...secrets.create import CreateSecret
from ...secrets.deliver import DeliverSecret
from ...secrets.generate import ALPHABETS, DEFAULT_ALPHABET, DEFAULT_LENGTH, MAX_CHARACTERS, Content, Recipe
from ...secrets.listing import MAX_MATCH_CHARACTERS, MAX_PAGE, MAX_WORDS, ListQuery
from ...secrets.modify import UpdateSecret
from ...secrets.options import MAX_KEPT_VERSIONS, SecretOptions
from ...secrets.read import SecretVersionRef
from ...store.secret_queries import SecretRef
from ...strict_json import describe_name
from ..fields import (
    ID,
    MAX_INTEGER,
    PATH,
    SECRET,
    VERSION,
    Base64Bytes,
    Text,
    count,
    decode_base64,
    flag,
    label_map,
    moment,
    seconds,
    wants_names,
)

MAX_BATCH = 100
_MAX_SWARM_TEXT = 1024
_SWARM_ID = {"description": "The id that the Swarm gave.", "example": "n2v8qjw0xk3m5r7t9y1b4c6d8"}

# A UUID as create returns it.
_CANONICAL_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_VALUE_WITH_OR_WITHOUT_PATH = ({"secret"}, {"secret", "path"})

Body = dict[str, Any]


class Generate(Schema):
    """How the service generates the value."""

    length = count(
        1, MAX_CHARACTERS, metadata={"description": f"Number of characters; default {DEFAULT_LENGTH}."}
    )
    alphabet = fields.String(
        validate=validate.OneOf(list(ALPHABETS)),
        metadata={"description": f"The characters to draw from; default {DEFAULT_ALPHABET}."},
    )
    characters = Text(
        validate=[validate.Length(2, 256), lambda characters: _require_each_once(characters)],
        metadata={
            "description": "Instead of an alphabet: the characters themselves, each once, at least two."
        },
    )

    @validates_schema
    def _require_one_alphabet(self, data: Body, **_: object) -> None:
        _require_at_most_one(data, "alphabet", "characters")

    @post_load
    def _build(self, data: Body, **_: object) -> Recipe:
        alphabet = ALPHABETS[data.get("alphabet", DEFAULT_ALPHABET)]
        return Recipe(data.get("length", DEFAULT_LENGTH), data.get("characters", alphabet))


class OptionFields(Schema):
    """Options that can be set when a secret is created and changed later."""

    labels = label_map()
    expires_in = seconds("Seconds until the secret expires; null for never.", 86_400)
    expires_at = moment("When the secret expires; null for never.")
    version_expires_in = seconds(
        "Seconds until the version of this request expires, or the current one if it has no value.", 3600
    )
    version_expires_at = moment(
        "When the version of this request expires, or the current one if it has no value."
    )
    max_reads = count(
        1,
        allow_none=True,
        metadata={
            "description": "The secret is destroyed after this many fetches, counted from now on.",
            "example": 1,
        },
    )
    max_versions = count(
        0,
        MAX_KEPT_VERSIONS,
        metadata={
            "description": "How many versions are kept; older ones are destroyed. 0, the default, is what the"
            " folder says, or else 10."
        },
    )
    cas_required = flag("Whether an update with a value must have an expected_version.")
    delete_version_after = seconds(
        "Seconds after which each new version is deleted automatically.", 2_592_000
    )

    @validates_schema
    def _require_one_expiry(self, data: Body, **_: object) -> None:
        _require_at_most_one(data, "expires_in", "expires_at")
        _require_at_most_one(data, "version_expires_in", "version_expires_at")


class CreateRequest(OptionFields):
    """A value to store: either ``secret``, or generated according to ``generate``."""

    secret = Base64Bytes(metadata=SECRET)
    generate = fields.Nested(Generate)
    path = fields.String(metadata=PATH)

    @validates_schema
    def _require_one_value(self, data: Body, **_: object) -> None:
        if ("secret" in data) == ("generate" in data):
            raise ValidationError({"secret": ["give either secret or generate"]})

    def load(self, data: Any, **options: Any) -> Any:
        """Load a body; the commonest takes a shorter way than marshmallow's to the same result."""
        if not options and isinstance(data, dict) and data.keys() in _VALUE_WITH_OR_WITHOUT_PATH:
            secret, path = data["secret"], data.get("path", "")
            if isinstance(secret, str) and isinstance(path, str):
                return CreateSecret(decode_base64(secret), data.get("path"))
        return super().load(data, **options)

    @post_load
    def _build(self, data: Body, **_: object) -> CreateSecret:
        # _require_one_value has checked that there is a value.
        return CreateSecret(cast(Content, _content(data)), data.get("path"), _options(data))


class CreateBatchRequest(Schema):
    """Values to store."""

    secrets = fields.List(fields.Nested(CreateRequest), required=True, validate=validate.Length(1, MAX_BATCH))
    all_or_nothing = flag("Whether nothing is stored if one value cannot be stored.")


class Name(Schema):
    """A secret, by its id or its path."""

    secret_id = fields.UUID(metadata=ID)
    path = fields.String(metadata=PATH)

    @validates_schema
    def _require_one_name(self, data: Body, **_: object) -> None:
        if ("secret_id" in data) == ("path" in data):
            raise ValidationError("give either secret_id or path")

    @post_load
    def _build(self, data: Body, **_: object) -> Any:
        return _ref(data)


class DescribeRequest(Name):
    """What to describe."""

    names = wants_names()

    @post_load
    def _build(self, data: Body, **_: object) -> tuple[SecretRef, bool]:
        return _ref(data), data.get("names", False)


class AccessRequest(Schema):
    """A path."""

    path = fields.String(required=True, metadata=PATH)


class FetchRequest(Name):
    """A secret and one of its versions; by default the current one."""

    version = count(1, metadata=VERSION)

    def load(self, data: Any, **options: Any) -> Any:
        """Load a body; the commonest takes a shorter way than marshmallow's to the same result."""
        if not options and isinstance(data, dict) and len(data) == 1:
            (name, text), *_ = data.items()
            if name == "secret_id" and isinstance(text, str) and _CANONICAL_ID.fullmatch(text):
                return SecretVersionRef(SecretRef(text))
            if name == "path" and isinstance(text, str):
                return SecretVersionRef(SecretRef(text, is_path=True))
        return super().load(data, **options)

    @post_load
    def _build(self, data: Body, **_: object) -> SecretVersionRef:
        return SecretVersionRef(_ref(data), data.get("version"))


class FetchBatchRequest(Schema):
    """The secrets to fetch."""

    secrets = fields.List(fields.Nested(FetchRequest), required=True, validate=validate.Length(1, MAX_BATCH))
    all_or_nothing = flag("Whether no value is returned, and no read used up, if one cannot be read.")


class SwarmService(Schema):
    """A Swarm service."""

    id = fields.String(required=True, validate=lambda text: _require_id(text), metadata=_SWARM_ID)
    name = fields.String(
        required=True, validate=lambda text: _require_name(text), metadata={"example": "billing_api"}
    )
    labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "Whoever creates a service chooses them: they decide nothing."},
    )
    image = Text(
        validate=validate.Length(max=_MAX_SWARM_TEXT),
        metadata={"description": "As the service has it: with a digest, if it has one."},
    )


class SwarmTask(Schema):
    """A task of a service."""

    id = fields.String(required=True, validate=lambda text: _require_id(text), metadata=_SWARM_ID)
    name = Text(
        validate=validate.Length(max=_MAX_SWARM_TEXT), metadata={"example": "billing_api.1.n2v8qjw0xk3m"}
    )


class SwarmNode(Schema):
    """A node of the Swarm."""

    id = fields.String(required=True, validate=lambda text: _require_id(text), metadata=_SWARM_ID)


class DeliverRequest(Schema):
    """A secret, and who it is for, as the Swarm's manager says."""

    path = fields.String(required=True, metadata=PATH)
    version = count(
        1, metadata={**VERSION, "description": "The version's number; by default the current one."}
    )
    service = fields.Nested(SwarmService, required=True)
    task = fields.Nested(SwarmTask, metadata={"description": "Required, unless it is a check."})
    node = fields.Nested(SwarmNode, metadata={"description": "Required, unless it is a check."})
    docker_secret = fields.String(
        validate=lambda text: _require_name(text),
        metadata={
            "description": "The name of the Docker secret. Required, unless it is a check.",
            "example": "db-password.v1",
        },
    )
    check = flag("Whether only to decide: no value is returned, and it is recorded as a check.")

    def load(self, data: Any, **options: Any) -> Any:
        """Load a body; the driver's takes a shorter way than marshmallow's to the same result."""
        if not options and (request := _drivers_request(data)) is not None:
            return request
        return super().load(data, **options)

    @validates_schema
    def _require_recipient(self, data: Body, **_: object) -> None:
        missing = {"task", "node", "docker_secret"} - data.keys()
        if missing and not data.get("check"):
            raise ValidationError({name: ["required, unless check is true"] for name in sorted(missing)})

    @post_load
    def _build(self, data: Body, **_: object) -> DeliverSecret:
        recipient = Recipient(
            service=data["service"]["name"],
            service_id=data["service"]["id"],
            image=data["service"].get("image", ""),
            task_id=data.get("task", {}).get("id", ""),
            node_id=data.get("node", {}).get("id", ""),
            docker_secret=data.get("docker_secret", ""),
        )
        return DeliverSecret(_ref(data), data.get("version"), recipient, check=data.get("check", False))


class UpdateRequest(Name, OptionFields):
    """A secret and what to change: a value adds a version, and null removes an option."""

    secret = Base64Bytes(metadata=SECRET)
    generate = fields.Nested(Generate)
    expected_version = count(
        0,
        metadata={
            "description": "Update only if this is the current version. 0 with a path and a value: create the"
            " secret, only if it does not exist."
        },
    )
    new_path = fields.String(metadata={**PATH, "description": "The secret's new path."})

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
    """A whole secret, or some of its versions."""

    versions = fields.List(
        count(1),
        validate=validate.Length(1, MAX_KEPT_VERSIONS),
        metadata={"description": "Only these versions; by default the whole secret.", "example": [1]},
    )

    @post_load
    def _build(self, data: Body, **_: object) -> tuple[SecretRef, frozenset[int]]:
        return _ref(data), frozenset(data.get("versions", ()))


class DestroyRequest(VersionsRequest):
    """What to destroy."""

    in_use = flag("True to destroy even what Swarm services are known to use, as describe shows it.")

    @post_load
    def _build(self, data: Body, **_: object) -> tuple[SecretRef, frozenset[int], bool]:
        return (*super()._build(data), data.get("in_use", False))


class ListRequest(Schema):
    """What to list."""

    prefix = fields.String(
        metadata={
            "description": "Only paths with this prefix: a path, or a path followed by a slash.",
            "example": "team/app/",
        }
    )
    labels = label_map()
    recursive = flag(
        "False for one level: paths with a slash after the prefix are shown as folders. Default true."
    )
    deleted = flag("True for only deleted secrets, which can be restored.")
    unnamed = flag("True for only secrets without a path: those of your token, or all for administrators.")
    match = Text(
        validate=validate.Length(max=MAX_MATCH_CHARACTERS),
        metadata={
            "description": f"Only secrets that have each of these words, at most {MAX_WORDS}, in their path"
            " or in a label, in upper or lower case. Looks at every secret in question.",
            "example": "billing prod",
        },
    )
    ends_before = fields.AwareDateTime(
        metadata={
            "description": "Only secrets that end before this time.",
            "example": "2090-01-31T12:00:00+00:00",
        }
    )
    cursor = fields.String(metadata={"description": "`cursor` of the previous page."})
    limit = count(1, MAX_PAGE, metadata={"description": "Entries per page; default 100."})

    @validates_schema
    def _refuse_prefix_of_unnamed(self, data: Body, **_: object) -> None:
        if data.get("unnamed") and "prefix" in data:
            raise ValidationError(
                {"prefix": ["secrets without a path have no prefix: omit either prefix or unnamed"]}
            )

    @post_load
    def _build(self, data: Body, **_: object) -> ListQuery:
        return ListQuery(**data)


def create_request(body: Mapping[str, object]) -> CreateSecret:
    """Return the parameters of a create from a body that did not come in an HTTP request.

    Raises:
        InvalidFields: the body does not fit the schema; an unknown field is named only if its name is a plain
            word, because it may be anything, even a secret.
        InvalidBase64: the value is not base64.
    """
    schema = CreateRequest()
    try:
        return cast(CreateSecret, schema.load(body))
    except ValidationError as error:
        by_field = error.normalized_messages()  # type: ignore[no-untyped-call]  # marshmallow's has no types
        known = {name: texts for name, texts in by_field.items() if name in {"_schema", *schema.fields}}
        unknown = [describe_name(str(name)) for name in by_field if name not in known]
        if unknown:
            known |= {"_schema": [*known.get("_schema", []), f"there is an unknown field, {unknown[0]}"]}
        raise InvalidFields(known) from None


def _drivers_request(data: object) -> DeliverSecret | None:
    """Return what a body as the driver sends it says, or None: then the schema decides."""
    match data:
        case {
            "path": str(path),
            "service": {
                "id": str(service_id),
                "name": str(name),
                "labels": dict(labels),
                "image": str(image),
                **a,
            },
            "task": {"id": str(task_id), "name": str(task), **b},
            "node": {"id": str(node_id), **c},
            "docker_secret": str(docker_secret),
            **rest,
        } if not (a or b or c or rest.keys() - {"version"}):
            version = rest.get("version", 1)
            texts = (image, task)
            if (
                type(version) is int
                and 1 <= version <= MAX_INTEGER
                and all(map(rules.is_id, (service_id, task_id, node_id)))
                and all(map(rules.is_name, (name, docker_secret)))
                and all(text.isascii() and len(text) <= _MAX_SWARM_TEXT for text in texts)
                and all(isinstance(label, str) for label in labels.values())
            ):
                recipient = Recipient(name, service_id, image, task_id, node_id, docker_secret)
                return DeliverSecret(SecretRef(path, is_path=True), version if rest else None, recipient)
    return None


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


def _require_id(text: str) -> None:
    if not rules.is_id(text):
        raise ValidationError("not an id of the Swarm: letters and digits")


def _require_name(text: str) -> None:
    if not rules.is_name(text):
        raise ValidationError(
            "not a name in the Swarm: letters, digits and _ . -, beginning with one of the first"
        )


def _require_each_once(characters: str) -> None:
    if len(set(characters)) != len(characters):
        raise ValidationError("write each character once")


def _require_at_most_one(data: Body, one: str, other: str) -> None:
    if one in data and other in data:
        raise ValidationError({other: [f"give {one} or {other}, not both"]})
