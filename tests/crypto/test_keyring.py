"""crypto.keyring: the primary key wraps, every key unwraps."""

import pytest

from service.crypto import aead
from service.crypto.context import Context
from service.crypto.keyring import KeyRing, MasterKeys
from service.errors import ConfigurationError, StoreUnavailable, Tampered, UnknownKey
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY, make_ring

DATA_KEY = b"d" * 32


def test_unwraps_what_an_older_primary_wrapped(context: Context) -> None:
    """After a change of the primary, data keys under the old one can still be unwrapped."""
    wrapped = make_ring(MASTER_KEY).wrap(DATA_KEY, context)

    assert make_ring(OTHER_MASTER_KEY, MASTER_KEY).unwrap(wrapped, context) == DATA_KEY


def test_wraps_under_the_primary_only(context: Context) -> None:
    """A key that is not the primary never wraps."""
    wrapped = make_ring(OTHER_MASTER_KEY, MASTER_KEY).wrap(DATA_KEY, context)

    assert aead.key_id(wrapped) == aead.key_id_of(OTHER_MASTER_KEY)


def test_names_the_ids_of_both_sides_when_the_key_is_unknown(context: Context) -> None:
    """The error says which key is missing and which ones the ring holds."""
    wrapped = make_ring(MASTER_KEY).wrap(DATA_KEY, context)

    with pytest.raises(UnknownKey) as caught:
        make_ring(OTHER_MASTER_KEY).unwrap(wrapped, context)

    assert aead.key_id_of(MASTER_KEY).hex() in str(caught.value)
    assert aead.key_id_of(OTHER_MASTER_KEY).hex() in str(caught.value)


def test_reloads_once_for_a_key_it_does_not_know(context: Context) -> None:
    """A key added to the folder is found without a restart."""
    loads = [MasterKeys(MASTER_KEY, (MASTER_KEY,)), MasterKeys(MASTER_KEY, (MASTER_KEY, OTHER_MASTER_KEY))]
    ring = KeyRing(lambda: loads.pop(0), lambda _key_id: None)
    wrapped = make_ring(OTHER_MASTER_KEY).wrap(DATA_KEY, context)

    assert ring.unwrap(wrapped, context) == DATA_KEY
    assert loads == []


def test_keeps_its_keys_when_a_reload_fails(context: Context) -> None:
    """If a key file is only half written, the keys that work are kept."""
    healthy = True

    def load() -> MasterKeys:
        if not healthy:
            raise ConfigurationError("half written")
        return MasterKeys(MASTER_KEY, (MASTER_KEY,))

    ring = KeyRing(load, lambda _key_id: None)
    mine = ring.wrap(DATA_KEY, context)
    healthy = False

    with pytest.raises(UnknownKey):
        ring.unwrap(make_ring(OTHER_MASTER_KEY).wrap(DATA_KEY, context), context)
    assert ring.unwrap(mine, context) == DATA_KEY


def test_counts_wraps_by_key(context: Context) -> None:
    """A master key's wraps are counted, because a key may wrap at most 2**32 times."""
    counted: list[str] = []
    ring = KeyRing(lambda: MasterKeys(MASTER_KEY, (MASTER_KEY,)), counted.append)

    ring.wrap(DATA_KEY, context)
    ring.wrap(DATA_KEY, context)

    assert [aead.key_id_of(MASTER_KEY).hex()] * 2 == counted


def test_refuses_a_wrap_whose_key_id_was_altered_to_another_of_the_ring(context: Context) -> None:
    """A wrap whose key id names another key of the ring does not decrypt."""
    ring = make_ring(MASTER_KEY, OTHER_MASTER_KEY)
    wrapped = bytearray(ring.wrap(DATA_KEY, context))
    wrapped[1:9] = aead.key_id_of(OTHER_MASTER_KEY)

    with pytest.raises(Tampered):
        ring.unwrap(bytes(wrapped), context)


def test_shows_no_key_when_printed() -> None:
    """The repr, in a log line or a debugger, contains no key."""
    keys = MasterKeys(MASTER_KEY, (MASTER_KEY,))

    assert "\\x01\\x02" not in repr(keys)


def test_a_rewrap_changes_the_wrap_and_not_the_data_key(context: Context) -> None:
    """Afterwards the old key is not needed; a second rewrap changes nothing."""
    old = make_ring(MASTER_KEY).wrap(DATA_KEY, context)
    both = make_ring(OTHER_MASTER_KEY, MASTER_KEY)

    new = both.rewrap(old, context)

    assert DATA_KEY == make_ring(OTHER_MASTER_KEY).unwrap(new, context)
    assert new == both.rewrap(new, context)


def test_altered_data_gets_no_new_wrap(context: Context) -> None:
    """Otherwise a rotation would legitimize what an attacker altered."""
    old, both = make_ring(MASTER_KEY), make_ring(OTHER_MASTER_KEY, MASTER_KEY)
    elsewhere = Context(context.secret_id, context.version + 1)

    with pytest.raises(Tampered):
        both.rewrap(old.wrap(DATA_KEY, context), elsewhere)


def test_a_wrap_that_cannot_be_counted_is_not_made(context: Context) -> None:
    """A wrap is counted before it is made, so the count is never too low."""

    def refuse(_key_id: str) -> None:
        raise StoreUnavailable("gone")

    ring = KeyRing(lambda: MasterKeys(MASTER_KEY, (MASTER_KEY,)), refuse)

    with pytest.raises(StoreUnavailable):
        ring.wrap(DATA_KEY, context)
