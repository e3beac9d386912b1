"""The least that does the job: a bare Flask route with two plain round trips to MongoDB.

It encrypts nothing, asks for no token and checks nothing; its audit records are not chained.  So no program
with Flask, gunicorn and pymongo can be expected to be faster, and what the service takes on top is its own.
"""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Flask, request
from pymongo import MongoClient

app = Flask(__name__)
_client: MongoClient[dict[str, Any]] = MongoClient(
    os.environ["MONGO_URI"], w="majority", journal=True, readConcernLevel="majority"
)
_secrets, _audit = _client["bench"]["secrets"], _client["bench"]["audit"]


@app.get("/healthz")
def healthz() -> dict[str, Any]:
    """Do nothing."""
    return {"status": "ok"}


@app.post("/create")
def create() -> dict[str, Any]:
    """Insert a value and a record."""
    secret_id = str(uuid.uuid4())
    _secrets.insert_one({"_id": secret_id, "secret": request.get_json()["secret"]})
    _record("create", secret_id)
    return {"secret_id": secret_id}


@app.post("/fetch")
def fetch() -> dict[str, Any]:
    """Find a value and insert a record."""
    found = _secrets.find_one({"_id": request.get_json()["secret_id"]})
    assert found is not None
    _record("fetch", found["_id"])
    return {"secret_id": found["_id"], "secret": found["secret"]}


def _record(operation: str, secret_id: str) -> None:
    _audit.insert_one(
        {
            "timestamp": datetime.now(UTC),
            "operation": operation,
            "secret_id": secret_id,
            "client_ip": request.remote_addr,
        }
    )
