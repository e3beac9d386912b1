"""Signatures of the cluster's CA: made with its key, verified with its certificate.

The CA's key signs certificates as well.  What is signed here is an encoding of ``canonical``, whose first
byte is 0, while what is signed of a certificate begins with 0x30 (a DER sequence): neither passes for the
other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey, Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from ..errors import ConfigurationError, Tampered

PrivateKey: TypeAlias = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey | Ed448PrivateKey
PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | Ed448PublicKey

# The scheme follows from the kind of the key: changing one of these makes earlier signatures invalid.
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
_ECDSA = ECDSA(hashes.SHA256())


def fingerprint(key: PublicKey) -> str:
    """Return the SHA-256 of a public key in DER, in hex."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def private_key(pem: bytes, passphrase: bytes | None) -> PrivateKey:
    """Parse the CA's key.

    Raises:
        ConfigurationError: it is of another kind, or the passphrase is wrong, missing or superfluous.
    """
    try:
        key = load_pem_private_key(pem, passphrase)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(
            "the CA's key cannot be read: wrong or missing passphrase (the line after it), or not PEM text"
        ) from None
    if not isinstance(key, PrivateKey):
        raise ConfigurationError("the CA's key cannot sign escrow: it must be of kind RSA, EC or Ed25519")
    return key


def certified_keys(pem: bytes) -> dict[str, PublicKey]:
    """Return the public keys of the certificates in a PEM file, by fingerprint.

    Only the keys count: a file from escrow must open even if the CA has expired since.

    Raises:
        ConfigurationError: there is no certificate in it.
    """
    try:
        keys = [certificate.public_key() for certificate in x509.load_pem_x509_certificates(pem)]
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(
            "the CA's certificate cannot be read: it must be PEM text, such as ca.crt"
        ) from None
    return {fingerprint(key): key for key in keys if isinstance(key, PublicKey)}


def sign(key: PrivateKey, message: bytes) -> bytes:
    """Return a signature: RSA-PSS or ECDSA with SHA-256, or EdDSA."""
    if isinstance(key, RSAPrivateKey):
        return key.sign(message, _PSS, hashes.SHA256())
    if isinstance(key, EllipticCurvePrivateKey):
        return key.sign(message, _ECDSA)
    return key.sign(message)


def verify(keys: Mapping[str, PublicKey], signer: str, signature: bytes, message: bytes) -> None:
    """Check a signature; ``signer`` is the fingerprint of the key that is said to have made it.

    Raises:
        Tampered: it is not one of ``keys``, or has not signed this message.
    """
    key = keys.get(signer)
    if key is None:
        known = ", ".join(f"{name[:16]}…" for name in keys)
        raise Tampered(
            f"signed by another CA ({signer[:16]}…) than the given one ({known}): it is forged, unless the CA"
            " was replaced since; then give the ca.crt that you kept from before"
        )
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(signature, message, _PSS, hashes.SHA256())
        elif isinstance(key, EllipticCurvePublicKey):
            key.verify(signature, message, _ECDSA)
        else:
            key.verify(signature, message)
    except InvalidSignature:
        raise Tampered("its signature is invalid: the file was altered, or is forged") from None
