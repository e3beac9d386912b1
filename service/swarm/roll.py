"""Rolls a version of a secret out to the services that use it: one after the other, with a way back.

It keeps nothing between two runs: what is done is told from the services' specifications, so a roll that was
killed at any point goes on when it is run again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

from . import hooks, updating
from .consumers import Allowances, Consumer, find_consumers, obstacles, update_state
from .engine import Engine
from .errors import EngineError, SwarmError, VaultRefused
from .hooks import HookFailed, Moment, Values
from .objects import VaultObject, ensure_object, read_objects, remove_unused, require_free
from .updating import Exchange, UpdateFailed
from .vault import Document, Vault


class Outcome(IntEnum):
    """How a roll ended: the command's exit code.  A refusal, with nothing touched, is 2."""

    ALL_NEW = 0
    # Every service has the new version, but the hook failed that was to withdraw the old one.
    ALL_NEW_HOOK_FAILED = 1
    ALL_OLD = 3
    MIXED = 4


class RollRefused(SwarmError):
    """The roll was not begun: no service and no Docker secret was touched."""


@dataclass(frozen=True, slots=True)
class RollRequest:
    """What to roll: to version ``to``, None for the current one, or to one made by the rule ``generate``.

    ``seconds`` is how long the update of one service may take.
    """

    path: str
    to: int | None = None
    generate: Mapping[str, Any] | None = None
    hook: Path | None = None
    all_or_nothing: bool = False
    dry_run: bool = False
    allowed: Allowances = field(default_factory=Allowances)
    seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class _Plan:
    target: int
    # Of all services, the one that is on the oldest of the other versions; None if there is none.
    old: int | None
    pending: Sequence[Consumer]
    done: Sequence[Consumer]


class Roll:
    """One run of a roll; ``say`` is given a line for each thing that is done or found."""

    def __init__(
        self, engine: Engine, vault: Vault, request: RollRequest, say: Callable[[str], None]
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._request = request
        self._say = say

    def run(self) -> Outcome:
        """Roll, and return how it ended.

        Raises:
            RollRefused: nothing was touched; the message says why.
        """
        try:
            plan = self._plan()
            if self._request.dry_run:
                self._say("dry run: nothing was changed")
                return Outcome.ALL_NEW
            values = self._values(plan)
            if plan.pending:
                self._run_hook(Moment.BEFORE, values)
            else:
                self._say(f"every service has version {plan.target} already")
        except SwarmError as error:
            raise RollRefused(f"nothing was touched: {error}") from None
        outcome = self._update_all(plan, values)
        if outcome is Outcome.ALL_NEW:
            return self._finish(plan, values)
        return outcome

    def _plan(self) -> _Plan:
        request = self._request
        objects = read_objects(self._engine.secrets(), request.path)
        consumers = find_consumers(self._engine, objects)
        pinned = [each for each in consumers if each.versions]
        for each in consumers:
            if None in {it.version for it in each.objects}:
                self._say(f"{each.name}: not rolled, its Docker secret has the version `current`")
        if not pinned:
            raise SwarmError(
                f"no service has a Docker secret of {request.path} with a version: declare one first"
            )
        if request.hook:
            hooks.require_program(request.hook)
        found = self._vault.describe(request.path)
        target, is_new = self._target(found, pinned)
        plan = _plan_of(target, pinned)
        if request.hook:
            _require_one_old(plan)
        self._require_rollable(plan)
        self._require_live(found, plan, is_new=is_new)
        # Without a version it is about the current one, and a grant holds for all.
        self._require_granted(plan, None if is_new else target)
        secrets = self._engine.secrets()
        for old in _old_objects(plan.pending, target).values():
            require_free(secrets, old, target)
        self._say(f"{request.path}: to version {target}{' (to be generated)' if is_new else ''}")
        for each in plan.pending:
            self._say(f"{each.name}: has version {_numbers(each.versions)}, to be updated")
        for each in plan.done:
            self._say(f"{each.name}: has version {target}")
        if is_new and not request.dry_run:
            assert request.generate is not None  # noqa: S101  (tells mypy)
            made = self._vault.generate(request.path, request.generate, target - 1)
            self._say(f"generated version {made}")
            self._require_granted(plan, made)
        return plan

    def _target(self, found: Document, pinned: Sequence[Consumer]) -> tuple[int, bool]:
        """Return the version to roll to, and whether it is yet to be generated."""
        current = int(found["version"])
        if self._request.generate is None:
            return self._request.to or current, False
        on_current = [each for each in pinned if each.is_on(current)]
        is_begun = any(update_state(each.document) == "updating" for each in on_current)
        if on_current and (is_begun or len(on_current) < len(pinned)):
            self._say(
                f"an earlier roll to version {current} is unfinished: going on with it, nothing is generated"
            )
            return current, False
        oldest = min(number for each in pinned for number in each.versions)
        if oldest <= current + 1 - int(found["max_versions"]):
            raise SwarmError(
                f"a new version would destroy version {oldest}, which services have:"
                " give the secret more max_versions"
            )
        return current + 1, True

    def _require_rollable(self, plan: _Plan) -> None:
        reasons = [
            f"{each.name} {reason}"
            for each in (*plan.pending, *plan.done)
            for reason in obstacles(self._engine, each, plan.target, self._request.allowed)
            if each in plan.pending or update_state(each.document) in {"rollback_started", "rollback_paused"}
        ]
        if reasons:
            raise SwarmError("; ".join(reasons))

    def _require_live(self, found: Document, plan: _Plan, *, is_new: bool) -> None:
        states = {each["version"]: each["state"] for each in found["versions"]}
        if not is_new and (state := states.get(plan.target)) != "live":
            raise SwarmError(f"version {plan.target} cannot be had: {state or 'there is none'}")
        olds = {number for each in plan.pending for number in each.versions} - {plan.target}
        for number in sorted(olds):
            state = states.get(number, "destroyed")
            if state != "live" and not self._request.allowed.no_way_back:
                raise SwarmError(
                    f"version {number} is {state}, so there is no way back to it; give --no-way-back to go on"
                )
        for each in found["versions"]:
            if each["version"] == plan.target and each["expires_at"]:
                self._say(f"note: version {plan.target} ends at {each['expires_at']}")

    def _require_granted(self, plan: _Plan, version: int | None) -> None:
        for each in plan.pending:
            spec = each.document["Spec"]
            service = {
                "id": each.id,
                "name": each.name,
                "labels": spec.get("Labels") or {},
                "image": spec["TaskTemplate"]["ContainerSpec"]["Image"],
            }
            try:
                self._vault.check_delivery(self._request.path, version, service)
            except VaultRefused as error:
                raise SwarmError(f"the vault would not deliver to {each.name}: {error}") from None

    def _values(self, plan: _Plan) -> Values | None:
        if self._request.hook is None:
            return None
        if plan.old is None:
            self._say("the hook is not run: no service names the version that it had before")
            return None
        path = self._request.path
        old, new = self._vault.fetch(path, plan.old), self._vault.fetch(path, plan.target)
        return Values(path, plan.old, plan.target, old, new)

    def _run_hook(self, moment: Moment, values: Values | None) -> None:
        if self._request.hook is not None and values is not None:
            self._say(f"hook: {moment}")
            hooks.run(self._request.hook, moment, values)

    def _update_all(self, plan: _Plan, values: Values | None) -> Outcome:
        touched: list[tuple[Consumer, Exchange]] = []
        try:
            new = self._make_objects(plan)
            for each in plan.done:
                self._await_earlier(each, plan)
            for each in plan.pending:
                exchange = self._exchange(each, plan.target, new)
                touched.append((each, exchange))
                self._update_one(each, exchange)
        except SwarmError as error:
            self._say(f"stopped: {error}")
            is_left = isinstance(error, UpdateFailed) and error.is_left
            self._put_back(touched if self._request.all_or_nothing else [] if is_left else touched[-1:])
            return self._report_failure(plan, values)
        return Outcome.ALL_NEW

    def _make_objects(self, plan: _Plan) -> dict[str, VaultObject]:
        """Return the new objects by the ids of those in whose place they come."""
        new = {}
        for old_id, old in _old_objects(plan.pending, plan.target).items():
            new[old_id], created = ensure_object(self._engine, old, plan.target)
            self._say(f"Docker secret {new[old_id].name} {'created' if created else 'is there already'}")
        return new

    def _await_earlier(self, consumer: Consumer, plan: _Plan) -> None:
        """Wait for the update of a roll that was killed."""
        if update_state(consumer.document) != "updating":
            return
        self._say(f"{consumer.name}: waiting for the update that an earlier roll began")
        kept = {each.id: each for each in consumer.objects if each.version == plan.target}
        self._confirm(consumer, Exchange(self._request.path, plan.target, kept))

    def _exchange(self, consumer: Consumer, target: int, new: Mapping[str, VaultObject]) -> Exchange:
        return Exchange(
            self._request.path,
            target,
            {each.id: new[each.id] for each in consumer.objects if each.id in new},
        )

    def _update_one(self, consumer: Consumer, exchange: Exchange) -> None:
        self._say(f"{consumer.name}: updating")
        try:
            updating.update(self._engine, consumer.id, exchange)
        except EngineError as error:
            raise UpdateFailed(f"{consumer.name}: {error}", is_left=True) from None
        except UpdateFailed as error:
            raise UpdateFailed(f"{consumer.name}: {error}", is_left=error.is_left) from None
        self._confirm(consumer, exchange)

    def _confirm(self, consumer: Consumer, exchange: Exchange) -> None:
        """Wait until the service's update has ended, and look at what it has come to.

        Raises:
            UpdateFailed: it does not run with the new objects.
        """
        try:
            service = updating.wait_until_final(self._engine, consumer.id, self._request.seconds)
            state = update_state(service)
            if state not in {"completed", ""}:
                why = updating.last_error(self._engine, consumer.id)
                raise UpdateFailed(
                    f"the update ended as {state.replace('_', ' ')}{f', after {why!r}' if why else ''}"
                )
            records = updating.delivery_records(self._vault, exchange)
            count = updating.confirm_tasks(self._engine, service, exchange.ids, records)
        except UpdateFailed as error:
            raise UpdateFailed(f"{consumer.name}: {error}", is_left=error.is_left) from None
        self._say(f"{consumer.name}: runs with version {exchange.version}, tasks: {count}")

    def _put_back(self, touched: Sequence[tuple[Consumer, Exchange]]) -> None:
        """Give each service that has new objects, which Swarm has not rolled back, those that it had."""
        for consumer, exchange in reversed(touched):
            back = {
                exchange.objects[each.id].id: each for each in consumer.objects if each.id in exchange.objects
            }
            try:
                service = self._engine.service(consumer.id)
                if updating.exchanged(service["Spec"], back) == service["Spec"]:
                    continue
                self._say(f"{consumer.name}: putting version {_numbers(consumer.versions)} back")
                old = Exchange(exchange.path, min(consumer.versions), back)
                updating.update(self._engine, consumer.id, old, supersede=True)
                updating.wait_until_final(self._engine, consumer.id, self._request.seconds)
            except SwarmError as error:
                self._say(f"{consumer.name}: not put back: {error}")

    def _report_failure(self, plan: _Plan, values: Values | None) -> Outcome:
        """Say which service runs with which version, as its tasks show, and return the outcome."""
        are_old = []
        for each in (*plan.done, *plan.pending):
            try:
                are_old.append(self._runs_as_before(each))
            except SwarmError as error:
                self._say(f"{each.name}: unknown: {error}")
                are_old.append(False)
        if not all(are_old) or plan.done:
            self._say(
                "mixed: the services above have different versions, or do not run; once the cause is removed,"
                f" run it again with --to {plan.target}, or go back with --to and the older version"
            )
            return Outcome.MIXED
        try:
            self._run_hook(Moment.FAILED, values)
        except HookFailed as error:
            self._say(str(error))
        self._say(f"every service has the version that it had; version {plan.target} stays in the vault")
        return Outcome.ALL_OLD

    def _runs_as_before(self, consumer: Consumer) -> bool:
        service = self._engine.service(consumer.id)
        objects = read_objects(self._engine.secrets(), self._request.path)
        (now,) = [each for each in find_consumers(self._engine, objects) if each.id == consumer.id]
        try:
            updating.confirm_tasks(self._engine, service, frozenset(each.id for each in now.objects))
        except UpdateFailed as error:
            self._say(f"{consumer.name}: specified with version {_numbers(now.versions)}, but {error}")
            return False
        self._say(f"{consumer.name}: runs with version {_numbers(now.versions)}")
        return now.versions == consumer.versions

    def _finish(self, plan: _Plan, values: Values | None) -> Outcome:
        try:
            self._run_hook(Moment.AFTER, values)
        except HookFailed as error:
            self._say(f"{error}; every service has version {plan.target}, run it again to repeat the hook")
            return Outcome.ALL_NEW_HOOK_FAILED
        try:
            had = {number for each in (*plan.pending, *plan.done) for number in each.versions}
            for name in remove_unused(self._engine, self._request.path, plan.target, had):
                self._say(f"Docker secret {name} removed, no service names it any more")
        except EngineError as error:
            self._say(f"old Docker secrets were not removed: {error}")
        self._say(f"all services have version {plan.target}")
        return Outcome.ALL_NEW


def _plan_of(target: int, pinned: Sequence[Consumer]) -> _Plan:
    pending = [each for each in pinned if not each.is_on(target)]
    done = [each for each in pinned if each.is_on(target)]
    # A roll that was killed before its last hook finds the old version only where services would go back to.
    named = [each.objects for each in pending] or [each.previous for each in done]
    olds = {each.version for objects in named for each in objects if each.version not in {None, target}}
    return _Plan(target, min((number for number in olds if number is not None), default=None), pending, done)


def _require_one_old(plan: _Plan) -> None:
    """Check that a hook, which is told of one old version, is told of all.

    Raises:
        SwarmError: services have several; of another one it might change the password.
    """
    olds = frozenset().union(*(each.versions for each in plan.pending)) - {plan.target}
    if len(olds) > 1:
        raise SwarmError(
            f"services have the versions {_numbers(olds)}, and a hook is told of one: roll them all to"
            f" {max(olds)} first, with the hook and --to"
        )


def _old_objects(pending: Sequence[Consumer], target: int) -> dict[str, VaultObject]:
    return {
        each.id: each
        for consumer in pending
        for each in consumer.objects
        if each.version is not None and each.version != target
    }


def _numbers(versions: frozenset[int]) -> str:
    return ", ".join(str(number) for number in sorted(versions)) or "none"
