"""Looks up the secrets that a caller names; to the caller, a forbidden secret does not exist."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..access import policy
from ..audit.recorder import Entry
from ..crypto import tags
from ..errors import CannotDecrypt, SecretNotFound, Tampered
from ..models import AccessFilter, Action, Principal
from ..records import Secret
from ..store.secret_queries import SecretRef
from ..store.secrets import Found
from .services import SecretServices

# With more of them it is cheaper to look up first where the secrets are.
_MAX_PATTERNS = 8

ReadSecrets = Callable[[Sequence[SecretRef], AccessFilter], Found]


def audit_target(entry: Entry, ref: SecretRef) -> None:
    """Record in the audit entry which secret the caller named."""
    if ref.is_path:
        entry.path = ref.text
    else:
        entry.secret_id = ref.text


def audit_found(entry: Entry, secret: Secret) -> None:
    """Record in the audit entry which secret was found."""
    entry.secret_id, entry.path = secret.secret_id, secret.path or secret.former_path


def find_one(
    services: SecretServices,
    entry: Entry,
    principal: Principal,
    action: Action,
    ref: SecretRef,
    read: ReadSecrets,
    *,
    explain: bool = True,
) -> Secret:
    """Return the secret in whatever state it is.

    If a path is free, the secret that was last destroyed there is returned: not without ``explain``, for
    callers to whom it makes no difference why there is none.

    Raises:
        SecretNotFound: there is no such secret, or the caller may not know of it.
        KeyRingMismatch: the key ring does not fit the data.
        Tampered, UnknownKey: its document does not authenticate.
        StoreUnavailable: the database did not answer in time.
    """
    audit_target(entry, ref)
    services.key_check.require()
    access = _access(services, principal, action, [ref])
    found: Secret | Tampered | SecretNotFound | None = read([ref], access).get(ref)
    if found is None:
        found = services.secrets.find_missing([ref], access)[ref] if explain else SecretNotFound()
    if not isinstance(found, Secret):
        raise found
    tags.verify_secret(found, services.ring, services.key_check.accepts_earlier)
    audit_found(entry, found)
    return found


def find(
    services: SecretServices,
    principal: Principal,
    action: Action,
    refs: Sequence[SecretRef],
    read: ReadSecrets,
) -> list[Secret | SecretNotFound | CannotDecrypt]:
    """Return, in the order of ``refs``, each secret or the error that ``find_one`` would raise.

    Raises:
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: the database did not answer in time.
    """
    services.key_check.require()
    access = _access(services, principal, action, refs)
    found = read(refs, access)
    missing = [ref for ref in refs if ref not in found]
    all_found = found | services.secrets.find_missing(missing, access) if missing else found
    return [_verified(services, all_found[ref]) for ref in refs]


def _access(
    services: SecretServices, principal: Principal, action: Action, refs: Sequence[SecretRef]
) -> AccessFilter:
    """Return the caller's filter, as far as it concerns these secrets.

    Concurrent lookups share a query, and nobody's part of it may grow with the number of their scopes.
    """
    access = policy.access_filter(principal, action)
    named = {ref.text for ref in refs if ref.is_path}
    if ids := [ref for ref in refs if not ref.is_path]:
        if len(access.paths) + len(access.folders) <= _MAX_PATTERNS:
            return access
        named |= services.secrets.paths_of(ids)
    return policy.narrowed(access, named)


def _verified(
    services: SecretServices, found: Secret | Tampered | SecretNotFound
) -> Secret | SecretNotFound | CannotDecrypt:
    if not isinstance(found, Secret):
        return found
    try:
        tags.verify_secret(found, services.ring, services.key_check.accepts_earlier)
    except CannotDecrypt as error:
        return error
    return found
