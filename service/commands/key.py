"""``key``: look after the master keys.

    key names    prints the names and ids of the keys that the service here holds, as one JSON object
    key status   prints which there are and how much is under each, as one JSON object
    key rewrap   brings everything under the primary one; run it again after whatever ended it

``rewrap`` exits with 0 only where it has shown that nothing needs another key, otherwise with 1: each
line on standard output names something that does not open and stays as it is.  Progress is on standard
error.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict

from ..access import policy
from ..crypto.aead import key_id_of
from ..environment import Environment
from ..keys import loading
from ..keys.rewrap import Rewrap, RewrapResult
from ..keys.status import KeyServices, key_status
from .runtime import Runtime, open_runtime

_SECONDS_BETWEEN_LINES = 2.0
# Some questions make the database look through all secrets, of which there may be millions; and a run need
# not end where an election takes a while.
_OPERATION_TIMEOUT = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("names", help="print which keys there are here, without asking the database")
    status = actions.add_parser("status", help="print what is under which key")
    status.set_defaults(act=_status)
    rewrap = actions.add_parser("rewrap", help="bring everything under the primary key")
    rewrap.set_defaults(act=_rewrap)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say and return the exit code.

    Raises:
        ConfigurationError: the configuration cannot be used.
    """
    if args.action == "names":
        return _names()
    with open_runtime(_OPERATION_TIMEOUT) as runtime:
        code: int = args.act(runtime)
    return code


def _names() -> int:
    found = loading.named(Environment(os.environ))
    ids = {name: key_id_of(key).hex() for name, key in found.keys.items()}
    print(json.dumps({"primary": found.primary, "keys": ids}))
    return 0


def _status(runtime: Runtime) -> int:
    with runtime.entry("key_status"):
        found = key_status(_keys(runtime), policy.OPERATOR)
    print(json.dumps(asdict(found), indent=2))
    return 0


def _rewrap(runtime: Runtime) -> int:
    # Two records: one that was killed has left the first.
    with runtime.entry("key_rewrap_start"):
        pass
    watcher = _Watcher()
    with runtime.entry("key_rewrap") as entry:
        outcome = Rewrap(_keys(runtime), runtime.store.secrets, runtime.key_check, watcher).run(
            policy.OPERATOR
        )
        if outcome.left:
            entry.reason = "another key is still needed"
    watcher.end(outcome, runtime.ring.key_ids[0])
    return 1 if outcome.left else 0


def _keys(runtime: Runtime) -> KeyServices:
    return KeyServices(
        runtime.ring, runtime.store.keys, runtime.store.rewrap, runtime.store.canaries, runtime.audit_log.key
    )


class _Watcher:
    """Says how it goes, now and then."""

    def __init__(self) -> None:
        self._started = self._said = time.monotonic()
        self._total = 0

    def begin(self, total: int) -> None:
        self._total = total
        _say(f"{total} secrets and tokens to do")

    def progress(self, done: int) -> None:
        if time.monotonic() - self._said >= _SECONDS_BETWEEN_LINES:
            self._said = time.monotonic()
            _say(f"{done} of {self._total} done, {done / (self._said - self._started):.0f} per second")

    def failed(self, what: str) -> None:
        print(what, flush=True)

    def end(self, outcome: RewrapResult, primary: str) -> None:
        seconds = time.monotonic() - self._started
        _say(f"{outcome.done} done in {seconds:.1f} s, {outcome.done / seconds:.0f} per second")
        if not outcome.left:
            _say(f"nothing needs another key than {primary}")
            return
        if outcome.failed:
            _say(f"{outcome.failed} do not open: they are named on standard output, and stay as they are")
        if outcome.left > outcome.failed:
            _say(
                f"{outcome.left - outcome.failed} came under another key meanwhile: make {primary} the"
                " primary key of every replica, then run this again"
            )


def _say(text: str) -> None:
    print(f"secret-manager: {text}", file=sys.stderr, flush=True)
