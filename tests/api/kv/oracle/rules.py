"""What holds for every request: tokens, methods, bodies, paths."""

from __future__ import annotations

from tests.api.kv.oracle.scenarios import MERGE_PATCH, Request, Scenario, patch

WRITE = Request("write", "PUT M/data/a", {"data": {"x": "1"}})

_TOKEN_HEADERS = (
    ("empty", {"X-Vault-Token": ""}),
    ("of Vault 1.9", {"X-Vault-Token": "s.abcdefghijklmnopqrstuvwx"}),
    ("of a newer Vault", {"X-Vault-Token": "hvs.CAESIJ"}),
    ("of nobody", {"X-Vault-Token": "hunter2"}),
    ("with a blank", {"X-Vault-Token": "hunter 2"}),
    ("not ASCII", {"X-Vault-Token": "\xe9"}),
    ("as bearer", {"Authorization": "Bearer $admin"}),
    ("as bearer in small letters", {"Authorization": "bearer $admin"}),
    ("as basic", {"Authorization": "Basic $admin"}),
    ("bad as bearer", {"Authorization": "Bearer hunter2"}),
    ("good, bad as bearer", {"X-Vault-Token": "$admin", "Authorization": "Bearer hunter2"}),
    ("bad, good as bearer", {"X-Vault-Token": "hunter2", "Authorization": "Bearer $admin"}),
    ("empty, good as bearer", {"X-Vault-Token": "", "Authorization": "Bearer $admin"}),
)
_ROUTES_WITH_TOKENS = (
    ("GET", "M/data/a"),
    ("PUT", "M/data/a"),
    ("PATCH", "M/data/a"),
    ("DELETE", "M/data/a"),
    ("LIST", "M/metadata"),
    ("GET", "M/metadata/a"),
    ("GET", "M/subkeys/a"),
    ("PUT", "M/delete/a"),
    ("GET", "M/config"),
    ("GET", "M/none/a"),
    ("GET", "none/data/a"),
    ("GET", "auth/token/lookup-self"),
    ("PUT", "auth/token/renew-self"),
    ("PUT", "auth/token/revoke-self"),
    ("GET", "sys/mounts"),
    ("GET", "sys/mounts/M"),
    ("GET", "sys/internal/ui/mounts/M"),
    ("GET", "sys/internal/ui/mounts/M/data/a"),
    ("PUT", "sys/capabilities-self"),
)
TOKENS = Scenario(
    "tokens",
    (
        WRITE,
        *(
            Request(f"{method} {path} without", f"{method} {path}", token=None, headers=MERGE_PATCH)
            for method, path in _ROUTES_WITH_TOKENS
        ),
        *(
            Request(name, "GET M/data/a", token=None, headers=headers, only="errors")
            for name, headers in _TOKEN_HEADERS
        ),
        Request("with Vault's own header", "GET M/data/a", headers={"X-Vault-Request": "true"}),
        Request("with a stranger's header", "GET M/data/a", headers={"X-Hunter": "2"}),
        Request(
            "of nobody looks itself up",
            "GET auth/token/lookup-self",
            token=None,
            headers={"X-Vault-Token": "hvs.x"},
        ),
        Request(
            "of nobody asks for a mount",
            "GET sys/internal/ui/mounts/M",
            token=None,
            headers={"X-Vault-Token": "hvs.x"},
        ),
    ),
)

METHODS = Scenario(
    "methods",
    (
        WRITE,
        Request("POST of data", "POST M/data/a", {"data": {"x": "2"}}),
        *(
            Request(f"{method} of {verb}", f"{method} M/{verb}/a", {"versions": [1]})
            for verb in ("delete", "undelete")
            for method in ("PUT", "POST", "GET", "DELETE", "LIST", "PATCH", "HEAD", "BREW")
        ),
        *(
            Request(f"{method} of destroy", f"{method} M/destroy/a", {"versions": [1]})
            for method in ("PUT", "POST", "GET")
        ),
        *(
            Request(f"{method} of data", f"{method} M/data/a")
            for method in ("HEAD", "LIST", "OPTIONS", "TRACE", "BREW")
        ),
        Request("data with list", "GET M/data/a?list=true"),
        *(
            Request(f"{method} of metadata", f"{method} M/metadata/a", {"max_versions": 3})
            for method in ("PUT", "POST", "HEAD", "BREW")
        ),
        *(
            Request(f"{method} of config", f"{method} M/config")
            for method in ("DELETE", "LIST", "HEAD", "BREW")
        ),
        *(
            Request(f"{method} of subkeys", f"{method} M/subkeys/a", {})
            for method in ("PUT", "DELETE", "LIST", "HEAD")
        ),
        *(
            Request(f"{method} of lookup-self", f"{method} auth/token/lookup-self")
            for method in ("DELETE", "LIST", "HEAD")
        ),
        *(
            Request(f"{method} of renew-self", f"{method} auth/token/renew-self")
            for method in ("GET", "DELETE")
        ),
        *(Request(f"{method} of health", f"{method} sys/health") for method in ("PUT", "DELETE", "LIST")),
        *(Request(f"{method} of seal-status", f"{method} sys/seal-status") for method in ("PUT", "HEAD")),
        *(
            Request(f"{method} of the preflight", f"{method} sys/internal/ui/mounts/M")
            for method in ("PUT", "DELETE", "LIST", "HEAD")
        ),
        Request("what is left", "GET M/metadata/a"),
    ),
)

_BODIES = (
    ("empty", b""),
    ("null", b"null"),
    ("an empty object", b"{}"),
    ("blanks", b"  \n"),
    ("an array", b"[]"),
    ("a number", b"1"),
    ("a text", b'"x"'),
    ("true", b"true"),
    ("broken", b"{"),
    ("no JSON", b"data=x"),
    ("two documents", b'{"data": {}} {}'),
    ("with something after", b'{"data": {}} x'),
    ("with blanks around", b' \n{"data": {}} \n'),
    ("with NaN", b'{"data": {"x": NaN}}'),
    ("with Infinity", b'{"data": {"x": Infinity}}'),
    ("with half a surrogate", b'{"data": {"x": "\\ud800"}}'),
    ("not UTF-8", b'{"data": {"x": "\xff"}}'),
    ("with a byte order mark", b'\xef\xbb\xbf{"data": {}}'),
    ("with a name twice", b'{"data": {"x": 1, "x": 2}}'),
    ("with a comment", b'{"data": {}} // x'),
    ("with unknown members", b'{"data": {}, "cas": 9, "other": [1]}'),
    ("with a control character", b'{"data": {"x": "\x01"}}'),
)
BODIES = Scenario(
    "bodies",
    (
        # Each to a secret of its own, as some are taken by one server only.
        *(Request(name, f"PUT M/data/{n}", body) for n, (name, body) in enumerate(_BODIES)),
        *(
            Request(
                f"as {content_type}", "PUT M/data/a", {"data": {}}, headers={"Content-Type": content_type}
            )
            for content_type in (
                "application/json",
                "application/json; charset=utf-8",
                "application/x-www-form-urlencoded",
                "application/merge-patch+json",
                "text/plain",
                "multipart/form-data; boundary=x",
                "",
            )
        ),
        Request("compressed", "PUT M/data/compressed", {"data": {}}, headers={"Content-Encoding": "gzip"}),
        *(
            Request(
                f"patch as {content_type}",
                "PATCH M/data/a",
                {"data": {"x": 1}},
                headers={"Content-Type": content_type},
            )
            for content_type in (
                "application/json",
                "application/merge-patch+json",
                "application/merge-patch+json; charset=utf-8",
                "application/json-patch+json",
                "text/plain",
            )
        ),
        Request("patch as nothing", "PATCH M/data/a", {"data": {"x": 1}}),
        patch("patch with an empty body", "M/data/a"),
        patch("patch with null", "M/data/a", b"null"),
        patch("patch with an array", "M/data/a", b"[]"),
        Request("metadata without a body", "PUT M/metadata/a"),
        Request("metadata with null", "PUT M/metadata/a", b"null"),
        Request("metadata that is an array", "PUT M/metadata/a", b"[]"),
        Request("delete without a body", "PUT M/delete/a"),
        Request("capabilities without a body", "PUT sys/capabilities-self"),
        Request("get with a body", "GET M/metadata/a", {"x": "y"}),
    ),
)

PATHS = Scenario(
    "paths",
    (
        Request("write", "PUT M/data/team/app", {"data": {"x": "1"}}),
        Request("slash as percent", "GET M/data/team%2Fapp"),
        Request("percent as percent", "GET M/data/team%252Fapp"),
        Request("several slashes", "GET M//data///team//app"),
        Request("slash first", "GET /M/data/team/app"),
        Request("a letter as percent", "GET M/%64ata/te%61m/app"),
        Request("no percent encoding", "GET M/data/team%zz"),
        Request("read with a slash at the end", "GET M/data/team/app/"),
        Request("read a folder", "GET M/data/team"),
        Request("write with a slash at the end", "PUT M/data/team/app/", {"data": {}}),
        Request("delete with a slash at the end", "DELETE M/data/team/other/"),
        patch("patch with a slash at the end", "M/data/team/app/", {"data": {}}),
        Request("read the mount's data", "GET M/data"),
        Request("read the mount's data folder", "GET M/data/"),
        Request("write to nothing", "PUT M/data/", {"data": {}}),
        Request("metadata with a slash at the end", "GET M/metadata/team/app/"),
        Request("metadata of nothing", "GET M/metadata"),
        Request("metadata of the folder", "GET M/metadata/"),
        Request("write metadata with a slash at the end", "PUT M/metadata/team/app/", {"max_versions": 1}),
        Request("delete metadata with a slash at the end", "DELETE M/metadata/team/other/"),
        Request("delete with verb and slash", "PUT M/delete/team/other/", {"versions": [1]}),
        Request("subkeys with a slash at the end", "GET M/subkeys/team/app/"),
        Request("subkeys of nothing", "GET M/subkeys"),
        Request("list with a slash at the end", "LIST M/metadata/team/"),
        Request("list without", "LIST M/metadata/team"),
        Request("dots", "GET M/data/../sys/health"),
        Request("dots as percent", "GET M/data/%2e%2e/a"),
        Request("one dot", "GET M/data/./a"),
        Request("dots in a name", "PUT M/data/a..b", {"data": {}}),
        Request("a dot file", "PUT M/data/.env", {"data": {}}),
        Request("signs", "PUT M/data/a.b_c-d@e+f=g:h,i~j", {"data": {}}),
        Request("signs again", "GET M/data/a.b_c-d@e+f=g:h,i~j", only="data|data"),
        Request("a blank", "GET M/data/a%20b"),
        Request("a blank is written", "PUT M/data/a%20b", {"data": {}}),
        Request("not ASCII", "GET M/data/%C3%A9"),
        Request("not ASCII is written", "PUT M/data/%C3%A9", {"data": {}}),
        Request("not UTF-8", "GET M/data/%FF"),
        Request("a line's end", "GET M/data/a%0Ab"),
        Request("a zero byte", "GET M/data/a%00b"),
        Request("long", "GET M/data/" + 50 * "0123456789"),
        Request("a verb that begins alike", "GET M/dataface/a"),
        Request("a mount that begins alike", "GET pathsx/data/a"),
        Request("config with more", "GET M/config/x"),
        Request("config with a slash", "GET M/config/"),
        Request("a secret called as the mount", "PUT M/data/M", {"data": {}}),
        Request("a secret called as a verb", "PUT M/data/data", {"data": {}}),
        Request("the mount alone", "GET M"),
        Request("the mount's folder", "GET M/"),
        Request("list of the mount", "LIST M"),
        Request("version 1 read", "GET M/a"),
        Request("version 1 write", "PUT M/a", {"x": "1"}),
        Request("version 1 list", "GET M/?list=true"),
        Request("version 1 delete", "DELETE M/a"),
    ),
)

ROUTES = Scenario(
    "routes",
    (
        Request("nothing", "GET "),
        Request("a word", "GET none"),
        Request("no such mount", "GET none/data/a"),
        Request("write to no such mount", "PUT none/data/a", {"data": {}}),
        Request("list of no such mount", "LIST none/metadata"),
        Request("delete on no such mount", "DELETE none/data/a"),
        Request("unknown in sys", "GET sys/none"),
        Request("unknown in auth", "GET auth/none"),
        Request("unknown of tokens", "GET auth/token/none"),
        Request("sys", "GET sys"),
        Request("auth", "GET auth"),
        Request("identity", "GET identity/none"),
        *(
            Request(f"namespace {name or 'empty'}", "GET M/config", headers={"X-Vault-Namespace": name})
            for name in ("", "root", "root/", "/", "team", "team/", "team/app")
        ),
        Request(
            "namespace for health", "GET sys/health", headers={"X-Vault-Namespace": "team"}, only="errors"
        ),
        Request("with a query", "GET M/config?hunter=2"),
    ),
)

SCENARIOS = (TOKENS, METHODS, BODIES, PATHS, ROUTES)
