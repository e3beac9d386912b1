"""``delete``, ``undelete`` and ``destroy``, and the deletion of the current version."""

from __future__ import annotations

from tests.api.kv.oracle.data import write
from tests.api.kv.oracle.scenarios import Request, Scenario

_VERSIONS = (
    ("numbers", [1, 2]),
    ("texts", ["1", "2"]),
    ("one text", "1,2"),
    ("one text with blanks", "1, 2"),
    ("one number", 1),
    ("one text of one", "1"),
    ("mixed", [1, "2"]),
    ("twice the same", [1, 1]),
    ("unknown", [7]),
    ("unknown and known", [1, 7]),
    ("negative", [-1]),
    ("0", [0]),
    ("none", []),
    ("an empty text", ""),
    ("null", None),
    ("a word", ["one"]),
    ("a fraction", [1.5]),
    ("a fraction of nothing", [1.0]),
    ("a boolean", [True]),
    ("an array of arrays", [[1]]),
    ("null in an array", [None]),
    ("an empty text in an array", [""]),
    ("an object", {"a": 1}),
)


def _every_form(verb: str) -> Scenario:
    return Scenario(
        f"{verb}-forms",
        (
            write("first", x="1"),
            write("second", x="2"),
            write("third", x="3"),
            Request("missing", f"PUT M/{verb}/a", {}),
            *(Request(name, f"PUT M/{verb}/a", {"versions": versions}) for name, versions in _VERSIONS),
            Request("what came of it", "GET M/metadata/a"),
            Request("of nothing", f"PUT M/{verb}/none", {"versions": [1]}),
            Request("of nothing, missing", f"PUT M/{verb}/none", {}),
            Request("nothing was made", "GET M/metadata/none"),
        ),
    )


LIVES = Scenario(
    "lives",
    (
        Request("delete nothing", "DELETE M/data/none"),
        Request("nothing was made", "GET M/metadata/none"),
        write("first", x="1"),
        write("second", x="2"),
        Request("delete the current", "DELETE M/data/a"),
        Request("metadata, one deleted", "GET M/metadata/a"),
        Request("delete it again", "DELETE M/data/a"),
        Request("delete with a version in the query", "DELETE M/data/a?versions=1"),
        Request("metadata, again", "GET M/metadata/a"),
        Request("undelete both", "PUT M/undelete/a", {"versions": [1, 2]}),
        Request("metadata, none deleted", "GET M/metadata/a"),
        Request("read the undeleted", "GET M/data/a"),
        Request("destroy the first", "PUT M/destroy/a", {"versions": [1]}),
        Request("metadata, one destroyed", "GET M/metadata/a"),
        Request("undelete the destroyed", "PUT M/undelete/a", {"versions": [1]}),
        Request("delete the destroyed", "PUT M/delete/a", {"versions": [1]}),
        Request("metadata, nothing changed", "GET M/metadata/a"),
        Request("delete the second", "PUT M/delete/a", {"versions": [2]}),
        Request("destroy the deleted", "PUT M/destroy/a", {"versions": [2]}),
        Request("metadata, both destroyed", "GET M/metadata/a"),
        Request("read a deleted and destroyed one", "GET M/data/a"),
        Request("delete the destroyed current", "DELETE M/data/a"),
        write("third", x="3"),
        Request("metadata, a third", "GET M/metadata/a"),
        Request("remove all", "DELETE M/metadata/a"),
        Request("read what is removed", "GET M/data/a"),
        Request("metadata of what is removed", "GET M/metadata/a"),
        Request("undelete what is removed", "PUT M/undelete/a", {"versions": [3]}),
        write("numbers begin again", x="4"),
        Request("remove nothing", "DELETE M/metadata/none"),
    ),
)

DROPPED = Scenario(
    "dropped",
    (
        Request("two are kept", "PUT M/metadata/a", {"max_versions": 2}),
        write("first", x="1"),
        Request("metadata of one", "GET M/metadata/a"),
        write("second", x="2"),
        Request("metadata of two", "GET M/metadata/a"),
        write("third", x="3"),
        Request("metadata of three", "GET M/metadata/a"),
        write("fourth", x="4"),
        Request("read the first", "GET M/data/a?version=1"),
        Request("subkeys of the first", "GET M/subkeys/a?version=1"),
        Request("read the third", "GET M/data/a?version=3"),
        Request("undelete the first", "PUT M/undelete/a", {"versions": [1]}),
        Request("metadata of four", "GET M/metadata/a"),
        Request("one is kept", "PUT M/metadata/a", {"max_versions": 1}),
        Request("metadata, one kept", "GET M/metadata/a"),
        Request("read the third again", "GET M/data/a?version=3", only="data|data"),
        write("fifth", x="5"),
        Request("metadata of five", "GET M/metadata/a"),
        Request("more are kept", "PUT M/metadata/a", {"max_versions": 5}),
        write("sixth", x="6"),
        Request("metadata of six", "GET M/metadata/a"),
        *(write(f"another {n}", "b", x=n) for n in range(1, 13)),
        Request("ten by default", "GET M/metadata/b"),
        Request("the second is gone", "GET M/data/b?version=2"),
        Request("the third is there", "GET M/data/b?version=3", only="data|data"),
    ),
)

ENDS = Scenario(
    "ends",
    (
        Request("an hour", "PUT M/metadata/a", {"delete_version_after": "1h"}),
        write("write", x="1"),
        Request("read", "GET M/data/a"),
        Request("metadata", "GET M/metadata/a"),
        Request("delete", "DELETE M/data/a"),
        Request("undelete", "PUT M/undelete/a", {"versions": [1]}),
        Request("read the undeleted", "GET M/data/a"),
        Request("no end", "PUT M/metadata/a", {"delete_version_after": "0s"}),
        write("write without an end", x="2"),
        Request("read without an end", "GET M/data/a"),
        Request("metadata of both", "GET M/metadata/a"),
    ),
)

SCENARIOS = (*map(_every_form, ("delete", "undelete", "destroy")), LIVES, DROPPED, ENDS)
