"""vault.tokens: what happens at the same time as a revocation does not get around it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest

from service.access import policy
from service.audit.recorder import Entry
from service.errors import TokenRevoked, Unauthenticated
from service.models import Action, Caller, Principal, Scope
from service.store.store import Store
from service.store.tokens import TokenStore
from service.tokens import tokens
from service.tokens.attenuation import TokenRequest
from service.tokens.tokens import TokenServices
from tests.calls import id_of

ENTRY = Entry("token_create", Caller("127.0.0.1", "test"))
WISH = TokenRequest("child", (Scope(Action.TOKEN),))


@pytest.fixture
def maker(give: Callable[..., str], store: Store) -> Principal:
    """Somebody whom a process takes for good, whatever has become of their token meanwhile."""
    found = store.tokens.find(id_of(give("token")))
    assert found is not None
    return Principal(found.token.token_id, found.token.scopes, found.token)


class Interrupted:
    """The real store, with something that happens right after a revocation has looked for descendants.

    A double because no real database stops there.
    """

    def __init__(self, real: TokenStore, meanwhile: Callable[[], None]) -> None:
        self._real = real
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def made_with(self, token_id: str) -> list[str]:
        found = self._real.made_with(token_id)
        self._meanwhile()
        return found


def test_whoever_makes_a_token_during_the_revocation_is_refused(
    token_parts: TokenServices, store: Store, maker: Principal
) -> None:
    """Even right after its descendants were looked for."""
    outcomes: list[type[Exception] | None] = []

    def make_another() -> None:
        try:
            tokens.create(token_parts, ENTRY, maker, WISH)
            outcomes.append(None)
        except TokenRevoked:
            outcomes.append(TokenRevoked)

    parts = replace(token_parts, store=Interrupted(store.tokens, make_another))
    tokens.revoke(parts, ENTRY, policy.OPERATOR, maker.actor, descendants=True)

    assert [TokenRevoked] == outcomes
    assert [] == [made for made in store.tokens.made_with(maker.actor) if store.tokens.is_alive(made)]


def test_no_descendant_survives_whoever_is_faster(
    token_parts: TokenServices, store: Store, maker: Principal
) -> None:
    """Eight threads that make tokens as fast as they can, and one revocation in the middle of it."""
    begun = Event()

    def make_on() -> int:
        for number in range(1000):
            try:
                tokens.create(token_parts, ENTRY, maker, WISH)
            except Unauthenticated:
                return number
            begun.set()
        return 1000

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(make_on) for _ in range(8)]
        begun.wait(10)
        tokens.revoke(token_parts, ENTRY, policy.OPERATOR, maker.actor, descendants=True)
    made = store.tokens.made_with(maker.actor)

    assert 0 < sum(each.result() for each in running) < len(made)
    assert [] == [one for one in made if store.tokens.is_alive(one)]
