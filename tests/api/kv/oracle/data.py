"""``data`` and ``subkeys``: values are written, read and patched."""

from __future__ import annotations

from tests.api.kv.oracle.scenarios import Request, Scenario, patch


def write(name: str, path: str = "a", options: object = None, **data: object) -> Request:
    """Return a write of these fields."""
    return Request(
        name, f"PUT M/data/{path}", {"data": data} if options is None else {"data": data, "options": options}
    )


WRITES = Scenario(
    "writes",
    (
        write("first", x="1"),
        Request("read", "GET M/data/a"),
        write("second", x="2", y=""),
        Request("read the second", "GET M/data/a"),
        write("no field"),
        Request("read no field", "GET M/data/a"),
        Request("data are missing", "PUT M/data/a", {"options": {}}),
        Request("data are null", "PUT M/data/null", {"data": None}),
        Request("data are an array", "PUT M/data/array", {"data": []}),
        Request("data are a text", "PUT M/data/a", {"data": "x"}),
        Request("data are a number", "PUT M/data/a", {"data": 1}),
        Request("options are null", "PUT M/data/a", {"data": {}, "options": None}),
        Request("options are empty", "PUT M/data/a", {"data": {}, "options": {}}),
        Request("options are an array", "PUT M/data/array", {"data": {}, "options": []}),
        Request("options are a text", "PUT M/data/a", {"data": {}, "options": "cas"}),
        Request("an unknown option", "PUT M/data/a", {"data": {}, "options": {"hunter": 2}}),
        write(
            "all types",
            text='é \u2028 \U0001f600 " \\ <>&',
            number=1,
            negative=-0.5,
            exponent=1e30,
            yes=True,
            none=None,
            array=[1, "a", None, {"b": []}],
            deep={"a": {"b": {"c": {}}}},
            **{"": "empty name", "a b/c": "d"},
        ),
        Request("read all types", "GET M/data/a", only="data|data"),
        Request("large numbers", "PUT M/data/b", b'{"data": {"a": 9007199254740993, "b": 1.10, "c": 1E2}}'),
        Request("read large numbers", "GET M/data/b", only="data|data"),
        Request("write with a query", "PUT M/data/a?version=1", {"data": {}}),
    ),
)

_CAS_FORMS = (
    ("text", "1"),
    ("text with blanks", " 1 "),
    ("an empty text", ""),
    ("a word", "one"),
    ("a fraction", 1.5),
    ("a fraction of nothing", 1.0),
    ("a boolean", True),
    ("null", None),
    ("an array", [1]),
    ("an object", {"a": 1}),
)
CAS = Scenario(
    "cas",
    (
        write("3 where nothing is", x="1", options={"cas": 3}),
        write("-1 where nothing is", x="1", options={"cas": -1}),
        write("nothing was made", options={"cas": "x"}),
        write("0 where nothing is", x="1", options={"cas": 0}),
        write("0 again", x="2", options={"cas": 0}),
        write("too large", x="2", options={"cas": 2}),
        write("right", x="2", options={"cas": 1}),
        write("too small", x="3", options={"cas": 1}),
        write("right again", x="3", options={"cas": 2}),
        Request("outside of options", "PUT M/data/a", {"data": {"x": "8"}, "cas": 99}),
        *(
            request
            for n, (form, cas) in enumerate(_CAS_FORMS)
            for request in (
                write(f"before {form}", f"form/{n}", x="1"),
                write(f"as {form}", f"form/{n}", x="2", options={"cas": cas}),
            )
        ),
        write("another", "b", x="1"),
        Request("delete it", "DELETE M/data/b"),
        write("0 after a deletion", "b", x="2", options={"cas": 0}),
        write("right after a deletion", "b", x="2", options={"cas": 1}),
        patch("patch, too small", "M/data/b", {"data": {"y": "1"}, "options": {"cas": 1}}),
        patch("patch, right", "M/data/b", {"data": {"y": "1"}, "options": {"cas": 2}}),
        patch("patch, as text", "M/data/b", {"data": {"y": "1"}, "options": {"cas": "3"}}),
        patch("patch, a word", "M/data/b", {"data": {"y": "1"}, "options": {"cas": "x"}}),
        Request("require it", "PUT M/metadata/c", {"cas_required": True}),
        write("without it", "c", x="1"),
        write("with it", "c", x="1", options={"cas": 0}),
        write("without it again", "c", x="2"),
        patch("patch without it", "M/data/c", {"data": {"x": "2"}}),
        patch("patch with it", "M/data/c", {"data": {"x": "2"}, "options": {"cas": 1}}),
        Request("delete needs none", "DELETE M/data/c"),
        Request("require it no longer", "PUT M/metadata/c", {"cas_required": False}),
        write("without it at last", "c", x="3"),
    ),
)

READS = Scenario(
    "reads",
    (
        Request("nothing", "GET M/data/none"),
        Request("a version of nothing", "GET M/data/none?version=1"),
        write("first", x="1"),
        write("second", x="2"),
        write("third", x="3"),
        *(
            Request(f"version {text or 'empty'}", f"GET M/data/a?version={text}")
            for text in ("", "0", "1", "2", "3", "4", "99", "-1", "+1", "01", "one", "1.5", "true", "%201")
        ),
        Request("twice", "GET M/data/a?version=1&version=2"),
        Request("another query", "GET M/data/a?depth=x"),
        Request("delete the second", "PUT M/delete/a", {"versions": [2]}),
        Request("the deleted one", "GET M/data/a?version=2"),
        Request("destroy the first", "PUT M/destroy/a", {"versions": [1]}),
        Request("the destroyed one", "GET M/data/a?version=1"),
        Request("delete the current", "DELETE M/data/a"),
        Request("the current one, deleted", "GET M/data/a"),
        Request("destroy the current", "PUT M/destroy/a", {"versions": [3]}),
        Request("the current one, destroyed", "GET M/data/a"),
        write("fourth", x="4"),
        Request("the fourth", "GET M/data/a"),
    ),
)

PATCHES = Scenario(
    "patches",
    (
        patch("nothing", "M/data/none", {"data": {"x": "1"}}),
        write("write", keep="1", change="2", drop="3", deep={"a": 1, "b": {"c": 2}}, array=[1, 2]),
        patch("all kinds", "M/data/a", {"data": {"change": "4", "drop": None, "add": True, "array": [3]}}),
        Request("read", "GET M/data/a"),
        patch("deep", "M/data/a", {"data": {"deep": {"a": None, "b": {"d": 3}}, "keep": {"x": {"y": None}}}}),
        Request("read deep", "GET M/data/a", only="data|data"),
        patch("what is not there", "M/data/a", {"data": {"none": None}}),
        patch("nothing at all", "M/data/a", {"data": {}}),
        patch("data are missing", "M/data/a", {}),
        patch("data are null", "M/data/a", {"data": None}),
        patch("data are an array", "M/data/a", {"data": []}),
        patch("data are a text", "M/data/a", {"data": "x"}),
        patch("options are null", "M/data/a", {"data": {}, "options": None}),
        patch("options are an array", "M/data/a", {"data": {}, "options": []}),
        Request("delete", "DELETE M/data/a"),
        patch("of a deleted version", "M/data/a", {"data": {"x": "1"}}),
        Request("destroy", "PUT M/destroy/a", {"versions": ["6", "7", "8", "9"]}),
        patch("of a destroyed version", "M/data/a", {"data": {"x": "1"}}),
        Request("metadata first", "PUT M/metadata/b", {"max_versions": 3}),
        patch("of a secret without a value", "M/data/b", {"data": {"x": "1"}}),
        write("no field", "c"),
        patch("of no field", "M/data/c", {"data": {"x": None, "y": {"z": None}}}),
        Request("what came of it", "GET M/data/c", only="data|data"),
    ),
)

SUBKEYS = Scenario(
    "subkeys",
    (
        Request("nothing", "GET M/subkeys/none"),
        write("write", x="1", deep={"a": {"b": {"c": 1}}}, empty={}, array=[{"a": 1}], none=None),
        Request("all", "GET M/subkeys/a"),
        *(
            Request(f"depth {text or 'empty'}", f"GET M/subkeys/a?depth={text}")
            for text in ("", "0", "1", "2", "3", "99", "-1", "x", "1.5")
        ),
        write("no field"),
        Request("of no field", "GET M/subkeys/a"),
        *(
            Request(f"version {text or 'empty'}", f"GET M/subkeys/a?version={text}")
            for text in ("", "0", "1", "-1", "9", "x")
        ),
        Request("both", "GET M/subkeys/a?version=1&depth=1"),
        Request("delete", "DELETE M/data/a"),
        Request("of a deleted version", "GET M/subkeys/a"),
        Request("destroy", "PUT M/destroy/a", {"versions": [2]}),
        Request("of a destroyed version", "GET M/subkeys/a"),
        Request("metadata first", "PUT M/metadata/b", {"max_versions": 3}),
        Request("of a secret without a value", "GET M/subkeys/b"),
    ),
)

SCENARIOS = (WRITES, CAS, READS, PATCHES, SUBKEYS)
