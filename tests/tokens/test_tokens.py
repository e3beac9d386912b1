"""tokens.tokens: concurrent calls cannot get around a revocation."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from threading import Event

import pytest

from service.access import policy
from service.audit.recorder import Entry
from service.errors import InvalidFields, TokenRevoked, Unauthenticated
from service.models import Action, Caller, Principal, Scope
from service.store.store import Store
from service.store.tokens import TokenStore
from service.tokens import tokens
from service.tokens.attenuation import TokenRequest
from service.tokens.tokens import TokenServices
from tests.calls import id_of

ENTRY = Entry("token_create", Caller("127.0.0.1", "test"))
REQUEST = TokenRequest("child", (Scope(Action.TOKEN),))


@pytest.fixture
def creator(give: Callable[..., str], store: Store) -> Principal:
    """A caller whom a process still accepts, even if their token has been revoked since."""
    found = store.tokens.find(id_of(give("token")))
    assert found is not None
    return Principal(found.token.token_id, found.token.scopes, found.token)


class Interrupted:
    """The real store, with a call right after a revocation has looked for descendants.

    A double, because a real database cannot be stopped there.
    """

    def __init__(self, real: TokenStore, interrupt: Callable[[], None]) -> None:
        self._real = real
        self._interrupt = interrupt

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def revoke_descendants(self, token_ids: Sequence[str], at: datetime) -> int:
        ended = self._real.revoke_descendants(token_ids, at)
        self._interrupt()
        return ended


def test_no_token_can_be_created_during_the_revocation(
    token_parts: TokenServices, store: Store, creator: Principal
) -> None:
    """Not even right after the revocation has looked for descendants."""
    outcomes: list[type[Exception] | None] = []

    def create_another() -> None:
        try:
            tokens.create(token_parts, ENTRY, creator, REQUEST)
            outcomes.append(None)
        except TokenRevoked:
            outcomes.append(TokenRevoked)

    services = replace(token_parts, store=Interrupted(store.tokens, create_another))
    tokens.revoke(services, ENTRY, policy.OPERATOR, creator.actor, keep_descendants=False)

    assert [TokenRevoked] == outcomes
    assert [] == [
        child for child in store.tokens.descendants([creator.actor]) if store.tokens.is_alive(child)
    ]


def test_no_descendant_survives_a_race(token_parts: TokenServices, store: Store, creator: Principal) -> None:
    """Eight threads create tokens as fast as they can while one revocation runs."""
    begun = Event()

    def create_until_refused() -> int:
        for number in range(1000):
            try:
                tokens.create(token_parts, ENTRY, creator, REQUEST)
            except Unauthenticated:
                return number
            begun.set()
        return 1000

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(create_until_refused) for _ in range(8)]
        begun.wait(10)
        tokens.revoke(token_parts, ENTRY, policy.OPERATOR, creator.actor, keep_descendants=False)
    children = store.tokens.descendants([creator.actor])

    assert 0 < sum(each.result() for each in running) < len(children)
    assert [] == [child for child in children if store.tokens.is_alive(child)]


def test_all_scopes_together_have_a_bound(token_parts: TokenServices) -> None:
    """Each query and each check of a tag has them."""
    request = replace(
        REQUEST, scopes=tuple(Scope(Action.FETCH, f"{'x' * 500}/{number}/*") for number in range(20))
    )

    with pytest.raises(InvalidFields) as refused:
        tokens.create(token_parts, ENTRY, policy.OPERATOR, request)

    assert "at most 8192 characters" in str(refused.value.errors["scopes"])
