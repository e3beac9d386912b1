"""Mistakes in the inventory cost seconds and change nothing: no machine is even asked."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests import yaml_files
from tests.cluster.playbook import ROOT, play

# Addresses of documentation (RFC 5737): an attempt to reach one would fail in another way.
HOSTS = {f"node-{number}": {"ansible_host": f"192.0.2.{number}"} for number in range(1, 10)}


def inventory(tmp_path: Path, managers: int, members: int, api: int, **hostvars: dict[str, Any]) -> str:
    """Write an inventory with so many hosts in each group, and return its path."""
    names = list(HOSTS)

    def group(count: int) -> dict[str, Any]:
        return {"hosts": {name: {} for name in names[:count]}}

    used = {
        name: HOSTS[name] | hostvars.get(name.replace("-", "_"), {})
        for name in names[: max(managers, members, api)]
    }
    content = {
        "all": {
            "hosts": used,
            "children": {
                "managers": group(managers),
                "workers": {},
                "mongo_members": group(members),
                "api_nodes": group(api),
            },
        }
    }
    file = tmp_path / "hosts.json"
    file.write_text(json.dumps(content))
    return str(file)


@pytest.mark.parametrize(
    ("managers", "members", "api", "says"),
    [
        (2, 1, 1, "2 managers"),
        (4, 3, 3, "4 managers"),
        (3, 2, 3, "2 mongo_members"),
        (3, 0, 3, "0 mongo_members"),
        (3, 3, 0, "0 api_nodes"),
        (0, 1, 1, "0 managers"),
    ],
)
def test_refuses_groups_that_cannot_hold_together(
    tmp_path: Path, managers: int, members: int, api: int, says: str
) -> None:
    """Even numbers, empty groups: the message counts them and says what would do."""
    run = play("site.yml", "-i", inventory(tmp_path, managers, members, api))

    output = " ".join(run.output.split())
    assert run.code != 0
    assert says in output
    assert "name 1, 3, 5 or 7 of each" in output


def test_refuses_a_node_without_an_address(tmp_path: Path) -> None:
    """And names the variable that is missing."""
    run = play("site.yml", "-i", inventory(tmp_path, 3, 3, 3, node_2={"ansible_host": ""}))

    assert run.code != 0
    assert "node-2 has no address" in " ".join(run.output.split())


def test_refuses_several_nodes_without_a_word_on_escrow(tmp_path: Path) -> None:
    """Their loss would be that of every secret: a public key, or `none`."""
    run = play("site.yml", "-i", inventory(tmp_path, 3, 3, 3))

    output = " ".join(run.output.split())
    assert run.code != 0
    assert "3 nodes, but master_key_escrow_public_key is not set" in output
    assert "Or write `none`" in output


def test_refuses_a_public_key_that_is_too_short(tmp_path: Path) -> None:
    """Before anything is sealed for it."""
    public = rsa.generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    variables = tmp_path / "escrow.json"
    variables.write_text(json.dumps({"master_key_escrow_public_key": pem}))

    run = play("site.yml", "-i", inventory(tmp_path, 1, 1, 1), "-e", f"@{variables}")

    assert run.code != 0
    assert "must be an RSA key of 3072 bits or more" in " ".join(run.output.split())


def test_refuses_two_members_with_one_number(tmp_path: Path) -> None:
    """A member's number is its name, its volume and its label."""
    run = play(
        "site.yml",
        "-i",
        inventory(
            tmp_path,
            3,
            3,
            3,
            node_1={"mongo_member": 1},
            node_2={"mongo_member": 1},
            node_3={"mongo_member": 3},
        ),
    )

    assert run.code != 0
    assert "give each member one of its own" in " ".join(run.output.split())


def test_names_what_replaces_a_variable_that_is_gone(tmp_path: Path) -> None:
    """An old name is not ignored."""
    run = play("site.yml", "-i", inventory(tmp_path, 1, 1, 1), image_source="pull")

    assert run.code != 0
    assert "image_source is not read any more: write images_source" in " ".join(run.output.split())


@pytest.mark.quick
def test_defaults_and_argument_specs_agree() -> None:
    """Every public variable of a role is documented with the default that it has, and no other."""
    for role in sorted(file.parents[1] for file in (ROOT / "roles").glob("*/defaults/main.yml")):
        specs = yaml_files.load(role / "meta" / "argument_specs.yml")["argument_specs"]
        documented = {name: option.get("default") for name, option in specs["main"]["options"].items()}
        defaults = yaml_files.load(role / "defaults" / "main.yml") or {}
        assert documented == defaults, role.name
        assert [] == [name for name in defaults if not name.startswith(f"{role.name}_")], role.name


def test_another_stack_has_other_names_everywhere(tmp_path: Path) -> None:
    """Every name of another role follows from the stacks' names: of services, volumes, and in defaults."""
    names = {
        "swarm_names_stacks": "['api-x', 'db-x']",
        "swarm_names_api_service": "api-x_api",
        "swarm_names_network": "net-x",
        "vault_api_network": "net-x",
        "mongo_network": "net-x",
        "master_key_service": "api-x_api",
        "backup_service": "api-x_api",
        "ttl_indexes_member_service": "db-x_mongodb-1",
    }
    roles = ("vault_api", "mongo", "master_key", "backup", "ttl_indexes")
    defaults = [f"{ROOT}/roles/{role}/defaults/main.yml" for role in roles]
    content = [
        {
            "hosts": "managers[0]",
            "roles": ["swarm_names"],
            # An extra variable wins over a default.
            "vars_files": defaults,
            "tasks": [{"ansible.builtin.debug": {"msg": f"{name}={{{{ {name} }}}}"}} for name in names],
        }
    ]
    playbook = tmp_path / "names.yml"
    playbook.write_text(yaml.safe_dump(content))

    run = play(
        str(playbook), vault_api_stack="api-x", mongo_stack="db-x", swarm_overlay_name="net-x", images_api="x"
    )

    assert 0 == run.code, run.output
    assert [] == [name for name, value in names.items() if f"{name}={value}" not in run.output]
