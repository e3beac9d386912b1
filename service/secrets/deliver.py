"""Delivers values to Swarm services: to those that a grant lets have them.

The caller is a manager of the Swarm, which says who the value is for.  What is delivered is what the token's
scopes cover, a grant allows, and is live.  For a service without a grant, the answer does not reveal whether
there is a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .. import metrics
from ..access import policy
from ..audit.recorder import Entry
from ..errors import LimitedReads, NotGranted, SecretHidden, VaultError
from ..grants.current import CurrentGrants
from ..grants.rules import Recipient
from ..models import Action, Principal
from ..records import FetchedSecret, Secret, Version
from ..store.secret_queries import SecretRef
from . import lookup, state
from .lookup import ReadSecrets
from .read import open_version
from .services import SecretServices

_CHECK = "deliver_check"


@dataclass(frozen=True, slots=True)
class DeliverSecret:
    """A version of the secret at a path, None for the current one, and who it is for."""

    secret: SecretRef
    version: int | None
    recipient: Recipient
    check: bool = False


def deliver(
    services: SecretServices,
    grants: CurrentGrants,
    entry: Entry,
    principal: Principal,
    request: DeliverSecret,
) -> FetchedSecret:
    """Return a value for a task; the decision is counted.

    Raises:
        Forbidden: the caller may not deliver anything.
        SecretNotFound: there is no such secret, the caller may not deliver it, it cannot be read, or its
            reads are limited; to a caller who may, the message says which.
        NotGranted: no grant lets the service have it.
        KeyRingMismatch: the key ring does not fit the data.
        Tampered, UnknownKey: the stored value cannot be decrypted.
        StoreUnavailable: the database did not answer in time.
    """
    read = partial(services.secrets.find_with_value, number=request.version)
    try:
        secret = _find(services, grants, entry, principal, request, read)
        delivered = open_version(services, secret, request.version, services.clock())
    except VaultError as error:
        metrics.deliveries.labels(error.reason).inc()
        raise
    entry.version = delivered.version
    metrics.deliveries.labels(metrics.DELIVERED).inc()
    if delivered.version < secret.current:
        metrics.older_deliveries.inc()
    return delivered


def check(
    services: SecretServices,
    grants: CurrentGrants,
    entry: Entry,
    principal: Principal,
    request: DeliverSecret,
) -> tuple[Secret, Version]:
    """Return which version ``deliver`` would deliver, without its value; it is recorded as a check.

    Raises:
        Forbidden, SecretNotFound, NotGranted, KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as
            ``deliver``.
    """
    entry.operation = _CHECK
    secret = _find(services, grants, entry, principal, request, services.secrets.find_without_values)
    version = state.readable(secret, request.version, services.clock())
    entry.version = version.version
    return secret, version


def _find(
    services: SecretServices,
    grants: CurrentGrants,
    entry: Entry,
    principal: Principal,
    request: DeliverSecret,
    read: ReadSecrets,
) -> Secret:
    """Decide whether the recipient may have the secret, and return it in whatever state it is."""
    _record(entry, request)
    policy.require(principal, Action.DELIVER)
    path = request.secret.text
    if not policy.has_scope(principal, Action.DELIVER, path):
        raise SecretHidden
    services.key_check.require()
    grant = grants.find(request.recipient, path)
    if grant is None:
        raise NotGranted(request.recipient.service, path)
    entry.grant_id = grant.grant_id
    secret = lookup.find_one(services, entry, principal, Action.DELIVER, request.secret, read)
    if secret.max_reads is not None:
        raise LimitedReads
    return secret


def _record(entry: Entry, request: DeliverSecret) -> None:
    lookup.audit_target(entry, request.secret)
    recipient = request.recipient
    entry.version = request.version
    entry.service, entry.service_id = recipient.service, recipient.service_id
    entry.task_id, entry.node_id = recipient.task_id or None, recipient.node_id or None
    entry.docker_secret = recipient.docker_secret or None
