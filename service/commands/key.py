"""``key``: manage the master keys.

    key names    prints the names and ids of the keys that this machine's service has, as one JSON object
    key status   prints which keys exist and how much is encrypted under each, as one JSON object
    key rewrap   re-encrypts everything under the primary key; if it was interrupted, run it again
    key earlier  prints whether records of earlier versions are still accepted: yes or no

``rewrap`` also gives records of earlier versions a tag over all of them, and from then on none is accepted
without.  It exits with 0 only if it has verified that nothing needs another key, otherwise with 1.  Each line
on standard output names an item that cannot be decrypted and was left unchanged.  Progress is on standard
error.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict

import click

from ..access import policy
from ..crypto.aead import key_id_of
from ..environment import process_environment
from ..keys import loading
from ..keys.rewrap import Rewrap, RewrapResult
from ..keys.status import KeyServices, key_status
from .base import Group
from .runtime import Runtime, open_runtime

_PROGRESS_SECONDS = 2.0
# Some queries read all secrets, of which there may be millions; and a run need not end because an election
# takes some time.
_OPERATION_TIMEOUT = 300


@click.group(
    cls=Group,
    help="Show what is encrypted under which master key, or re-encrypt it under the primary key.",
)
def command() -> None:
    """Do nothing: the subcommand does."""


@command.command("names", help="Print which keys this service has, without asking the database.")
def _names() -> int:
    found = loading.named(process_environment())
    ids = {name: key_id_of(key).hex() for name, key in found.keys.items()}
    print(json.dumps({"primary": found.primary, "keys": ids}))
    return 0


@command.command("status", help="Print what is encrypted under which key.")
def _status() -> int:
    with open_runtime(_OPERATION_TIMEOUT) as runtime:
        with runtime.entry("key_status"):
            status = key_status(_keys(runtime), policy.OPERATOR)
        print(json.dumps(asdict(status), indent=2))
    return 0


@command.command("rewrap", help="Re-encrypt everything under the primary key.")
def _rewrap() -> int:
    with open_runtime(_OPERATION_TIMEOUT) as runtime:
        # Two records: a run that was killed has left the first.
        with runtime.entry("key_rewrap_start"):
            pass
        watcher = _Watcher()
        with runtime.entry("key_rewrap") as entry:
            result = Rewrap(
                _keys(runtime),
                runtime.store.secrets,
                runtime.store.tokens,
                runtime.store.sessions,
                runtime.store.shares,
                runtime.store.grants,
                runtime.store.approles,
                runtime.store.secret_ids,
                runtime.key_check,
                watcher,
            ).run(policy.OPERATOR)
            if result.left:
                entry.reason = "another key is still needed"
        watcher.end(result, runtime.ring.key_ids[0])
        return 1 if result.left else 0


@command.command("earlier", help="Print whether records of earlier versions are still accepted: yes or no.")
def _earlier() -> int:
    with open_runtime() as runtime:
        print("yes" if runtime.key_check.accepts_earlier() else "no")
    return 0


def _keys(runtime: Runtime) -> KeyServices:
    return KeyServices(
        runtime.ring, runtime.store.keys, runtime.store.rewrap, runtime.store.canaries, runtime.audit_log.key
    )


class _Watcher:
    """Reports progress every few seconds."""

    def __init__(self) -> None:
        self._started = self._reported_at = time.monotonic()
        self._total = 0

    def begin(self, total: int) -> None:
        self._total = total
        _report(f"{total} secrets, tokens, grants and AppRoles to do")

    def progress(self, done: int) -> None:
        if time.monotonic() - self._reported_at >= _PROGRESS_SECONDS:
            self._reported_at = time.monotonic()
            rate = done / (self._reported_at - self._started)
            _report(f"{done} of {self._total} done, {rate:.0f} per second")

    def failed(self, what: str) -> None:
        print(what, flush=True)

    def end(self, result: RewrapResult, primary: str) -> None:
        seconds = time.monotonic() - self._started
        _report(f"{result.done} done in {seconds:.1f} s, {result.done / seconds:.0f} per second")
        if not result.left:
            _report("no record of an earlier version is left")
            _report(f"nothing needs another key than {primary}")
            return
        if result.failed:
            _report(
                f"{result.failed} do not open: they are listed on standard output and were left unchanged"
            )
        if result.left > result.failed:
            _report(
                f"{result.left - result.failed} were encrypted under another key during the run: make"
                f" {primary} the primary key of every replica, then run this again"
            )


def _report(text: str) -> None:
    print(f"secret-manager: {text}", file=sys.stderr, flush=True)
