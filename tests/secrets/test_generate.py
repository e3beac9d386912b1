"""secrets.generate: random values."""

from collections import Counter

import pytest

from service.secrets.generate import ALPHABETS, Recipe, generate


@pytest.mark.parametrize("name", ALPHABETS)
def test_draws_from_the_whole_alphabet_and_from_nothing_else(name: str) -> None:
    """The value has the requested length."""
    made = generate(Recipe(20_000, ALPHABETS[name])).decode()

    assert 20_000 == len(made)
    assert set(ALPHABETS[name]) == set(made)


def test_draws_evenly() -> None:
    """Three characters, 30,000 draws: each within six standard deviations (82) of a third."""
    counts = Counter(generate(Recipe(30_000, "abc")).decode())

    assert all(abs(count - 10_000) < 6 * 82 for count in counts.values())


def test_takes_any_characters() -> None:
    """They are encoded as UTF-8."""
    assert set("äß") == set(generate(Recipe(100, "äß")).decode())
