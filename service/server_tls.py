"""The certificate that the service shows its callers: checked before the port opens."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from .environment import read_file
from .errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class ServerTls:
    """Two PEM files that fit each other; both may be the same file."""

    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """Return what a server wraps its connections with: TLS 1.2 or newer, and no client certificates."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Each renegotiation costs a handshake, and nobody here needs one.
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        # Without a password of our own OpenSSL would ask the terminal for one.
        context.load_cert_chain(self.certificate, self.key, password=lambda: b"")
        return context


def load(certificate: Path, key: Path) -> ServerTls:
    """Return the pair, after a look at whether it can be used now.

    Raises:
        ConfigurationError: a file cannot be read or is no PEM, they do not fit each other, or the certificate
            is not valid today; the message never quotes a file.
    """
    # Of a chain the first one is the server's own.
    own = _certificates(certificate)[0]
    read_file("TLS_KEY_FILE", key)
    now = datetime.now(UTC)
    if now > own.not_valid_after_utc:
        raise ConfigurationError(
            f"TLS_CERT_FILE: {certificate} expired on {own.not_valid_after_utc:%Y-%m-%d}: renew it"
        )
    if now < own.not_valid_before_utc:
        raise ConfigurationError(
            f"TLS_CERT_FILE: {certificate} is valid only from {own.not_valid_before_utc:%Y-%m-%d %H:%M} UTC:"
            " look at this machine's clock"
        )
    files = ServerTls(certificate, key)
    try:
        files.context()
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigurationError(
                f"TLS_KEY_FILE: {key} is not the key of the certificate in {certificate}"
            ) from None
        raise ConfigurationError(
            f"TLS_KEY_FILE: {key} holds no private key that can be used: PEM without a passphrase is expected"
        ) from None
    return files


def _certificates(path: Path) -> list[x509.Certificate]:
    pem = read_file("TLS_CERT_FILE", path)
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise ConfigurationError(
            f"TLS_CERT_FILE: {path} holds no certificate that can be read: PEM is expected"
        ) from None
