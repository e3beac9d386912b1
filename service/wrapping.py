"""Response wrapping: an answer kept as a secret for a single read, owned by a token that can do nothing else.

So exactly one of all who have the token gets the answer, and whoever comes later is told when and from where
it was read.  Every function raises KeyRingMismatch if the key ring does not fit the data, and
StoreUnavailable if the database does not answer in time.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta

from .access import policy, token_format
from .audit.recorder import Entry
from .crypto import tags
from .errors import InvalidToken, TooLarge
from .models import Action, Principal, Scope, Token, now
from .secrets import read
from .secrets.create import CreateSecret, create_secret
from .secrets.options import MAX_LABEL_CHARACTERS, SecretOptions
from .secrets.read import SecretVersionRef
from .secrets.services import SecretServices
from .store.secret_queries import SecretRef
from .tokens import tokens
from .tokens.tokens import TokenServices

# As long as Vault's tokens may live by default (768 h).  Whoever may only read stores something this long.
MAX_SECONDS = 32 * 86_400

# A value of control characters is six times as long in JSON; labels and versions are around it.
_MAX_GROWTH, _AROUND_BYTES = 6, 512 * 1024
# MongoDB accepts documents up to 16 MiB.
_MAX_BYTES = 15 * 2**20
_CALL = "creation_path"


@dataclass(frozen=True, slots=True)
class Wrapping:
    """A wrapping token, and the path of the call whose answer it stands for."""

    token: Token
    path: str


def wrap(
    secrets: SecretServices, services: TokenServices, entry: Entry, answer: bytes, path: str, seconds: int
) -> tuple[str, Token]:
    """Keep the answer to the call of ``entry.actor`` at ``path``; return a token's text, and the token.

    The token descends from none: it holds nothing but what its maker has had already, and is meant to be
    handed on by programs whose own token ends soon.

    Raises:
        TooLarge: the answer is.
        StoreUnavailable: it may have been kept, but the token's text is lost.
    """
    limit = min(_MAX_GROWTH * secrets.max_secret_bytes + _AROUND_BYTES, _MAX_BYTES)
    if len(answer) > limit:
        raise TooLarge(f"the answer has more than the {limit} bytes that can be wrapped (MAX_SECRET_BYTES)")
    credential, at = token_format.new(), now()
    token = Token(
        token_id=credential.token_id,
        name="wrapped answer",
        scopes=(),
        created_at=at,
        created_by=entry.actor,
        expires_at=at + timedelta(seconds=seconds),
        makers=(),
    )
    # A secret without a path belongs to whoever creates it.
    owner = Principal(token.token_id, (Scope(Action.CREATE, "*"),), token)
    options = SecretOptions(
        labels={_CALL: path[:MAX_LABEL_CHARACTERS]}, max_reads=1, expires_at=timedelta(seconds=seconds)
    )
    request = CreateSecret(answer, options=options, secret_id=_secret_id(token))
    create_secret(replace(secrets, max_secret_bytes=limit), entry, owner, request)
    entry.token_id = token.token_id
    services.store.insert(tags.sign_token(token, credential.digest, services.ring))
    return credential.text, token


def unwrap(secrets: SecretServices, services: TokenServices, entry: Entry, text: str) -> bytes:
    """Return the answer that a wrapping token stands for, and destroy it.

    Raises:
        MalformedToken, InvalidToken: this is no token, or it has ended.
        SecretNotFound: it is another token; or nothing is kept any more, and the message says why.
        Tampered, UnknownKey: what is stored does not authenticate; it stays.
        StoreUnavailable: the answer may be lost.
    """
    token = _prove(services, entry, text)
    return read.fetch(secrets, entry, tokens.holder(token), SecretVersionRef(_ref(token))).plaintext


def describe(secrets: SecretServices, services: TokenServices, entry: Entry, text: str) -> Wrapping:
    """Return what a wrapping token stands for; this uses nothing up.

    Raises:
        MalformedToken, InvalidToken, SecretNotFound, Tampered, UnknownKey: as ``unwrap``.
    """
    token = _prove(services, entry, text)
    found = read.describe(secrets, entry, tokens.holder(token), _ref(token))
    return Wrapping(token, dict(found.labels).get(_CALL, ""))


def _prove(services: TokenServices, entry: Entry, text: str) -> Token:
    """Return the token that a text is; callers who have no other are recorded by its id."""
    is_caller = entry.actor == policy.ANYONE.actor
    try:
        token = tokens.prove(services, entry, text)
    except InvalidToken:
        if is_caller:
            entry.actor = f"unproven:{entry.token_id}"
        raise
    if is_caller:
        entry.actor = token.token_id
    tokens.require_in_force(token)
    return token


def _ref(token: Token) -> SecretRef:
    return SecretRef(_secret_id(token))


def _secret_id(token: Token) -> str:
    """Return the id of the secret that a wrapping token owns: a UUID that follows from the token's id."""
    digest = hashlib.sha256(f"wrapped answer {token.token_id}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
