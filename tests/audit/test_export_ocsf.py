"""audit.export_ocsf: which activity an operation is, and through which API it came."""

from typing import Any

import pytest

from service.audit.export_ocsf import event
from service.models import AuditRecord, Status, now

CREATE, READ, UPDATE, DELETE, OTHER = 1, 2, 3, 4, 99


def record(operation: str, **known: Any) -> AuditRecord:
    """Return a record of an operation."""
    return AuditRecord(now(), operation, None, "192.0.2.7", Status.SUCCESS, "operator", "r", None, **known)


@pytest.mark.parametrize(
    ("operation", "activity"),
    [
        ("create", CREATE),
        ("token_create", CREATE),
        ("grant_create", CREATE),
        ("approle_create", CREATE),
        ("approle_secret_id_create", CREATE),
        ("folder_describe", READ),
        ("folder_configure", UPDATE),
        ("approle_delete", DELETE),
        ("approle_secret_id_revoke", DELETE),
        ("approle_login", OTHER),
    ],
)
def test_activities(operation: str, activity: int) -> None:
    """What has no word in OCSF's class is another activity."""
    found = event("1", record(operation))

    assert (activity, 600300 + activity) == (found["activity_id"], found["type_uid"])


def test_names_the_api_of_vaults_clients() -> None:
    """Other records have no version of it."""
    assert "v1" == event("1", record("fetch", api="v1"))["api"]["version"]
    assert "version" not in event("1", record("fetch"))["api"]


def test_names_roles_and_secret_ids() -> None:
    """Each by its id."""
    found = event("1", record("approle_login", role_id="r", accessor="a"))["resources"]

    assert [("approle", "r"), ("approle secret id", "a")] == [(each["type"], each["uid"]) for each in found]
