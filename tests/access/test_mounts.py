"""access.mounts: names of Vault's clients for prefixes of paths."""

import pytest

from service.access import mounts
from service.access.mounts import Mount
from service.errors import ConfigurationError


def test_parses_and_finds() -> None:
    """The longest name wins, at whole segments."""
    known = mounts.parse(["secret=", "kv=legacy", "kv/two=a/b"], "KV_MOUNTS")

    assert (Mount("kv/two", "a/b/"), "data/x") == mounts.find(known, "kv/two/data/x")
    assert (Mount("kv", "legacy/"), "twox") == mounts.find(known, "kv/twox")
    assert (Mount("secret", ""), "") == mounts.find(known, "secret")
    assert (Mount("secret", ""), "data/secret") == mounts.find(known, "secret/data/secret")
    assert None is mounts.find(known, "secrets/data/x")
    assert () == mounts.parse([], "KV_MOUNTS")


@pytest.mark.parametrize(
    "entries",
    [["secret"], ["=x"], ["a b="], ["kv=/x"], ["kv=x/"], ["sys="], ["auth/x="], ["identity="], ["a=", "a=b"]],
)
def test_refuses_what_is_no_mount(entries: list[str]) -> None:
    """The message names the variable."""
    with pytest.raises(ConfigurationError, match="KV_MOUNTS"):
        mounts.parse(entries, "KV_MOUNTS")
