"""Lists of names, in every form."""

from __future__ import annotations

from tests.api.kv.oracle.data import write
from tests.api.kv.oracle.scenarios import Request, Scenario

LISTS = Scenario(
    "lists",
    (
        Request("nothing", "LIST M/metadata"),
        Request("nothing with a slash", "LIST M/metadata/"),
        *(write(path, path, x="1") for path in ("b", "a/x", "a", "a/y/z", "B", "a-b", "c/d/e/f")),
        Request("the mount", "LIST M/metadata"),
        Request("the mount with a slash", "LIST M/metadata/"),
        Request("a folder", "LIST M/metadata/a"),
        Request("a folder with a slash", "LIST M/metadata/a/"),
        Request("a folder in a folder", "LIST M/metadata/a/y"),
        Request("no such folder", "LIST M/metadata/none"),
        Request("a secret's own path", "LIST M/metadata/b"),
        Request("the beginning of a name", "LIST M/metadata/a-"),
        *(
            Request(f"list={text or 'empty'}", f"GET M/metadata/a/?list={text}")
            for text in ("1", "t", "T", "TRUE", "true", "True")
        ),
        *(
            Request(f"list={text or 'empty'}", f"GET M/metadata/a?list={text}")
            for text in ("0", "f", "F", "FALSE", "false", "False", "", "yes", "tRUE", "2")
        ),
        Request("LIST with list=false", "LIST M/metadata?list=false"),
        Request("write with list", "PUT M/metadata/a?list=true", {"max_versions": 3}),
        Request("delete", "DELETE M/data/b"),
        Request("deleted ones are listed", "LIST M/metadata"),
        Request("destroy", "PUT M/destroy/b", {"versions": [1]}),
        Request("destroyed ones are listed", "LIST M/metadata"),
        Request("remove", "DELETE M/metadata/b"),
        Request("remove the only one of a folder", "DELETE M/metadata/c/d/e/f"),
        Request("removed ones are not", "LIST M/metadata"),
        Request("the folder is gone", "LIST M/metadata/c"),
        Request("limit", "GET M/metadata/?list=true&limit=2"),
        Request("after", "GET M/metadata/?list=true&after=a"),
        Request("SCAN", "SCAN M/metadata"),
    ),
)

SCENARIOS = (LISTS,)
