"""The lifecycle of secrets against a small model: after any sequence of calls, the two agree.

Several actors with different scopes use a few paths; the test advances the clock to make secrets expire.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pymongo.database import Database

from tests.calls import ask
from tests.conftest import Clock

PATHS = ["team/a", "team/a/b", "other/a"]
# Only the administrator may do everything everywhere.
ACTORS = {
    "admin": ("admin",),
    "team": tuple(f"{action}:team/*" for action in ("create", "fetch", "list", "update", "delete")),
    "other": tuple(f"{action}:other/*" for action in ("create", "fetch", "list", "update", "delete")),
    "reader": ("fetch:*", "list:*"),
}
MAX_VERSIONS = 3
DAY = 86_400


@dataclass
class ModelVersion:
    """A version in the model; ``value`` is None if it was destroyed."""

    value: bytes | None
    deleted: bool = False


@dataclass
class Model:
    """A secret in the model; times are in seconds of the test's clock."""

    versions: dict[int, ModelVersion] = field(default_factory=dict)
    ends: float | None = None
    deleted_at: float | None = None
    destroyed: bool = False
    reads: int | None = None

    @property
    def current(self) -> int:
        """The highest version number."""
        return max(self.versions)

    def add(self, value: bytes) -> None:
        """Add a version; beyond MAX_VERSIONS, destroy the oldest."""
        self.versions[max(self.versions, default=0) + 1] = ModelVersion(value)
        left = [version for version in self.versions.values() if version.value is not None]
        for version in left[:-MAX_VERSIONS]:
            version.value = None

    def destroy(self) -> None:
        """Remove all values."""
        self.destroyed = True
        for version in self.versions.values():
            version.value = None

    def has_expired(self, at: float) -> bool:
        """Whether it has expired, or was deleted 30 days ago."""
        ends = [self.ends, None if self.deleted_at is None else self.deleted_at + 30 * DAY]
        return any(end is not None and end <= at for end in ends)

    def exists(self, at: float) -> bool:
        """Whether its path is taken."""
        return not self.destroyed and not self.has_expired(at)

    def is_live(self, at: float) -> bool:
        """Whether it can be read and changed."""
        return self.exists(at) and self.deleted_at is None


def may(actor: str, action: str, path: str) -> bool:
    """Return whether an actor's scopes allow the action."""
    folder = path.split("/")[0]
    return any(scope in ("admin", f"{action}:*", f"{action}:{folder}/*") for scope in ACTORS[actor])


@dataclass
class System:
    """The service under test."""

    client: FlaskClient
    database: Database
    clock: Clock
    tokens: dict[str, str]


class Machine(RuleBasedStateMachine):
    """The calls of the actors; the test sets ``system``."""

    system: System

    # Mostly an actor who may, so that most steps have an effect.
    actor = st.sampled_from(["admin", "admin", *ACTORS])
    path = st.sampled_from(PATHS)
    number = st.integers(1, 5)

    def __init__(self) -> None:
        super().__init__()
        self.system.database.secrets.delete_many({})
        self.secrets: dict[str, Model] = {}
        # The secret that was destroyed last at each path.
        self.destroyed: dict[str, Model] = {}
        self.made = 0

    @property
    def at(self) -> float:
        """The time in seconds, without the real clock's progress, which is shorter than any step."""
        return self.system.clock.ahead.total_seconds()

    def ask(self, actor: str, operation: str, **body: Any) -> Any:
        return ask(self.system.client, operation, self.system.tokens[actor], **body)

    def value(self) -> tuple[bytes, str]:
        self.made += 1
        value = f"value {self.made}".encode()
        return value, base64.b64encode(value).decode()

    def known(self, actor: str, action: str, path: str) -> Model | None:
        """Return the secret at a path, whatever its state, if the actor may do this to it."""
        if not may(actor, action, path):
            return None
        return self.secrets.get(path) or self.destroyed.get(path)

    def bury(self, path: str) -> None:
        """Destroy what is at a path."""
        if path in self.secrets:
            self.destroyed[path] = self.secrets.pop(path)
            self.destroyed[path].destroy()

    @initialize(reads=st.tuples(*(st.none() | st.integers(1, 2) for _ in PATHS)))
    def begin(self, reads: tuple[int | None, ...]) -> None:
        for path, limit in zip(PATHS, reads, strict=True):
            self.create("admin", path, None, limit)

    @rule(actor=actor, path=path, ends=st.none() | st.just(20 * DAY), reads=st.none() | st.integers(1, 2))
    def create(self, actor: str, path: str, ends: int | None, reads: int | None) -> None:
        value, encoded = self.value()
        answer = self.ask(
            actor,
            "create/",
            path=path,
            secret=encoded,
            expires_in=ends,
            max_reads=reads,
            max_versions=MAX_VERSIONS,
        )
        if not may(actor, "create", path):
            assert 403 == answer.status_code
        elif path in self.secrets and self.secrets[path].exists(self.at):
            assert 409 == answer.status_code
        else:
            assert 200 == answer.status_code
            self.secrets[path] = Model(ends=None if ends is None else self.at + ends, reads=reads)
            self.secrets[path].add(value)

    @rule(actor=actor, path=path, expected=st.none() | st.integers(0, 4))
    def update(self, actor: str, path: str, expected: int | None) -> None:
        value, encoded = self.value()
        more = {} if expected is None else {"expected_version": expected}
        answer = self.ask(actor, "update", path=path, secret=encoded, max_versions=MAX_VERSIONS, **more)
        known = self.known(actor, "update", path)
        if known is not None and known.exists(self.at) and expected not in (None, known.current):
            assert (409, known.current) == (answer.status_code, answer.json["current_version"])
        elif known is not None and known.is_live(self.at):
            assert (200, known.current + 1) == (answer.status_code, answer.json["version"])
            known.add(value)
        elif expected == 0 and may(actor, "create", path) and not (known and known.exists(self.at)):
            assert (200, 1) == (answer.status_code, answer.json["version"])
            self.secrets[path] = Model()
            self.secrets[path].add(value)
        elif expected == 0 and not may(actor, "create", path):
            assert 403 == answer.status_code
        else:
            assert 404 == answer.status_code

    @rule(actor=actor, path=path, number=st.none() | number)
    def fetch(self, actor: str, path: str, number: int | None) -> None:
        more = {} if number is None else {"version": number}
        answer = self.ask(actor, "fetch", path=path, **more)
        known = self.known(actor, "fetch", path)
        version = None if known is None else known.versions.get(number or known.current)
        if not (known and known.is_live(self.at) and version and version.value and not version.deleted):
            assert 404 == answer.status_code
            assert (known is None) == (answer.json["detail"] == "Secret not found")
            return
        assert (200, version.value) == (answer.status_code, base64.b64decode(answer.json["secret"]))
        if known.reads is not None:
            known.reads -= 1
            assert known.reads == answer.json["reads_left"]
            if known.reads == 0:
                self.bury(path)

    @rule(actor=actor, path=path, operation=st.sampled_from(["delete", "undelete", "destroy"]))
    def change(self, actor: str, path: str, operation: str) -> None:
        answer = self.ask(actor, operation, path=path)
        known = self.known(actor, "delete", path)
        if operation == "destroy" and known is not None:
            assert (200, "destroyed") == (answer.status_code, answer.json["state"])
            self.bury(path)
        elif known is None or not known.exists(self.at):
            assert 404 == answer.status_code
        else:
            assert 200 == answer.status_code
            if operation == "undelete":
                known.deleted_at = None
            elif known.deleted_at is None:
                known.deleted_at = self.at

    @rule(
        actor=actor,
        path=path,
        number=number,
        operation=st.sampled_from(["delete", "undelete", "destroy"]),
    )
    def change_version(self, actor: str, path: str, number: int, operation: str) -> None:
        answer = self.ask(actor, operation, path=path, versions=[number])
        known = self.known(actor, "delete", path)
        version = None if known is None else known.versions.get(number)
        if known is None or version is None:
            assert 404 == answer.status_code
        elif operation == "destroy" and known.exists(self.at):
            assert 200 == answer.status_code
            version.value = None
        elif not known.is_live(self.at) or (operation == "undelete" and version.value is None):
            assert 404 == answer.status_code
        else:
            assert 200 == answer.status_code
            version.deleted = operation == "delete" if version.value is not None else version.deleted

    @rule(actor=actor, path=path, ends=st.none() | st.just(20 * DAY), reads=st.none() | st.integers(1, 2))
    def configure(self, actor: str, path: str, ends: int | None, reads: int | None) -> None:
        answer = self.ask(actor, "update", path=path, expires_in=ends, max_reads=reads)
        known = self.known(actor, "update", path)
        if known is None or not known.is_live(self.at):
            assert 404 == answer.status_code
        else:
            assert 200 == answer.status_code
            known.ends, known.reads = None if ends is None else self.at + ends, reads

    @rule(actor=actor, path=path, new=path)
    def rename(self, actor: str, path: str, new: str) -> None:
        answer = self.ask(actor, "update", path=path, new_path=new)
        known = self.known(actor, "update", path)
        if not may(actor, "create", new):
            assert 403 == answer.status_code
        elif known is None or not known.is_live(self.at):
            assert 404 == answer.status_code
        elif path == new:
            assert 200 == answer.status_code
        elif new in self.secrets and self.secrets[new].exists(self.at):
            assert 409 == answer.status_code
        else:
            assert 200 == answer.status_code
            self.secrets[new] = self.secrets.pop(path)

    @precondition(lambda self: self.secrets)
    @rule(days=st.sampled_from([1, 11, 30]))
    def wait(self, days: int) -> None:
        self.system.clock.ahead += timedelta(days=days)

    @rule(
        actor=actor,
        prefix=st.sampled_from([{}, {"prefix": "team/"}]),
        recursive=st.booleans(),
        deleted=st.booleans(),
        limit=st.integers(1, 3),
    )
    def list_(self, actor: str, prefix: dict[str, str], recursive: bool, deleted: bool, limit: int) -> None:
        query = {**prefix, "recursive": recursive, "deleted": deleted, "limit": limit}
        found: list[str] = []
        more: dict[str, Any] = {}
        while True:
            page = self.ask(actor, "list", **query, **more).json
            found += [secret["path"] for secret in page["secrets"]] + page["folders"]
            if page["cursor"] is None:
                break
            more = {"cursor": page["cursor"]}
        start = prefix.get("prefix", "")
        below = [
            path.removeprefix(start)
            for path, secret in self.secrets.items()
            if path.startswith(start)
            and may(actor, "list", path)
            and secret.exists(self.at)
            and deleted == (secret.deleted_at is not None)
        ]
        if not recursive:
            below = list({name + slash for name, slash, _ in (path.partition("/") for path in below)})
        assert sorted(start + name for name in below) == sorted(found)

    @invariant()
    def destroyed_values_are_not_stored(self) -> None:
        versions = [version for secret in self.secrets.values() for version in secret.versions.values()]
        documents = self.system.database.secrets.find()
        stored = [version for document in documents for version in document["versions"]]
        for part in ("payload", "data_key"):
            assert sum(version.value is not None for version in versions) == sum(
                part in version for version in stored
            )


@pytest.mark.timeout(600)
def test_the_service_does_what_the_model_does(
    guarded: FlaskClient,
    give: Any,
    indexed: None,
    database: Database,
    clock: Clock,
) -> None:
    """Every response and the values left in the database agree with the model."""
    tokens = {actor: give(*scopes) for actor, scopes in ACTORS.items()}
    system = System(guarded, database, clock, tokens)

    run_state_machine_as_test(
        type("TestedMachine", (Machine,), {"system": system}),
        settings=settings(
            max_examples=settings().max_examples // 2,
            stateful_step_count=40,
            suppress_health_check=list(HealthCheck),
        ),
    )
