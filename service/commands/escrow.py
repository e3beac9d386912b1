"""``escrow``: seal keys for the operator's own key pair, sign them as the cluster's CA, and open sealed keys.

    escrow seal [NAME …]          seals the master keys that this service has: the named ones, or all
    escrow seal --given KIND NAME seals what follows the public key on standard input
    escrow sign                   signs sealed keys as the CA whose key precedes them on standard input
    escrow check FILE …           opens sealed keys and prints their kinds, names and ids, but not the keys
    escrow open FILE              prints the key, to a pipe

``seal`` reads the operator's public key (PEM) from standard input and prints one line of JSON per key.
``check`` and ``open`` take the private key and the CA's certificate; they need neither database nor service.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from ..backup.recovery import primary_key
from ..crypto import escrow, signatures
from ..crypto.escrow import Escrowed, EscrowKind
from ..environment import process_environment, read_file
from ..errors import CannotDecrypt, ConfigurationError, Tampered
from ..keys import loading
from . import passphrases
from .base import File, Group
from .runtime import open_runtime

_END_OF_PEM = b"-----END PUBLIC KEY-----"
_PRIVATE_PEM = re.compile(rb".*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)

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
_ca = click.option(
    "--ca", metavar="FILE", type=File(), help="certificate of the CA that signed the sealed key (ca.crt)"
)
_accept_unsigned = click.option(
    "--accept-unsigned",
    is_flag=True,
    help="accept a sealed key without a signature, or, without --ca, one whose signature is not verified",
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


@command.command("sign", help="Sign sealed keys as the CA whose key precedes them on standard input.")
def _sign() -> int:
    content = sys.stdin.buffer.read()
    pem = match[0] if (match := _PRIVATE_PEM.match(content)) else b""
    _, *lines = content[len(pem) :].split(b"\n")
    # PKCS 8 and the older form both contain this word if the key is encrypted.
    passphrase = lines.pop(0) if b"ENCRYPTED" in pem and lines else None
    key = signatures.private_key(pem, passphrase)
    try:
        sealed = [escrow.parse(line) for line in lines if line.strip()]
    except Tampered as error:
        raise ConfigurationError(f"a line after the CA's key cannot be signed: {error}") from None
    for each in sealed:
        print(escrow.sign(each, key).dump(), flush=True)
    return 0


@command.command("check", help="Open sealed keys and print what they are, but not the keys.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=File(), help="the sealed keys")
@_private_key
@_passphrase_file
@_ca
@_accept_unsigned
@click.option(
    "--backup",
    metavar="FILE",
    type=File(),
    help="check that these are the master keys that this backup needs, and print which was the primary",
)
def _check(
    files: tuple[str, ...],
    private_key: str,
    passphrase_file: str | None,
    ca: str | None,
    accept_unsigned: bool,
    backup: str | None,
) -> int:
    opener = _Opener.load(private_key, passphrase_file, ca, accept_unsigned)
    opened = [opener.open_(file) for file in files]
    primary = _primary(backup, opened) if backup else None
    for escrowed, _ in opened:
        said = {
            "kind": escrowed.kind,
            "name": escrowed.name,
            "key_id": escrowed.key_id,
            "authentic": opener.has_verified(escrowed),
        }
        if backup:
            said["primary"] = escrowed.name == primary
        print(json.dumps(said), flush=True)
    return 0


@command.command("open", help="Print a sealed key.")
@_file
@_private_key
@_passphrase_file
@_ca
@_accept_unsigned
def _open(
    file: str, private_key: str, passphrase_file: str | None, ca: str | None, accept_unsigned: bool
) -> int:
    if sys.stdout.isatty():
        raise ConfigurationError("a key is not printed on a terminal: pipe it to where it is needed")
    escrowed, value = _Opener.load(private_key, passphrase_file, ca, accept_unsigned).open_(file)
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
    held = loading.named(process_environment()).keys
    unknown = [name for name in names if name not in held]
    if unknown:
        raise ConfigurationError(f"there is no master key {unknown[0]} here, but {', '.join(held)}")
    # Anybody who passes a public key of their own gets the keys: the audit record comes first.
    with open_runtime() as runtime, runtime.entry("key_escrow"):
        pass
    for name in names or held:
        yield EscrowKind.MASTER_KEY, name, held[name]


@dataclass(frozen=True, slots=True)
class _Opener:
    """Opens sealed keys, once it has verified who made them."""

    private_key: escrow.PrivateKey
    ca: bytes | None
    accept_unsigned: bool

    @classmethod
    def load(
        cls, private_key: str, passphrase_file: str | None, ca: str | None, accept_unsigned: bool
    ) -> _Opener:
        pem = read_file("--private-key", Path(private_key))
        certificates = read_file("--ca", Path(ca)) if ca else None
        # PKCS 8 and the older form both contain this word if the key is encrypted.
        passphrase = passphrases.known(passphrase_file) if b"ENCRYPTED" in pem else None
        return cls(escrow.private_key(pem, passphrase), certificates, accept_unsigned)

    def open_(self, file: str) -> tuple[Escrowed, bytes]:
        """Return a sealed key's description and the key.

        Raises:
            ConfigurationError: the file cannot be read, is malformed or forged, or does not match the
                private key, or nobody has verified it.
        """
        content = read_file("FILE", Path(file))
        try:
            escrowed = escrow.parse(content)
            if self.ca is not None and escrowed.signature:
                escrow.verify(escrowed, self.ca)
            elif not self.accept_unsigned:
                raise Tampered(_unverified(escrowed))
            value = escrow.open_(escrowed, self.private_key)
        except Tampered as error:
            raise ConfigurationError(f"{file}: {error}") from None
        if not self.has_verified(escrowed):
            warning = f"{file}: accepted without a verified signature: {escrowed}"
            print(f"secret-manager: {warning}", file=sys.stderr, flush=True)
        return escrowed, value

    def has_verified(self, escrowed: Escrowed) -> bool:
        """Return whether its signature was verified, and not only its lack accepted."""
        return self.ca is not None and escrowed.signature != b""


def _unverified(escrowed: Escrowed) -> str:
    if escrowed.signature:
        return (
            "it is signed, and the CA's certificate is needed to tell whether by the CA; it claims to be"
            f" {escrowed}: name the certificate with --ca FILE (ca.crt)"
        )
    return (
        f"it is not signed, so anybody may have made it; it claims to be {escrowed}. If it was exported"
        " before there were signatures, compare this id with one that you trust, such as those in the"
        " manifest of a backup, and accept it with --accept-unsigned"
    )


def _primary(backup: str, opened: list[tuple[Escrowed, bytes]]) -> str:
    keys = {escrowed.name: value for escrowed, value in opened if escrowed.kind is EscrowKind.MASTER_KEY}
    if len(keys) < len(opened):
        raise ConfigurationError("with --backup, each file holds a master key, and no two have the same name")
    try:
        with Path(backup).open("rb") as source:
            return primary_key(source, keys)
    except OSError as error:
        raise ConfigurationError(f"--backup: cannot read {backup}: {error.strerror}") from None
    except CannotDecrypt as error:
        raise ConfigurationError(f"{backup}: this backup cannot be used: {error}") from None
