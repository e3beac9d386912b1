"""``escrow``: seal keys for the operator's own key pair, and open sealed keys.

    escrow seal [NAME …]          seals the master keys that this service has: the named ones, or all
    escrow seal --given KIND NAME seals what follows the public key on standard input
    escrow check FILE             opens a sealed key and prints its kind, name and id, but not the key
    escrow open FILE              prints the key, to a pipe

``seal`` reads the operator's public key (PEM) from standard input and prints one line of JSON per key.
``check`` and ``open`` take the private key; they need neither database nor service.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from ..crypto import escrow
from ..crypto.escrow import Escrowed, EscrowKind
from ..environment import Environment, read_file
from ..errors import ConfigurationError, Tampered
from ..keys import loading
from . import passphrases
from .base import File, Group
from .runtime import open_runtime

_END_OF_PEM = b"-----END PUBLIC KEY-----"

_file = click.argument("file", metavar="FILE", type=File(), help="the sealed key")
_private_key = click.option(
    "--private-key", required=True, metavar="FILE", type=File(), help="the operator's private key, as PEM"
)
_passphrase_file = click.option(
    "--passphrase-file",
    metavar="FILE",
    type=File(),
    help="file with the private key's passphrase; default: ask for it",
)


@click.group(cls=Group, help="Seal master keys for the operator's own key pair, and open sealed keys.")
def command() -> None:
    """Do nothing: the subcommand does."""


@command.command("seal", help="Seal keys for the public key on standard input.")
@click.argument("names", nargs=-1, metavar="[NAME]...", help="which master keys; default: all")
@click.option(
    "--given",
    type=click.Choice([str(kind) for kind in EscrowKind]),
    help="seal a key of this kind that follows the public key on standard input",
)
def _seal(names: tuple[str, ...], given: str | None) -> int:
    pem, end, rest = sys.stdin.buffer.read().partition(_END_OF_PEM)
    public = escrow.public_key(pem + end)
    keys = _held_keys(names) if given is None else [_given_key(EscrowKind(given), names, rest)]
    for kind, name, value in keys:
        print(escrow.seal(kind, name, value, public).dump(), flush=True)
    return 0


@command.command("check", help="Open a sealed key and print what it is, but not the key.")
@_file
@_private_key
@_passphrase_file
def _check(file: str, private_key: str, passphrase_file: str | None) -> int:
    escrowed, _ = _open_sealed(file, private_key, passphrase_file)
    print(json.dumps({"kind": escrowed.kind, "name": escrowed.name, "key_id": escrowed.key_id}), flush=True)
    return 0


@command.command("open", help="Print a sealed key.")
@_file
@_private_key
@_passphrase_file
def _open(file: str, private_key: str, passphrase_file: str | None) -> int:
    if sys.stdout.isatty():
        raise ConfigurationError("a key is not printed on a terminal: pipe it to where it is needed")
    escrowed, value = _open_sealed(file, private_key, passphrase_file)
    text = base64.b64encode(value) if escrowed.kind is EscrowKind.MASTER_KEY else value
    print(text.decode(), flush=True)
    return 0


def _given_key(kind: EscrowKind, names: tuple[str, ...], rest: bytes) -> tuple[EscrowKind, str, bytes]:
    if len(names) != 1:
        raise ConfigurationError("--given takes one name")
    value = rest.strip()
    if not value:
        raise ConfigurationError("nothing follows the public key on standard input: write the key after it")
    raw = loading.parse("standard input", value) if kind is EscrowKind.MASTER_KEY else value
    return kind, names[0], raw


def _held_keys(names: tuple[str, ...]) -> Iterator[tuple[EscrowKind, str, bytes]]:
    held = loading.named(Environment(os.environ)).keys
    unknown = [name for name in names if name not in held]
    if unknown:
        raise ConfigurationError(f"there is no master key {unknown[0]} here, but {', '.join(held)}")
    # Anybody who passes a public key of their own gets the keys: the audit record comes first.
    with open_runtime() as runtime, runtime.entry("key_escrow"):
        pass
    for name in names or held:
        yield EscrowKind.MASTER_KEY, name, held[name]


def _open_sealed(file: str, private_key: str, passphrase_file: str | None) -> tuple[Escrowed, bytes]:
    """Return a sealed key's description and the key.

    Raises:
        ConfigurationError: a file cannot be read, is malformed, or does not match the private key.
    """
    content = read_file("FILE", Path(file))
    pem = read_file("--private-key", Path(private_key))
    try:
        escrowed = escrow.parse(content)
        # PKCS 8 and the older form both contain this word if the key is encrypted.
        passphrase = passphrases.known(passphrase_file) if b"ENCRYPTED" in pem else None
        return escrowed, escrow.open_(escrowed, escrow.private_key(pem, passphrase))
    except Tampered as error:
        raise ConfigurationError(f"{file}: {error}") from None
