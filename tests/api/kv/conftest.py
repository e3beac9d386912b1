"""What the tests of the door for Vault's clients share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.api.kv.calls import Vault


@pytest.fixture
def vault_as(guarded: FlaskClient, give: Callable[..., str]) -> Callable[..., Vault]:
    """Return a function that makes a client with a token that has these scopes."""
    return lambda *scopes, **request: Vault(guarded, give(*scopes, **request))


@pytest.fixture
def kv(vault_as: Callable[..., Vault]) -> Vault:
    """An administrator's client."""
    return vault_as("admin")
