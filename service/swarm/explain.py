"""Why a task does not start, in words: rules over what Swarm, the audit log and the driver's log say.

Swarm itself only says that a secret was not found, whatever the driver answered.  Nothing here asks anybody,
and what happened is told by the order of time: a failure before a success explains nothing.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from .attempts import DELIVERED, Attempt, Outage, is_outage, outage, printable
from .engine import Document, secret_references

DRIVER = "secret-manager"
_OWN_STACK = "secret-manager"
_CAPABILITY = "secretprovider"

_LABELS = "secret-manager."
_PATH, _VERSION, _ENCODING = f"{_LABELS}path", f"{_LABELS}version", f"{_LABELS}encoding"

_ENDED = frozenset({"complete", "shutdown", "failed", "rejected", "remove", "orphaned"})
# How Swarm says that a task's node was not given a secret.
_NOT_GIVEN = "unable to get secret from secret store"

# Why the vault refused, as audit records say it; and what to do.
_REFUSALS: Mapping[str, tuple[str, str]] = {
    "not found": (
        "there is no secret {path}",
        "store it under this path, or make a Docker secret whose label names another",
    ),
    "no such version": (
        "{path} has no version {version}",
        "make a Docker secret whose label names a version that there is (vault secret/describe)",
    ),
    "deleted": ("{what} was deleted", "vault secret/undelete restores it"),
    "expired": ("{what} has expired", "store a new value, and let the service use that version"),
    "destroyed": ("{what} was destroyed", "store a new value, and let the service use that version"),
    "already read": ("{what} was read, and has no reads left", "store it without max_reads"),
    "limited reads": (
        "{path} has max_reads, and such a secret is never delivered",
        "store the value in a secret without max_reads",
    ),
    "forbidden": (
        "the driver's token {actor} may not deliver {path}",
        "give the driver a token with the scope deliver:*",
    ),
    "tampered": ("what is stored at {path} does not authenticate", "see troubleshooting, a 500"),
    "unknown key": ("{path} is encrypted under a key that the vault does not have", "see `key status`"),
}
# What the driver's lines say beside their own words.
_REMEDIES: Mapping[str, str] = {
    "invalid_configuration": "correct the driver's folder on the manager; it is read at each call",
    "invalid_labels": "correct the labels, or make another Docker secret",
    "token_refused": "give the driver a new token: playbooks/secret_driver.yml",
    "vault_unavailable": "see /readyz and the log of the API",
    "own_stack": "give it a plain Swarm secret",
    "internal_error": "a fault of the driver: report the line of its log",
    "empty_request": "nothing: the engine repeated a call, and the next task asks anew",
}


class Verdict(IntEnum):
    """The exit code of the command."""

    RUNS = 0
    DOES_NOT_RUN = 1
    UNKNOWN = 2


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known, as documents of the engine's API and as attempts.

    ``secrets`` are by id; ``local_node`` is the id of the node whose ``plugins`` these are.  ``attempts`` are
    those of the service, and calls that were refused before they were read; ``lines`` are all of the
    driver's log; ``unseen`` says what could not be read.
    """

    service: Document
    tasks: Sequence[Document]
    secrets: Mapping[str, Document]
    nodes: Sequence[Document]
    local_node: str
    plugins: Sequence[Document]
    attempts: Sequence[Attempt] = ()
    lines: Sequence[Attempt] = ()
    unseen: Sequence[str] = ()


@dataclass(slots=True)
class Explanation:
    """A verdict, and the lines that say why."""

    verdict: Verdict
    lines: list[str] = field(default_factory=list)


def explain_service(evidence: Evidence) -> Explanation:
    """Explain the newest task of each of a service's slots."""
    places: dict[object, list[Document]] = {}
    for task in sorted(evidence.tasks, key=_created, reverse=True):
        places.setdefault(_place(task), []).append(task)
    # What Swarm has stopped itself, after a scaling or on a node that was drained, needs no explanation.
    current = [tasks for tasks in places.values() if tasks[0]["Status"]["State"] != "shutdown"]
    if not current:
        return _without_tasks(evidence)
    lines, verdicts = [], set()
    for tasks in current:
        explained = _explain(evidence, tasks)
        lines += explained.lines
        if explained.verdict is Verdict.DOES_NOT_RUN:
            lines += _next(evidence, tasks[0])
        verdicts.add(explained.verdict)
    for verdict in (Verdict.DOES_NOT_RUN, Verdict.UNKNOWN):
        if verdict in verdicts:
            return Explanation(verdict, lines + _ending(evidence, verdict))
    return Explanation(Verdict.RUNS, lines + _ending(evidence, Verdict.RUNS))


def explain_task(evidence: Evidence, task_id: str) -> Explanation:
    """Explain one task."""
    (task,) = (each for each in evidence.tasks if each["ID"] == task_id)
    newest = max((each for each in evidence.tasks if _place(each) == _place(task)), key=_created)
    explained = _explain(evidence, [task])
    lines = explained.lines
    if newest is not task:
        state = newest["Status"]["State"]
        lines = [*lines, f"  Swarm has made another task in its place: {newest['ID']}, which is {state}."]
    elif explained.verdict is Verdict.DOES_NOT_RUN:
        lines = [*lines, *_next(evidence, task)]
    return Explanation(explained.verdict, lines + _ending(evidence, explained.verdict))


def label_fault(labels: Mapping[str, str]) -> str | None:
    """Return what is wrong with the labels of a Docker secret, as the driver would say, or None."""
    for name in labels:
        if name.startswith(_LABELS) and name not in {_PATH, _VERSION, _ENCODING}:
            return f"it has the label {name}, which means nothing"
    for name in (_PATH, _VERSION):
        if name not in labels:
            return f"it lacks the label {name}"
    if not re.fullmatch(r"[!-~]{1,512}", labels[_PATH]):
        return f"its label {_PATH} is not a path"
    if not re.fullmatch(r"current|[1-9][0-9]{0,9}", labels[_VERSION], re.ASCII):
        return f"its label {_VERSION} must be a number from 1, or current"
    if labels.get(_ENCODING, "base64") != "base64":
        return f"its label {_ENCODING} must be base64, or left out"
    return None


def managers_without(evidence: Evidence, driver: str) -> list[Document]:
    """Return the managers that have no enabled driver of this name; the leader, if among them, first."""
    name = driver if ":" in driver else f"{driver}:latest"
    without = [
        node
        for node in evidence.nodes
        if node["Spec"]["Role"] == "manager" and not _has_driver(evidence, node, name)
    ]
    return sorted(without, key=lambda node: not _leads(node))


def _explain(evidence: Evidence, tasks: Sequence[Document]) -> Explanation:
    """Explain the newest of a slot's tasks that has something to tell; ``tasks`` are newest first."""
    task = next((each for each in tasks if _is_telling(evidence, each)), tasks[0])
    status = task["Status"]
    name = f"{evidence.service['Spec']['Name']}.{_place(task)}"
    title = f"{name} (task {task['ID']} on {_node_name(evidence, task)})"
    if _runs(task):
        lines = [f"{title} runs since {_moment(status['Timestamp'])}.", *_deliveries(evidence, task)]
        return Explanation(Verdict.RUNS, lines)
    causes = _causes(evidence, task)
    error = status.get("Err", "")
    if error and _NOT_GIVEN not in error:
        causes.insert(0, "  That is nothing of the vault's: Swarm's words say what there is to do.")
    words = printable(error or status.get("Message", ""))
    lines = [f"{title} does not run: {status['State']} since {_moment(status['Timestamp'])}. Swarm: {words}"]
    if any(_runs(each) for each in tasks):
        lines.append("  An earlier task in its place still runs.")
    if not causes:
        return Explanation(Verdict.UNKNOWN, [*lines, *_without_cause(evidence, task)])
    return Explanation(Verdict.DOES_NOT_RUN, [*lines, *causes])


def _is_telling(evidence: Evidence, task: Document) -> bool:
    """Return whether something is known of it: it is not only prepared for when its predecessor has ended."""
    status = task["Status"]
    has_asked = any(attempt.task_id == task["ID"] for attempt in evidence.attempts)
    return _runs(task) or status["State"] in _ENDED or "Err" in status or has_asked


def _runs(task: Document) -> bool:
    return bool(task["Status"]["State"] == "running")


def _causes(evidence: Evidence, task: Document) -> list[str]:
    """Return lines for each of its secrets that it was not given, as far as it is known why."""
    if not task.get("NodeID"):
        return []  # Nobody has asked for them yet.
    return [
        line
        for reference in _references(evidence, task)
        for line in _cause(evidence, task, reference["SecretName"], reference["SecretID"])
    ]


def _cause(evidence: Evidence, task: Document, name: str, secret_id: str) -> list[str]:
    secret = evidence.secrets.get(secret_id)
    if secret is None:
        return _lines(
            f"the Docker secret {name} ({secret_id}) is not in the Swarm any more",
            "make it again under this name, and update the service, which refers to it by its id",
        )
    service = evidence.service["Spec"]["Name"]
    what = f"{name}: "
    attempt = _decisive(evidence, task, name, secret_id)
    if attempt is not None and attempt.outcome != DELIVERED:
        return _failure(evidence, task, attempt)
    if attempt is not None:
        return []
    if service == _OWN_STACK or service.startswith(f"{_OWN_STACK}_"):
        return _lines(
            f"{what}{service} belongs to the vault's own stack, which must start without the vault",
            _REMEDIES["own_stack"],
        )
    driver = secret["Spec"]["Driver"]["Name"]
    without = managers_without(evidence, driver)
    if without and _leads(without[0]):
        return [f"  {what}{_missing(evidence, without[0], driver)}"]
    if fault := label_fault(secret["Spec"].get("Labels") or {}):
        return _lines(f"{what}{printable(fault)}", _REMEDIES["invalid_labels"])
    if found := outage(evidence.lines, _ended(task)):
        return _unreachable(what, found)
    refused = [
        each
        for each in evidence.attempts
        if not each.task_id and _created(task) <= each.at.timestamp() <= _ended(task).timestamp()
    ]
    if refused:
        return _lines(
            f"{what}at {_moment(refused[-1].at)} the vault refused a driver's call before it read which"
            f" secret it was about: {printable(refused[-1].outcome)} (token {printable(refused[-1].actor)})",
            _REMEDIES["token_refused"],
        )
    return []


def _decisive(evidence: Evidence, task: Document, name: str, secret_id: str) -> Attempt | None:
    """Return the attempt that decided about a secret of the task, or None if nothing is known of one."""
    own = [
        attempt
        for attempt in evidence.attempts
        if attempt.task_id == task["ID"] and attempt.docker_secret == name
    ]
    # The vault may record a delivery for which the driver no longer waited.
    if secret_id in task["Status"].get("Err", ""):
        own = [attempt for attempt in own if attempt.outcome != DELIVERED] or own
    return own[-1] if own else None


def _failure(evidence: Evidence, task: Document, attempt: Attempt) -> list[str]:
    what = f"{printable(attempt.docker_secret)}: "
    at = _moment(attempt.at)
    path = printable(attempt.path)
    if attempt.outcome == "not granted":
        return _no_grant(evidence, task, attempt)
    if is_outage(attempt):
        found = outage(evidence.lines, attempt.at) or Outage(attempt.at, None, attempt.words)
        return _unreachable(what, found)
    if attempt.outcome in _REFUSALS:
        words, remedy = _REFUSALS[attempt.outcome]
        filled = words.format(
            path=path,
            version=attempt.version,
            actor=printable(attempt.actor),
            what=f"version {attempt.version} of {path}" if attempt.version else path,
        )
        if attempt.outcome == "not found" and (given := _given_before(evidence, attempt)):
            filled += f" any more: it expired or was destroyed after it was delivered at {given}"
        return _lines(f"{what}{filled} (at {at})", remedy)
    if attempt.words:
        return _lines(f"{what}{attempt.words} (at {at})", _REMEDIES.get(attempt.outcome, ""))
    return _lines(
        f"{what}the vault could not deliver {path}: {printable(attempt.outcome)} (at {at})",
        "see /readyz and the log of the API",
    )


def _unreachable(what: str, found: Outage) -> list[str]:
    if found.until is not None:
        since, until = _moment(found.since), _moment(found.until)
        return _lines(f"{what}the vault was not reachable from {since} to {until}: {found.words}", "")
    return _lines(
        f"{what}the vault has not been reachable since {_moment(found.since)}: {found.words}",
        "look at the API (docker service ps secret-manager_api), at its certificate, and at the network",
    )


def _given_before(evidence: Evidence, attempt: Attempt) -> str | None:
    """Return when the service was given the secret that is gone, or None if it is not known to have been."""
    before = [
        each.at
        for each in evidence.attempts
        if (each.docker_secret, each.outcome) == (attempt.docker_secret, DELIVERED) and each.at < attempt.at
    ]
    return _moment(before[-1]) if before else None


def _no_grant(evidence: Evidence, task: Document, attempt: Attempt) -> list[str]:
    service, path = evidence.service["Spec"]["Name"], attempt.path
    body = json.dumps({"services": [service], "paths": [path]})
    image = task["Spec"]["ContainerSpec"]["Image"]
    return [
        (
            f"  {printable(attempt.docker_secret)}: no grant lets the service {service} have"
            f" {printable(path)} (at {_moment(attempt.at)})."
            " To grant it, in a replica or as an administrator:"
        ),
        f"    python3 -m service grant create --service {shlex.quote(service)} --path {shlex.quote(path)}",
        (
            '    curl -sS --cacert "$VAULT_CACERT" -H "Content-Type: application/json"'
            ' -H @<(echo "Authorization: Bearer $(cat "$VAULT_TOKEN_FILE")")'
            f' "$VAULT_URL/vault/grant/create" -d {shlex.quote(body)}'
        ),
        (
            "    If `grant list` shows one, it is tied to other nodes or images than these:"
            f" {task['NodeID']}, {printable(image)}"
        ),
    ]


def _without_cause(evidence: Evidence, task: Document) -> list[str]:
    """Return what is known of a task for whose state no cause was found."""
    if not task.get("NodeID"):
        return ["  Swarm has not given it to a node yet. Ask again in a moment."]
    references = _references(evidence, task)
    if not references:
        return ["  It has no secrets of the vault's."]
    unknown = [
        reference["SecretName"]
        for reference in references
        if (found := _decisive(evidence, task, reference["SecretName"], reference["SecretID"])) is None
        or reference["SecretID"] in task["Status"].get("Err", "")
        or found.outcome != DELIVERED
    ]
    lines = _deliveries(evidence, task)
    if not unknown:
        return [*lines, "  All its secrets were delivered: it may still be starting. Ask again in a moment."]
    if not evidence.lines:
        lines.append(
            "  The driver's log was not given, and only there are the calls that did not reach the vault."
            " On each manager: journalctl -u docker --since -1h -o cat | grep plugin= (or the engine's own"
            " log file); then --driver-log FILE."
        )
    return [*lines, *(f"  {printable(words)}" for words in evidence.unseen)]


def _deliveries(evidence: Evidence, task: Document) -> list[str]:
    lines = []
    for reference in _references(evidence, task):
        name = reference["SecretName"]
        delivered = [
            attempt
            for attempt in evidence.attempts
            if (attempt.task_id, attempt.docker_secret, attempt.outcome) == (task["ID"], name, DELIVERED)
        ]
        lines.append(
            f"  {name}: version {delivered[-1].version} of {printable(delivered[-1].path)}, delivered at"
            f" {_moment(delivered[-1].at)}"
            if delivered
            else f"  {name}: nothing that could be read tells of a delivery to this task"
        )
    return lines


def _next(evidence: Evidence, newest: Document) -> list[str]:
    """Return whether Swarm tries again by itself."""
    if newest["DesiredState"] in {"running", "ready"}:
        return ["  Once the cause is gone, the next task that Swarm makes starts by itself."]
    return [
        (
            "  Swarm makes no other task for it. Once the cause is gone:"
            f" docker service update --force {shlex.quote(evidence.service['Spec']['Name'])}"
        )
    ]


def _without_tasks(evidence: Evidence) -> Explanation:
    name = evidence.service["Spec"]["Name"]
    replicated = evidence.service["Spec"].get("Mode", {}).get("Replicated")
    if replicated is not None and not replicated.get("Replicas"):
        return Explanation(
            Verdict.DOES_NOT_RUN, [f"{name} is to have no tasks: docker service scale {name}=1"]
        )
    return Explanation(Verdict.UNKNOWN, [f"{name} has no tasks: either none yet, or no node fits it."])


def _ending(evidence: Evidence, verdict: Verdict) -> list[str]:
    """Return what concerns no task in particular."""
    drivers = {
        secret["Spec"]["Driver"]["Name"]
        for secret in evidence.secrets.values()
        if any(
            reference["SecretID"] == secret["ID"] for reference in secret_references(evidence.service["Spec"])
        )
        and secret["Spec"].get("Driver")
    }
    return [
        f"Note: {_missing(evidence, node, driver)}"
        for driver in sorted(drivers)
        for node in managers_without(evidence, driver)
        if not _leads(node) or verdict is Verdict.RUNS
    ]


def _missing(evidence: Evidence, node: Document, driver: str) -> str:
    host = printable(node["Description"]["Hostname"])
    role = "the leader" if _leads(node) else "the manager"
    effect = "" if _leads(node) else "; once it leads, tasks do not start"
    name = driver if ":" in driver else f"{driver}:latest"
    is_disabled = node["ID"] == evidence.local_node and any(
        plugin["Name"] == name and not plugin["Enabled"] for plugin in evidence.plugins
    )
    if is_disabled:
        return (
            f"on {role} {host} the driver {driver} is disabled{effect}. There: docker plugin enable {driver}"
        )
    if node["ID"] == evidence.local_node:
        return f"{role} {host} has no driver {driver}{effect}. Run playbooks/secret_driver.yml"
    return (
        f"{role} {host} has no driver {driver}, or it is disabled{effect}. There: docker plugin ls;"
        " or run playbooks/secret_driver.yml"
    )


def _has_driver(evidence: Evidence, node: Document, name: str) -> bool:
    # What a node says of itself is up to half a minute old.
    if node["ID"] == evidence.local_node and any(plugin["Name"] == name for plugin in evidence.plugins):
        return any(plugin["Name"] == name and plugin["Enabled"] for plugin in evidence.plugins)
    plugins = node["Description"].get("Engine", {}).get("Plugins") or ()
    return any(plugin["Type"] == _CAPABILITY and plugin["Name"] == name for plugin in plugins)


def _leads(node: Document) -> bool:
    return bool((node.get("ManagerStatus") or {}).get("Leader"))


def _references(evidence: Evidence, task: Document) -> list[Document]:
    """Return the task's references to Docker secrets whose value a driver has, or that are gone."""
    found = (task["Spec"].get("ContainerSpec") or {}).get("Secrets") or ()
    return [
        reference
        for reference in found
        if (secret := evidence.secrets.get(reference["SecretID"])) is None or secret["Spec"].get("Driver")
    ]


def _node_name(evidence: Evidence, task: Document) -> str:
    for node in evidence.nodes:
        if node["ID"] == task.get("NodeID"):
            return printable(node["Description"]["Hostname"])
    return "no node"


def _place(task: Document) -> object:
    """Return which of a service's places the task fills: a slot, or for a global service a node."""
    return task.get("Slot") or task.get("NodeID")


def _created(task: Document) -> float:
    return datetime.fromisoformat(task["CreatedAt"]).timestamp()


def _ended(task: Document) -> datetime:
    return datetime.fromisoformat(task["Status"]["Timestamp"])


def _moment(at: datetime | str | None) -> str:
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return "an unknown time" if moment is None else moment.isoformat(timespec="seconds")


def _lines(words: str, remedy: str) -> list[str]:
    return [f"  {words}", *([f"    What to do: {remedy}"] if remedy else [])]
