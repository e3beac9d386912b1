"""tokens.attenuation: a token can only grant what it holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.access import policy, scopes
from service.errors import Forbidden, InvalidFields
from service.models import Principal, Token
from service.tokens import attenuation
from service.tokens.attenuation import TokenRequest
from tests.calls import UNKNOWN

PRESENT = datetime(2026, 1, 31, tzinfo=UTC)
HOUR = timedelta(hours=1)


def token(*texts: str, **fields: Any) -> Token:
    """Return a token with these scopes and fields."""
    return Token("id", "name", tuple(map(scopes.parse, texts)), PRESENT, "operator", **fields)


def holder(held: Token) -> Principal:
    """Return a caller with this token."""
    return Principal(held.token_id, held.scopes, held)


CREATOR = token("token", "fetch:team/*")
CHILD = token("fetch:team/app/*")


@pytest.mark.parametrize(
    ("creator", "child"),
    [
        ({}, {}),
        ({}, {"expires_at": PRESENT + HOUR, "lifetime": 3600}),
        ({}, {"networks": ("10.0.0.0/8",), "rate_limit": 5, "max_uses": 1}),
        ({"expires_at": PRESENT + HOUR}, {"expires_at": PRESENT + HOUR}),
        ({"expires_at": PRESENT + HOUR, "lifetime": 9}, {"expires_at": PRESENT + HOUR}),
        ({"networks": ("10.0.0.0/8", "fd00::/8")}, {"networks": ("10.1.0.0/16", "10.9.9.9", "fd00::1")}),
        ({"networks": ("10.0.0.0/8",)}, {"networks": ("10.0.0.0/8",)}),
        ({"rate_limit": 5}, {"rate_limit": 5}),
    ],
    ids=str,
)
def test_grants_what_the_creator_holds(creator: dict[str, Any], child: dict[str, Any]) -> None:
    """The same or less, in every respect."""
    attenuation.require_subset(holder(replace(CREATOR, **creator)), replace(CHILD, **child))


@pytest.mark.parametrize(
    ("creator", "child", "says"),
    [
        ({}, {"scopes": (scopes.parse("fetch:*"),)}, "yours does not hold fetch:\\*"),
        ({}, {"scopes": (scopes.parse("fetch:team/a"), scopes.ADMIN)}, "yours does not hold admin"),
        ({}, {"scopes": (scopes.parse("create:team/a"),)}, "yours does not hold create:team/a"),
        ({"expires_at": PRESENT + HOUR}, {}, "your token expires at"),
        ({"expires_at": PRESENT + HOUR}, {"expires_at": PRESENT + 2 * HOUR}, "your token expires at"),
        (
            {"expires_at": PRESENT + HOUR, "lifetime": 60},
            {"expires_at": PRESENT + HOUR, "lifetime": 60},
            "your token expires, so it cannot create a renewable one",
        ),
        ({"networks": ("10.0.0.0/8",)}, {}, "your token is limited to 10.0.0.0/8"),
        ({"networks": ("10.0.0.0/8",)}, {"networks": ("10.0.0.0/7",)}, "your token is limited to"),
        (
            {"networks": ("10.0.0.0/8",)},
            {"networks": ("10.1.0.0/16", "192.0.2.1")},
            "your token is limited to",
        ),
        ({"networks": ("0.0.0.0/0",)}, {"networks": ("::/0",)}, "your token is limited to"),
        ({"networks": ("::/0",)}, {"networks": ("10.0.0.0/8",)}, "your token is limited to"),
        ({"rate_limit": 5}, {}, "your token may make 5 calls"),
        ({"rate_limit": 5}, {"rate_limit": 6}, "your token may make 5 calls"),
    ],
    ids=str,
)
def test_grants_no_more(creator: dict[str, Any], child: dict[str, Any], says: str) -> None:
    """The message says in which respect the request goes beyond the creator's token."""
    with pytest.raises(Forbidden, match=says):
        attenuation.require_subset(holder(replace(CREATOR, **creator)), replace(CHILD, **child))


def test_an_administrator_s_expiry_limits_its_tokens_too() -> None:
    """It can grant every scope, but no later expiry."""
    creator = holder(token("admin", expires_at=PRESENT + HOUR))

    attenuation.require_subset(creator, token("admin", expires_at=PRESENT + HOUR))
    with pytest.raises(Forbidden, match="your token expires at"):
        attenuation.require_subset(creator, token("admin"))


def test_the_operator_can_grant_everything() -> None:
    """The operator uses no token, so none limits the request."""
    attenuation.require_subset(policy.OPERATOR, token("admin"))


REQUEST = TokenRequest("billing", (scopes.parse("fetch:team/*"),))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"renewable": True}, "renewable"),
        ({"max_uses": 1, "scopes": (scopes.parse("fetch:a"), scopes.parse("token"))}, "max_uses"),
        ({"max_uses": 1, "scopes": (scopes.ADMIN,)}, "max_uses"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": UNKNOWN}, "name"),
        ({"expires_in": attenuation.MAX_SECONDS + 1}, "expires_in"),
        ({"expires_in": 10**12}, "expires_in"),
    ],
    ids=str,
)
def test_refuses_an_invalid_request(changed: dict[str, Any], field: str) -> None:
    """The error names the field."""
    attenuation.validate(REQUEST)
    with pytest.raises(InvalidFields) as caught:
        attenuation.validate(replace(REQUEST, **changed))
    assert [field] == list(caught.value.errors)
