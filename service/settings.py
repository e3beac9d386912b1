"""The configuration: read once from the environment, then frozen; nothing is read at import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from .access import mounts
from .access.mounts import Mount
from .crypto.keyring import MasterKeys
from .environment import DEFAULT_LISTEN, Address, Environment, Network, is_origin
from .errors import ConfigurationError
from .keys import loading
from .server_tls import ServerTls, expires_at, load
from .store.tls import MongoTls
from .tokens.attenuation import MAX_SECONDS

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

# MongoDB accepts expireAfterSeconds up to 2**31 - 1.
_MAX_TTL_DAYS = (2**31 - 1) // 86_400
# A secret is one document with all its versions; MongoDB accepts documents up to 16 MiB.
_MAX_SECRET_BYTES = 4 * 2**20

# Every variable that the service reads; each is also read as NAME_FILE.
NAMES = (
    "MASTER_KEY",
    "MASTER_KEYS_DIR",
    "MASTER_KEY_PRIMARY",
    "MONGO_URI",
    "MONGO_TLS_CA_FILE",
    "MONGO_TLS_CERT_FILE",
    "AUDIT_ENABLED",
    "AUDIT_TTL_DAYS",
    "AUDIT_CHECKPOINT_SECONDS",
    "AUDIT_ANCHOR_DIR",
    "AUTH_REQUIRED",
    "AUTH_FAILURES_PER_MINUTE",
    "ALLOWED_HOSTS",
    "TRUSTED_PROXIES",
    "METRICS_NETWORKS",
    "DOCS_ENABLED",
    "CONSOLE_ENABLED",
    "KV_MOUNTS",
    "SHARE_ENABLED",
    "SHARE_MAX_SECONDS",
    "PUBLIC_URL",
    "KV_TOKEN_TTL_SECONDS",
    "MAX_SECRET_BYTES",
    "MONGO_TIMEOUT_SECONDS",
    "STARTUP_TIMEOUT_SECONDS",
    "REQUEST_TIMEOUT_SECONDS",
    "LISTEN",
    "HEALTH_SOCKET",
    "TLS_CERT_FILE",
    "TLS_KEY_FILE",
    "WORKERS",
    "THREADS",
    "LOG_LEVEL",
)


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Settings for the database and its indexes; times are in seconds."""

    mongo_uri: str = field(repr=False)
    mongo_tls: MongoTls | None
    audit_ttl_days: int
    audit_checkpoint_seconds: int
    audit_anchor_dir: Path | None
    mongo_timeout: int
    startup_timeout: int

    @classmethod
    def from_environment(cls, environment: Environment) -> StoreSettings:
        """Read the variables.

        Raises:
            ConfigurationError: a value is invalid; the message names the variable.
        """
        return cls(
            mongo_uri=environment.text("MONGO_URI", "mongodb://localhost:27017"),
            mongo_tls=mongo_tls(environment),
            audit_ttl_days=environment.integer("AUDIT_TTL_DAYS", 0, 0, _MAX_TTL_DAYS),
            audit_checkpoint_seconds=environment.integer("AUDIT_CHECKPOINT_SECONDS", 60, 1, 3600),
            audit_anchor_dir=_folder(environment, "AUDIT_ANCHOR_DIR"),
            mongo_timeout=environment.integer("MONGO_TIMEOUT_SECONDS", 5, 1, 30),
            startup_timeout=environment.integer("STARTUP_TIMEOUT_SECONDS", 60, 1, 3600),
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the API's processes; sizes are in bytes.

    ``public_url`` has no slash at its end, or is empty.  ``health_socket`` is the path of a Unix socket, or
    empty.
    """

    store: StoreSettings
    load_master_keys: Callable[[], MasterKeys] = field(repr=False)
    audit_enabled: bool
    auth_required: bool
    auth_failures_per_minute: int
    allowed_hosts: tuple[str, ...]
    trusted_proxies: tuple[Network, ...]
    metrics_networks: tuple[Network, ...]
    docs_enabled: bool
    console_enabled: bool
    kv_mounts: tuple[Mount, ...]
    share_enabled: bool
    share_max_seconds: int
    public_url: str
    kv_token_seconds: int
    max_secret_bytes: int
    log_level: str
    listen: Address
    health_socket: str
    tls: ServerTls | None
    request_seconds: int
    workers: int
    threads: int

    @classmethod
    def from_environment(cls, environment: Environment) -> Settings:
        """Read the variables, and check the master keys.

        Raises:
            ConfigurationError: a value is invalid; the message names the variable.
        """
        settings = cls(
            store=StoreSettings.from_environment(environment),
            load_master_keys=lambda: loading.load(environment),
            audit_enabled=environment.boolean("AUDIT_ENABLED", True),
            auth_required=environment.boolean("AUTH_REQUIRED", True),
            auth_failures_per_minute=environment.integer("AUTH_FAILURES_PER_MINUTE", 30, 1, 1_000_000),
            allowed_hosts=environment.names("ALLOWED_HOSTS"),
            trusted_proxies=environment.networks("TRUSTED_PROXIES"),
            metrics_networks=environment.networks("METRICS_NETWORKS", "127.0.0.0/8,::1"),
            docs_enabled=environment.boolean("DOCS_ENABLED", True),
            console_enabled=environment.boolean("CONSOLE_ENABLED", True),
            kv_mounts=mounts.parse(environment.items("KV_MOUNTS", "secret="), "KV_MOUNTS"),
            share_enabled=environment.boolean("SHARE_ENABLED", True),
            share_max_seconds=environment.integer("SHARE_MAX_SECONDS", 7 * 86_400, 60, 366 * 86_400),
            public_url=_public_url(environment),
            kv_token_seconds=environment.integer("KV_TOKEN_TTL_SECONDS", 32 * 86_400, 1, MAX_SECONDS),
            max_secret_bytes=max_secret_bytes(environment),
            log_level=environment.choice("LOG_LEVEL", "INFO", LOG_LEVELS),
            listen=environment.address("LISTEN", DEFAULT_LISTEN),
            health_socket=environment.text("HEALTH_SOCKET", ""),
            tls=_server_tls(environment),
            request_seconds=environment.integer("REQUEST_TIMEOUT_SECONDS", 10, 1, 300),
            workers=environment.integer("WORKERS", 2, 1, 64),
            threads=environment.integer("THREADS", 64, 1, 256),
        )
        settings.load_master_keys()
        return settings

    @property
    def warnings(self) -> tuple[str, ...]:
        """The protections that are switched off, for ``/readyz``."""
        warnings = []
        if not self.auth_required:
            warnings.append("authentication is off: anyone who can reach the port has full access")
        if self.tls is None:
            warnings.append("TLS is off: secrets and tokens cross the network in clear text")
        if not self.audit_enabled:
            warnings.append("the audit log is off: there is no record of who read which secret")
        return tuple(warnings)

    def certificate_expiry(self) -> dict[str, datetime]:
        """Return when the certificates expire that the service presents to callers and to MongoDB.

        Call it at startup: if a file is renewed later, the service still presents the old certificate.  A
        certificate that only the connection string names is not included.
        """
        mongo = self.store.mongo_tls
        files = {
            "api": self.tls and self.tls.certificate,
            "mongodb_client": mongo and mongo.certificate_file and Path(mongo.certificate_file),
        }
        return {name: at for name, file in files.items() if file and (at := expires_at(file)) is not None}


def max_secret_bytes(environment: Environment) -> int:
    """Return the maximum length of a value, in bytes.

    Raises:
        ConfigurationError: the variable is invalid.
    """
    return environment.integer("MAX_SECRET_BYTES", 512 * 1024, 1, _MAX_SECRET_BYTES)


def mongo_tls(environment: Environment) -> MongoTls | None:
    """Return the TLS settings for MongoDB, or None if the connection string alone decides.

    Raises:
        ConfigurationError: there is a client certificate, but no CA to verify the server with.
    """
    ca = environment.text("MONGO_TLS_CA_FILE", "")
    certificate = environment.text("MONGO_TLS_CERT_FILE", "")
    if certificate and not ca:
        raise ConfigurationError("MONGO_TLS_CERT_FILE is set, but MONGO_TLS_CA_FILE is not: set both")
    return MongoTls(ca, certificate or None) if ca else None


def _public_url(environment: Environment) -> str:
    url = environment.text("PUBLIC_URL", "").rstrip("/")
    if url and not is_origin(url):
        raise ConfigurationError(
            "PUBLIC_URL takes the address under which people reach the service, without a path, such as"
            " https://vault.example.org"
        )
    return url


def _folder(environment: Environment, name: str) -> Path | None:
    text = environment.text(name, "")
    if text and not Path(text).is_dir():
        raise ConfigurationError(
            f"{name} names no folder: create it for the user of the service, or remove the setting"
        )
    return Path(text) if text else None


def _server_tls(environment: Environment) -> ServerTls | None:
    certificate, key = (environment.text(name, "") for name in ("TLS_CERT_FILE", "TLS_KEY_FILE"))
    if bool(certificate) != bool(key):
        names = ("TLS_CERT_FILE", "TLS_KEY_FILE")
        present, missing = names if certificate else names[::-1]
        raise ConfigurationError(
            f"{missing} is not set, but {present} is: set both, or neither to serve plain HTTP"
        )
    return load(Path(certificate), Path(key)) if certificate else None
