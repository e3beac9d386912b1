"""api.kv.data and api.kv.versions: values and their versions, as Vault's clients handle them."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.kv.calls import DENIED, Vault
from tests.calls import ask
from tests.conftest import Clock

MISMATCH = "check-and-set parameter did not match the current version"
REQUIRED = "check-and-set parameter required for this call"


@pytest.fixture
def native(guarded: FlaskClient, give: Callable[..., str]) -> Callable[..., Any]:
    """Return a function that calls the native API as an administrator."""
    token = give("admin")

    def call(operation: str, **body: Any) -> Any:
        response = ask(guarded, operation, token, **body)
        assert 200 == response.status_code, response.text
        return response.json

    return call


def b64(text: str) -> str:
    """Return text as the native API takes it."""
    return base64.b64encode(text.encode()).decode()


def data(kv: Vault, path: str = "a") -> Any:
    """Return what is in an answer to a read."""
    return kv.get(f"secret/data/{path}").json["data"]


def test_writes_and_reads(kv: Vault) -> None:
    """A write answers the new version's metadata; a read has it beside the value."""
    written = kv.put("secret/data/a", {"data": {"user": "x", "n": 1}, "options": {}}).json["data"]
    read = data(kv)

    assert {"created_time", "custom_metadata", "deletion_time", "destroyed", "version"} == written.keys()
    assert (None, "", False, 1) == (
        *(written["custom_metadata"], written["deletion_time"]),
        *(written["destroyed"], written["version"]),
    )
    assert written["created_time"].endswith("Z")
    assert {"data": {"user": "x", "n": 1}, "metadata": written} == read


def test_reads_versions(kv: Vault) -> None:
    """Absent, 0 and negative stand for the current one."""
    kv.write("a", x="1")
    kv.write("a", x="2")

    for version, value in (("1", "1"), ("2", "2"), ("", "2"), ("0", "2"), ("-3", "2")):
        assert {"x": value} == data(kv, f"a?version={version}")["data"]
    assert 404 == kv.get("secret/data/a?version=3").status_code
    assert 400 == kv.get("secret/data/a?version=one").status_code


def test_nothing_there(kv: Vault) -> None:
    """Without a text: clients take that for what it is."""
    for path in ("data/a", "subkeys/a", "metadata/a"):
        response = kv.get(f"secret/{path}")
        assert (404, {"errors": []}) == (response.status_code, response.json)
    assert 404 == kv.patch("secret/data/a", {"data": {}}).status_code


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b'{"a":1}', {"a": 1}),
        (b' {"a": {"b": null}} ', {"a": {"b": None}}),
        (b"{}", {}),
        (b"hunter2", {"value": "hunter2"}),
        (b"", {"value": ""}),
        (b"[1]", {"value": "[1]"}),
        (b"12", {"value": "12"}),
        (b'{"a":1,"a":2}', {"value": '{"a":1,"a":2}'}),
        (b'{"a":1} {}', {"value": '{"a":1} {}'}),
        (b"\xff\x00", {"value_base64": "/wA="}),
    ],
)
def test_native_values(kv: Vault, native: Callable[..., Any], value: bytes, shown: dict[str, Any]) -> None:
    """One JSON object is shown as it is, text as a field, all else in base64."""
    native("create/", secret=base64.b64encode(value).decode(), path="a")

    assert shown == data(kv)["data"]


def test_a_write_is_what_an_import_makes_of_it(kv: Vault, native: Callable[..., Any]) -> None:
    """Sorted, compact, UTF-8; a field called value is nothing special."""
    kv.write("a", value="é", b={"d": 1, "c": None})

    assert (
        '{"b":{"c":null,"d":1},"value":"é"}' == base64.b64decode(native("fetch", path="a")["secret"]).decode()
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "no data provided"),
        ({"data": None}, "no data provided"),
        ({"data": []}, "data must be an object"),
        ({"data": {}, "options": {"cas": "x"}}, "error parsing check-and-set parameter"),
        ({"data": {}, "options": {"cas": 1.5}}, "error parsing check-and-set parameter"),
        ({"data": {}, "options": {"cas": None}}, "error parsing check-and-set parameter"),
    ],
)
def test_refuses_bad_writes(kv: Vault, body: Any, text: str) -> None:
    """With the texts that clients know."""
    response = kv.put("secret/data/a", body)

    assert (400, text) == (response.status_code, response.json["errors"][0])


def test_check_and_set(kv: Vault) -> None:
    """On a path with nothing it compares with 0; Terraform sends text."""

    def put(cas: Any) -> Any:
        response = kv.put("secret/data/a", {"data": {}, "options": {"cas": cas}, "cas": 9})
        return response.json["errors"][0] if response.status_code == 400 else response.json["data"]["version"]

    assert [MISMATCH, 1, MISMATCH, MISMATCH, 2] == [put(cas) for cas in (3, 0, 0, 2, "1")]


def test_a_secret_can_require_it(kv: Vault, native: Callable[..., Any]) -> None:
    """Set natively or through metadata."""
    native("create/", secret=b64("x"), path="a", cas_required=True)

    response = kv.put("secret/data/a", {"data": {}})

    assert (400, REQUIRED) == (response.status_code, response.json["errors"][0])
    assert 200 == kv.put("secret/data/a", {"data": {}, "options": {"cas": 1}}).status_code


@pytest.mark.parametrize(
    ("scope", "first", "second"),
    [("create:a", 200, 403), ("update:a", 403, 200), ("fetch:a", 403, 403), ("create:*", 200, 403)],
)
def test_a_write_is_a_creation_or_an_update(
    indexed: None, kv: Vault, vault_as: Callable[..., Vault], scope: str, first: int, second: int
) -> None:
    """Each needs its own scope."""
    limited = vault_as(scope)

    assert first == limited.put("secret/data/a", {"data": {"x": "1"}}).status_code
    kv.write("a", x="2")
    assert second == limited.put("secret/data/a", {"data": {"x": "3"}}).status_code


def test_patch_merges(kv: Vault) -> None:
    """RFC 7396: null removes, objects are merged, all else is replaced."""
    kv.write("a", keep="1", drop="2", deep={"x": 1, "y": 2}, list=[1])

    patched = kv.patch("secret/data/a", {"data": {"drop": None, "deep": {"y": None, "z": 3}, "list": [2]}})

    assert 2 == patched.json["data"]["version"]
    assert {"keep": "1", "deep": {"x": 1, "z": 3}, "list": [2]} == data(kv)["data"]


def test_patch_checks_the_version(kv: Vault) -> None:
    """As a write."""
    kv.write("a", x="1")

    assert MISMATCH == kv.patch("secret/data/a", {"data": {}, "options": {"cas": 5}}).json["errors"][0]
    assert 200 == kv.patch("secret/data/a", {"data": {}, "options": {"cas": 1}}).status_code


def test_patch_needs_an_object(kv: Vault, native: Callable[..., Any]) -> None:
    """And says what to do instead; the value is not in the text."""
    native("create/", secret=b64("hunter2"), path="a")

    response = kv.patch("secret/data/a", {"data": {"x": 1}})

    assert 400 == response.status_code
    assert "write it instead" in response.json["errors"][0]
    assert "hunter2" not in response.text


def test_a_deleted_version_is_a_404_with_its_metadata(kv: Vault) -> None:
    """hvac, ESO and the command line read it; the current version stays current."""
    kv.write("a", x="1")
    kv.write("a", x="2")

    assert 204 == kv.delete("secret/data/a").status_code
    gone = kv.get("secret/data/a")

    assert (404, None) == (gone.status_code, gone.json["data"]["data"])
    assert (2, False) == (
        gone.json["data"]["metadata"]["version"],
        gone.json["data"]["metadata"]["destroyed"],
    )
    assert gone.json["data"]["metadata"]["deletion_time"]
    assert gone.json["data"]["metadata"] == kv.patch("secret/data/a", {"data": {}}).json["data"]
    assert None is kv.get("secret/subkeys/a").json["data"]["subkeys"]
    assert {"x": "1"} == data(kv, "a?version=1")["data"]
    assert 3 == kv.write("a", x="3")


def test_who_may_not_fetch_sees_no_metadata(kv: Vault, vault_as: Callable[..., Vault]) -> None:
    """Whoever may only update learns nothing of a deleted version."""
    kv.write("a", x="1")
    kv.delete("secret/data/a")
    updater = vault_as("update:a")

    assert 403 == updater.get("secret/data/a").status_code
    assert {"errors": []} == updater.patch("secret/data/a", {"data": {}}).json


@pytest.mark.parametrize("numbers", [[1, 2], ["1", "2"], "1,2", "1, 2"])
def test_deletes_undeletes_and_destroys(kv: Vault, numbers: Any) -> None:
    """Numbers or texts, in a list or in one text."""
    kv.write("a", x="1")
    kv.write("a", x="2")

    def statuses() -> list[int]:
        return [kv.get(f"secret/data/a?version={number}").status_code for number in (1, 2)]

    assert 204 == kv.put("secret/delete/a", {"versions": numbers}).status_code
    assert [404, 404] == statuses()
    assert 204 == kv.put("secret/undelete/a", {"versions": numbers}).status_code
    assert [200, 200] == statuses()
    assert 204 == kv.put("secret/destroy/a", {"versions": numbers}).status_code
    assert [404, 404] == statuses()
    assert True is kv.get("secret/data/a").json["data"]["metadata"]["destroyed"]
    assert 204 == kv.put("secret/undelete/a", {"versions": numbers}).status_code
    assert [404, 404] == statuses()


@pytest.mark.parametrize("verb", ["delete", "undelete", "destroy"])
def test_what_is_not_there_is_left_alone(kv: Vault, vault_as: Callable[..., Vault], verb: str) -> None:
    """204 for unknown versions and paths; but not without the scope."""
    kv.write("a", x="1")

    assert 204 == kv.put(f"secret/{verb}/a", {"versions": [7]}).status_code
    assert 204 == kv.put(f"secret/{verb}/none", {"versions": [1]}).status_code
    assert 200 == kv.get("secret/data/a").status_code
    assert DENIED["errors"] == vault_as("fetch:*").put(f"secret/{verb}/none", {}).json["errors"][:1]
    for body in ({}, {"versions": []}, {"versions": ""}, None):
        response = kv.put(f"secret/{verb}/a", body)
        assert (400, {"errors": ["No version number provided"]}) == (response.status_code, response.json)
    assert 400 == kv.put(f"secret/{verb}/a", {"versions": ["one"]}).status_code


def test_one_number_needs_no_list(kv: Vault) -> None:
    """As a number, or as a text."""
    for number in (1, "1"):
        kv.write("a", x="1")
        assert 204 == kv.put("secret/delete/a", {"versions": number}).status_code
        assert 404 == kv.get("secret/data/a?version=1").status_code


def test_deleting_nothing_is_no_error(kv: Vault) -> None:
    """Twice, and what never was."""
    kv.write("a", x="1")

    assert [204] * 3 == [kv.delete(f"secret/data/{path}").status_code for path in ("a", "a", "none")]


def test_a_natively_deleted_secret(kv: Vault, native: Callable[..., Any]) -> None:
    """All of its versions are deleted; a write and an undelete make it one in use."""
    for path in ("a", "b"):
        kv.write(path, x="1")
        kv.write(path, x="2")
        native("delete", path=path)
        assert kv.get(f"secret/data/{path}?version=1").json["data"]["metadata"]["deletion_time"]

    assert 3 == kv.write("a", x="3")
    assert 204 == kv.put("secret/undelete/b", {"versions": [1]}).status_code

    assert [404, 404, 200] == [kv.get(f"secret/data/a?version={n}").status_code for n in (1, 2, 3)]
    assert [200, 404] == [kv.get(f"secret/data/b?version={n}").status_code for n in (1, 2)]
    assert "live" == native("describe", path="a")["state"]


def test_undelete_starts_the_time_anew(kv: Vault, native: Callable[..., Any], clock: Clock) -> None:
    """Of delete_version_after; the end is known ahead, and the version can be read until then."""
    native("create/", secret=b64("{}"), path="a", delete_version_after=100)
    assert data(kv)["metadata"]["deletion_time"]
    clock.ahead = timedelta(seconds=150)
    assert 404 == kv.get("secret/data/a").status_code

    kv.put("secret/undelete/a", {"versions": [1]})

    assert 200 == kv.get("secret/data/a").status_code
    clock.ahead = timedelta(seconds=300)
    assert 404 == kv.get("secret/data/a").status_code


def test_a_limited_read_is_one_read(kv: Vault, native: Callable[..., Any]) -> None:
    """Metadata and lists are none; what would read behind the caller's back is refused."""
    native("create/", secret=b64('{"x":"1"}'), path="a", max_reads=1)

    assert 400 == kv.get("secret/subkeys/a").status_code
    assert 400 == kv.patch("secret/data/a", {"data": {}}).status_code
    assert 200 == kv.get("secret/metadata/a").status_code
    assert {"x": "1"} == data(kv)["data"]
    response = kv.get("secret/data/a")
    assert 404 == response.status_code
    assert "it was already read at" in response.json["errors"][0]


def test_versions_that_are_too_old_are_not_there(kv: Vault, native: Callable[..., Any]) -> None:
    """As if they had never been."""
    native("create/", secret=b64("{}"), path="a", max_versions=1)
    kv.write("a", x="2")

    response = kv.get("secret/data/a?version=1")
    assert (404, {"errors": []}) == (response.status_code, response.json)


def test_subkeys(kv: Vault) -> None:
    """The names, to a depth."""
    kv.write("a", x="1", deep={"y": {"z": 1}}, empty={}, list=[{"a": 1}])

    assert {"x": None, "deep": {"y": {"z": None}}, "empty": None, "list": None} == kv.get(
        "secret/subkeys/a"
    ).json["data"]["subkeys"]
    assert {"x": None, "deep": {"y": None}, "empty": None, "list": None} == kv.get(
        "secret/subkeys/a?depth=2"
    ).json["data"]["subkeys"]
    assert {"x", "deep", "empty", "list"} == kv.get("secret/subkeys/a?depth=1").json["data"]["subkeys"].keys()
    assert 400 == kv.get("secret/subkeys/a?depth=x").status_code


def test_numbers_begin_again_after_the_secret_is_gone(kv: Vault) -> None:
    """DELETE of metadata frees the path; before that they go on."""
    kv.write("a", x="1")
    kv.put("secret/destroy/a", {"versions": [1]})
    assert 2 == kv.write("a", x="2")

    assert [204, 204] == [kv.delete("secret/metadata/a").status_code for _ in range(2)]

    assert {"errors": []} == kv.get("secret/data/a").json
    assert 1 == kv.write("a", x="3")


@pytest.fixture
def at_once(guarded: FlaskClient, give: Callable[..., str]) -> Callable[..., list[int]]:
    """Return a function that makes eight clients do the same at once, and returns the statuses, sorted."""
    clients = [Vault(guarded.application.test_client(), give("admin")) for _ in range(8)]

    def run(act: Callable[[Vault], Any]) -> list[int]:
        with ThreadPoolExecutor(8) as pool:
            return sorted(response.status_code for response in pool.map(act, clients))

    return run


def test_only_one_of_several_writers_wins(
    indexed: None, kv: Vault, at_once: Callable[..., list[int]]
) -> None:
    """With cas; without it, each adds a version."""
    first = {"data": {}, "options": {"cas": 0}}

    assert [200] + [400] * 7 == at_once(lambda each: each.put("secret/data/a", first))
    assert [200] * 8 == at_once(lambda each: each.put("secret/data/b", {"data": {}}))
    assert 8 == kv.get("secret/metadata/b").json["data"]["current_version"]


def test_only_one_of_several_readers_has_a_single_read(
    native: Callable[..., Any], at_once: Callable[..., list[int]]
) -> None:
    """The others are told that it was read."""
    native("create/", secret=b64("{}"), path="a", max_reads=1)

    assert [200] + [404] * 7 == at_once(lambda each: each.get("secret/data/a"))
