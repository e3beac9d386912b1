"""``metadata``: what is set of a secret, before and after it has a value."""

from __future__ import annotations

from typing import Any

from tests.api.kv.oracle.data import write
from tests.api.kv.oracle.scenarios import Request, Scenario, patch

OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("max_versions", {"max_versions": 7}),
    ("max_versions as text", {"max_versions": "8"}),
    ("max_versions 0", {"max_versions": 0}),
    ("max_versions null", {"max_versions": None}),
    ("max_versions negative", {"max_versions": -1}),
    ("max_versions 100", {"max_versions": 100}),
    ("max_versions 101", {"max_versions": 101}),
    ("max_versions as a word", {"max_versions": "many"}),
    ("max_versions as a fraction", {"max_versions": 1.5}),
    ("max_versions as a boolean", {"max_versions": True}),
    ("max_versions as an array", {"max_versions": [1]}),
    ("cas_required", {"cas_required": True}),
    ("cas_required false", {"cas_required": False}),
    ("cas_required null", {"cas_required": None}),
    ("cas_required as text", {"cas_required": "true"}),
    ("cas_required as another text", {"cas_required": "f"}),
    ("cas_required as 1", {"cas_required": 1}),
    ("cas_required as a word", {"cas_required": "perhaps"}),
    ("cas_required as an array", {"cas_required": [True]}),
    ("delete_version_after in seconds", {"delete_version_after": 90}),
    ("delete_version_after in minutes", {"delete_version_after": "90m"}),
    ("delete_version_after mixed", {"delete_version_after": "1h30m5s"}),
    ("delete_version_after in days", {"delete_version_after": "2d"}),
    ("delete_version_after as a number in text", {"delete_version_after": "45"}),
    ("delete_version_after with a fraction", {"delete_version_after": "1.5h"}),
    ("delete_version_after in milliseconds", {"delete_version_after": "1500ms"}),
    ("delete_version_after 0", {"delete_version_after": 0}),
    ("delete_version_after empty", {"delete_version_after": ""}),
    ("delete_version_after null", {"delete_version_after": None}),
    ("delete_version_after negative", {"delete_version_after": "-1s"}),
    ("delete_version_after a negative number", {"delete_version_after": -1}),
    ("delete_version_after as a word", {"delete_version_after": "soon"}),
    ("delete_version_after as a fraction", {"delete_version_after": 1.5}),
    ("delete_version_after as a boolean", {"delete_version_after": True}),
    ("delete_version_after as an array", {"delete_version_after": ["1h"]}),
    ("an unknown option", {"hunter": 2}),
    ("nothing", {}),
)
_CUSTOM: tuple[tuple[str, Any], ...] = (
    ("texts", {"a": "1", "b": "2"}),
    ("other texts", {"c": "3"}),
    ("numbers", {"a": 1, "b": 1.5, "c": -2}),
    ("large numbers", {"a": 12345678901234567890}),
    ("booleans", {"yes": True, "no": False}),
    ("null", None),
    ("an empty object", {}),
    ("null in an object", {"a": None}),
    ("an empty value", {"a": ""}),
    ("an empty key", {"": "1"}),
    ("an object in an object", {"a": {"b": "1"}}),
    ("an array in an object", {"a": ["1"]}),
    ("an array", ["a"]),
    ("a text", "a"),
    ("128 characters as a key", {128 * "a": "1"}),
    ("129 characters as a key", {129 * "a": "1"}),
    ("512 characters", {"a": 512 * "b"}),
    ("513 characters", {"a": 513 * "b"}),
    ("64 keys", {str(n): "1" for n in range(64)}),
    ("65 keys", {str(n): "1" for n in range(65)}),
    ("not ASCII", {"é": "ü"}),
    ("a line's end", {"a": "b\nc"}),
    ("a blank around", {" a ": " b "}),
)

_SET = {"max_versions": 5, "cas_required": True, "delete_version_after": "1h"}
OPTIONS_OF_SECRETS = Scenario(
    "options",
    tuple(
        request
        for name, options in OPTIONS
        for request in (
            Request(f"{name}, before", "PUT M/metadata/a", _SET),
            Request(name, "PUT M/metadata/a", options),
            Request(f"{name}, read", "GET M/metadata/a"),
        )
    ),
)
PATCHED_OPTIONS = Scenario(
    "patched-options",
    (
        patch("nothing is there", "M/metadata/none", {"max_versions": 1}),
        *(
            request
            for name, options in OPTIONS
            for request in (
                Request(f"{name}, before", "PUT M/metadata/a", {**_SET, "custom_metadata": {"keep": "1"}}),
                patch(name, "M/metadata/a", options),
                Request(f"{name}, read", "GET M/metadata/a"),
            )
        ),
    ),
)
CUSTOM_METADATA = Scenario(
    "custom-metadata",
    tuple(
        request
        for name, custom in _CUSTOM
        for request in (
            Request(name, "PUT M/metadata/a", {"custom_metadata": custom}),
            Request(f"{name}, read", "GET M/metadata/a", only="data|custom_metadata"),
        )
    ),
)
PATCHED_CUSTOM_METADATA = Scenario(
    "patched-custom",
    (
        Request("write", "PUT M/metadata/a", {"custom_metadata": {"keep": "1", "a": "old"}}),
        *(
            request
            for name, custom in _CUSTOM
            for request in (
                patch(name, "M/metadata/a", {"custom_metadata": custom}),
                Request(f"{name}, read", "GET M/metadata/a", only="data|custom_metadata"),
                Request(f"{name}, back", "PUT M/metadata/a", {"custom_metadata": {"keep": "1", "a": "old"}}),
            )
        ),
        Request("patch as JSON", "PATCH M/metadata/a", {}, headers={"Content-Type": "application/json"}),
        Request("patch as nothing", "PATCH M/metadata/a", {}),
    ),
)
FIRST = Scenario(
    "metadata-first",
    (
        Request("nothing", "GET M/metadata/a"),
        Request("metadata", "PUT M/metadata/a", {"custom_metadata": {"managed-by": "external-secrets"}}),
        Request("metadata read", "GET M/metadata/a"),
        Request("data read", "GET M/data/a"),
        Request("a version read", "GET M/data/a?version=1"),
        Request("listed", "LIST M/metadata"),
        Request("deleted", "DELETE M/data/a"),
        *(
            Request(verb, f"PUT M/{verb}/a", {"versions": [0, 1]})
            for verb in ("delete", "undelete", "destroy")
        ),
        Request("metadata read again", "GET M/metadata/a"),
        write("written", x="1", options={"cas": 0}),
        Request("data read at last", "GET M/data/a"),
        Request("metadata read at last", "GET M/metadata/a"),
        Request("empty metadata", "PUT M/metadata/b", {}),
        Request("empty metadata read", "GET M/metadata/b"),
        Request("metadata removed", "DELETE M/metadata/b"),
        Request("metadata removed, read", "GET M/metadata/b"),
    ),
)
SHOWN = Scenario(
    "metadata-shown",
    (
        write("write", x="1"),
        Request("metadata of one", "GET M/metadata/a"),
        Request(
            "set",
            "PUT M/metadata/a",
            {"custom_metadata": {"a": "1"}, "max_versions": 4, "cas_required": False},
        ),
        Request("metadata of all", "GET M/metadata/a"),
        Request("data with custom metadata", "GET M/data/a"),
        write("write with custom metadata", x="2"),
        Request("an older version with custom metadata", "GET M/data/a?version=1"),
        Request("subkeys with custom metadata", "GET M/subkeys/a"),
        Request("delete", "DELETE M/data/a"),
        Request("a deleted version with custom metadata", "GET M/data/a"),
        Request("metadata with a version", "GET M/metadata/a?version=1"),
    ),
)

SCENARIOS = (
    OPTIONS_OF_SECRETS,
    PATCHED_OPTIONS,
    CUSTOM_METADATA,
    PATCHED_CUSTOM_METADATA,
    FIRST,
    SHOWN,
)
