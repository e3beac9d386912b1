"""transfer.formats.foreign: what cannot be imported is refused by name, with what to do instead."""

import json
import shutil
import subprocess

import pytest

from service.errors import ImportFormatError
from service.transfer.formats import detect
from tests.transfer.formats.examples import KUBERNETES, MEDUSA_JSON, MEDUSA_YAML
from tests.transfer.formats.readings import read

ENVELOPE = {"request_id": "x", "lease_id": "", "lease_duration": 0, "renewable": False, "warnings": None}
METADATA = {
    "cas_required": False,
    "created_time": "2026-01-31T12:00:00Z",
    "current_version": 2,
    "custom_metadata": None,
    "max_versions": 0,
    "oldest_version": 0,
    "versions": {"1": {"created_time": "2026-01-31T12:00:00Z", "deletion_time": "", "destroyed": False}},
}
OUTPUT = {"password": {"sensitive": True, "type": "string", "value": "hunter2"}}
ENCRYPTED = "ENC[AES256_GCM,data:hunter2=,iv:x=,tag:x==,type:str]"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (json.dumps(ENVELOPE | {"data": METADATA}), "KV metadata, which has no values: .*vault kv get"),
        (json.dumps(ENVELOPE | {"lease_id": "x/1", "data": {"p": "hunter2"}}), "a lease of Vault"),
        (json.dumps(ENVELOPE | {"data": None, "wrap_info": {"token": "hunter2"}}), "unwrap it first"),
        ('["hunter2", "b/"]', "a list of names"),
        (json.dumps({"apiVersion": "v1", "kind": "List", "items": [KUBERNETES]}), r"jq '\.items\[\]'"),
        (json.dumps(KUBERNETES | {"kind": "ConfigMap"}), "a Kubernetes ConfigMap, which has no secrets"),
        (json.dumps(KUBERNETES | {"kind": "SealedSecret"}), "an object of Kubernetes that is no Secret"),
        ("apiVersion: v1\nkind: ConfigMap\ndata: {a: hunter2}\n", "a Kubernetes ConfigMap"),
        (json.dumps(OUTPUT, indent=2), "an output of Terraform: .*terraform output -raw NAME"),
        ('{"version": 4, "terraform_version": "1.9.0", "outputs": {}}', "a state of Terraform"),
        (json.dumps({"a": ENCRYPTED, "sops": {"mac": "x"}}), "SOPS: decrypt it first, with sops -d FILE"),
        ('{"a": {"b": "hunter2"}, "sops": {"mac": "x"}}', "SOPS: decrypt it first"),
        (f"a: {ENCRYPTED}\nsops:\n  mac: x\n", "SOPS: decrypt it first"),
        (f"A={ENCRYPTED}\nsops_mac={ENCRYPTED}\n", "SOPS: decrypt it first"),
        (
            '{\n  "DB_PASSWORD": "hunter2",\n  "API_KEY": null, "N": 1.10\n}\n',
            "a flat map of .*jq -c 'to_ent",
        ),
        (MEDUSA_JSON, "a tree of names and values: .*--format medusa"),
        (MEDUSA_YAML, "YAML: .*--format medusa"),
        ("---\na: hunter2\n", "YAML"),
        ("- a: hunter2\n", "YAML"),
        ("a: 'hunter2\n", "YAML"),
        ("# comment\n\nKey,Value\nDB_PASSWORD,hunter2\n", "CSV"),
        ("name;hunter2;password\n", "CSV"),
        ('[{"name": "hunter2"}]', "a JSON array of no program that is known: .*jq -c"),
        ('{"ARN": "arn:x", "Name": "db", "SecretString": "hunter2"}', "AWS Secrets Manager"),
        ('{"encrypted": false, "folders": [], "items": [{"name": "hunter2"}]}', "Password Manager"),
        ("$ANSIBLE_VAULT;1.1;AES256\n6162", "Ansible Vault: decrypt it first"),
        ("age-encryption.org/v1\n-> X25519 x", "age: decrypt it first"),
        ("-----BEGIN PGP MESSAGE-----\n", "PGP: decrypt it first"),
        ("-----BEGIN RSA PRIVATE KEY-----\nhunter2=\n", "PEM: it is one value"),
        ("<!doctype html>", "HTML or XML"),
    ],
)
def test_names_what_it_looks_like(content: str, says: str) -> None:
    """In one line, with what to do, and with nothing of the content."""
    with pytest.raises(ImportFormatError, match=f"^this looks like .*{says}") as refused:
        detect.detect(content)

    assert "hunter2" not in str(refused.value)
    assert 1 == len(str(refused.value).splitlines())


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_what_a_map_of_names_is_told_to_do_works() -> None:
    """The program in the message makes JSON lines of it."""
    content = '{"A": "x", "B": "ä"}'
    with pytest.raises(ImportFormatError) as refused:
        detect.detect(content)
    program = str(refused.value).split("jq -c ")[1].strip("'")
    lines = subprocess.run(["jq", "-c", program], input=content, capture_output=True, text=True, check=True)

    assert [("A", b"x"), ("B", "ä".encode())] == read(lines.stdout)
