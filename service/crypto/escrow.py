"""Key escrow: encrypts a key to the operator's public key.

``sealed`` is RSA-OAEP with SHA-256 (RFC 8017, 7.1) of the key alone.  Without this program, decrypt it with

    openssl pkeyutl -decrypt -inkey FILE -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256

Everybody who has the public key can encrypt a key of their own to it, so the cluster's CA signs what is
exported.  ``signer`` is the SHA-256 of the CA's public key, and ``signature`` covers all other fields.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from ..errors import ConfigurationError, Tampered
from . import signatures
from .aead import key_id_of
from .canonical import encode

PrivateKey: TypeAlias = RSAPrivateKey

# 128 bits of security (NIST SP 800-57 part 1, table 2).
MIN_BITS = 3072
# Append only: a number that has been in a file never changes its meaning.
RSA_OAEP_SHA256 = 1

_OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
_FIELDS = ("kind", "name", "key_id", "recipient", "sealed")
# What is not signed has neither of them.
_SIGNATURE_FIELDS = ("signer", "signature")


class EscrowKind(StrEnum):
    """What a sealed key is for."""

    MASTER_KEY = "master-key"
    UNLOCK_KEY = "unlock-key"


@dataclass(frozen=True, slots=True)
class Escrowed:
    """A key encrypted to the operator; safe to store anywhere without the operator's private key.

    ``key_id`` and ``recipient`` are in hex: the id of the encrypted key, and the SHA-256 of the operator's
    public key (in DER, as ``openssl pkey -pubin -outform DER | sha256sum`` prints it).  ``signer`` is that of
    the CA's; it and ``signature`` are empty if nobody has signed it.
    """

    kind: EscrowKind
    name: str
    key_id: str
    recipient: str
    sealed: bytes = field(repr=False)
    signer: str = ""
    signature: bytes = field(default=b"", repr=False)

    def __str__(self) -> str:
        """Say what it claims to be."""
        return f"{self.kind} {self.name} ({self.key_id})"

    def dump(self) -> str:
        """Return it as one line of JSON."""
        fields: dict[str, object] = {
            "format": RSA_OAEP_SHA256,
            "kind": self.kind,
            "name": self.name,
            "key_id": self.key_id,
            "recipient": self.recipient,
            "sealed": base64.b64encode(self.sealed).decode(),
        }
        if self.signature:
            fields |= {"signer": self.signer, "signature": base64.b64encode(self.signature).decode()}
        return json.dumps(fields, separators=(",", ":"))


def parse(content: bytes) -> Escrowed:
    """Parse the output of ``Escrowed.dump``.

    Raises:
        Tampered: it is something else, or was cut short.
    """
    try:
        document = json.loads(content)
    except ValueError:
        raise Tampered("not JSON: it was cut short, or is not an escrowed key") from None
    if not isinstance(document, dict) or "format" not in document:
        raise Tampered("not an escrowed key")
    if document["format"] != RSA_OAEP_SHA256:
        raise Tampered("unknown format: a newer version of this program may support it")
    is_signed = any(name in document for name in _SIGNATURE_FIELDS)
    expected = _FIELDS + _SIGNATURE_FIELDS if is_signed else _FIELDS
    missing = [name for name in expected if not _is_text(document.get(name))]
    if missing:
        raise Tampered(f"missing or not text: {', '.join(missing)}")
    try:
        sealed = base64.b64decode(document["sealed"], validate=True)
        signature = base64.b64decode(document.get("signature", ""), validate=True)
        kind = EscrowKind(document["kind"])
    except (binascii.Error, ValueError):
        raise Tampered("`sealed`, `signature` or `kind` is malformed") from None
    return Escrowed(
        kind,
        document["name"],
        document["key_id"],
        document["recipient"],
        sealed,
        document.get("signer", ""),
        signature,
    )


def public_key(pem: bytes) -> RSAPublicKey:
    """Parse the operator's public key.

    Raises:
        ConfigurationError: it is not a suitable RSA key; the message says how to make one.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey) or key.key_size < MIN_BITS:
        raise ConfigurationError(
            f"the escrow public key is not an RSA key of {MIN_BITS} bits or more in PEM; make a pair with:"
            " openssl genpkey -aes256 -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out escrow.pem;"
            " openssl pkey -in escrow.pem -pubout -out escrow.pub.pem"
        )
    return key


def private_key(pem: bytes, passphrase: bytes | None) -> PrivateKey:
    """Parse the operator's private key.

    Raises:
        ConfigurationError: it is not an RSA key, or the passphrase is wrong, missing or superfluous.
    """
    try:
        key = load_pem_private_key(pem, passphrase)
    except TypeError:
        problem = (
            "is not encrypted: give no passphrase" if passphrase else "is encrypted: give its passphrase"
        )
        raise ConfigurationError(f"the escrow private key {problem}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(
            "the escrow private key cannot be read: wrong passphrase, or not a private key in PEM"
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError("the escrow private key is not an RSA key")
    return key


def recipient(key: RSAPublicKey) -> str:
    """Return the SHA-256 of a public key in DER, in hex: the ``recipient`` of an escrowed key."""
    return signatures.fingerprint(key)


def seal(kind: EscrowKind, name: str, value: bytes, key: RSAPublicKey) -> Escrowed:
    """Encrypt a key (at most 318 bytes with an RSA key of 3072 bits)."""
    return Escrowed(kind, name, key_id_of(value).hex(), recipient(key), key.encrypt(value, _OAEP))


def sign(escrowed: Escrowed, key: signatures.PrivateKey) -> Escrowed:
    """Return the same with the signature of the CA whose key this is, in the place of another one."""
    unsigned = replace(escrowed, signer=signatures.fingerprint(key.public_key()))
    return replace(unsigned, signature=signatures.sign(key, _signed_message(unsigned)))


def verify(escrowed: Escrowed, certificates: bytes) -> None:
    """Check that the CA of one of these certificates has signed it (PEM; one or more).

    Raises:
        ConfigurationError: there is no certificate in ``certificates``.
        Tampered: it was signed by another CA or by none, or was altered.
    """
    keys = signatures.certified_keys(certificates)
    signatures.verify(keys, escrowed.signer, escrowed.signature, _signed_message(escrowed))


def open_(escrowed: Escrowed, key: PrivateKey) -> bytes:
    """Return the decrypted key.

    Raises:
        ConfigurationError: it was encrypted to another public key.
        Tampered: it was altered, or is not the key that ``key_id`` names.
    """
    own = recipient(key.public_key())
    if escrowed.recipient != own:
        raise ConfigurationError(
            f"{escrowed.name} was sealed for the public key {escrowed.recipient[:16]}…, and this private key"
            f" belongs to {own[:16]}…: use the private key that matches the first"
        )
    try:
        value = key.decrypt(escrowed.sealed, _OAEP)
    except ValueError:
        raise Tampered(f"{escrowed.name} cannot be decrypted: the file was altered") from None
    if not hmac.compare_digest(key_id_of(value).hex(), escrowed.key_id):
        raise Tampered(f"{escrowed.name} can be decrypted, but is not the key {escrowed.key_id} of the file")
    return value


def _is_text(value: object) -> bool:
    # Messages show what a file claims, so it must not control the terminal.
    return isinstance(value, str) and value.isprintable()


def _signed_message(escrowed: Escrowed) -> bytes:
    return encode(
        {
            "purpose": "escrow",
            "format": str(RSA_OAEP_SHA256),
            "kind": escrowed.kind,
            "name": escrowed.name,
            "key_id": escrowed.key_id,
            "recipient": escrowed.recipient,
            "sealed": escrowed.sealed.hex(),
            "signer": escrowed.signer,
        }
    )
