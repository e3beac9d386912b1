"""swarm.consumers: which services use a secret, and which of them cannot be rolled."""

from typing import Any

import pytest

from service.swarm.consumers import Allowances, find_consumers, obstacles
from service.swarm.objects import read_objects
from tests.swarm.memory import PATH, MemoryEngine, service


class Engine(MemoryEngine):
    """Has one service, as it is given, and the image that it is given, if any."""

    def __init__(self, document: dict[str, Any], image: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.documents = {document["ID"]: document}
        self._image = image

    def image(self, name: str) -> dict[str, Any]:
        return super().image(name) if self._image is None else self._image


def reasons(
    document: dict[str, Any], image: dict[str, Any] | None = None, target: int = 2, **allowed: bool
) -> list[str]:
    """Return why the service cannot be rolled."""
    engine = Engine(document, image)
    (found,) = find_consumers(engine, read_objects(engine.secrets(), PATH))
    return list(obstacles(engine, found, target, Allowances(**allowed)))


def changed(**spec: Any) -> dict[str, Any]:
    """Return a service whose specification has other parts."""
    document = service("api")
    document["Spec"] |= spec
    return document


def with_test(test: list[str] | None) -> dict[str, Any]:
    """Return a service with another health check."""
    document = service("api")
    document["Spec"]["TaskTemplate"]["ContainerSpec"]["Healthcheck"] = {"Test": test}
    return document


def test_finds_those_that_name_an_object_and_sorts_them() -> None:
    """Not those with another secret, or with none."""
    engine = MemoryEngine("web", "api", "job", "stranger", "bare")
    engine.documents["stranger"]["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretID"] = "other"
    engine.documents["bare"]["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"] = None

    found = find_consumers(engine, read_objects(engine.secrets(), PATH))

    assert ["api", "job", "web"] == [each.name for each in found]
    assert all(each.is_on(1) for each in found)


def test_nothing_is_against_a_service_that_swarm_rolls_back() -> None:
    """Replicated or global."""
    assert [] == reasons(service("api"))
    assert [] == reasons(changed(Mode={"Global": {}}))


@pytest.mark.parametrize("config", [None, {}, {"FailureAction": ""}, {"FailureAction": "pause"}])
def test_the_default_failure_action_is_pause(config: dict[str, str] | None) -> None:
    """It is refused, with what to do, unless the operator allows it."""
    (reason,) = reasons(changed(UpdateConfig=config))

    assert "has the failure action pause: set it with `docker service update" in reason
    assert [] == reasons(changed(UpdateConfig=config), any_failure_action=True)


@pytest.mark.parametrize(
    ("test", "image", "is_checked"),
    [
        (["CMD", "true"], None, True),
        (["NONE"], {"Config": {"Healthcheck": {"Test": ["CMD", "true"]}}}, False),
        ([], {"Config": {"Healthcheck": {"Test": ["CMD", "true"]}}}, True),
        (None, {"Config": {"Healthcheck": {"Test": ["CMD", "true"]}}}, True),
        (None, {"Config": {"Healthcheck": {"Test": ["NONE"]}}}, False),
        (None, {"Config": {}}, False),
        (None, {"Config": None}, False),
    ],
    ids=[
        "own",
        "switched off",
        "empty: the image's",
        "the image's",
        "NONE in the image",
        "none",
        "no config",
    ],
)
def test_needs_a_health_check_of_its_own_or_of_its_image(
    test: list[str] | None, image: dict[str, Any] | None, is_checked: bool
) -> None:
    """It is refused, with what to do, unless the operator allows it."""
    found = reasons(with_test(test), image)

    lack = "has no health check: give the service one, or give --no-health-check"
    assert ([] if is_checked else [lack]) == found
    assert [] == reasons(with_test(test), image, no_health_check=True)


def test_says_if_the_image_is_not_on_the_node() -> None:
    """So it cannot know."""
    (reason,) = reasons(with_test(None))

    assert "its image, which may have one, is not on this node" in reason


@pytest.mark.parametrize("state", ["updating", "paused", "rollback_started", "rollback_paused"])
def test_waits_for_no_update_of_somebody_else(state: str) -> None:
    """It is refused; but one to the target is a roll's that was killed."""
    document = service("api") | {"UpdateStatus": {"State": state}}

    (reason,) = reasons(document)
    assert f"has an update that is {state.replace('_', ' ')}" in reason
    assert (state == "updating") == (reasons(document, target=1) == [])


@pytest.mark.parametrize("state", ["", "completed", "rollback_completed"])
def test_an_update_that_has_ended_is_no_matter(state: str) -> None:
    """Neither is one that there never was."""
    assert [] == reasons(service("api") | {"UpdateStatus": {"State": state}})


@pytest.mark.parametrize("mode", ["ReplicatedJob", "GlobalJob"])
def test_a_job_is_not_rolled(mode: str) -> None:
    """It ends by itself."""
    (reason,) = reasons(changed(Mode={mode: {}}))

    assert "is a job" in reason
