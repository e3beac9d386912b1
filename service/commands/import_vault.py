"""``import --from-vault``: secrets with all their versions, from a running HashiCorp Vault or OpenBao.

One secret after the other is read and written; ``transfer.migration`` says why.  Each secret that is created
or changed has its own audit record.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypedDict

import click

from ..access import paths, policy
from ..errors import ConfigurationError, InvalidFields, Unavailable, VaultError
from ..transfer import importing, plan
from ..transfer.importing import Existing, ImportOutcome
from ..transfer.kv_source.client import Client, Server
from ..transfer.kv_source.errors import NotReadable, SourceError
from ..transfer.kv_source.mount import Mount, Settings
from ..transfer.migration import Migration, MigrationStep
from .base import File
from .import_report import FAILED, INTERRUPTED, counts, how_to_go_on, stop_requested
from .private_files import private_file
from .progress import Progress
from .runtime import Runtime, open_runtime

_DEFAULTS = Server("")
_MOUNT, _APPROLE_MOUNT = "secret", "approle"
# What the operator should know even if it was carried out.
_NOTABLE = {ImportOutcome.NULL, ImportOutcome.NO_VALUE, ImportOutcome.GONE}
_NOT_DONE = {ImportOutcome.REFUSE, FAILED}

# All of them are None or False if they are not given, so that they can be refused without --from-vault.
_OPTIONS = (
    click.option(
        "--from-vault",
        metavar="URL",
        help="a running Vault or OpenBao to import from, in place of FILE: https://vault.example.org:8200",
    ),
    click.option("--mount", metavar="NAME", help=f"KV version 2 mount of Vault; default: {_MOUNT}"),
    click.option("--folder", metavar="FOLDER", help="folder of the mount; default: all of it"),
    click.option("--token-file", metavar="FILE", type=File(), help="holds a token of Vault"),
    click.option("--role-id-file", metavar="FILE", type=File(), help="log in with AppRole: the role id"),
    click.option("--secret-id-file", metavar="FILE", type=File(), help="log in with AppRole: the secret id"),
    click.option(
        "--approle-mount", metavar="NAME", help=f"where AppRole is enabled; default: {_APPROLE_MOUNT}"
    ),
    click.option("--namespace", metavar="NAME", help="namespace of Vault"),
    click.option(
        "--ca",
        metavar="FILE",
        type=File(),
        help="the CA that issued Vault's certificate; default: the system's",
    ),
    click.option(
        "--rate",
        type=click.FloatRange(min=0.1),
        metavar="NUMBER",
        help=f"calls of Vault per second, at most; default: {_DEFAULTS.rate:g}",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=1),
        metavar="SECONDS",
        help=f"for one answer of Vault; default: {_DEFAULTS.seconds:g}",
    ),
    click.option("--fail-fast", is_flag=True, help="stop at the first secret of Vault that is not imported"),
)
NAMES = (
    "--mount, --folder, --token-file, --role-id-file, --secret-id-file, --approle-mount, --namespace, --ca,"
    " --rate, --timeout and --fail-fast"
)


class VaultOptions(TypedDict):
    """The options of an import from a running server; None or False if they are not given."""

    from_vault: str | None
    mount: str | None
    folder: str | None
    token_file: str | None
    role_id_file: str | None
    secret_id_file: str | None
    approle_mount: str | None
    namespace: str | None
    ca: str | None
    rate: float | None
    timeout: float | None
    fail_fast: bool


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add these options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def run(
    given: VaultOptions, prefix: str, existing: Existing, *, split: bool, allow_empty: bool, dry_run: bool
) -> int:
    """Import, print what was done, and return 1 if a secret was not (or would not be) imported.

    Raises:
        ConfigurationError: the arguments or the configuration cannot be used, or the server can no longer
            be; then what was imported until then has been printed.
    """
    try:
        target, folder = paths.folder(prefix), _source_folder(given["folder"] or "")
        log_in = _login(given)
        client = Client(
            Server(
                given["from_vault"] or "",
                Path(given["ca"]) if given["ca"] else None,
                given["namespace"] or "",
                given["timeout"] or _DEFAULTS.seconds,
                given["rate"] or _DEFAULTS.rate,
            )
        )
        with open_runtime() as runtime, closing(client):
            log_in(client)
            mount = Mount(client, given["mount"] or _MOUNT)
            migration = Migration(
                runtime.secrets,
                policy.OPERATOR,
                mount,
                _settings(mount),
                target,
                existing,
                split,
                allow_empty,
            )
            return _import(runtime, migration, folder, dry_run=dry_run, fail_fast=given["fail_fast"])
    except InvalidFields as error:
        raise ConfigurationError(plan.describe_error(error)) from None
    except SourceError as error:
        raise ConfigurationError(str(error)) from None


def _source_folder(text: str) -> str:
    name = text.strip("/")
    return f"{name}/" if name else ""


def _login(given: VaultOptions) -> Callable[[Client], None]:
    """Read the credentials, and return how to log in with them.

    Raises:
        ConfigurationError: they are missing, or cannot be read.
    """
    token, role_id, secret_id = given["token_file"], given["role_id_file"], given["secret_id_file"]
    if token and not role_id and not secret_id:
        read = private_file("--token-file", token)
        return lambda client: client.use_token(read)
    if role_id and secret_id and not token:
        role = private_file("--role-id-file", role_id)
        secret = private_file("--secret-id-file", secret_id)
        return lambda client: client.log_in(given["approle_mount"] or _APPROLE_MOUNT, role, secret)
    raise ConfigurationError(
        "--from-vault needs credentials in files: --token-file, or --role-id-file and --secret-id-file"
    )


def _settings(mount: Mount) -> Settings:
    try:
        return mount.settings()
    except NotReadable as error:
        print(f"the settings of the mount are left out, those of each secret are taken: {error}")
        return Settings()


def _import(runtime: Runtime, migration: Migration, folder: str, *, dry_run: bool, fail_fast: bool) -> int:
    done: Counter[str] = Counter()
    versions: Counter[str] = Counter()
    progress = Progress("importing")
    go_on = how_to_go_on(migration.existing)
    with stop_requested() as stopped:
        try:
            for step in migration.steps(folder):
                outcome = step.outcome if dry_run else _carry_out(runtime, migration, step)
                _print(step, outcome, dry_run=dry_run)
                done[outcome] += 1
                if outcome != FAILED:
                    versions += Counter({"versions": step.versions, "without a value": step.without_value})
                progress.add(1)
                if stopped() or (fail_fast and outcome in _NOT_DONE):
                    print(f"stopped; {_report(done, versions)}; {go_on}")
                    return INTERRUPTED if stopped() else 1
        except (SourceError, Unavailable):
            print(f"stopped; {_report(done, versions)}; {go_on}")
            raise
    print(f"{'dry run, nothing was changed; ' if dry_run else ''}{_report(done, versions)}")
    return 1 if any(done[outcome] for outcome in _NOT_DONE) else 0


def _carry_out(runtime: Runtime, migration: Migration, step: MigrationStep) -> str:
    """Do what was planned and return what was done.

    Raises:
        Unavailable: the change may or may not have been made; the other secrets would fail as well.
    """
    if step.outcome not in importing.CHANGES:
        return step.outcome
    try:
        with runtime.entry("import") as entry, runtime.store.request_deadline():
            migration.carry_out(entry, step)
    except Unavailable:
        raise
    except VaultError as error:
        # Something has changed since it was planned; the other secrets are not affected.
        print(f"{step.name}: {FAILED}: {plan.describe_error(error)}", file=sys.stderr)
        return FAILED
    return step.outcome


def _print(step: MigrationStep, outcome: str, *, dry_run: bool) -> None:
    if dry_run:
        print(step)
    elif outcome == ImportOutcome.REFUSE:
        print(step, file=sys.stderr)
    elif outcome != FAILED and (step.outcome in _NOTABLE or step.without_value or step.left_out):
        print(step)


def _report(done: Counter[str], versions: Counter[str]) -> str:
    return "; ".join(counts(each) for each in (done, versions) if each) or counts(done)
