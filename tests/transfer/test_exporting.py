"""transfer.exporting: everything that can be created elsewhere, and the reasons for the rest."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from pymongo.database import Database

from service.access import policy
from service.audit.recorder import Entry
from service.models import now
from service.secrets import folders, modify
from service.secrets.create import CreateSecret, create_secret
from service.secrets.services import SecretServices
from service.store.secret_queries import SecretRef
from service.transfer import exporting
from service.transfer.exporting import Unopened
from tests.secrets.secrets import DAY, entry, keep, value_of


def export(
    vault: SecretServices, folder: str = "", audit: Entry | None = None
) -> tuple[list[CreateSecret | Unopened], Counter[str]]:
    """Return everything that is exported, and why the rest is not."""
    found: list[CreateSecret | Unopened] = []
    left_out: Counter[str] = Counter()
    for page in exporting.pages(vault, policy.OPERATOR, folder):
        left_out += page.left_out
        found += exporting.open_(vault, audit or entry(), page)
    return found, left_out


def test_exports_values_with_their_settings(vault: SecretServices) -> None:
    """The settings that differ from a new secret's defaults, as they are now."""
    end = now() + DAY
    options = {
        "labels": {"env": "prod"},
        "expires_at": end,
        "version_expires_at": end,
        "max_versions": 3,
        "cas_required": True,
        "delete_version_after": 86_400,
    }
    keep(vault, "plain", b"1")
    keep(vault, "settled", b"2", **options)
    keep(vault, "updated", b"old")
    modify.update(vault, entry(), policy.OPERATOR, SecretRef("updated", True), modify.UpdateSecret(b"3"))

    found, left_out = export(vault)

    assert [
        CreateSecret(b"1", "plain"),
        CreateSecret(b"2", "settled", options),
        CreateSecret(b"3", "updated"),
    ] == found
    assert Counter() == left_out


def test_exports_one_folder(vault: SecretServices) -> None:
    """Everything below it, at any depth, but no folder whose name only begins with its name."""
    for path in ("a", "a/b", "a/b/c", "a0", "ab", "b"):
        keep(vault, path)

    paths = [one.path for one in export(vault, "a/")[0]]

    assert ["a/b", "a/b/c"] == paths


@pytest.mark.parametrize("max_bytes", [16 * 2**20, 8 * 2**20, 65_536])
def test_goes_through_all_pages(vault: SecretServices, max_bytes: int) -> None:
    """Ordered by path, however many fit into a page."""
    names = [f"{number}" for number in range(9)]
    for name in names:
        keep(vault, name)

    assert names == [one.path for one in export(replace(vault, max_secret_bytes=max_bytes))[0]]


def test_leaves_out_what_cannot_be_copied(vault: SecretServices, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts them by reason; destroyed secrets and options of folders are not counted."""
    monkeypatch.setattr(folders, "HOLD_SECONDS", 0)
    folders.configure(vault, entry(), policy.OPERATOR, "folder/", {"max_versions": 3})
    create_secret(vault, entry(), policy.OPERATOR, CreateSecret(None, "empty"))
    keep(vault, "deleted")
    modify.delete(vault, entry(), policy.OPERATOR, SecretRef("deleted", True))
    keep(vault, "version-deleted")
    modify.delete(vault, entry(), policy.OPERATOR, SecretRef("version-deleted", True), [1])
    keep(vault, "expired", expires_at=timedelta(seconds=1))
    keep(vault, "version-destroyed")
    modify.destroy(vault, entry(), policy.OPERATOR, SecretRef("version-destroyed", True), [1])
    keep(vault, "destroyed")
    modify.destroy(vault, entry(), policy.OPERATOR, SecretRef("destroyed", True))
    keep(vault, "limited", max_reads=2)
    keep(vault, None)

    found, left_out = export(replace(vault, clock=lambda: now() + timedelta(seconds=2)))

    assert [] == found
    assert {
        "deleted": 2,
        "expired": 1,
        "destroyed": 1,
        "limited in reads": 1,
        "without a path": 1,
        "without a value": 1,
    } == left_out
    assert b"value" == value_of(vault, "limited")


def test_counts_secrets_without_a_path_only_if_all_are_exported(vault: SecretServices) -> None:
    """They are in no folder."""
    keep(vault, None)

    assert Counter() == export(vault, "a/")[1]


def test_names_what_does_not_open(vault: SecretServices, database: Database) -> None:
    """An altered payload, another path, or a malformed document: the others are exported."""
    for path in ("a", "payload", "place", "shape", "z"):
        keep(vault, path)
    database.secrets.update_one({"path": "payload"}, {"$set": {"versions.0.payload": bytes(60)}})
    database.secrets.update_one({"path": "place"}, {"$set": {"path": "moved"}})
    database.secrets.update_one({"path": "shape"}, {"$set": {"versions": "none"}})
    audit = entry()

    found, left_out = export(vault, audit=audit)

    assert ["a", "moved", "payload", "shape", "z"] == [one.path for one in found]
    assert ["moved", "payload", "shape"] == [one.path for one in found if isinstance(one, Unopened)]
    assert [None, "tampered", "tampered", "tampered", None] == [item.reason for item in audit.items]
    assert Counter() == left_out


def test_every_secret_has_its_own_record(vault: SecretServices) -> None:
    """With its id and path; what is left out was not exported, so it has no record."""
    kept = [keep(vault, path) for path in ("a", "b")]
    keep(vault, "c", max_reads=1)
    audit = entry()

    export(vault, audit=audit)
    records = audit.finish(None)

    assert [(one.secret_id, one.path) for one in kept] == [(one.secret_id, one.path) for one in records]
    assert {("operator", "success")} == {(one.actor, one.status) for one in records}
