"""api.kv beside OpenBao: the same requests have the same answers, but for what is known to differ."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import requests
from pymongo import MongoClient

from service.dev.mongod import EmbeddedMongo
from tests import databases
from tests.api.kv.oracle import (
    config,
    data,
    lists,
    metadata,
    rules,
    system,
    tokens,
    versions,
    wrapping,
)
from tests.api.kv.oracle.comparison import Side, differences
from tests.api.kv.oracle.known import KNOWN, Known
from tests.api.kv.oracle.scenarios import ADMIN, Scenario
from tests.conftest import variables
from tests.gunicorn_server import ROOT, Server
from tests.openbao import ROOT_TOKEN, OpenBao

SCENARIOS = tuple(
    scenario
    for table in (rules, data, versions, metadata, lists, config, system, tokens, wrapping)
    for scenario in table.SCENARIOS
)
# The lifetime of a role's tokens.
ROLE_SECONDS = 1200
# A difference: the request, the member of the answer, our value and OpenBao's.
Found = tuple[str, str, Any, Any]

# What a scope is as a policy: the verb of the path, and what may be done there.
_CAPABILITIES = {
    "fetch": {"data": ["read"], "subkeys": ["read"]},
    "create": {"data": ["create"], "metadata": ["create"]},
    "update": {"data": ["update", "patch"], "metadata": ["update", "patch"]},
    "list": {"metadata": ["read", "list"]},
    "delete": {
        "data": ["delete"],
        "metadata": ["delete"],
        **{verb: ["update"] for verb in ("delete", "undelete", "destroy")},
    },
}


class Service:
    """The service, and an administrator's token."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._token = token

    def tokens(self, scenario: Scenario) -> dict[str, str]:
        """Make a scenario's tokens, and return them with their accessors by name."""
        texts = {ADMIN: self._token, f"{ADMIN}.accessor": self._token.split("_")[1]}
        for name, rights in scenario.tokens.items():
            wanted = {"expires_in": rights.seconds, "max_uses": rights.uses}
            made = self._call(
                "token/create",
                name=name,
                scopes=scenario.scopes(rights),
                renewable=rights.renewable,
                **{field: value for field, value in wanted.items() if value is not None},
            )
            texts[name] = made["token"]
            texts[f"{name}.accessor"] = made["token_id"]
        return texts

    def roles(self, scenario: Scenario) -> dict[str, str]:
        """Make a scenario's roles, and return their ids and a secret id of each by name."""
        texts = {}
        for name, rights in scenario.roles.items():
            role = self._call(
                "approle/create",
                name=name,
                scopes=scenario.scopes(rights),
                expires_in=ROLE_SECONDS,
                renewable=True,
            )
            texts[f"{name}.role_id"] = role["role_id"]
            texts[f"{name}.secret_id"] = self._call("approle/secret-id/create", role=name)["secret_id"]
        return texts

    def _call(self, operation: str, **body: Any) -> Any:
        response = requests.post(
            f"{self.url}/vault/{operation}",
            json=body,
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=60,
        )
        assert response.ok, response.text
        return response.json()


@pytest.fixture(scope="module")
def service(
    mongo: EmbeddedMongo, mongo_client: MongoClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A server with a mount for each scenario."""
    databases.empty(mongo_client, indexed=True)
    environment = variables(mongo) | {
        "AUTH_REQUIRED": "true",
        "AUTH_FAILURES_PER_MINUTE": "1000000",
        # Others would accept a revoked token for a moment.
        "WORKERS": "1",
        "KV_MOUNTS": ",".join(f"{scenario.name}={scenario.name}" for scenario in SCENARIOS),
    }
    command = [sys.executable, "-m", "service", "token", "create", "--name", "admin", "--scope", "admin"]
    created = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    server = Server(environment, tmp_path_factory.mktemp("gunicorn") / "log")
    try:
        server.wait_until()
        yield Service(server.url, created.stdout.strip())
    finally:
        server.stop()


@pytest.fixture(scope="module")
def found(openbao: OpenBao, service: Service) -> Callable[[Scenario], list[Found]]:
    """Return a function that plays a scenario on both servers, once, and returns all differences."""

    @functools.cache
    def play(scenario: Scenario) -> list[Found]:
        mount = scenario.name
        openbao.make_mount(name=mount)
        # This waits until the mount is ready.
        openbao.do("GET", f"{mount}/config")
        ours = Side(service.url, mount, service.tokens(scenario) | service.roles(scenario))
        own = _tokens_of_openbao(openbao, scenario) | _roles_of_openbao(openbao, scenario)
        theirs = Side(openbao.url, mount, own)
        return [
            (f"{scenario.name}: {request.name}", *difference)
            for request in scenario.requests
            for difference in differences(ours.answer(request), theirs.answer(request))
        ]

    return play


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_answers_are_alike(found: Callable[[Scenario], list[Found]], scenario: Scenario) -> None:
    """In status, members, types and texts."""
    unknown = [each for each in found(scenario) if not any(known.covers(*each) for known in KNOWN)]

    assert not unknown, "\n".join(
        f"{where}: {member}: {ours!r}, OpenBao {theirs!r}" for where, member, ours, theirs in unknown
    )


@pytest.mark.parametrize("known", KNOWN, ids=[f"{known.where}: {known.member}" for known in KNOWN])
def test_what_is_known_to_differ_differs(found: Callable[[Scenario], list[Found]], known: Known) -> None:
    """What does no longer is taken off the list."""
    assert any(known.covers(*each) for scenario in SCENARIOS for each in found(scenario))


def _tokens_of_openbao(openbao: OpenBao, scenario: Scenario) -> dict[str, str]:
    tokens = {ADMIN: ROOT_TOKEN}
    for name, rights in scenario.tokens.items():
        lifetime = {} if rights.seconds is None else {"period" if rights.renewable else "ttl": rights.seconds}
        tokens[name] = openbao.make_token(
            _policy(scenario.scopes(rights)),
            renewable=rights.renewable,
            num_uses=rights.uses or 0,
            **lifetime,
        )
    accessors = {
        f"{name}.accessor": openbao.do("POST", "auth/token/lookup", {"token": token})["accessor"]
        for name, token in tokens.items()
    }
    return tokens | accessors


def _roles_of_openbao(openbao: OpenBao, scenario: Scenario) -> dict[str, str]:
    texts = {}
    for name, rights in scenario.roles.items():
        role_id, secret_id = openbao.make_role(_policy(scenario.scopes(rights)), token_ttl=ROLE_SECONDS)
        texts[f"{name}.role_id"] = role_id
        texts[f"{name}.secret_id"] = secret_id
    return texts


def _policy(scopes: Sequence[str]) -> dict[str, list[str]]:
    """Return the capabilities by path that say the same as scopes."""
    rules: dict[str, list[str]] = {}
    for scope in scopes:
        if scope == "token":
            rules["auth/token/*"] = ["create", "update", "sudo"]
            continue
        action, _, pattern = scope.partition(":")
        mount, _, path = pattern.partition("/")
        for verb, capabilities in _CAPABILITIES[action].items():
            rules.setdefault(f"{mount}/{verb}/{path}", []).extend(capabilities)
    return rules
