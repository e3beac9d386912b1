"""``metadata``: lists secrets, and reads and changes everything about them but their values."""

from __future__ import annotations

from typing import Any

from flask import Response

from ...access import paths, policy
from ...errors import InvalidFields
from ...models import Action
from ...records import Secret
from ...secrets import listing, put, read, versions
from ...secrets.listing import MAX_PAGE, ListQuery
from ...secrets.options import SecretOptions
from ..dependencies import dependencies
from . import answers, body, custom_metadata, options, shown
from .call import KvCall


def list_(kv: KvCall) -> Response:
    """Return the names in a folder, in one answer; deleted secrets are among them."""
    prefix = ("" if kv.mount is None else kv.mount.prefix) + (f"{kv.rest.rstrip('/')}/" if kv.rest else "")
    if prefix and not paths.is_path(prefix.removesuffix("/")):
        raise InvalidFields({"path": [f"invalid path: {paths.RULE}"]})
    policy.require(kv.call.principal, Action.LIST)
    names: set[str] = set()
    for deleted in (False, True):
        names |= _names(kv, prefix, deleted=deleted)
    return answers.envelope({"keys": sorted(names)}) if names else answers.refusal(404)


def describe(kv: KvCall) -> Response:
    """Return a secret's options and versions."""
    if kv.is_folder:
        return answers.refusal(404)
    ref = kv.secret(Action.LIST)
    return answers.envelope(
        shown.metadata_of(read.describe(dependencies().secrets, kv.call.entry, kv.call.principal, ref))
    )


def write(kv: KvCall) -> Response:
    """Set options, of a new secret without a value if there is none."""
    ref = kv.written(Action.UPDATE, Action.CREATE)
    sent = body.read_object()
    wanted = options.parse(sent)
    if "custom_metadata" in sent:
        wanted["labels"] = custom_metadata.parse(sent["custom_metadata"])
    if not wanted:
        # No secret is made of nothing.
        return answers.nothing()
    put.put_options(dependencies().secrets, kv.call.entry, kv.call.principal, ref, wanted)
    return answers.nothing()


def patch(kv: KvCall) -> Response:
    """Set options of a secret; custom metadata are merged."""
    ref = kv.written(Action.UPDATE)
    sent: dict[str, Any] = body.read_object()
    wanted = options.parse(sent)
    changes = custom_metadata.parse_patch(sent.get("custom_metadata"))
    if "custom_metadata" in sent and sent["custom_metadata"] is None:
        # A merge patch removes with null (RFC 7396).
        wanted["labels"] = {}

    def options_of(secret: Secret) -> SecretOptions:
        if not changes:
            return wanted
        return {**wanted, "labels": custom_metadata.patched(dict(secret.labels), changes)}

    put.patch_options(dependencies().secrets, kv.call.entry, kv.call.principal, ref, options_of)
    return answers.nothing()


def destroy(kv: KvCall) -> Response:
    """Destroy a secret, so that its path is free."""
    ref = kv.written(Action.DELETE)
    versions.destroy_all(dependencies().secrets, kv.call.entry, kv.call.principal, ref)
    return answers.nothing()


def _names(kv: KvCall, prefix: str, *, deleted: bool) -> set[str]:
    names: set[str] = set()
    cursor = None
    while True:
        query = ListQuery(prefix, recursive=False, deleted=deleted, cursor=cursor, limit=MAX_PAGE)
        page = listing.list_(dependencies().secrets, kv.call.entry, kv.call.principal, query)
        names |= {each.path for each in page.secrets if each.path is not None} | set(page.folders)
        if (cursor := page.cursor) is None:
            return {name.removeprefix(prefix) for name in names}
