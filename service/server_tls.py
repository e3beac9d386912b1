"""The service's TLS certificate, checked before the port opens."""

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
    """A certificate and its private key, in PEM files; both may be the same file."""

    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """Return a server's context: TLS 1.2 or newer, without client certificates."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # A renegotiation costs a handshake and is never needed here.
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        # Without a password callback OpenSSL would prompt on the terminal.
        context.load_cert_chain(self.certificate, self.key, password=lambda: b"")
        return context


def load(certificate: Path, key: Path) -> ServerTls:
    """Return the pair, after checking that it can be used now.

    Raises:
        ConfigurationError: a file cannot be read or is not PEM, the key does not belong to the certificate,
            or the certificate is not valid now; the message never quotes a file's content.
    """
    # The first certificate of a chain is the server's own.
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
            " check this machine's clock"
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
            f"TLS_KEY_FILE: {key} has no usable private key: it must be PEM without a passphrase"
        ) from None
    return files


def expires_at(certificate: Path) -> datetime | None:
    """Return when the first certificate in a PEM file expires, or None if the file is not readable."""
    try:
        return x509.load_pem_x509_certificates(certificate.read_bytes())[0].not_valid_after_utc
    except (OSError, ValueError):
        return None


def _certificates(path: Path) -> list[x509.Certificate]:
    pem = read_file("TLS_CERT_FILE", path)
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise ConfigurationError(
            f"TLS_CERT_FILE: {path} has no readable certificate: it must be PEM"
        ) from None
