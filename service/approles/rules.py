"""What a role and a secret id may be.  Pure rules."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..access import token_format
from ..errors import InvalidFields
from ..models import Scope
from ..tokens import attenuation
from ..tokens.attenuation import MAX_NAME_CHARACTERS, MAX_SECONDS, TokenRequest

# As long as usual clients need, who log in again before it ends.
DEFAULT_LIFETIME = 1200

_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_NAME_CHARACTERS - 1}}}", re.ASCII)
_NAME_RULE = (
    f"must be 1 to {MAX_NAME_CHARACTERS} letters, digits, dots, hyphens and underscores, begin with a letter"
    " or a digit, and not be 16 hexadecimal digits"
)
_TOO_LONG = f"must be at most {MAX_SECONDS} seconds"


@dataclass(frozen=True, slots=True)
class RoleRequest:
    """A role to create; ``token`` is what its tokens may do, with their lifetime.

    Without ``renewable`` they are, unless the role ends, which it does after ``expires_in`` seconds.
    """

    name: str
    scopes: tuple[Scope, ...]
    lifetime: int = DEFAULT_LIFETIME
    renewable: bool | None = None
    max_uses: int | None = None
    networks: tuple[str, ...] = ()
    rate_limit: int | None = None
    expires_in: int | None = None


@dataclass(frozen=True, slots=True)
class SecretIdRequest:
    """A secret id to create; times in seconds.

    With ``wrap_seconds`` it is not shown, but kept so long as a secret for a single read.
    """

    expires_in: int | None = None
    max_uses: int | None = None
    networks: tuple[str, ...] = ()
    wrap_seconds: int | None = None


def validate(request: RoleRequest) -> None:
    """Check that the request is valid and consistent in itself.

    Raises:
        InvalidFields: it is not.
    """
    if not is_name(request.name):
        raise InvalidFields({"name": [_NAME_RULE]})
    attenuation.validate(
        TokenRequest(
            request.name,
            request.scopes,
            request.lifetime,
            max_uses=request.max_uses,
            networks=request.networks,
        )
    )
    if request.expires_in is not None and request.expires_in > MAX_SECONDS:
        raise InvalidFields({"role_expires_in": [_TOO_LONG]})
    if request.renewable and request.expires_in is not None:
        raise InvalidFields(
            {"renewable": ["not possible for a role that ends: renewed tokens would outlast it"]}
        )


def is_name(text: str) -> bool:
    """Return whether ``text`` can be the name of a role, which must not look like an id."""
    return _NAME.fullmatch(text) is not None and not token_format.is_id(text)


def validate_secret_id(request: SecretIdRequest) -> None:
    """Check that the request is valid.

    Raises:
        InvalidFields: it is not.
    """
    for field, seconds in (("expires_in", request.expires_in), ("wrap", request.wrap_seconds)):
        if seconds is not None and seconds > MAX_SECONDS:
            raise InvalidFields({field: [_TOO_LONG]})
