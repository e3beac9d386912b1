"""What a document is that cannot be imported, judging by what it says of itself, and what to do instead."""

from __future__ import annotations

import json
import re

from ...strict_json import Number

_MAPPING = re.compile(r"(?:---|%YAML|- )|[\"']?[\w./@-]+[\"']?:(?:[ \t]|$)", re.MULTILINE)
_CSV = re.compile(r"[^=\n,;\t]+(?:[,;\t][^=\n,;\t]*)+$", re.MULTILINE)
_BLANK = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")
_ONE_BY_ONE = "import what it holds one by one"

# How the text begins; the first that fits.
_BEGINNINGS = (
    ("$ANSIBLE_VAULT;", "a file of Ansible Vault: decrypt it first, with ansible-vault view FILE"),
    ("age-encryption.org/", "a file encrypted with age: decrypt it first, with age -d FILE"),
    ("-----BEGIN AGE ", "a file encrypted with age: decrypt it first, with age -d FILE"),
    ("-----BEGIN PGP MESSAGE", "a file encrypted with PGP: decrypt it first, with gpg -d FILE"),
    ("-----BEGIN ", "a key or a certificate in PEM: it is one value, so store it with create_secret.sh"),
    ("<", "HTML or XML, perhaps an error page: look at it"),
)
SOPS = "a file encrypted with SOPS: decrypt it first, with sops -d FILE"
FLAT = (
    "a flat map of names and values: make each of them a line, with"
    " jq -c 'to_entries[] | {path: .key, secret: (.value | @base64)}'"
)
TREE = "a tree of names and values: if medusa exported it from Vault, say --format medusa"


def describe(document: object) -> str | None:
    """Return what a document is and what to do, or None if it does not say that it is anything else."""
    match document:
        case {"kind": str(kind), "apiVersion": _}:
            return _kubernetes(kind)
        case {"sops": dict()}:
            return SOPS
        case {"data": {"versions": _, "current_version": _}}:
            return (
                "KV metadata, which has no values: import the secret itself, as"
                " `vault kv get -format=json` prints it"
            )
        case {"data": dict(), "lease_id": str(lease)} if lease:
            return "a lease of Vault, which ends with its credentials: keep fetching it where it is used"
        case {"wrap_info": dict()}:
            return "a wrapped response of Vault: unwrap it first, with vault unwrap"
        case {"terraform_version": _}:
            return f"a state of Terraform: {_ONE_BY_ONE}, as `terraform output -raw NAME` prints it"
        case {"SecretString": _} | {"SecretBinary": _}:
            return "a secret of AWS Secrets Manager: store the value of its `SecretString` by itself"
        case {"items": list(), "folders": list()} | {"encrypted": bool(), "items": list()}:
            return "an export of Bitwarden's Password Manager: only that of Secrets Manager is read"
        case dict() if document and all(_is_output(value) for value in document.values()):
            return f"an output of Terraform: {_ONE_BY_ONE}, as `terraform output -raw NAME` prints it"
        case [*names] if names and all(isinstance(name, str) for name in names):
            return "a list of names, such as `vault kv list` prints: import the secrets themselves"
    return None


def describe_map(document: object) -> str | None:
    """Return the same for an object that says nothing of itself, by the kinds of its values."""
    if not isinstance(document, dict) or not document:
        return None
    if all(isinstance(value, dict) for value in document.values()):
        return TREE
    if all(
        value is None or isinstance(value, str | Number | bool | int | float) for value in document.values()
    ):
        return FLAT
    return None


def describe_text(text: str) -> str | None:
    """Return the same for a text that is not JSON."""
    text = text[_BLANK.match(text).end() :]  # type: ignore[union-attr]  # it matches nothing as well
    for beginning, what in _BEGINNINGS:
        if text.startswith(beginning):
            return what
    if is_yaml(text):
        return "YAML: if medusa exported it from Vault, say --format medusa; anything else, export as JSON"
    if _CSV.match(text):
        return "CSV, which has no one way to write quotes and line breaks: export as JSON"
    return None


def is_yaml(text: str) -> bool:
    """Return whether the first line that is not blank or a comment is one of YAML."""
    return _MAPPING.match(text, _BLANK.match(text).end()) is not None  # type: ignore[union-attr]


def quoted(name: str) -> str:
    """Return a name in a file that is understood, so that it cannot give commands to the terminal."""
    return json.dumps(name)


def _kubernetes(kind: str) -> str | None:
    if kind == "Secret":
        return "a secret of Kubernetes: say --format kubernetes, or leave --format out"
    if kind.endswith("List"):
        return "a Kubernetes list: take it apart, with jq '.items[]'"
    if kind == "ConfigMap":
        return "a Kubernetes ConfigMap, which has no secrets: leave it where it is"
    return "an object of Kubernetes that is no Secret: import the Secret itself"


def _is_output(value: object) -> bool:
    return isinstance(value, dict) and value.keys() >= {"sensitive", "type", "value"}
