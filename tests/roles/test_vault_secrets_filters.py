"""How the API is asked for secrets."""

from tests.roles import filters

references = filters("vault_secrets")["vault_secrets_references"]


def test_a_uuid_is_an_id_and_all_else_a_path() -> None:
    """In the order in which they were asked for, because the answers are."""
    asked = [
        "team/app/password",
        "0b7a1c9e-3f52-4f0e-9d2b-5a6c7d8e9f01",
        "0b7a1c9e-3f52-4f0e-9d2b-5a6c7d8e9f01/x",
    ]

    assert [{"path": asked[0]}, {"secret_id": asked[1]}, {"path": asked[2]}] == references(asked)
