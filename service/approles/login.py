"""The login: a role's id and one of its secret ids for a token with the role's scopes."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import timedelta

from ..access import token_format
from ..access.token_format import Credential
from ..audit.recorder import Entry
from ..crypto import tags
from ..errors import (
    InvalidLogin,
    LoginAddressNotAllowed,
    MalformedToken,
    RoleEnded,
    SecretIdEnded,
    SecretIdUsedUp,
    Tampered,
)
from ..models import AppRole, SecretId, StoredSecretId, Token, now
from ..networks import is_within
from ..tokens.authentication import Authenticator
from . import secret_ids
from .services import AppRoleServices

_NO_DIGEST = bytes(32)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A new token, whose text is not stored, and the role that it was given to."""

    text: str
    token: Token
    role: AppRole


class Login:
    """Logs programs in.

    ``authenticator`` counts failures together with the failed authentications of the same address.  Past the
    limit, as there, only failures are refused, and what is not known yet is looked up for all together: a
    program with a right secret id is let in, however many others guess from its address.
    """

    def __init__(self, services: AppRoleServices, authenticator: Authenticator) -> None:
        self._services = services
        self._authenticator = authenticator

    def log_in(self, entry: Entry, role_id: str, secret_id: str) -> LoggedIn:
        """Return a new token.

        Raises:
            InvalidLogin: for whatever reason; only ``entry`` gets to know which.
            TooManyRequests: too many logins failed, or the role's rate limit is exceeded.
            Tampered, UnknownKey: the secret id is right, but it or the role does not authenticate.
            KeyRingMismatch: the key ring does not fit the data.
            StoreUnavailable: the database did not answer in time; a use may have been taken.
        """
        try:
            return self._log_in(entry, role_id, secret_id)
        except InvalidLogin:
            self.count_failure(entry)
            raise

    def count_failure(self, entry: Entry) -> None:
        """Count a call that failed before it came to a login, such as one with a malformed body.

        Raises:
            TooManyRequests: there were too many from this address.
            StoreUnavailable: the database did not answer in time.
        """
        self._authenticator.count_failure(entry.caller.client_ip)

    def _log_in(self, entry: Entry, role_id: str, text: str) -> LoggedIn:
        credential = _parse(text)
        entry.accessor, entry.actor = credential.token_id, f"unproven:{credential.token_id}"
        # What is no id is not recorded, because it could be a whole secret id.
        if not token_format.is_id(role_id):
            raise InvalidLogin
        entry.role_id = role_id
        stored = self._prove(credential, entry.caller.client_ip)
        if not hmac.compare_digest(stored.secret_id.role_id, role_id):
            raise InvalidLogin
        role = self._role(role_id)
        entry.actor = role.actor
        _check(role, stored.secret_id, entry.caller.client_ip)

        new = token_format.new()
        token = _token(role, stored.secret_id, new)
        entry.token_id = token.token_id
        self._services.tokens.key_check.require()
        self._authenticator.count_calls(token, 1)
        # Last, so that a login that is refused for another reason costs no use.
        self._use(stored)
        self._services.tokens.store.insert(tags.sign_token(token, new.digest, self._services.tokens.ring))
        self._require_in_force(token, role, stored.secret_id)
        return LoggedIn(new.text, token, role)

    def _prove(self, credential: Credential, client_ip: str) -> StoredSecretId:
        store = self._services.secret_ids
        limited = self._authenticator.is_limited(client_ip)
        stored = (store.find_with_others if limited else store.find)(credential.token_id)
        # Compared even if there is none, so that an unknown accessor takes as long as a wrong secret part.
        if not hmac.compare_digest(stored.digest if stored else _NO_DIGEST, credential.digest) or not stored:
            raise InvalidLogin
        tags.verify_secret_id(stored, self._services.tokens.ring)
        return stored

    def _role(self, role_id: str) -> AppRole:
        stored = self._services.roles.find(role_id)
        if stored is None:
            raise RoleEnded
        if isinstance(stored, Tampered):
            raise stored
        tags.verify_role(stored, self._services.tokens.ring)
        return stored.role

    def _use(self, stored: StoredSecretId) -> None:
        """Count a use by compare-and-swap: of two logins with the last one, one fails."""
        accessor = stored.secret_id.accessor
        while stored.secret_id.max_uses is not None:
            _check_secret_id(stored.secret_id)
            used = replace(stored.secret_id, uses=stored.secret_id.uses + 1, used_at=now())
            after = tags.sign_secret_id(used, stored.digest, self._services.tokens.ring)
            if self._services.secret_ids.swap(stored, after):
                return
            found = self._services.secret_ids.find(accessor)
            if found is None:
                raise SecretIdEnded
            tags.verify_secret_id(found, self._services.tokens.ring)
            stored = found

    def _require_in_force(self, token: Token, role: AppRole, secret_id: SecretId) -> None:
        """Check that nothing that the new token descends from has ended; otherwise revoke it again.

        Whoever ends a role revokes the tokens that there are.  So each login looks again when its own is.

        Raises:
            RoleEnded, SecretIdEnded: something has.
        """
        services = self._services
        error: InvalidLogin
        any_ended = services.tokens.store.any_ended(token.makers or ())
        if any_ended or not services.roles.is_in_force(role.role_id):
            error = RoleEnded()
        elif not services.secret_ids.is_in_force(secret_id.accessor):
            error = SecretIdEnded()
        else:
            return
        services.tokens.store.revoke([token.token_id], now())
        raise error


def _parse(text: str) -> Credential:
    try:
        return token_format.parse(text, token_format.SECRET_ID)
    except MalformedToken:
        raise InvalidLogin from None


def _check(role: AppRole, secret_id: SecretId, client_ip: str) -> None:
    if role.deleted_at is not None or (role.expires_at is not None and role.expires_at <= now()):
        raise RoleEnded
    _check_secret_id(secret_id)
    for networks in (role.networks, secret_id.networks):
        if networks and not is_within(client_ip, networks):
            raise LoginAddressNotAllowed


def _check_secret_id(secret_id: SecretId) -> None:
    expired = secret_id.expires_at is not None and secret_id.expires_at <= now()
    if secret_id.revoked_at is not None or expired:
        raise SecretIdEnded
    if secret_id.max_uses is not None and secret_id.uses >= secret_id.max_uses:
        raise SecretIdUsedUp


def _token(role: AppRole, secret_id: SecretId, credential: Credential) -> Token:
    """Return the token: it ends no later than the role and than the token that created the secret id."""
    at = now()
    ends = [end for end in (role.expires_at, secret_id.makers_end) if end is not None]
    own_limit = () if role.rate_limit is None else ((role.role_id, role.rate_limit),)
    return Token(
        token_id=credential.token_id,
        name=role.name,
        scopes=role.scopes,
        created_at=at,
        created_by=role.actor,
        expires_at=min([at + timedelta(seconds=role.lifetime), *ends]),
        # A renewal would not mind what it must not outlast.
        lifetime=role.lifetime if role.renewable and not ends else None,
        max_uses=role.max_uses,
        networks=role.networks,
        makers=secret_ids.makers(role, secret_id),
        shared_limits=tuple(dict.fromkeys((*role.shared_limits, *secret_id.shared_limits, *own_limit))),
    )
