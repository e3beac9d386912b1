"""The role ``mongo`` finds data in a database of the user's own before it lets a new master key be made."""

import subprocess
import sys

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from service.dev.mongod import EmbeddedMongo
from tests import yaml_files
from tests.gunicorn_server import ROOT


def found(uri: str) -> str:
    """Return what the role's own program prints for this connection string."""
    (task,) = [
        task
        for task in yaml_files.load(ROOT / "roles/mongo/tasks/data.yml")
        if "stdin" in task.get("ansible.builtin.command", {})
    ]
    program = task["ansible.builtin.command"]["argv"][-1]
    finished = subprocess.run(
        [sys.executable, "-c", program], input=uri.encode(), capture_output=True, cwd=ROOT, check=True
    )
    return finished.stdout.decode().strip()


@pytest.mark.parametrize("path", ["/?", "/vault?", "/production?"])
def test_finds_the_data_of_before_as_well(
    mongo: EmbeddedMongo, mongo_client: MongoClient, database: Database, path: str
) -> None:
    """In the database that the string names, and in the one that earlier versions used whatever it named."""
    uri = mongo.uri.replace("/?", path)
    assert "False" == found(uri)

    database.secrets.insert_one({"_id": "x"})
    assert "True" == found(uri)

    database.secrets.delete_many({})
    mongo_client["production"].secrets.insert_one({"_id": "x"})
    assert str(path == "/production?") == found(uri)
    mongo_client.drop_database("production")
