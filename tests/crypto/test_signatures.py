"""crypto.signatures: every kind of key that a CA may have, and nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from service.crypto import signatures
from service.crypto.signatures import PrivateKey
from service.errors import ConfigurationError, Tampered

KINDS: dict[str, Callable[[], PrivateKey]] = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ed448": ed448.Ed448PrivateKey.generate,
}
PASSPHRASE = b"correct horse battery"
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


def pem_of(key: PrivateKey | dsa.DSAPrivateKey, passphrase: bytes | None = None) -> bytes:
    """Return a CA's key as openssl writes it."""
    protection = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


def certificate_of(key: PrivateKey) -> bytes:
    """Return the certificate of a CA, which has expired."""
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, LONG_AGO, LONG_AGO + timedelta(days=1))
    edwards = isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return builder.sign(key, None if edwards else hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize("kind", KINDS)
def test_verifies_what_the_ca_has_signed(kind: str) -> None:
    """The key is read with its passphrase; that the certificate has expired changes nothing."""
    key = signatures.private_key(pem_of(KINDS[kind](), PASSPHRASE), PASSPHRASE)
    signer = signatures.fingerprint(key.public_key())
    keys = signatures.certified_keys(certificate_of(key))
    signature = signatures.sign(key, b"message")

    signatures.verify(keys, signer, signature, b"message")
    for other, message in (
        (signature, b"another message"),
        (signatures.sign(KINDS[kind](), b"message"), b"message"),
        (signature[:-1], b"message"),
        (b"", b"message"),
    ):
        with pytest.raises(Tampered, match="its signature is invalid"):
            signatures.verify(keys, signer, other, message)


def test_refuses_a_key_that_cannot_sign() -> None:
    """Of another kind, with another passphrase, or none at all."""
    pem = pem_of(KINDS["ec"](), PASSPHRASE)
    for content, passphrase, says in (
        (pem_of(dsa.generate_private_key(2048)), None, "must be of kind RSA, EC or Ed25519"),
        (pem, None, "wrong or missing passphrase"),
        (pem, b"wrong horse", "wrong or missing passphrase"),
        (pem_of(KINDS["ec"]()), PASSPHRASE, "cannot be read"),
        (b"no key", None, "cannot be read"),
    ):
        with pytest.raises(ConfigurationError, match=says) as refused:
            signatures.private_key(content, passphrase)
        assert "horse" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"no certificate"])
def test_refuses_a_file_without_a_certificate(content: bytes) -> None:
    """The message says what belongs there."""
    with pytest.raises(ConfigurationError, match=r"the CA's certificate cannot be read: .* ca\.crt"):
        signatures.certified_keys(content)
