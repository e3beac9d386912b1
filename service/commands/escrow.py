"""``escrow``: seal keys for the operator's own key pair, and open what was sealed.

    escrow seal [NAME …]          the master keys that the service here holds, those named or all
    escrow seal --given KIND NAME what stands on standard input, behind the public key
    escrow check FILE             opens it and says what it is, without showing it
    escrow open FILE              prints the key, to a pipe

``seal`` reads the operator's public key (PEM) from standard input and prints one line of JSON per key.
``check`` and ``open`` take the private key, where that is kept; they need neither database nor service.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ..crypto import escrow
from ..crypto.escrow import Escrowed, EscrowKind
from ..environment import Environment, read_file
from ..errors import ConfigurationError, Tampered
from ..keys import loading
from . import passphrases
from .runtime import open_runtime

_END_OF_PEM = b"-----END PUBLIC KEY-----"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")

    seal = actions.add_parser("seal", help="seal keys for the public key on standard input")
    seal.add_argument("names", nargs="*", metavar="NAME", help="which of the master keys; without one, all")
    seal.add_argument(
        "--given", choices=[*EscrowKind], help="not one that the service holds: it follows the public key"
    )
    seal.set_defaults(act=_seal)

    for name, purpose, act in (
        ("check", "open an escrowed key and say what it is, without showing it", _check),
        ("open", "print an escrowed key", _open),
    ):
        action = actions.add_parser(name, help=purpose)
        action.add_argument("file", metavar="FILE", help="the escrowed key")
        action.add_argument("--private-key", required=True, metavar="FILE", help="the operator's, as PEM")
        action.add_argument(
            "--passphrase-file", metavar="FILE", help="where its passphrase is; else it is asked for"
        )
        action.set_defaults(act=act)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say and return the exit code.

    Raises:
        ConfigurationError: the arguments, a key or the configuration cannot be used.
    """
    for line in args.act(args):
        print(line, flush=True)
    return 0


def _seal(args: argparse.Namespace) -> Iterator[str]:
    pem, end, given = sys.stdin.buffer.read().partition(_END_OF_PEM)
    public = escrow.public_key(pem + end)
    if args.given:
        if len(args.names) != 1:
            raise ConfigurationError("--given takes one name")
        value = given.strip()
        if not value:
            raise ConfigurationError("nothing follows the public key on standard input")
        kind = EscrowKind(args.given)
        raw = loading.parse("standard input", value) if kind is EscrowKind.MASTER_KEY else value
        yield escrow.seal(kind, args.names[0], raw, public).dump()
        return
    held = loading.named(Environment(os.environ)).keys
    unknown = [name for name in args.names if name not in held]
    if unknown:
        raise ConfigurationError(f"there is no master key {unknown[0]} here, but {', '.join(held)}")
    # Whoever gives a public key of their own gets the keys: that is on record before they do.
    with open_runtime() as runtime, runtime.entry("key_escrow"):
        pass
    for name in args.names or held:
        yield escrow.seal(EscrowKind.MASTER_KEY, name, held[name], public).dump()


def _check(args: argparse.Namespace) -> Iterator[str]:
    escrowed, _ = _opened(args)
    yield json.dumps({"kind": escrowed.kind, "name": escrowed.name, "key_id": escrowed.key_id})


def _open(args: argparse.Namespace) -> Iterator[str]:
    if sys.stdout.isatty():
        raise ConfigurationError("a key is no text for a terminal: pipe it to where it goes")
    escrowed, value = _opened(args)
    yield base64.b64encode(value).decode() if escrowed.kind is EscrowKind.MASTER_KEY else value.decode()


def _opened(args: argparse.Namespace) -> tuple[Escrowed, bytes]:
    content = read_file("FILE", Path(args.file))
    pem = read_file("--private-key", Path(args.private_key))
    try:
        escrowed = escrow.parse(content)
        # Neither PKCS 8 nor the older form can be encrypted without saying so.
        passphrase = passphrases.known(args.passphrase_file) if b"ENCRYPTED" in pem else None
        return escrowed, escrow.open_(escrowed, escrow.private_key(pem, passphrase))
    except Tampered as refused:
        raise ConfigurationError(f"{args.file}: {refused}") from None
