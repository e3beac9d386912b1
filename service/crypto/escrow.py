"""Seals a key for the operator, so that nobody opens it but who has the operator's private key.

RSA-OAEP with SHA-256 (RFC 8017, 7.1), of the key itself and nothing around it.  Should this program be lost
as well, ``sealed`` opens with

    openssl pkeyutl -decrypt -inkey FILE -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from ..errors import ConfigurationError, Tampered
from .aead import key_id_of

# 128 bits of security (NIST SP 800-57 part 1, table 2).
MIN_BITS = 3072
# Append only: a number that has been in a file keeps its meaning for good.
RSA_OAEP_SHA256 = 1

_OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
_FIELDS = ("kind", "name", "key_id", "recipient", "sealed")


class EscrowKind(StrEnum):
    """What a sealed key is for."""

    MASTER_KEY = "master-key"
    UNLOCK_KEY = "unlock-key"


@dataclass(frozen=True, slots=True)
class Escrowed:
    """A sealed key; only ``sealed`` is secret, and only from who has no private key for it.

    ``key_id`` and ``recipient`` are in hex: the id of what is sealed, and the SHA-256 of the public key that
    it is sealed for (of its DER form, as ``openssl pkey -pubin -outform DER | sha256sum`` prints it).
    """

    kind: EscrowKind
    name: str
    key_id: str
    recipient: str
    sealed: bytes = field(repr=False)

    def dump(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(
            {
                "format": RSA_OAEP_SHA256,
                "kind": self.kind,
                "name": self.name,
                "key_id": self.key_id,
                "recipient": self.recipient,
                "sealed": base64.b64encode(self.sealed).decode(),
            },
            separators=(",", ":"),
        )


def parse(content: bytes) -> Escrowed:
    """Return what ``dump`` has written.

    Raises:
        Tampered: it is something else, or was cut short.
    """
    try:
        found = json.loads(content)
    except ValueError:
        raise Tampered("no JSON: it was cut short, or is no escrowed key") from None
    if not isinstance(found, dict) or "format" not in found:
        raise Tampered("no escrowed key")
    if found["format"] != RSA_OAEP_SHA256:
        raise Tampered("of no known format: a newer version of this program may know it")
    missing = [name for name in _FIELDS if not isinstance(found.get(name), str)]
    if missing:
        raise Tampered(f"it lacks {', '.join(missing)}")
    try:
        sealed = base64.b64decode(found["sealed"], validate=True)
        kind = EscrowKind(found["kind"])
    except (binascii.Error, ValueError):
        raise Tampered("a field is damaged") from None
    return Escrowed(kind, found["name"], found["key_id"], found["recipient"], sealed)


def public_key(pem: bytes) -> RSAPublicKey:
    """Return the operator's public key.

    Raises:
        ConfigurationError: it is none that can be used; the message says how to make one.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey) or key.key_size < MIN_BITS:
        raise ConfigurationError(
            f"the escrow's public key is no RSA key of {MIN_BITS} bits or more, as PEM; make a pair with:"
            " openssl genpkey -aes256 -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out escrow.pem;"
            " openssl pkey -in escrow.pem -pubout -out escrow.pub.pem"
        )
    return key


def private_key(pem: bytes, passphrase: bytes | None) -> RSAPrivateKey:
    """Return the operator's private key.

    Raises:
        ConfigurationError: it is none, or the passphrase is wrong, missing or not asked for.
    """
    try:
        key = load_pem_private_key(pem, passphrase)
    except TypeError:
        wrong = "takes no passphrase" if passphrase else "is encrypted: give its passphrase"
        raise ConfigurationError(f"the escrow's private key {wrong}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(
            "the escrow's private key cannot be read: its passphrase is wrong, or it is no private key as PEM"
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError("the escrow's private key is no RSA key")
    return key


def recipient(key: RSAPublicKey) -> str:
    """Return by which name an escrowed key knows who may open it."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def seal(kind: EscrowKind, name: str, value: bytes, key: RSAPublicKey) -> Escrowed:
    """Seal a key (up to 318 bytes, under an RSA key of 3072 bits)."""
    return Escrowed(kind, name, key_id_of(value).hex(), recipient(key), key.encrypt(value, _OAEP))


def open_(escrowed: Escrowed, key: RSAPrivateKey) -> bytes:
    """Return the key that was sealed.

    Raises:
        ConfigurationError: it was sealed for somebody else.
        Tampered: it was altered, or is not the key that it says it is.
    """
    own = recipient(key.public_key())
    if escrowed.recipient != own:
        raise ConfigurationError(
            f"{escrowed.name} was sealed for the public key {escrowed.recipient[:16]}…, and this private key"
            f" belongs to {own[:16]}…: take the other one"
        )
    try:
        value = key.decrypt(escrowed.sealed, _OAEP)
    except ValueError:
        raise Tampered(f"{escrowed.name} does not open: the file was altered") from None
    if not hmac.compare_digest(key_id_of(value).hex(), escrowed.key_id):
        raise Tampered(f"{escrowed.name} opens, but is not the key {escrowed.key_id} that the file names")
    return value
