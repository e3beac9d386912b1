"""What a role promises to those that use it: variables, entry points, names."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import yaml_files
from tests.roles import ROOT

ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
# It has no tasks, and so no entry point: names and the filter that makes some of them.
WITHOUT_TASKS = {"swarm_names"}


def load(path: Path) -> Any:
    """Read a YAML file, or return nothing if there is none."""
    return yaml_files.load(path) if path.exists() else None


def specs(role: str) -> dict[str, Any]:
    """Return a role's entry points by name."""
    found: dict[str, Any] = load(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]
    return found


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a YAML document."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def test_every_role_with_tasks_has_specs() -> None:
    """So that Ansible checks what it is given."""
    assert WITHOUT_TASKS == {role for role in ROLES if not (ROOT / "roles" / role / "tasks").exists()}
    assert [] == [role for role in ROLES if role not in WITHOUT_TASKS and "main" not in specs(role)]


def test_every_entry_point_that_others_use_has_a_spec() -> None:
    """And every spec has a task file."""
    files = [
        *ROOT.glob("roles/*/tasks/*.yml"),
        *ROOT.glob("playbooks/**/*.yml"),
        *ROOT.glob("molecule/**/*.yml"),
    ]
    used = {
        (node["name"], node["tasks_from"])
        for file in files
        for node in nodes(load(file))
        if "tasks_from" in node
    }
    documented = {(role, entry) for role in ROLES if role not in WITHOUT_TASKS for entry in specs(role)}

    assert len(used) > 15
    assert set() == used - documented
    assert [] == [
        (role, entry)
        for role, entry in documented
        if not (ROOT / "roles" / role / "tasks" / f"{entry}.yml").exists()
    ]


@pytest.mark.parametrize("role", ROLES)
def test_a_public_fact_is_in_a_spec(role: str) -> None:
    """A fact without leading underscores is an entry point's return value: its description names it."""
    facts = {
        name
        for file in (ROOT / "roles" / role / "tasks").glob("*.yml")
        for node in nodes(load(file))
        for name in [*node.get("ansible.builtin.set_fact", ()), node.get("register", "__none")]
        if not name.startswith("__") and name != "cacheable"
    }
    described = (
        "" if role in WITHOUT_TASKS else (ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text()
    )

    assert [] == sorted(name for name in facts if not re.search(rf"\b{name}\b", described))


@pytest.mark.parametrize("role", ROLES)
def test_variables_say_whose_they_are(role: str) -> None:
    """``role_x`` is public, ``_role_x`` internal, ``__role_x`` registered, set or a loop's."""
    folder = ROOT / "roles" / role
    runtime, static = set(), set(load(folder / "vars" / "main.yml") or ())
    for file in folder.glob("tasks/*.yml"):
        for node in nodes(load(file)):
            runtime |= set(node.get("ansible.builtin.set_fact", ())) - {"cacheable"}
            runtime |= {node[key] for key in ("register", "loop_var") if key in node}
            # Those of another role's entry point, and Ansible's own, are given to it.
            static |= {name for name in node.get("vars") or () if name.startswith("_")}

    assert [] == sorted(name for name in runtime if not re.match(rf"(__)?{role}_[a-z]", name))
    prefix = f"{role}_" if role in WITHOUT_TASKS else f"_{role}_"
    assert [] == sorted(name for name in static if not name.startswith(prefix))


def test_no_programs_in_templates() -> None:
    """A statement that prints nothing belongs into a filter, which has unit tests."""
    files = [*ROOT.glob("roles/**/*.yml"), *ROOT.glob("playbooks/**/*.yml")]

    assert [] == [str(file.relative_to(ROOT)) for file in files if "{%-" in file.read_text()]


def test_names_in_the_swarm_are_built_in_one_place() -> None:
    """So that another ``vault_api_stack`` or ``mongo_stack`` is another name everywhere."""
    built = re.compile(
        r"secret-manager_(api|mongodb)|(vault_api|mongo)_stack *[~}]+ *['\"]?_"
        r"|secret-manager\.(kind|escrow|primary|api|mongo)\b"
    )
    allowed = {"roles/swarm_names/vars/main.yml"}
    files = [*ROOT.glob("roles/**/*.yml"), *ROOT.glob("playbooks/**/*.yml")]
    found = {
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for file in files
        if str(file.relative_to(ROOT)) not in allowed
        for line in file.read_text().splitlines()
        if built.search(line) and not line.lstrip().startswith("#")
    }

    assert set() == found
