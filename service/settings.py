"""The configuration, read once from the environment and frozen; nothing is read at import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from . import master_keys
from .crypto.keyring import MasterKeys
from .environment import Address, Environment, Network
from .errors import StartRefused

DEFAULT_LISTEN = "0.0.0.0:8000"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

# MongoDB takes expireAfterSeconds up to 2**31 - 1.
_MOST_TTL_DAYS = (2**31 - 1) // 86_400
# One secret is one document, with all its versions; MongoDB takes documents up to 16 MiB.
_MOST_SECRET_BYTES = 4 * 2**20

# Every name that the service reads; each one also as NAME_FILE.
NAMES = (
    "MASTER_KEY",
    "MASTER_KEYS_DIR",
    "MASTER_KEY_PRIMARY",
    "MONGO_URI",
    "AUDIT_ENABLED",
    "AUDIT_TTL_DAYS",
    "AUTH_REQUIRED",
    "TRUSTED_PROXIES",
    "MAX_SECRET_BYTES",
    "MONGO_TIMEOUT_SECONDS",
    "STARTUP_TIMEOUT_SECONDS",
    "LISTEN",
    "WORKERS",
    "THREADS",
    "LOG_LEVEL",
)


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """What it takes to reach the database and to keep its indexes; times are in seconds."""

    mongo_uri: str = field(repr=False)
    audit_ttl_days: int
    mongo_timeout: int
    startup_timeout: int

    @classmethod
    def from_environment(cls, environment: Environment) -> StoreSettings:
        """Read the variables.

        Raises:
            StartRefused: a value is doubtful; the message names the variable.
        """
        return cls(
            mongo_uri=environment.text("MONGO_URI", "mongodb://localhost:27017"),
            audit_ttl_days=environment.integer("AUDIT_TTL_DAYS", 0, 0, _MOST_TTL_DAYS),
            mongo_timeout=environment.integer("MONGO_TIMEOUT_SECONDS", 5, 1, 30),
            startup_timeout=environment.integer("STARTUP_TIMEOUT_SECONDS", 60, 1, 3600),
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the API's processes are told; sizes are in bytes."""

    store: StoreSettings
    load_master_keys: Callable[[], MasterKeys] = field(repr=False)
    audit_enabled: bool
    trusted_proxies: tuple[Network, ...]
    max_secret_bytes: int
    log_level: str
    listen: Address
    workers: int
    threads: int

    @classmethod
    def from_environment(cls, environment: Environment) -> Settings:
        """Read the variables, the master keys included.

        Raises:
            StartRefused: a value is doubtful; the message names the variable.
        """
        settings = cls(
            store=StoreSettings.from_environment(environment),
            load_master_keys=lambda: master_keys.load(environment),
            audit_enabled=environment.boolean("AUDIT_ENABLED", True),
            trusted_proxies=environment.networks("TRUSTED_PROXIES"),
            max_secret_bytes=environment.integer("MAX_SECRET_BYTES", 65536, 1, _MOST_SECRET_BYTES),
            log_level=environment.choice("LOG_LEVEL", "INFO", LOG_LEVELS),
            listen=environment.address("LISTEN", DEFAULT_LISTEN),
            workers=environment.integer("WORKERS", 2, 1, 64),
            threads=environment.integer("THREADS", 16, 1, 256),
        )
        settings.load_master_keys()
        if environment.boolean("AUTH_REQUIRED", True):
            raise StartRefused(
                "AUTH_REQUIRED is true, but this version knows no tokens yet: set AUTH_REQUIRED=false"
                " and let only a trusted network reach the port"
            )
        return settings
