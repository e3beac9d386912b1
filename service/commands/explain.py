"""``explain``: say why a task of the Swarm does not start, or which versions it runs with.

Exit code 0: all runs; 1: something does not, and the output says why; 2: it cannot be told.  It runs where a
manager's Docker socket is, and asks the vault with a token that has the scope ``audit``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import click

from ..errors import ConfigurationError
from ..swarm import attempts
from ..swarm.attempts import Attempt
from ..swarm.engine import DEFAULT_SOCKET, Document, Engine
from ..swarm.errors import NotFoundByEngine, SwarmError, VaultNotReached, VaultRefused
from ..swarm.explain import Evidence, explain_service, explain_task
from ..swarm.vault import Vault
from .base import Command, File

# Machines do not agree about the time.
_MAX_SKEW = timedelta(seconds=5)
# Of the service; and of all that the vault refused meanwhile, of which few are wanted.
_MAX_RECORDS, _MAX_REFUSED = 10_000, 1_000


@click.command(cls=Command, help="Say why a task of the Swarm does not start, or which versions it has.")
@click.argument("service_or_task", metavar="SERVICE|TASK")
@click.option("--address", "addresses", metavar="URL", multiple=True, help="of the vault; repeat")
@click.option("--ca", metavar="FILE", type=File(), help="certificate of the CA that issued the vault's")
@click.option("--token-file", metavar="FILE", type=File(), help="a token with the scope audit")
@click.option(
    "--driver-log",
    "logs",
    metavar="FILE",
    type=File(),
    multiple=True,
    help="an engine's log, with the driver's lines; - is standard input; repeat, for each manager",
)
@click.option("--docker", metavar="SOCKET", default=DEFAULT_SOCKET, show_default=True, help="a manager's")
def command(
    service_or_task: str,
    addresses: tuple[str, ...],
    ca: str | None,
    token_file: str | None,
    logs: tuple[str, ...],
    docker: str,
) -> int:
    """Collect what is known, and print what it means."""
    try:
        lines = [line for name in logs for line in attempts.from_log(_lines(name))]
        vault = Vault(addresses, Path(ca) if ca else None, Path(token_file)) if token_file else None
        engine = Engine(docker)
        service, task_id = _find(engine, service_or_task)
        evidence = _collect(engine, vault, service, task_id, lines)
    except SwarmError as error:
        raise ConfigurationError(str(error)) from None
    explained = explain_service(evidence) if task_id is None else explain_task(evidence, task_id)
    for line in explained.lines:
        print(line)
    return explained.verdict


def _find(engine: Engine, service_or_task: str) -> tuple[Document, str | None]:
    """Return a service, and the id of its task if it is that which was named."""
    try:
        return engine.service(service_or_task), None
    except NotFoundByEngine:
        pass
    try:
        task = engine.task(service_or_task)
    except NotFoundByEngine:
        raise ConfigurationError(
            f"the Swarm has no service and no task {service_or_task}: docker service ls and docker service ps"
            " show what there is"
        ) from None
    return engine.service(task["ServiceID"]), task["ID"]


def _collect(
    engine: Engine, vault: Vault | None, service: Document, task_id: str | None, lines: list[Attempt]
) -> Evidence:
    tasks = engine.tasks(service["ID"])
    own_lines = [line for line in lines if line.task_id in {task["ID"] for task in tasks}]
    of = {"service": service["Spec"]["Name"]} if task_id is None else {"task_id": task_id}
    records, unseen = _records(vault, service, tasks, of)
    return Evidence(
        service=service,
        tasks=tasks,
        secrets={secret["ID"]: secret for secret in engine.secrets()},
        nodes=engine.nodes(),
        local_node=str(engine.info()["Swarm"]["NodeID"]),
        plugins=engine.plugins(),
        attempts=attempts.merge(records, own_lines),
        lines=lines,
        unseen=unseen,
    )


def _records(
    vault: Vault | None, service: Document, tasks: list[Document], of: dict[str, str]
) -> tuple[list[Attempt], list[str]]:
    """Return the attempts that the audit log has, and what of it could not be read."""
    if vault is None:
        return [], ["The audit log was not read: that takes --address, --ca and --token-file."]
    if not tasks:
        return [], []
    since = min(datetime.fromisoformat(task["CreatedAt"]) for task in tasks) - _MAX_SKEW
    try:
        found = vault.audit_records(since, _MAX_RECORDS, operation="deliver", **of)
        refused = vault.audit_records(since, _MAX_REFUSED, operation="deliver", status="failure")
    except VaultNotReached as error:
        return [], [f"The audit log could not be read: {error}."]
    except VaultRefused as error:
        raise ConfigurationError(f"the vault does not show the audit log to --token-file: {error}") from None
    # A service that was removed and made again has another id; a call that was refused before it was read
    # names none.
    own = [record for record in found if record["service_id"] in {service["ID"], None}]
    return attempts.from_records([*own, *(record for record in refused if not record["service"])]), []


def _lines(name: str) -> Iterator[str]:
    if name == "-":
        yield from sys.stdin
        return
    try:
        with Path(name).open(errors="replace") as log:
            yield from log
    except OSError as error:
        raise ConfigurationError(f"--driver-log: {name} cannot be read: {error.strerror}") from None
