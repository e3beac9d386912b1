"""secrets.defaults: which options apply to a secret."""

import pytest

from service.records import Defaults
from service.secrets import defaults
from tests.secrets.secrets import secret


@pytest.mark.parametrize(
    ("own", "of_folder", "expected"),
    [
        ({"max_versions": 0}, Defaults(), Defaults(10)),
        ({"max_versions": 0}, Defaults(3), Defaults(3)),
        ({"max_versions": 5}, Defaults(3), Defaults(5)),
        ({"max_versions": 2}, Defaults(3), Defaults(3)),
        ({"cas_required": True}, Defaults(), Defaults(10, cas_required=True)),
        ({}, Defaults(cas_required=True), Defaults(10, cas_required=True)),
        ({"delete_version_after": 60}, Defaults(), Defaults(10, delete_version_after=60)),
        ({}, Defaults(delete_version_after=60), Defaults(10, delete_version_after=60)),
        (
            {"delete_version_after": 90},
            Defaults(delete_version_after=60),
            Defaults(10, delete_version_after=60),
        ),
    ],
)
def test_what_applies(own: dict[str, int], of_folder: Defaults, expected: Defaults) -> None:
    """More versions, the shorter time, and an expected version if either wants one."""
    assert expected == defaults.applied(secret(1, **own), of_folder)


def test_what_is_inherited() -> None:
    """What applies although the secret does not say so."""
    assert [] == defaults.inherited(secret(1), defaults.NONE)
    assert ["max_versions"] == defaults.inherited(secret(1, max_versions=0), defaults.NONE)
    assert ["max_versions", "cas_required", "delete_version_after"] == defaults.inherited(
        secret(1, max_versions=0), Defaults(3, True, 60)
    )
