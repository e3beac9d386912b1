"""What one secret left behind in MongoDB, told by someone who is not the service.

Runs inside an API replica, where the connection string is.  Standard input: a JSON object with
``secret_id``, ``token_id`` and ``plaintext`` (base64).  Prints a JSON object:

- ``documents``: how many documents mention the secret's id,
- ``readable``: the collections that hold the plaintext, as it is or in base64,
- ``audit``: the secret's audit records, oldest first (operation, status, client_ip),
- ``audit_expiry``: the expiry of the audit log in seconds, or null.

Then it removes the secret and the token.  The audit records stay: what they say did happen.
"""

import base64
import json
import os
import sys
from pathlib import Path

import bson
import pymongo

from service.store.database import database

asked = json.load(sys.stdin)
plaintext = base64.b64decode(asked["plaintext"])
uri = os.environ.get("MONGO_URI") or Path(os.environ["MONGO_URI_FILE"]).read_text().strip()
# As the service itself does it: the string says where, the files say with which certificates.
files = {
    option: os.environ[variable]
    for option, variable in (
        ("tlsCAFile", "MONGO_TLS_CA_FILE"),
        ("tlsCertificateKeyFile", "MONGO_TLS_CERT_FILE"),
    )
    if variable in os.environ
}
options = {"tls": True, **files} if files else {}

with pymongo.MongoClient(uri, timeoutMS=20_000, **options) as client:
    vault = database(client)
    concerned = {"$or": [{"_id": asked["secret_id"]}, {"secret_id": asked["secret_id"]}]}
    found = {
        name: list(vault[name].find(concerned))
        for name in vault.list_collection_names()
        if not name.startswith("system.")
    }
    raw = {name: b"".join(map(bson.encode, documents)) for name, documents in found.items()}
    expiries = [index.get("expireAfterSeconds") for index in vault["audit_logs"].list_indexes()]
    seen = {
        "documents": sum(map(len, found.values())),
        "readable": [
            name for name, data in raw.items() if plaintext in data or asked["plaintext"].encode() in data
        ],
        "audit": [
            {field: record.get(field) for field in ("operation", "status", "client_ip")}
            for record in sorted(found.get("audit_logs", []), key=lambda record: record["timestamp"])
        ],
        "audit_expiry": next((seconds for seconds in expiries if seconds is not None), None),
    }
    json.dump(seen, sys.stdout)
    vault.secrets.delete_one({"_id": asked["secret_id"]})
    vault.tokens.delete_one({"_id": asked["token_id"]})
