"""How to speak TLS with MongoDB, where the connection string does not say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class MongoTls:
    """Paths of PEM files: whom to believe, and a certificate with its key to show in return."""

    ca_file: str
    certificate_file: str | None = None


def options(tls: MongoTls | None) -> dict[str, Any]:
    """Return the driver's options; they go before those of a connection string."""
    if tls is None:
        return {}
    shown = {"tlsCertificateKeyFile": tls.certificate_file} if tls.certificate_file else {}
    return {"tls": True, "tlsCAFile": tls.ca_file, **shown}
