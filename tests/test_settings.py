"""settings: every variable but the master key has a documented default."""

import re
from pathlib import Path

import pytest

from service.environment import Environment
from service.errors import ConfigurationError
from service.settings import NAMES, Settings
from tests.conftest import MASTER_KEY

ROOT = Path(__file__).parents[1]
REQUIRED = {"MASTER_KEY": MASTER_KEY.decode("latin-1")}


def test_defaults_are_those_of_the_documentation() -> None:
    """.env.example shows each variable with its default value."""
    shown = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    documented = {name: value for name, value in shown.items() if name not in REQUIRED}

    assert Settings.from_environment(Environment(REQUIRED)) is not None
    by_default = Settings.from_environment(Environment(REQUIRED))
    as_documented = Settings.from_environment(Environment(documented | REQUIRED))

    for name in Settings.__slots__:
        if name != "load_master_keys":
            assert getattr(by_default, name) == getattr(as_documented, name), name


def test_every_variable_is_documented() -> None:
    """In .env.example and in the table of the reference."""
    for document in (".env.example", "docs/reference/settings.md"):
        text = (ROOT / document).read_text()
        assert [] == [name for name in NAMES if name not in text], document


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUDIT_TTL_DAYS", "-1"),
        ("AUDIT_TTL_DAYS", "99999"),
        ("AUDIT_ANCHOR_DIR", "/nowhere"),
        ("MAX_SECRET_BYTES", "0"),
        ("MAX_SECRET_BYTES", "64k"),
        ("MONGO_TIMEOUT_SECONDS", "0"),
        ("LOG_LEVEL", "LOUD"),
        ("LISTEN", "8000"),
        ("MONGO_URI", ""),
        ("THREADS", "many"),
        ("AUTH_REQUIRED", "perhaps"),
        ("AUTH_FAILURES_PER_MINUTE", "0"),
        ("METRICS_NETWORKS", "everywhere"),
        ("DOCS_ENABLED", "2"),
        ("CONSOLE_ENABLED", "maybe"),
        ("KV_MOUNTS", "secret"),
        ("SHARE_ENABLED", "maybe"),
        ("SHARE_MAX_SECONDS", "59"),
        ("SHARE_MAX_SECONDS", "31622401"),
        ("PUBLIC_URL", "vault.example.org"),
        ("PUBLIC_URL", "https://vault.example.org/x"),
        ("PUBLIC_URL", "javascript:alert(1)"),
        ("PUBLIC_URL", "https://user@vault.example.org"),
        ("KV_MOUNTS", "sys="),
        ("KV_MOUNTS", "a=,a=b"),
        ("KV_TOKEN_TTL_SECONDS", "0"),
    ],
)
def test_refuses_invalid_values(name: str, value: str) -> None:
    """Each error names its variable."""
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_environment(Environment(REQUIRED | {name: value}))


def test_requires_tokens_by_default() -> None:
    """Authentication must be switched off explicitly, and then there is a warning."""
    without = Settings.from_environment(Environment(REQUIRED | {"AUTH_REQUIRED": "false"}))

    warning = "authentication is off: anyone who can reach the port has full access"
    assert warning not in Settings.from_environment(Environment(REQUIRED)).warnings
    assert warning in without.warnings


def test_repr_contains_no_secret() -> None:
    """Neither the key nor the password in MONGO_URI."""
    settings = Settings.from_environment(Environment(REQUIRED | {"MONGO_URI": "mongodb://u:hunter2@db"}))

    assert "hunter2" not in repr(settings)
    assert REQUIRED["MASTER_KEY"] not in repr(settings)
