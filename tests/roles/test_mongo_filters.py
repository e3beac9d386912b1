"""What the members speak, and how they are told to the set-up."""

from typing import Any

from tests.roles import filters

FILTERS = filters("mongo")
MEMBERS = [
    {"name": "mongodb-1", "service": "stack_mongodb-1", "priority": 1},
    {"name": "mongodb-3", "service": "stack_mongodb-3", "priority": 0.5},
]


def service(name: str, command: list[str] | None) -> dict[str, Any]:
    """Return a service as ``docker service inspect`` prints it."""
    return {"Spec": {"Name": name, "TaskTemplate": {"ContainerSpec": {"Command": command}}}}


def test_the_mode_is_read_from_the_command() -> None:
    """Of members only, and only of those that have a service."""
    services = [
        service("stack_mongodb-1", ["mongod", "--tlsMode=preferTLS", "--quiet"]),
        service("stack_mongodb-10", ["mongod", "--tlsMode=requireTLS"]),
    ]

    assert {"mongodb-1": "preferTLS"} == FILTERS["mongo_tls_modes"](services, MEMBERS)


def test_a_member_of_before_there_was_tls_has_it_disabled() -> None:
    """Its command does not mention it."""
    services = [service("stack_mongodb-1", ["mongod"]), service("stack_mongodb-3", None)]

    assert {"mongodb-1": "disabled", "mongodb-3": "disabled"} == FILTERS["mongo_tls_modes"](services, MEMBERS)


def test_members_become_options() -> None:
    """With their address and priority."""
    options = FILTERS["mongo_member_options"](MEMBERS)

    assert "--member mongodb-1:27017,1 --member mongodb-3:27017,0.5" == options
