"""Exports of other programs, made up after their documentation; every value in them is made up as well."""

import json

KUBERNETES = {
    "apiVersion": "v1",
    "data": {"password": "aHVudGVyMg==", "username": "YWRtaW4="},
    "kind": "Secret",
    "metadata": {
        "annotations": {"example.org/owner": "team"},
        "creationTimestamp": "2026-01-31T12:00:00Z",
        "name": "app",
        "namespace": "default",
        "resourceVersion": "1234",
        "uid": "5c9d1b1e-3f0a-4e0e-9d55-0d7d9b8f7a11",
    },
    "type": "Opaque",
}
KUBERNETES_YAML = """\
apiVersion: v1
data:
  password: aHVudGVyMg==
  username: YWRtaW4=
kind: Secret
metadata:
  creationTimestamp: "2026-01-31T12:00:00Z"
  name: app
  namespace: default
type: Opaque
"""
MEDUSA_YAML = """\
app:
  db:
    password: "0123"
    port: 5432
    user: ada
  mail:
    smtp:
      password: "no"
"""
MEDUSA_JSON = '{"app":{"db":{"password":"0123","port":5432,"user":"ada"},"mail":{"smtp":{"password":"no"}}}}'


def infisical(key: str, value: str | None, **more: object) -> dict[str, object]:
    """Return a secret as Infisical exports it."""
    return {
        "key": key,
        "workspace": "6f1c2b3a-0000-4000-8000-000000000001",
        "value": value,
        "type": "shared",
        "_id": "6f1c2b3a-0000-4000-8000-000000000002",
        "secretPath": "/",
        "tags": [],
        "comment": "",
        "Etag": "",
        "skipMultilineEncoding": False,
    } | more


INFISICAL = json.dumps([infisical("DB_USER", "ada"), infisical("DB_PASSWORD", "it's", secretPath="/app/db")])
INFISICAL_DOTENV = "DB_USER='ada'\nDB_PASSWORD='pa$$word # 1'\n"
INFISICAL_DOTENV_EXPORT = "export DB_USER='ada'\nexport DB_PASSWORD='pa$$word # 1'\n"
DOPPLER = json.dumps(
    {
        "DB_PASSWORD": "it's",
        "DOPPLER_CONFIG": "prd",
        "DOPPLER_ENVIRONMENT": "prd",
        "DOPPLER_PROJECT": "app",
    }
)
DOPPLER_LISTED = json.dumps(
    {
        "DB_PASSWORD": {"computed": "it's", "computedVisibility": "masked", "note": ""},
        "DOPPLER_PROJECT": {"computed": "app", "computedVisibility": "unmasked", "note": ""},
    },
    indent=2,
)


def bitwarden(key: str, value: str, **more: object) -> dict[str, object]:
    """Return a secret as ``bws secret list`` prints it."""
    return {
        "id": "be8e0ad8-0000-4000-8000-000000000001",
        "organizationId": "10e8cbfa-0000-4000-8000-000000000002",
        "projectId": "e325ea69-0000-4000-8000-000000000003",
        "key": key,
        "value": value,
        "note": "",
        "creationDate": "2026-01-31T12:00:00.000000Z",
        "revisionDate": "2026-01-31T12:00:00.000000Z",
    } | more


BITWARDEN = json.dumps([bitwarden("DB_USER", "ada"), bitwarden("DB_PASSWORD", "it's")], indent=2)
BITWARDEN_EXPORT = json.dumps(
    {
        "projects": [{"id": "00000000-0000-0000-0000-000000000001", "name": "app"}],
        "secrets": [
            {
                "key": "DB_PASSWORD",
                "value": "it's",
                "note": "",
                "id": "00000000-0000-0000-0000-000000000002",
                "projectIds": ["00000000-0000-0000-0000-000000000001"],
            }
        ],
    }
)


def one_password(**more: object) -> dict[str, object]:
    """Return an item as ``op item get --format json`` prints it."""
    return {
        "id": "4xyexampleitem",
        "title": "app-db",
        "version": 2,
        "vault": {"id": "vaultexample", "name": "Production"},
        "category": "LOGIN",
        "last_edited_by": "USEREXAMPLE",
        "created_at": "2026-01-31T12:00:00Z",
        "updated_at": "2026-01-31T12:00:00Z",
        "sections": [{"id": "add more"}, {"id": "s1", "label": "replica"}],
        "fields": [
            {
                "id": "username",
                "type": "STRING",
                "purpose": "USERNAME",
                "label": "username",
                "value": "ada",
                "reference": "op://Production/app-db/username",
            },
            {
                "id": "password",
                "type": "CONCEALED",
                "purpose": "PASSWORD",
                "label": "password",
                "value": "it's",
                "password_details": {"strength": "TERRIBLE"},
            },
            {"id": "notesPlain", "type": "STRING", "purpose": "NOTES", "label": "notesPlain"},
            {
                "id": "x1",
                "section": {"id": "s1", "label": "replica"},
                "type": "CONCEALED",
                "label": "password",
                "value": "other",
            },
        ],
    } | more
