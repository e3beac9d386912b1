"""How the API is asked for secrets, and what it says if there are none."""

import pytest

from tests.roles import filters

FILTERS = filters("vault_secrets")
references, on_controller = FILTERS["vault_secrets_references"], FILTERS["vault_secrets_on_controller"]


def test_a_uuid_is_an_id_and_all_else_a_path() -> None:
    """In the order in which they were asked for, because the answers are."""
    asked = [
        "team/app/password",
        "0b7a1c9e-3f52-4f0e-9d2b-5a6c7d8e9f01",
        "0b7a1c9e-3f52-4f0e-9d2b-5a6c7d8e9f01/x",
    ]

    assert [{"path": asked[0]}, {"secret_id": asked[1]}, {"path": asked[2]}] == references(asked)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000", True),
        ("https://127.9.9.9", True),
        ("https://[::1]:8000", True),
        ("http://LocalHost:8000", True),
        ("http://user@vault.localhost", True),
        ("https://127.0.0.1.example", False),
        ("https://localhost.example", False),
        ("https://localhost@vault.example", False),
        ("https://192.0.2.1", False),
    ],
)
def test_only_loopback_is_the_controller(url: str, here: bool) -> None:
    """As the resolver takes it, whatever it looks like."""
    assert here == on_controller(url)


def test_a_token_is_without_what_editors_add() -> None:
    """A byte order mark, line ends of Windows; and nothing else is taken away."""
    for text in ("smt_1", "\ufeffsmt_1\r\n", " smt_1 \n\n"):
        assert "smt_1" == FILTERS["vault_secrets_token"](text)
    assert "a\nb" == FILTERS["vault_secrets_token"]("a\nb\n")


def test_a_problem_says_what_is_wrong_with_each_field() -> None:
    """Nested or not, in one line."""
    problem = FILTERS["vault_secrets_problem"]

    assert "Secret not found" == problem({"detail": "Secret not found"})
    assert "see errors; path: bad; secrets.0.version: low; secrets.0.version: odd" == problem(
        {"detail": "see errors", "errors": {"path": ["bad"], "secrets": {"0": {"version": ["low", "odd"]}}}}
    )
