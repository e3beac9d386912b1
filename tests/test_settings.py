"""settings: everything has a documented default, but for the key."""

import re
from pathlib import Path

import pytest

from service.environment import Environment
from service.errors import ConfigurationError
from service.settings import NAMES, Settings
from tests.conftest import MASTER_KEY

ROOT = Path(__file__).parents[1]
NEEDED = {"MASTER_KEY": MASTER_KEY.decode("latin-1")}


def test_defaults_are_those_of_the_documentation() -> None:
    """.env.example shows each variable with the value it has when it is not set."""
    shown = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    documented = {name: value for name, value in shown.items() if name not in NEEDED}

    assert Settings.from_environment(Environment(NEEDED)) is not None
    by_default = Settings.from_environment(Environment(NEEDED))
    as_documented = Settings.from_environment(Environment(documented | NEEDED))

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
    ],
)
def test_refuses_nonsense(name: str, value: str) -> None:
    """Each refusal names its variable."""
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_environment(Environment(NEEDED | {name: value}))


def test_demands_tokens_unless_told_otherwise() -> None:
    """Going without authentication has to be said aloud, and is a warning for as long as it lasts."""
    without = Settings.from_environment(Environment(NEEDED | {"AUTH_REQUIRED": "false"}))

    said = "authentication is off: whoever reaches the port can do everything"
    assert said not in Settings.from_environment(Environment(NEEDED)).warnings
    assert said in without.warnings


def test_shows_no_secret_when_printed() -> None:
    """Neither the key nor the password in MONGO_URI."""
    settings = Settings.from_environment(Environment(NEEDED | {"MONGO_URI": "mongodb://u:hunter2@db"}))

    assert "hunter2" not in repr(settings)
    assert NEEDED["MASTER_KEY"] not in repr(settings)
