"""TLS options for MongoDB, if they are not in the connection string."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class MongoTls:
    """Paths of PEM files: the CA to trust, and a client certificate with its key."""

    ca_file: str
    certificate_file: str | None = None


def options(tls: MongoTls | None) -> dict[str, Any]:
    """Return the driver's options; they take precedence over those of a connection string."""
    if tls is None:
        return {}
    certificate = {"tlsCertificateKeyFile": tls.certificate_file} if tls.certificate_file else {}
    return {"tls": True, "tlsCAFile": tls.ca_file, **certificate}
