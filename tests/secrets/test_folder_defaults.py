"""secrets.folder_defaults: options for all secrets in a folder."""

import pytest

from service.access import policy
from service.audit.recorder import Entry
from service.models import Caller
from service.records import Defaults
from service.secrets import folder_defaults, folders
from service.secrets.options import SecretOptions
from service.secrets.services import SecretServices


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for other processes: there are none."""
    monkeypatch.setattr(folder_defaults, "HOLD_SECONDS", 0)
    monkeypatch.setattr(folders, "HOLD_SECONDS", 0)


def configure(vault: SecretServices, folder: str, options: SecretOptions) -> Defaults:
    """Set defaults as the operator."""
    entry = Entry("folder_configure", Caller("127.0.0.1", "test"))
    return folders.configure(vault, entry, policy.OPERATOR, folder, options)


def test_the_nearest_folder_counts(vault: SecretServices) -> None:
    """Whole, not mixed with those above it."""
    configure(vault, "", {"max_versions": 1, "cas_required": True})
    configure(vault, "a/b/", {"max_versions": 2})

    assert [1, 1, 1, 2, 2] == [
        vault.folders.of(path).max_versions for path in ("x", "a/x", "a/bx/y", "a/b/x", "a/b/c/d")
    ]
    assert False is vault.folders.of("a/b/x").cas_required


def test_changes_keep_what_they_do_not_name(vault: SecretServices) -> None:
    """One after the other."""
    configure(vault, "a/", {"max_versions": 2})

    assert Defaults(2, True) == configure(vault, "a/", {"cas_required": True})
    assert Defaults(2, True) == vault.folders.of("a/x")
    assert Defaults(0, True) == configure(vault, "a/", {"max_versions": 0})
