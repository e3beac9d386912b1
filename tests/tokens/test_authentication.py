"""tokens.authentication: every call is authenticated, and guessing is slowed without locking holders out.

Tested over HTTP with a real database, because the whole response counts.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service.access import policy, token_format
from service.access.token_format import Credential
from service.api.dependencies import dependencies
from service.app import key_ring
from service.audit.recorder import Entry
from service.environment import Environment
from service.errors import InvalidToken, TokenExpired, TokenRevoked
from service.keys.canary import KeyRingCheck
from service.models import Caller, now
from service.settings import Settings
from service.store.rate_limits import RateLimitStore
from service.store.store import Store
from service.tokens import tokens
from service.tokens.authentication import RECHECK_SECONDS, Authenticator
from service.tokens.tokens import TokenServices
from tests.calls import FETCH, UNKNOWN, WHOAMI, id_of, post

ENTRY = Entry("token_renew", Caller("127.0.0.1", "test"))


def whoami(client: FlaskClient, token: str | None = None, address: str = "127.0.0.1") -> TestResponse:
    """Call whoami."""
    return post(client, WHOAMI, None, token, address)


def guess(token: str) -> str:
    """Return a token with the same id and another secret."""
    return Credential(id_of(token), bytes(32)).text


@pytest.fixture
def early_in_a_minute() -> None:
    """Attempts are counted per minute: start early enough that the test ends in the same one."""
    while RateLimitStore.seconds_left() < 5:
        time.sleep(0.2)


def test_a_valid_token_identifies_the_caller(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """The actor is the token's id; the scopes are the token's."""
    token = give("fetch:team/*", "audit")

    answer = whoami(guarded, token)

    assert 200 == answer.status_code, answer.text
    assert (id_of(token), ["fetch:team/*", "audit"]) == (answer.json["actor"], answer.json["scopes"])
    assert id_of(token) == answer.json["token"]["token_id"]
    assert token_format.parse(token).secret.hex() not in answer.text


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER   "])
def test_the_scheme_is_case_insensitive(guarded: FlaskClient, give: Callable[..., str], scheme: str) -> None:
    """RFC 9110, section 11.1."""
    answer = guarded.post(WHOAMI, headers={"Authorization": f"{scheme}{give('audit')}"})

    assert 200 == answer.status_code


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token {}", "{}", "Bearer{}"]
)
def test_any_other_header_counts_as_no_token(
    guarded: FlaskClient, give: Callable[..., str], header: str
) -> None:
    """The response says which header to send, and names the scheme with no error (RFC 6750, section 3)."""
    answer = guarded.post(WHOAMI, headers={"Authorization": header.format(give("admin"))})

    assert 401 == answer.status_code
    assert "Authorization: Bearer" in answer.json["detail"] or "is not a token" in answer.json["detail"]
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="secret-manager"')


def test_a_token_counts_nowhere_but_in_its_header(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """A token in the query, a cookie or the body is ignored: there it would get into logs."""
    token = give("admin")
    guarded.set_cookie("Authorization", f"Bearer {token}")
    guarded.set_cookie("token", token)

    answer = guarded.post(f"{WHOAMI}?access_token={token}&token={token}", json={"token": token})

    assert 401 == answer.status_code


def test_says_what_is_wrong_to_the_holder_alone(
    guarded: FlaskClient, give: Callable[..., str], store: Store
) -> None:
    """Only a caller with the right secret part learns why it is refused; all others get the same response."""
    good, expired, revoked, used_up = (
        give("audit"),
        give("audit", expires_in=-1),
        give("audit"),
        give("audit", max_uses=1),
    )
    foreign = give("audit", networks=("10.0.0.0/8", "2001:db8::/32"))
    store.tokens.revoke([id_of(revoked)], now())
    whoami(guarded, used_up)

    for token, says in (
        (None, "send a token, with the header Authorization: Bearer <token>"),
        (good[:-1], "malformed token: it was cut short or mistyped, or is not a token"),
        (UNKNOWN, "the token is not valid"),
        (guess(good), "the token is not valid"),
        (guess(expired), "the token is not valid"),
        (guess(revoked), "the token is not valid"),
        (expired, "the token has expired: ask its issuer for a new one"),
        (revoked, "the token was revoked: ask its issuer for a new one"),
        (used_up, "the token has no uses left: ask its issuer for a new one"),
        (foreign, "the token may not be used from this address: it is not in the token's networks"),
    ):
        answer = whoami(guarded, token)
        error = "" if token is None else ', error="invalid_token"'
        assert (401, says) == (answer.status_code, answer.json["detail"])
        assert f'Bearer realm="secret-manager"{error}' == answer.headers["WWW-Authenticate"]
        assert "application/problem+json" == answer.content_type

    assert 200 == whoami(guarded, good).status_code
    assert 200 == whoami(guarded, foreign, "10.1.2.3").status_code
    assert 200 == whoami(guarded, foreign, "::ffff:10.1.2.3").status_code
    assert 200 == whoami(guarded, foreign, "2001:db8::7").status_code
    assert 401 == whoami(guarded, foreign, "2001:db9::7").status_code


def test_a_guess_does_not_reveal_whether_the_id_exists(
    guarded: FlaskClient, give: Callable[..., str]
) -> None:
    """A known and an unknown id get the same response."""
    known, unknown = whoami(guarded, guess(give("admin"))), whoami(guarded, UNKNOWN)

    assert known.json | {"request_id": ""} == unknown.json | {"request_id": ""}
    assert known.headers["WWW-Authenticate"] == unknown.headers["WWW-Authenticate"]


@pytest.mark.parametrize("uses", range(1, 6))
def test_a_token_is_used_as_often_as_it_may_be_and_no_more(
    make_client: Callable[..., FlaskClient], give: Callable[..., str], database: Database, uses: int
) -> None:
    """Of 64 concurrent callers, exactly ``uses`` are let in."""
    application = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="1000").application
    token = give("audit", max_uses=uses)

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda _: whoami(application.test_client(), token).status_code, range(64)))

    assert (uses, 64 - uses) == (answers.count(200), answers.count(401))
    assert uses == database.tokens.find_one({"_id": id_of(token)})["uses"]
    assert 64 - uses == database.audit_logs.count_documents({"reason": "token used up"})


def test_guesses_from_one_address_are_limited(
    make_client: Callable[..., FlaskClient], give: Callable[..., str], early_in_a_minute: None
) -> None:
    """Every kind of guess counts; a valid token is still accepted, and other addresses are not affected."""
    client, token = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="3"), give("audit")

    for attempt in (None, "nonsense", UNKNOWN):
        assert 401 == whoami(client, attempt).status_code
    for attempt in (None, "nonsense", UNKNOWN, guess(token)):
        refused = whoami(client, attempt)
        assert 429 == refused.status_code
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert "too many failed attempts: 3 per minute" in refused.json["detail"]

    assert 200 == whoami(client, token).status_code
    assert 401 == whoami(client, UNKNOWN, "192.0.2.1").status_code


def test_guesses_at_one_token_are_limited(
    make_client: Callable[..., FlaskClient], give: Callable[..., str], early_in_a_minute: None
) -> None:
    """Guesses from all addresses count; its holder is still let in, and other tokens are not affected."""
    client, token = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="3"), give("audit")

    answers = [whoami(client, guess(token), f"192.0.2.{number}").status_code for number in range(1, 6)]

    assert [401, 401, 401, 429, 429] == answers
    assert 200 == whoami(client, token, "192.0.2.1").status_code
    assert 401 == whoami(client, UNKNOWN, "192.0.2.9").status_code


def test_an_ipv6_network_counts_as_one_address(
    make_client: Callable[..., FlaskClient], database: Database, early_in_a_minute: None
) -> None:
    """A client with a /64 has 2**64 addresses."""
    client = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="2")

    answers = [whoami(client, None, f"2001:db8::{number}").status_code for number in range(1, 4)]

    assert [401, 401, 429] == answers
    assert 401 == whoami(client, None, "2001:db8:0:1::1").status_code


def test_a_token_s_own_limit_counts_its_calls(
    guarded: FlaskClient, give: Callable[..., str], database: Database, early_in_a_minute: None
) -> None:
    """All calls count; the refusal is recorded with the token as actor; other tokens are not affected."""
    token = give("fetch:*", rate_limit=2)

    answers = [post(guarded, FETCH, {"path": "a"}, token), whoami(guarded, token), whoami(guarded, token)]

    assert [404, 200, 429] == [answer.status_code for answer in answers]
    assert answers[-1].json["detail"] == (
        "rate limit exceeded: this token may make 2 calls per minute; wait as long as Retry-After says"
    )
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    with guarded.application.app_context():
        dependencies().recorder.write_refusals()
    refused = database.audit_logs.find_one({"reason": "too many requests"})
    assert id_of(token) == refused["actor"]
    assert 200 == whoami(guarded, give("audit")).status_code


def test_a_call_over_the_rate_limit_costs_no_use(
    guarded: FlaskClient, give: Callable[..., str], database: Database, early_in_a_minute: None
) -> None:
    """A call that is refused for another reason does not use the token up."""
    token = give("fetch:*", rate_limit=1, max_uses=5)

    assert [200, 429, 429] == [whoami(guarded, token).status_code for _ in range(3)]

    assert 1 == database.tokens.find_one({"_id": id_of(token)})["uses"]


def test_a_cached_token_needs_no_query(
    guarded: FlaskClient, give: Callable[..., str], database: Database
) -> None:
    """Of three calls in a row, only the first looks the token up, as mongod's profiler shows."""
    token = give("fetch:*")
    database.command("profile", 2)
    try:
        for _ in range(3):
            post(guarded, FETCH, {"path": "a"}, token)
    finally:
        database.command("profile", 0)
    profile = list(database["system.profile"].find())
    operations = [(operation["ns"], operation["op"]) for operation in profile]

    assert 1 == operations.count(("vault.tokens", "query"))
    assert 0 == sum(ns == "vault.attempts" for ns, _ in operations)
    # Each call looks for a live, a hidden and a destroyed secret: the profiler was on.
    assert 3 == operations.count(("vault.secrets", "query"))
    assert 6 == operations.count(("vault.secrets", "command"))


class Clock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """The clock of this test's authenticators."""
    return Clock()


@pytest.fixture
def authenticators(environment: dict[str, str], store: Store, clock: Clock) -> list[Authenticator]:
    """The authenticators of two processes, with a clock that the test controls."""
    ring = key_ring(Settings.from_environment(Environment(environment)), store)
    key_check = KeyRingCheck(store.canaries, store.secrets, ring, store.keys, store.rewrap)
    return [
        Authenticator(store.tokens, store.sessions, store.rate_limits, ring, key_check, 1000, clock=clock)
        for _ in range(2)
    ]


def ask(authenticator: Authenticator, token: str) -> str:
    """Return the actor that the token authenticates."""
    return authenticator.authenticate(Entry("fetch", Caller("127.0.0.1", "r")), token).actor


def test_a_revocation_is_known_everywhere_in_time(
    authenticators: list[Authenticator], clock: Clock, store: Store, give: Callable[..., str]
) -> None:
    """At once in the process that revoked it, within RECHECK_SECONDS in others, however often it is used."""
    here, there = authenticators
    token = give("audit")
    assert [id_of(token)] * 2 == [ask(here, token), ask(there, token)]
    store.tokens.revoke([id_of(token)], now())
    here.forget(id_of(token))

    with pytest.raises(TokenRevoked):
        ask(here, token)
    for _ in range(4):
        assert id_of(token) == ask(there, token)
        clock.seconds += RECHECK_SECONDS / 4
    with pytest.raises(TokenRevoked):
        ask(there, token)


def test_a_cached_token_is_still_checked(
    authenticators: list[Authenticator], give: Callable[..., str]
) -> None:
    """Every call checks the secret part and the expiry."""
    here, _ = authenticators
    token, short = give("audit"), give("audit", expires_in=1)
    ask(here, token), ask(here, short)

    with pytest.raises(InvalidToken):
        ask(here, guess(token))
    time.sleep(1.05)
    with pytest.raises(TokenExpired):
        ask(here, short)


def test_a_renewal_elsewhere_is_known_in_time(
    authenticators: list[Authenticator], token_parts: TokenServices, give: Callable[..., str]
) -> None:
    """A token that was renewed in another process is not refused as expired."""
    here, _ = authenticators
    token = give("audit", expires_in=1, renewable=True)
    ask(here, token)
    time.sleep(0.5)
    tokens.renew(token_parts, ENTRY, policy.OPERATOR, id_of(token))
    time.sleep(0.55)

    assert id_of(token) == ask(here, token)


def test_the_cache_is_bounded(
    authenticators: list[Authenticator], give: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the cache is full it is cleared, and every token is still accepted."""
    monkeypatch.setattr("service.tokens.cache.MAX_CACHED", 2)
    here, _ = authenticators

    for token in [give("audit") for _ in range(5)]:
        assert id_of(token) == ask(here, token)
        assert len(here._cache._records) <= 2
