"""api.kv.metadata: options, custom metadata, versions and lists, as Vault's clients see them."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.kv.calls import Vault
from tests.calls import ask


def metadata(kv: Vault, path: str = "a") -> Any:
    """Return a secret's metadata."""
    response = kv.get(f"secret/metadata/{path}")
    assert 200 == response.status_code, response.text
    return response.json["data"]


def keys(kv: Vault, folder: str = "") -> Any:
    """Return the names in a folder."""
    response = kv.send("LIST", f"secret/metadata/{folder}")
    return response.json["data"]["keys"] if response.status_code == 200 else response.json


def test_describes(kv: Vault) -> None:
    """Everything but the values; what the secret does not set itself is 0."""
    kv.write("a", x="1")
    kv.write("a", x="2")
    kv.delete("secret/data/a")
    found = metadata(kv)

    assert (2, 0, 0, "0s", False, None) == (
        *(found["current_version"], found["oldest_version"], found["max_versions"]),
        *(found["delete_version_after"], found["cas_required"], found["custom_metadata"]),
    )
    assert {"1", "2"} == found["versions"].keys()
    assert {"created_time", "deletion_time", "destroyed"} == found["versions"]["1"].keys()
    assert ("", True) == (
        found["versions"]["1"]["deletion_time"],
        found["versions"]["2"]["deletion_time"] != "",
    )
    assert found["created_time"].endswith("Z")
    assert found["updated_time"].endswith("Z")


def test_metadata_may_come_before_data(kv: Vault, guarded: FlaskClient, give: Callable[..., str]) -> None:
    """As ESO and `kv metadata put` do it; natively it is a secret without a value."""
    token = give("admin")
    assert 204 == kv.put("secret/metadata/a", {"custom_metadata": {"by": "eso"}}).status_code

    assert (0, {}) == (metadata(kv)["current_version"], metadata(kv)["versions"])
    assert {"errors": []} == kv.get("secret/data/a").json
    assert ["a"] == keys(kv)
    assert 404 == ask(guarded, "fetch", token, path="a").status_code
    assert 0 == ask(guarded, "describe", token, path="a").json["version"]
    for verb in ("delete", "undelete", "destroy"):
        assert 204 == kv.put(f"secret/{verb}/a", {"versions": [0, 1]}).status_code
    assert 204 == kv.delete("secret/data/a").status_code

    assert 200 == kv.put("secret/data/a", {"data": {}, "options": {"cas": 0}}).status_code
    assert {"by": "eso"} == kv.get("secret/data/a").json["data"]["metadata"]["custom_metadata"]


def test_a_secret_without_a_value_can_be_written_natively(
    kv: Vault, guarded: FlaskClient, give: Callable[..., str]
) -> None:
    """It is at version 0."""
    kv.put("secret/metadata/a", {"max_versions": 3})
    value = base64.b64encode(b"x").decode()

    response = ask(guarded, "update", give("admin"), path="a", secret=value, expected_version=0)

    assert 1 == response.json["version"]


def test_sets_only_what_is_sent(kv: Vault) -> None:
    """Nothing else changes, and {} changes nothing and makes nothing."""
    assert 204 == kv.put("secret/metadata/a", {}).status_code
    assert 404 == kv.get("secret/metadata/a").status_code
    settings = {"max_versions": 7, "cas_required": True, "delete_version_after": "1h30m"}
    assert 204 == kv.put("secret/metadata/a", settings | {"custom_metadata": {"x": "1"}}).status_code
    before = metadata(kv)
    assert (7, True, "1h30m0s", {"x": "1"}) == (
        *(before["max_versions"], before["cas_required"]),
        *(before["delete_version_after"], before["custom_metadata"]),
    )

    assert 204 == kv.put("secret/metadata/a", {}).status_code
    assert before == metadata(kv)
    assert 204 == kv.put("secret/metadata/a", {"custom_metadata": {"y": "2"}}).status_code
    assert {"y": "2"} == metadata(kv)["custom_metadata"]
    assert 7 == metadata(kv)["max_versions"]
    kv.put("secret/metadata/a", {"delete_version_after": "0s", "max_versions": 0, "cas_required": False})
    assert ("0s", 0, False) == tuple(
        metadata(kv)[name] for name in ("delete_version_after", "max_versions", "cas_required")
    )


def test_patch_merges_custom_metadata(kv: Vault) -> None:
    """Null removes one or all; of an absent secret it is a 404."""
    kv.put("secret/metadata/a", {"custom_metadata": {"keep": "1", "drop": "2"}})

    patched = kv.patch("secret/metadata/a", {"custom_metadata": {"drop": None, "new": 3}, "max_versions": 5})

    assert 204 == patched.status_code
    assert {"keep": "1", "new": "3"} == metadata(kv)["custom_metadata"]
    assert 5 == metadata(kv)["max_versions"]
    assert 404 == kv.patch("secret/metadata/none", {"max_versions": 5}).status_code
    kv.patch("secret/metadata/a", {"custom_metadata": None})
    assert None is metadata(kv)["custom_metadata"]


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        *((90, "1m30s"), ("90", "1m30s"), ("90m", "1h30m0s"), ("1h30m", "1h30m0s"), ("1d", "24h0m0s")),
        *((-1, "0s"), ("", "0s")),
    ],
)
def test_durations(kv: Vault, sent: Any, seconds: str) -> None:
    """In as Go takes them, out as Terraform parses them."""
    kv.put("secret/metadata/a", {"delete_version_after": sent})

    assert seconds == metadata(kv)["delete_version_after"]


@pytest.mark.parametrize(
    "body",
    [
        {"max_versions": 101},
        {"max_versions": -1},
        {"max_versions": "many"},
        {"cas_required": "perhaps"},
        {"delete_version_after": "soon"},
        {"delete_version_after": 1.5},
        {"custom_metadata": {"x": ""}},
        {"custom_metadata": {"": "x"}},
        {"custom_metadata": {"x": "a" * 513}},
        {"custom_metadata": {"a" * 129: "x"}},
        {"custom_metadata": {str(n): "x" for n in range(65)}},
        {"custom_metadata": {"x": [1]}},
        {"custom_metadata": ["x"]},
    ],
)
def test_refuses_bad_options(kv: Vault, body: Any) -> None:
    """And makes no secret of them."""
    response = kv.put("secret/metadata/a", body)

    assert 400 == response.status_code, response.text
    if "custom_metadata" in body:
        assert response.json["errors"][0].startswith("custom_metadata validation failed")
    assert 404 == kv.get("secret/metadata/a").status_code


@pytest.mark.parametrize(("sent", "required"), [("t", True), (1, True), ("FALSE", False), (0, False)])
def test_takes_truth_values_as_go_does(kv: Vault, sent: Any, required: bool) -> None:
    """As texts and numbers too."""
    kv.put("secret/metadata/a", {"cas_required": not required})

    assert 204 == kv.put("secret/metadata/a", {"cas_required": sent}).status_code
    assert required is metadata(kv)["cas_required"]


def test_booleans_and_numbers_become_text(kv: Vault) -> None:
    """As Vault's decoder does it."""
    kv.put("secret/metadata/a", {"custom_metadata": {"yes": True, "no": False, "n": 1.5}})

    assert {"yes": "1", "no": "0", "n": "1.5"} == metadata(kv)["custom_metadata"]


def test_fewer_versions_are_a_deletion(kv: Vault, vault_as: Callable[..., Vault]) -> None:
    """The rule of native updates."""
    kv.write("a", x="1")
    updater = vault_as("update:a", "list:a")

    assert 403 == updater.put("secret/metadata/a", {"max_versions": 1}).status_code
    assert 403 == updater.put("secret/metadata/a", {"delete_version_after": "1s"}).status_code
    assert 204 == updater.put("secret/metadata/a", {"max_versions": 20}).status_code


def test_versions_dropped_by_age_are_left_out(kv: Vault) -> None:
    """The oldest that is left is named."""
    kv.put("secret/metadata/a", {"max_versions": 2})
    for n in range(4):
        kv.write("a", x=n)

    assert ({"3", "4"}, 3) == (metadata(kv)["versions"].keys(), metadata(kv)["oldest_version"])


def test_ten_versions_are_kept_by_default(kv: Vault) -> None:
    """Although the secret says 0."""
    for n in range(12):
        kv.write("a", x=n)

    assert 10 == len(metadata(kv)["versions"])


def test_lists_a_level(kv: Vault, guarded: FlaskClient, give: Callable[..., str]) -> None:
    """Folders and secrets, sorted, also deleted ones; a secret of its own is no folder."""
    for path in ("b", "a/x", "a", "a/y/z"):
        kv.write(path, x="1")
    ask(guarded, "delete", give("admin"), path="b")

    assert ["a", "a/", "b"] == keys(kv)
    assert ["x", "y/"] == keys(kv, "a") == keys(kv, "a/")
    assert {"errors": []} == keys(kv, "b") == keys(kv, "none/")
    assert 400 == kv.send("LIST", "secret/metadata/a b").status_code


def test_lists_what_is_within_reach(kv: Vault, vault_as: Callable[..., Vault]) -> None:
    """No list scope at all is refused; another folder looks empty."""
    for path in ("team/x", "other/y"):
        kv.write(path, x="1")

    assert ["team/"] == keys(vault_as("list:team/*"))
    assert {"errors": []} == keys(vault_as("list:team/*"), "other")
    assert "permission denied" == keys(vault_as("fetch:*"))["errors"][0]


def test_lists_everything_in_one_answer(kv: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pages that takes."""
    monkeypatch.setattr("service.api.kv.metadata.MAX_PAGE", 3)
    paths = [f"p{n:02}" for n in range(10)]
    for path in paths:
        kv.write(path, x="1")

    assert paths == keys(kv)


def test_destroys_the_whole_secret(kv: Vault, vault_as: Callable[..., Vault]) -> None:
    """With the scope delete; there is nothing left to list."""
    kv.write("a", x="1")

    assert 403 == vault_as("update:a").delete("secret/metadata/a").status_code
    assert 204 == kv.delete("secret/metadata/a").status_code
    assert 404 == kv.get("secret/metadata/a").status_code
    assert {"errors": []} == keys(kv)
