"""The roles' filters and rules, without Ansible, an engine or root."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def filters(role: str) -> dict[str, Callable[..., Any]]:
    """Load the filters of a role as Ansible does: from a file, not from a package."""
    path = ROOT / "roles" / role / "filter_plugins" / f"{role}.py"
    spec = importlib.util.spec_from_file_location(f"roles_{role}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    loaded: dict[str, Callable[..., Any]] = module.FilterModule().filters()
    return loaded
