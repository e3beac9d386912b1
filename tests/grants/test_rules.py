"""grants.rules: all conditions of a grant must hold, and names are whole."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from service.errors import InvalidFields
from service.grants.rules import GrantRequest, Recipient, covers, validate
from service.models import Grant, now

IMAGE = "registry:5000/team/billing:1.2@sha256:" + 64 * "a"
GRANT = Grant("g", ("billing_*",), ("team/billing/*",), now(), "operator")
RECIPIENT = Recipient("billing_api", "s1", IMAGE, "t1", "n1", "db.v1")
PATH = "team/billing/db"


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        ("api", "api", True),
        ("api", "api-prod", False),
        ("api", "Api", False),
        ("api-prod", "api", False),
        ("billing_*", "billing_api", True),
        ("billing_*", "billing_", True),
        ("billing_*", "billing", False),
        ("billing_*", "x_billing_api", False),
        ("*", "whatever", True),
    ],
)
def test_names_of_services_are_whole(pattern: str, name: str, covered: bool) -> None:
    """Unless the pattern says by its star that only the beginning counts."""
    assert covered is covers(replace(GRANT, services=(pattern,)), replace(RECIPIENT, service=name), PATH)


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("team/billing/db", "team/billing/db", True),
        ("team/billing/db", "team/billing/db2", False),
        ("team/billing/*", "team/billing/a/b", True),
        ("team/billing/*", "team/billing", False),
        ("team/billing/*", "team/billing2/db", False),
        ("*", "team/other", True),
    ],
)
def test_paths_are_as_in_scopes(pattern: str, path: str, covered: bool) -> None:
    """A path, everything below a folder, or all."""
    assert covered is covers(replace(GRANT, paths=(pattern,)), RECIPIENT, path)


def test_all_conditions_must_hold() -> None:
    """Of the product of conditions that hold and that do not, one combination is covered."""
    conditions = {
        "services": (("other", "billing_api"), ("other", "billing_web")),
        "paths": (("x", PATH), ("x", "y")),
        "nodes": (("n0", "n1"), ("n0",)),
        "images": ((IMAGE,), (IMAGE.replace("a" * 64, "b" * 64),)),
    }
    found = [
        covers(replace(GRANT, **dict(zip(conditions, values, strict=True))), RECIPIENT, PATH)
        for values in product(*conditions.values())
    ]

    assert [True, *15 * [False]] == found


@pytest.mark.parametrize("unknown", [{"node_id": ""}, {"image": ""}, {"image": IMAGE.partition("@")[0]}])
def test_what_is_not_known_meets_no_condition(unknown: dict[str, str]) -> None:
    """Least privilege: without an id of a node, or a digest, such a grant does not hold."""
    grant = replace(GRANT, nodes=("n1",), images=(IMAGE,))

    assert covers(grant, RECIPIENT, PATH)
    assert not covers(grant, replace(RECIPIENT, **unknown), PATH)


def test_accepts_what_a_grant_may_say() -> None:
    """Names, beginnings, everything; ids and images with digest."""
    validate(GrantRequest(("a", "a_*", "*", "a.b-c_d"), ("a", "a/*", "*"), ("n1",), (IMAGE,)))


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *(("services", text) for text in ("", "a*b", "**", "_a", "a b", "a\n", "a/b", "x" * 256, "*a")),
        ("services", "smt_0f3a5b7c9d1e2f40_" + 64 * "0"),
        *(("paths", text) for text in ("", "a*", "/a", "a//b", "a/*/b", "../a")),
        *(("nodes", text) for text in ("", "*", "n*", "node-1", "n 1")),
        *(
            ("images", text)
            for text in ("billing:1.2", "*", "billing@sha256:ab", f"billing*{IMAGE}", f"{IMAGE}\n")
        ),
    ],
)
def test_refuses_what_could_be_misread(field: str, text: str) -> None:
    """And names the field; a tag of an image can be moved, so it says nothing."""
    valid = {"services": ("a",), "paths": ("a",)}

    with pytest.raises(InvalidFields) as refused:
        validate(GrantRequest(**valid | {field: (*valid.get(field, ()), text)}))

    assert [field] == list(refused.value.errors)


def test_refuses_an_empty_grant_and_a_huge_one() -> None:
    """Every process has all grants in memory."""
    with pytest.raises(InvalidFields) as refused:
        validate(GrantRequest((), ()))
    assert {"services", "paths"} == refused.value.errors.keys()
    with pytest.raises(InvalidFields, match="schema"):
        validate(GrantRequest(("a" * 200,), tuple("b" * 400 for _ in range(20))))
