"""mongo_admin.upgrade: the versions of members and data, and which one may come next."""

import pytest

from service.errors import ConfigurationError
from service.mongo_admin import upgrade
from service.mongo_admin.users import Login
from tests.replica_set import ADMIN_PASSWORD, Mongod, command, uri


def test_an_upgrade_takes_one_major_version_at_a_time_and_is_finished_by_hand(ready: list[Mongod]) -> None:
    """A real set whose data is marked for the previous version, as it is after an upgrade."""
    first, *_ = ready
    first.admin("setFeatureCompatibilityVersion", "5.0")
    with Login.from_uri(uri("admin", ADMIN_PASSWORD, "admin", first)).connect() as admin:
        running = upgrade.member_versions(admin, None)
        assert sorted(member.host for member in ready) == list(running)
        (version,) = set(running.values())
        series = version.rpartition(".")[0]
        assert "5.0" == upgrade.data_version(admin)

        upgrade.check(admin, "5.0.30")
        upgrade.check(admin, version)
        with pytest.raises(ConfigurationError, match=r"marked for MongoDB 5\.0, and .* roll out 6\.0 first"):
            upgrade.check(admin, "7.0.26")
        with pytest.raises(
            ConfigurationError, match=r"marked for MongoDB 5\.0, and 4\.4\.1 .* restore a backup"
        ):
            upgrade.check(admin, "4.4.1")

        assert [f"the data is marked for MongoDB {series}"] == upgrade.finish(admin, None)

        assert [] == upgrade.finish(admin, None)
        upgrade.check(admin, "7.0.26")
        with pytest.raises(ConfigurationError, match=r"5\.0\.30 cannot open it"):
            upgrade.check(admin, "5.0.30")


def test_the_commands_show_and_check_versions(ready: list[Mongod]) -> None:
    """As the playbook calls them."""
    first, *_ = ready

    code, said = command(first, "versions")
    assert 0 == code
    assert [*(member.host for member in sorted(ready, key=lambda member: member.host)), "data"] == [
        line.split()[0] for line in said.splitlines()
    ]
    assert (0, "") == command(first, "check-version", "7.0.26")
    code, said = command(first, "check-version", "8.0.4")
    assert 2 == code
    assert said.startswith("secret-manager: the data is marked for MongoDB 6.0, and 8.0.4 cannot open it")
    assert (0, "") == command(first, "finish-upgrade")
    code, said = command(first, "check-version", "seven")
    assert 2 == code
    assert "seven is not a version of mongod, like 7.0.26" in said


def test_members_of_different_versions_are_not_marked_for_one(
    ready: list[Mongod], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the middle of an upgrade; there is only one mongod version here, so its answers are replaced."""
    first, *_ = ready
    monkeypatch.setattr(upgrade, "member_versions", lambda *_: {"a": "6.0.5", "b": "7.0.26"})
    with (
        Login.from_uri(uri("admin", ADMIN_PASSWORD, "admin", first)).connect() as admin,
        pytest.raises(ConfigurationError, match=r"different versions of MongoDB: a 6\.0\.5, b 7\.0\.26"),
    ):
        upgrade.finish(admin, None)
