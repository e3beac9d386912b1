"""approles.rules: names that cannot be misread, and requests that do not contradict themselves."""

import pytest

from service.access import scopes
from service.approles import rules
from service.approles.rules import RoleRequest, SecretIdRequest
from service.errors import InvalidFields

FETCH = (scopes.parse("fetch:team/*"),)


@pytest.mark.parametrize(
    "name", ["ci", "a", "CI.deploy-1_x", "0f3a5b7c9d1e2f4", "0f3a5b7c9d1e2f400", "x" * 100]
)
def test_accepts_a_name(name: str) -> None:
    """As Vault's own names of roles."""
    rules.validate(RoleRequest(name, FETCH))


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".a",
        "-a",
        "a b",
        "a/b",
        "a\n",
        "é",
        "x" * 101,
        "0f3a5b7c9d1e2f40",
        "sms_0f3a5b7c9d1e2f40_" + 72 * "0",
    ],
)
def test_refuses_a_name(name: str) -> None:
    """Sixteen hexadecimal digits are an id; a text with a secret id in it would show it to everybody."""
    with pytest.raises(InvalidFields) as refused:
        rules.validate(RoleRequest(name, FETCH))

    assert ["name"] == list(refused.value.errors)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (RoleRequest("a", FETCH, lifetime=10 * 365 * 86_400 + 1), "expires_in"),
        (RoleRequest("a", FETCH, expires_in=10 * 365 * 86_400 + 1), "role_expires_in"),
        (RoleRequest("a", FETCH, renewable=True, expires_in=60), "renewable"),
        (RoleRequest("a", (scopes.parse("token"),), max_uses=1), "max_uses"),
        (RoleRequest("a", tuple(scopes.parse(f"fetch:{n}{'x' * 500}") for n in range(20))), "scopes"),
    ],
)
def test_names_the_field_that_cannot_be(request_: RoleRequest, field: str) -> None:
    """As for a token, because that is what it logs in for."""
    with pytest.raises(InvalidFields) as refused:
        rules.validate(request_)

    assert [field] == list(refused.value.errors)


def test_a_role_that_ends_may_leave_open_whether_its_tokens_are_renewable() -> None:
    """They are not; only to ask for both is a contradiction."""
    rules.validate(RoleRequest("a", FETCH, expires_in=60))
    rules.validate(RoleRequest("a", FETCH, renewable=False, expires_in=60))


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (SecretIdRequest(expires_in=10**9), "expires_in"),
        (SecretIdRequest(wrap_seconds=10**9), "wrap"),
    ],
)
def test_times_have_a_bound(request_: SecretIdRequest, field: str) -> None:
    """Beyond it no time can be stored."""
    with pytest.raises(InvalidFields) as refused:
        rules.validate_secret_id(request_)

    assert [field] == list(refused.value.errors)
