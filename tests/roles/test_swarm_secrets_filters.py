"""Which Docker secrets, mounts and grants services need for the vault's secrets that they are to have."""

from typing import Any

import pytest

from tests.roles import filters

FILTERS = {name.removeprefix("swarm_secrets_"): each for name, each in filters("swarm_secrets").items()}
PATH = "team/app/db-password"
LIVE = {
    "version": 4,
    "state": "live",
    "max_reads": None,
    "versions": [
        {"version": 2, "state": "destroyed"},
        {"version": 3, "state": "live"},
        {"version": 4, "state": "live"},
    ],
}


def entries(*services: dict[str, str] | str, **options: str) -> list[dict[str, Any]]:
    """Return one entry for these services, as the role completes it."""
    named = [{"name": each} if isinstance(each, str) else each for each in services]
    return FILTERS["entries"]([{"path": PATH, "services": named, **options}])


def plan(*services: dict[str, str] | str, **options: str) -> list[dict[str, Any]]:
    """Return the entry with what the vault says."""
    return FILTERS["plan"](entries(*services, **options), [LIVE])


def docker_secret(version: int, **spec: Any) -> dict[str, Any]:
    """Return a Docker secret of this version as `docker secret inspect` shows it."""
    labels = {"secret-manager.path": PATH, "secret-manager.version": str(version)}
    common = {"Name": f"db-password.v{version}", "Labels": labels, "Driver": {"Name": "secret-manager"}}
    return {"ID": f"id{version}", "Spec": common | spec}


def mount(version: int, target: str = "db-password", mode: int = 0o444) -> dict[str, Any]:
    """Return a mount of this version as a service has it."""
    file = {"Name": target, "UID": "0", "GID": "0", "Mode": mode}
    return {"File": file, "SecretID": f"id{version}", "SecretName": f"db-password.v{version}"}


def service(*mounts: dict[str, Any], previous: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return the service `app_web` with these mounts."""
    return {"name": "app_web", "secrets": list(mounts), "previous": previous, "update": None}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"version": "03"}, "the version of team/app/db-password is 03; write a number from 1, or latest"),
        ({"version": "current"}, "write a number from 1, or latest"),
        ({"name": "a,b"}, "set `name`"),
        ({"name": "x" * 51}, "at most 50"),
        ({"path": "/team/app"}, "a path has no slash at its start or end"),
    ],
)
def test_says_what_is_wrong_with_an_entry(options: dict[str, str], says: str) -> None:
    """Before anything is asked or changed."""
    assert says in "; ".join(FILTERS["mistakes"](entries("app_web", **options)))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"name": "secret-manager_api"}, "must start without it"),
        ({"name": "--detach"}, "is no name of a service"),
        ({"target": "x,mode=0777"}, "the target x,mode=0777 of app_web"),
        ({"mode": "292"}, "is not four octal digits in quotes"),
        ({"uid": "root"}, "the uid root of app_web is no number"),
    ],
)
def test_says_what_is_wrong_with_a_mount(options: dict[str, str], says: str) -> None:
    """A mode without quotes is a decimal number by the time it is read."""
    assert says in "; ".join(FILTERS["mistakes"](entries({"name": "app_web", **options})))


def test_says_what_two_entries_cannot_share() -> None:
    """The name of the Docker secrets, and a file."""
    mistakes = "; ".join(FILTERS["mistakes"](entries("app_web") + entries("app_web")))

    assert "two entries have the name db-password" in mistakes
    assert "app_web gets two secrets as db-password" in mistakes


def test_latest_becomes_the_number_that_is_current() -> None:
    """The object is pinned, so that a rollback brings the old value back."""
    (planned,) = plan("app_web", encoding="base64")

    assert "db-password.v4" == planned["object"]
    assert {
        "secret-manager.path": PATH,
        "secret-manager.version": "4",
        "secret-manager.encoding": "base64",
    } == planned["labels"]


@pytest.mark.parametrize(
    ("version", "document", "says"),
    [
        ("3", LIVE, ""),
        ("2", LIVE, "version 2 of team/app/db-password is destroyed"),
        ("5", LIVE, "there is no version 5 of team/app/db-password"),
        ("latest", LIVE | {"state": "deleted"}, "version 4 of team/app/db-password is deleted"),
        ("latest", LIVE | {"max_reads": 1}, "has max_reads"),
    ],
)
def test_says_which_version_is_not_delivered(version: str, document: dict[str, Any], says: str) -> None:
    """A task would only say that its secret was not found."""
    (planned,) = FILTERS["plan"](entries(version=version), [document])

    assert says in planned["problem"]
    assert bool(says) == bool(planned["problem"])


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"Driver": None}, "a value of its own"),
        ({"Driver": {"Name": "other"}}, "the driver other"),
        ({"Labels": {"secret-manager.path": "x", "secret-manager.version": "4"}}, "'x'"),
        ({"Labels": None}, "db-password.v4 has {}"),
    ],
)
def test_says_which_objects_are_not_what_is_wanted(spec: dict[str, Any], says: str) -> None:
    """Their value would be another one."""
    (words,) = FILTERS["others"](plan("app_web"), [docker_secret(4, **spec)])

    assert says in words


def test_labels_of_others_do_no_harm() -> None:
    """`docker stack deploy` adds one, and a tag may be written out."""
    labels = docker_secret(4)["Spec"]["Labels"] | {"com.docker.stack.namespace": "app"}
    found = [docker_secret(4, Labels=labels, Driver={"Name": "secret-manager:latest"})]

    assert [] == FILTERS["others"](plan("app_web"), found)
    assert [] == FILTERS["missing"](plan("app_web"), found)


def test_exchanges_a_mount_in_one_update() -> None:
    """The one with this target; others of the service are left alone."""
    wanted = plan({"name": "app_web", "uid": "1000", "gid": "1000", "mode": "0400"}, "not_there")

    (update,) = FILTERS["updates"](wanted, [docker_secret(3)], [service(mount(3), mount(9, "other"))])

    added = "source=db-password.v4,target=db-password,uid=1000,gid=1000,mode=0400"
    assert ["--secret-rm", "db-password.v3", "--secret-add", added, "app_web"] == update["command"][5:]


def test_keeps_a_second_mount_of_the_object_that_goes() -> None:
    """`--secret-rm` names an object, and takes all of its mounts away."""
    found = [service(mount(3), mount(3, "/etc/kept", mode=0o400))]

    (update,) = FILTERS["updates"](plan("app_web"), [docker_secret(3)], found)

    assert "source=db-password.v3,target=/etc/kept,uid=0,gid=0,mode=0400" == update["command"][-2]


@pytest.mark.parametrize(("mounted", "updates"), [(mount(4), 0), (mount(4, mode=0o400), 1)])
def test_a_service_that_mounts_what_is_wanted_is_left_alone(mounted: dict[str, Any], updates: int) -> None:
    """Owner and mode of the file included."""
    assert updates == len(FILTERS["updates"](plan("app_web"), [docker_secret(4)], [service(mounted)]))


def test_removes_nothing_that_a_service_mounts_or_may_roll_back_to() -> None:
    """Swarm accepts a rollback to a secret that is gone, and then starts no task."""
    found = [docker_secret(number) for number in (1, 2, 3, 4, 5)]
    services = [service(mount(3), previous=[mount(2)])]

    assert ["db-password.v1"] == FILTERS["unneeded"](plan("app_web"), found, services)
    absent = entries(state="absent")
    assert ["db-password.v1", "db-password.v4", "db-password.v5"] == FILTERS["unneeded"](
        absent, found, services
    )
    assert ["db-password.v3 in app_web"] == FILTERS["mounted"](absent, found, services)


def test_removes_nothing_of_others() -> None:
    """Another path under the same name, a value of its own, another name that begins alike."""
    found = [
        docker_secret(1, Labels={"secret-manager.path": "x", "secret-manager.version": "1"}),
        docker_secret(1, Name="db-password.v2", Driver=None),
        docker_secret(1, Name="db-password.vault"),
        docker_secret(1, Name="db-password2.v1"),
    ]

    assert [] == FILTERS["unneeded"](entries(state="absent"), found, [])


@pytest.mark.parametrize(
    ("services", "paths", "covered"),
    [
        (["app_web"], [PATH], True),
        (["app_*"], ["team/app/*"], True),
        (["*"], ["*"], True),
        (["app_we"], [PATH], False),
        (["app_web"], ["team/app"], False),
    ],
)
def test_grants_only_what_no_grant_names(services: list[str], paths: list[str], covered: bool) -> None:
    """One with a condition counts: another without it would undo the condition."""
    grant = {"services": services, "paths": paths, "nodes": ["n1"], "images": []}

    missing = FILTERS["grants_missing"](plan("app_web"), [grant])

    assert ([] if covered else [{"services": ["app_web"], "paths": [PATH]}]) == missing


def test_revokes_only_what_is_for_nothing_else() -> None:
    """A grant of more paths or more services stays."""
    grants = [
        {"grant_id": "1", "services": ["app_web"], "paths": [PATH]},
        {"grant_id": "2", "services": ["app_web", "app_api"], "paths": [PATH]},
        {"grant_id": "3", "services": ["app_web"], "paths": [PATH, "x"]},
        {"grant_id": "4", "services": ["app_*"], "paths": [PATH]},
    ]

    assert ["1"] == FILTERS["grants_over"](entries("app_web", state="absent"), grants)
