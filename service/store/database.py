"""The connection to MongoDB: the guarantees of every operation, and the mapping of the driver's errors."""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import pymongo
from bson.codec_options import DatetimeConversion
from pymongo import MongoClient, ReadPreference
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import ConfigurationError as DriverConfigurationError
from pymongo.errors import InvalidURI, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from ..errors import ConfigurationError, StoreUnavailable
from .tls import MongoTls, options

# The database of a connection string that names none.
DEFAULT_DATABASE = "vault"
# MongoDB's own: a connection string that names one of them says where its user is stored.
_SYSTEM_DATABASES = frozenset({"admin", "config", "local"})
# A member whose machine died sends nothing, not even an error.  After the sum of these two the driver gives
# up on it, closes its connections, and retries their operations at the new primary, within the time limit.
_HEARTBEAT_MS, _CONNECT_MS = 1_000, 2_000
# Server error codes (MongoDB's error_codes.yml): a right is missing; a unique index already has the value.
UNAUTHORIZED, DUPLICATE_KEY = 13, 11000

# The driver has it too, but does not expose it.
_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)

Document = dict[str, Any]
Result = TypeVar("Result")


def connect(
    uri: str, operation_timeout: float, tls: MongoTls | None = None, **changed: Any
) -> MongoClient[Document]:
    """Return a client that connects at its first operation; each ends within ``operation_timeout`` seconds.

    ``changed`` are options that differ from those in ``uri``, by the driver's names.  Create it in the
    process that uses it: its threads and locks do not survive a fork.

    Raises:
        ConfigurationError: the connection string or a TLS file cannot be used.
    """
    try:
        return MongoClient(
            uri,
            appname="secret-manager",
            connect=False,
            tz_aware=True,
            # Whatever is stored can be read, and its reader refuses what no record has.  The driver would
            # refuse the whole answer.
            datetime_conversion=DatetimeConversion.DATETIME_AUTO,
            unicode_decode_error_handler="replace",
            # An answer relies on what a majority has on disk, so it stays true if any one node fails.
            w="majority",
            journal=True,
            readConcernLevel="majority",
            readPreference="primary",
            retryWrites=True,
            retryReads=True,
            heartbeatFrequencyMS=_HEARTBEAT_MS,
            # Streaming has two connections and two threads for each member, which ask it all the time.
            serverMonitoringMode="poll",
            connectTimeoutMS=_CONNECT_MS,
            timeoutMS=int(operation_timeout * 1000),
            serverSelectionTimeoutMS=int(operation_timeout * 1000),
            **options(tls),
            **changed,
        )
    except OSError as error:
        raise _unusable_file(error) from None
    except (InvalidURI, DriverConfigurationError, ValueError, TypeError) as error:
        if isinstance(error.__context__, ssl.SSLError):
            raise _unusable_file(error.__context__) from None
        # The driver's own message quotes the string, and the string may hold a password.
        raise ConfigurationError(
            "MONGO_URI is not a usable MongoDB connection string: it looks like"
            " mongodb://user:password@host:27017/vault?replicaSet=name, with %-escapes in user and password"
        ) from None


def _unusable_file(error: OSError) -> ConfigurationError:
    kind = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    return ConfigurationError(
        f"a PEM file for MongoDB's TLS cannot be used ({kind}): check MONGO_TLS_CA_FILE and"
        " MONGO_TLS_CERT_FILE, or tlsCAFile and tlsCertificateKeyFile in MONGO_URI"
    )


def database_name(named: str | None) -> str:
    """Return which database the service uses if its connection string names this one."""
    return DEFAULT_DATABASE if named is None or named in _SYSTEM_DATABASES else named


def database(client: MongoClient[Document]) -> Database[Document]:
    """Return the service's database on a client's servers; see ``database_name``."""
    return named_database(client, database_name(client.get_default_database(DEFAULT_DATABASE).name))


def named_database(client: MongoClient[Document], name: str) -> Database[Document]:
    """Return a database; its guarantees are set again here, so that a URI cannot weaken them."""
    return client.get_database(
        name,
        read_preference=ReadPreference.PRIMARY,
        read_concern=ReadConcern("majority"),
        write_concern=WriteConcern("majority", j=True),
    )


class deadline_in(AbstractContextManager[None]):  # noqa: N801  (used like a function)
    """Limit the database operations of this thread inside the ``with`` to ``seconds`` in total.

    A class, because every request enters two of these, and a generator costs twice as much.
    """

    __slots__ = ("_seconds", "_timeout", "_token")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._token = _deadline.set(min(_deadline.get(), time.monotonic() + self._seconds))
        self._timeout = pymongo.timeout(self._seconds)
        self._timeout.__enter__()

    def __exit__(self, *_: object) -> None:
        self._timeout.__exit__(None, None, None)
        _deadline.reset(self._token)


def seconds_left(limit: float) -> float:
    """Return how many seconds this thread may still wait for the database, at most ``limit``."""
    return min(limit, _deadline.get() - time.monotonic())


def ping(database: Database[Document]) -> None:
    """Read from the primary; this needs the right to read the database.

    Raises:
        StoreUnavailable: it did not answer.
    """
    with map_errors():
        database["meta"].find_one({}, {"_id": True})


def expect_type(value: Any, *kinds: type) -> Any:
    """Return a value of a document if it has one of these types.

    Raises:
        TypeError: it has another type.
    """
    if not isinstance(value, kinds):
        raise TypeError
    return value


@contextmanager
def map_errors() -> Iterator[None]:
    """Turn the driver's errors into the domain's.

    Raises:
        StoreUnavailable: the database did not answer in time, or rejected the operation.
    """
    try:
        yield
    except PyMongoError as error:
        raise StoreUnavailable(describe(error)) from None


def in_transaction(database: Database[Document], work: Callable[[ClientSession], Result]) -> Result:
    """Call ``work`` with a session in a transaction: all of its changes are made, or none.

    ``work`` is called again if others change the same documents at the same time.

    Raises:
        StoreUnavailable: either all or none of the changes were made.
    """
    with map_errors(), database.client.start_session() as session:
        return session.with_transaction(
            work,
            read_concern=ReadConcern("snapshot"),
            write_concern=WriteConcern("majority", j=True),
        )


def describe(error: PyMongoError) -> str:
    """Return the kind of an error, without its message, which may quote the document."""
    code = f" (code {error.code})" if isinstance(error, OperationFailure) and error.code else ""
    if "certificate verify failed" in str(error) or "SSL handshake failed" in str(error):
        code = " (TLS handshake failed: check the certificates, and whether both sides speak TLS)"
    return f"the database cannot be used now: {type(error).__name__}{code}"
