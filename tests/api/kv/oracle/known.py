"""In what the service's answers differ from OpenBao's, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.api.kv.oracle.comparison import MISSING

ANY = object()


@dataclass(frozen=True, slots=True)
class Known:
    """A difference that is meant to be.

    ``where`` is a pattern of ``scenario: request``, and ``member`` one of an answer's members.  A value may
    be a regular expression.
    """

    where: str
    member: str
    ours: Any
    theirs: Any
    reason: str

    def covers(self, where: str, member: str, ours: Any, theirs: Any) -> bool:
        """Return whether a difference is this one."""
        return (
            fnmatchcase(where, self.where)
            and fnmatchcase(member, self.member)
            and _is(self.ours, ours)
            and _is(self.theirs, theirs)
        )


def _is(expected: Any, value: Any) -> bool:
    if isinstance(expected, re.Pattern):
        return isinstance(value, str) and expected.fullmatch(value) is not None
    if isinstance(expected, list) and isinstance(value, list):
        return len(expected) == len(value) and all(map(_is, expected, value))
    return expected is ANY or (type(expected), expected) == (type(value), value)


def _text(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


_ERROR = "body.errors.0"
_INVALID_PATH = _text("invalid path: .*")
# What Go says if a value cannot be decoded.
_DECODER = _text("(Field validation failed: |)error converting input for field .*")
# They are in the order of their names, of which one is random.
_POLICY = _text("[0-9a-f]{32}|default")
_IGNORED = [_text("Endpoint ignored these unrecognized parameters: .*")]

# By reason: where, member, our value, OpenBao's.
_BY_REASON: dict[str, tuple[tuple[str, str, Any, Any], ...]] = {
    "clients do not read it": (
        ("mounts: *", "body*.deprecation_status", MISSING, "supported"),
        ("mounts: *", "body*.plugin_version", MISSING, ""),
        ("mounts: *", "body*.running_plugin_version", MISSING, ANY),
        ("mounts: *", "body*.running_sha256", MISSING, ""),
    ),
    "OpenBao has it, Vault has not": (
        ("*", "body.data.metadata_cas_required", MISSING, False),
        ("*", "body.data.current_metadata_version", MISSING, ANY),
        ("lists: SCAN", "status", 405, 200),
        ("lists: limit", "body.data.keys.*", ANY, MISSING),
        ("lists: after", "body.data.keys.*", ANY, ANY),
        ("server: seal-status", "body.commit_date", MISSING, "<time>"),
    ),
    "Vault has it, OpenBao no longer has": (
        ("server: health*", "body.performance_standby", False, MISSING),
        ("server: seal-status", "body.build_date", "", MISSING),
        ("server: leader", "body.is_self", True, MISSING),
        ("server: leader", "body.leader_address", "", MISSING),
    ),
    "an answer without a body has no type": (("*", "Content-Type", MISSING, "application/json"),),
    "it contains the text that clients look for": (
        (
            "*",
            _ERROR,
            _text("permission denied|unsupported operation"),
            _text("1 error occurred:\n\t\\* (permission denied|unsupported operation)\n\n"),
        ),
    ),
    "says what the caller lacks, or what the current version is": (("*", "body.errors.1", ANY, MISSING),),
    "an error has a text, whatever the method": (
        ("methods: BREW of *", _ERROR, "unsupported operation", MISSING),
        ("methods: TRACE of data", _ERROR, "unsupported operation", MISSING),
        ("methods: * of health", _ERROR, "unsupported operation", MISSING),
        ("methods: PUT of seal-status", _ERROR, "unsupported operation", MISSING),
    ),
    "an error always has its body": (
        ("patches: nothing", "body", {"errors": []}, ""),
        ("patches: of a secret without a value", "body", {"errors": []}, ""),
        ("patched-options: nothing is there", "body", {"errors": []}, ""),
        ("scopes: updater patches nothing", "body", {"errors": []}, ""),
    ),
    "the method is refused before anything else is looked at": (
        ("methods: PATCH of delete", "status", 405, 400),
        ("methods: PATCH of undelete", "status", 405, 400),
        ("methods: OPTIONS of data", "status", 405, 400),
        ("methods: LIST of config", "status", 405, 404),
        ("methods: LIST of lookup-self", "status", 405, 404),
        ("capabilities: GET", "status", 405, 403),
    ),
    "what is unknown is so to everybody: no policy speaks of it": (
        ("tokens: GET M/none/a without", "status", 404, 403),
        ("tokens: GET none/data/a without", "status", 404, 403),
        ("scopes: an unknown verb", "status", 404, 403),
        ("scopes: version 1", "status", 404, 403),
        ("scopes: an unknown mount", "status", 404, 403),
        ("scopes: another engine", "status", 404, 403),
        ("mounts: preflight sys/mounts", "status", 403, 200),
        ("routes: sys", "status", 404, 307),
    ),
    "one text says that there is no such route, with the path as it was sent": (
        ("routes: list of no such mount", _ERROR, _text('.*none/metadata".*'), _text('.*none/metadata/".*')),
        (
            "routes: *",
            _ERROR,
            _text("no handler for route .*"),
            "1 error occurred:\n\t* unsupported path\n\n",
        ),
    ),
    "a scheme's letters may be small or large (RFC 9110)": (
        ("tokens: as bearer in small letters", "status", 200, 403),
    ),
    "there is one namespace, for every request": (
        ("routes: namespace for health", "status", 404, 400),
        ("routes: namespace team*", "X-Vault-Namespace", MISSING, ANY),
        ("routes: namespace empty", "X-Vault-Namespace", "", MISSING),
    ),
    "what it does not know is ignored without a word": (("*", "body.warnings", None, _IGNORED),),
    "a code is read if the answer needs it": (("server: health, sealedcode=x", "status", 200, 400),),
    "the same fault in other words": (
        (
            "bodies: *",
            _ERROR,
            _text("failed to decode JSON input: .*"),
            _text("failed to decode JSON input: .*"),
        ),
        ("writes: *", _ERROR, _text("(data|options) must be an object"), _DECODER),
        ("patches: data are a text", _ERROR, "data must be an object", _DECODER),
        ("cas: as *", _ERROR, "error parsing check-and-set parameter", _text("check-and-set parameter .*")),
        ("reads: version *", _ERROR, "version must be a whole number", _DECODER),
        ("subkeys: *", _ERROR, _text("(depth|version) must be a whole number"), _DECODER),
        ("*-forms: *", _ERROR, "versions must be whole numbers", _DECODER),
        ("*-forms: an object", _ERROR, "No version number provided", _DECODER),
        ("destroy-forms: *", _ERROR, "No version number provided", "no version number provided"),
        ("*options: max_versions *", _ERROR, "max_versions must be from 0 to 100", _DECODER),
        ("*options: cas_required *", _ERROR, "cas_required must be true or false", _DECODER),
        ("*options: delete_version_after *", _ERROR, _text("delete_version_after must be .*"), _DECODER),
        ("config: *", _ERROR, _text("[a-z_]+ must be .*"), _DECODER),
        ("*custom*: *", _ERROR, _text("custom_metadata validation failed: .*"), _text(".*custom_metadata.*")),
        ("paths: dots as percent", _ERROR, _INVALID_PATH, "relative paths not supported"),
        (
            "paths: *",
            "body.warnings.0",
            _text("Not a path of the KV engine: .*"),
            _text("Invalid path for .*"),
        ),
        (
            "wrapping: for *",
            _ERROR,
            _text("error parsing X-Vault-Wrap-TTL header: .*"),
            _text("error parsing X-Vault-Wrap-TTL header: .*"),
        ),
        ("token-create: *", _ERROR, _text("(ttl|explicit_max_ttl|period) must be .*"), ANY),
        ("token-create: *uses*", _ERROR, _text("number of uses must be .*"), ANY),
        ("token-*", _ERROR, _text("(missing|invalid) accessor"), _text("1 error occurred:.*accessor\n\n")),
        ("mounts: tune, none", _ERROR, _text("No secret engine mount .*"), _text("cannot fetch sysview .*")),
    ),
    "JSON is read strictly: others would understand something else": (
        ("bodies: two documents", "status", 400, 200),
        ("bodies: with half a surrogate", "status", 400, 200),
        ("bodies: not UTF-8", "status", 400, 200),
        ("bodies: with a name twice", "status", 400, 200),
    ),
    "what it cannot read it does not store": (("bodies: compressed", "status", 415, 200),),
    "no content type is a wrong one": (
        ("bodies: patch as nothing", "status", 415, 400),
        ("patched-custom: patch as nothing", "status", 415, 400),
    ),
    "a value of another type is refused, and not made to fit": (
        ("writes: data are null", "status", 400, 200),
        ("writes: data are an array", "status", 400, 200),
        ("writes: options are an array", "status", 400, 200),
        ("patches: data are null", "status", 400, 200),
        ("cas: as a boolean", "status", 400, 200),
        ("*-forms: a boolean", "status", 400, 204),
        ("*-forms: null in an array", "status", 400, 204),
        ("*-forms: an empty text in an array", "status", 400, 204),
        ("*options: max_versions as a boolean", "status", 400, 204),
        ("*options: max_versions as a boolean, read", "body.data.max_versions", 5, 1),
        ("token-lookup: lookup of a number", "status", 400, 403),
        ("capabilities: a number, *", "status", 400, 200),
        ("capabilities: numbers, *", "status", 400, 200),
    ),
    "null is no value: nothing changes": (
        ("*options: max_versions null, read", "body.data.max_versions", 5, 0),
        ("*options: cas_required null, read", "body.data.cas_required", True, False),
    ),
    "OpenBao fails": (
        ("patches: data are an array", "status", 400, 500),
        ("patches: options are null", "status", 200, 500),
        ("patches: options are an array", "status", 400, 500),
        ("patched-options: max_versions negative", "status", 400, 500),
        ("paths: read with a slash at the end", "status", 404, 500),
        ("paths: subkeys with a slash at the end", "status", 404, 500),
        ("patched-custom: numbers", "status", 204, 500),
        ("patched-custom: numbers, read", "body.?", ANY, ANY),
        ("patched-custom: large numbers", "status", 204, 500),
        ("patched-custom: large numbers, read", "body.a", "12345678901234567890", "old"),
        ("patched-custom: booleans", "status", 204, 500),
        ("patched-custom: booleans, read", "body.*", ANY, MISSING),
    ),
    "OpenBao takes 0 in a patch for nothing": (
        ("patched-options: delete_version_after 0, read", "body.data.delete_version_after", "0s", "1h0m0s"),
        (
            "patched-options: delete_version_after empty, read",
            "body.data.delete_version_after",
            "0s",
            "1h0m0s",
        ),
    ),
    "OpenBao has read it as a number with a fraction": (
        ("writes: read large numbers", "body.a", 9007199254740993, 9007199254740992),
        ("writes: read large numbers", "body.c", 100.0, 100),
    ),
    "blanks around a number do no harm": (
        ("cas: as text with blanks", "status", 200, 400),
        ("reads: version +1", "status", 200, 400),
        ("reads: version %201", "status", 200, 400),
        ("*-forms: one text with blanks", "status", 204, 400),
    ),
    "the first of several counts": (("reads: twice", "status", 200, 400),),
    "a negative depth is none": (("subkeys: depth -1", "body.data.subkeys.deep", ANY, None),),
    "max_versions is from 0 to 100": (
        ("options: max_versions *", "status", 400, 204),
        ("patched-options: max_versions 101", "status", 400, 204),
        ("*options: max_versions *, read", "body.data.max_versions", 5, ANY),
        ("config: max_versions *", "status", 400, 204),
        ("config: max_versions *, read", "body.data.max_versions", 0, ANY),
    ),
    "fewer versions are kept at once, not with the next write": (
        ("dropped: metadata, one kept", "body.data.oldest_version", 4, 3),
        ("dropped: metadata, one kept", "body.data.versions.3", MISSING, ANY),
        ("dropped: read the third again", "status", 404, 200),
    ),
    "nothing has been dropped yet": (("dropped: metadata of two", "body.data.oldest_version", 0, 1),),
    "a negative time is none, on a secret as on a mount": (
        ("*options: delete_version_after *negative*", "status", 204, 400),
        ("*options: delete_version_after *negative*, read", "body.data.delete_version_after", "0s", "1h0m0s"),
        ("config: delete_version_after negative, read", "body.data.delete_version_after", "0s", "-1s"),
    ),
    "labels may have lines": (
        ("custom-metadata: a line's end", "status", 204, 400),
        ("custom-metadata: a line's end, read", "body.*", ANY, ANY),
        ("patched-custom: a line's end", "status", 204, 400),
        ("patched-custom: a line's end, read", "body.a", "b\nc", "old"),
    ),
    "what counts is how many there are afterwards": (
        ("patched-custom: 64 keys", "status", 400, 204),
        ("patched-custom: 64 keys, read", "body.*", MISSING, "1"),
    ),
    "a setting of a secret that has no effect is no error": (
        ("config: more of a secret", "status", 204, 200),
    ),
    "paths have the service's own form": (
        ("paths: percent as percent", "status", 400, 404),
        ("paths: no percent encoding", "*", ANY, ANY),
        ("paths: a blank", "status", 400, 404),
        ("paths: a blank is written", "status", 400, 200),
        ("paths: not ASCII", "status", 400, 404),
        ("paths: not ASCII is written", "status", 400, 200),
        ("paths: not UTF-8", "status", 400, 404),
        ("paths: a line's end", "*", ANY, ANY),
        ("paths: a zero byte", "*", ANY, ANY),
    ),
    "there are no redirects: some clients do not follow them": (
        ("paths: several slashes", "status", 200, 307),
        ("paths: slash first", "status", 200, 307),
        ("paths: dots", "status", 400, 307),
        ("paths: one dot", "status", 400, 307),
    ),
    "no secret has a path that ends in a slash": (
        ("paths: delete with a slash at the end", "status", 400, 204),
        ("paths: delete metadata with a slash at the end", "status", 400, 204),
        ("paths: metadata with a slash at the end", "status", 404, 200),
    ),
    "it is the same without": (("paths: config with a slash", "status", 200, 404),),
    "there is nothing, and no more is said": (
        ("paths: read the mount's data", "body.*", ANY, ANY),
        ("paths: metadata of nothing", "body.*", ANY, ANY),
        ("paths: subkeys of nothing", "body.*", ANY, ANY),
    ),
    "any token may see the mounts: many tools read them": (
        ("mounts: all, reader", "status", 200, 403),
        ("mounts: one, reader", "status", 200, 403),
    ),
    "there are no other mounts": (
        ("mounts: visible, reader", "body.data.auth.token/", MISSING, ANY),
        ("mounts: visible, reader", "body.data.secret.*", MISSING, ANY),
    ),
    "tokens have no lifetime if none is given": (
        ("mounts: tune", "body*.*_lease_ttl", 0, 2764800),
        ("*", "body.data.creation_ttl", 0, "<about 2764800 s>"),
        ("*", "body.data.ttl", 0, "<about 2764800 s>"),
        ("*", "body.data.expire_time", None, "<time>"),
    ),
    "scopes are what policies are there": (
        ("own-token: *", "body.*policies.0", "fetch:own-token/*", _POLICY),
        ("own-token: *", "body.*policies.1", MISSING, _POLICY),
        ("own-token: plain looks itself up", "body.data.policies.1", "list:own-token/*", _POLICY),
    ),
    "tokens have names": (
        ("own-token: *", "body.data.display_name", ANY, "token"),
        ("token-lookup: *", "body.data.display_name", "admin", "token"),
        ("wrapping: lookup-self, unwrapped", "body.data.display_name", "reader", "token"),
    ),
    "every token that can be renewed is so for its lifetime, which is Vault's period": (
        ("token-*", "body.data.period", ANY, MISSING),
        ("approle-login: looks itself up", "body.data.period", 1200, MISSING),
    ),
    "scopes are what policies are there, and there is no default one": (
        ("token-*", "body.*policies.*", ANY, ANY),
        ("approle-login: *", "body.*policies.*", ANY, ANY),
        ("wrapping: lookup-self, unwrapped", "body.data.policies.*", ANY, ANY),
    ),
    "a token with a maximum is not renewable, which is the same to who holds it": (
        ("token-create: a*maximum", "body.auth.renewable", False, True),
        ("token-create: a*maximum, looked up", "body.data.renewable", False, True),
        ("token-create: a*maximum, looked up", "body.data.explicit_max_ttl", 0, ANY),
    ),
    "no token outlasts the one that made it": (
        ("token-create: by one that ends", "body.auth.lease_duration", "<about 3600 s>", "<about 7200 s>"),
        ("token-create: by one that ends", "body.auth.renewable", False, True),
        ("token-revoke: create a grandchild", "body.auth.renewable", False, True),
    ),
    "there are no orphans: a token ends with the one that made it": (
        ("token-*orphan*", "body.auth.orphan", False, True),
        ("token-*orphan*", "body.data.orphan", False, True),
        ("token-revoke: create a foster child", "body.auth.orphan", False, True),
        ("token-revoke: the orphan lives", "body.data.path", "auth/token/create", "auth/token/create-orphan"),
    ),
    "a warning says what is not as it was asked for": (
        ("token-*", "body.warnings", [ANY], None),
        ("token-*", "body.warnings", [ANY, ANY], None),
        ("token-create: a*maximum", "body.warnings.0", _text("TTL of .*"), _text("TTL of .*")),
        ("token-create: a*maximum", "body.warnings.1", _text("not renewable: .*"), MISSING),
    ),
    "meta is not kept": (
        ("token-create: meta", "body.auth.metadata", None, {"who": "ci"}),
        ("token-create: meta, looked up", "body.data.meta", None, {"who": "ci"}),
        ("token-create: meta that is a text*", "status", 200, ANY),
    ),
    "the type default is that of tokens that are made": (
        ("token-create: a token of the default type*", "status", 200, ANY),
    ),
    "policies are texts": (("token-create: policies that are a number*", "status", ANY, 200),),
    "every token may look itself up": (
        ("token-create: no default policy, looked up", "status", 200, 403),
        ("wrapping: its token looks itself up", "status", 200, 403),
    ),
    "an accessor is a token's id: there is nothing else to renew by": (
        ("token-renew: renew by accessor", "status", 404, 200),
    ),
    "what is gone already is no warning": (
        ("token-revoke: revoke-accessor of the dead", "status", 204, 200),
    ),
    "a role has a name": (
        ("approle-login: *", "body.*.role_name", "role", _POLICY),
        ("approle-login: looks itself up", "body.data.display_name", "role", "approle"),
    ),
    "there are no entities": (("approle-login: *", "body.*.entity_id", "", "<uuid>"),),
    "whatever is wrong with a login has one answer": (
        ("approle-login: no secret id", _ERROR, "invalid role or secret ID", "missing secret_id"),
        ("approle-login: no role id", "status", 400, 500),
        ("approle-login: nothing", "status", 400, 500),
        ("approle-login: no body", "status", 400, 500),
        ("approle-login: by GET", "status", 405, 500),
    ),
    "whoever asks for a wrapped value never gets it unwrapped": (("wrapping: for 0", "status", 400, 200),),
    "every answer has an id": (("wrapping: *", "body.request_id", "<uuid>", ""),),
    "errors are not wrapped": (("wrapping: a deleted version, read", "status", 404, 200),),
    "a token that is malformed is one that does not exist": (
        ("wrapping: unwrap with nothing", "status", 400, 403),
        ("wrapping: unwrap of a number", "status", 400, 403),
    ),
    "there is no rewrap": (("wrapping: rewrap", "status", 404, 400),),
    "the increment is not used": (
        ("token-renew: renew, increment nonsense", "status", 200, 400),
        ("own-token: increment is nonsense", "status", 200, 400),
        ("own-token: increment negative", "status", 200, 400),
    ),
    "a slash at the end is ignored": (("own-token: slash at the end", "status", 200, 403),),
    "the server's own": (
        ("server: *", "body.cluster_name", "secret-manager", _text("vault-cluster-.*")),
        ("server: *", "body.version", _text(".*secret-manager"), "2.7.2"),
        ("server: seal-status", "body.storage_type", "mongodb", "inmem"),
    ),
    "an empty path is a path": (("capabilities: an empty text, *", "status", 200, 400),),
    "a folder may be listed without its slash": (
        ("capabilities: folders, reader", "body*capabilities/metadata.0", "list", "deny"),
        ("capabilities: folders, reader", "body*capabilities/metadata.1", "read", MISSING),
    ),
    "every token may look itself up, whatever it is asked": (
        ("capabilities: elsewhere, reader", "body*auth/token/lookup-self.0", "deny", "read"),
    ),
    "lists show what is within reach": (
        ("scopes: lister lists all", "status", 200, 403),
        ("scopes: lister lists other", "status", 404, 403),
        ("scopes: lister lists none", "status", 404, 403),
    ),
    "whoever has a scope on a mount may see what holds there": (
        ("scopes: fetcher reads config", "status", 200, 403),
    ),
}


def _all() -> Iterator[Known]:
    for reason, rows in _BY_REASON.items():
        for row in rows:
            yield Known(*row, reason)


KNOWN = tuple(_all())
