"""mongo_admin.users: the administrator and the service have the rights they need and no more."""

from collections.abc import Callable, Iterator

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from service.errors import ConfigurationError, StoreUnavailable
from service.mongo_admin import users
from service.mongo_admin.users import Login
from service.store import backup_collections
from service.store.store import Store
from tests.replica_set import (
    ADMIN_PASSWORD,
    SERVICE_PASSWORD,
    Mongod,
    bare_members,
    initiate,
    uri,
)


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """The only member of a set; the administrator is its only user."""
    with bare_members(tmp_path_factory.mktemp("users"), 1) as (member,):
        initiate(member)
        yield member


@pytest.fixture
def admin(member: Mongod) -> Iterator[MongoClient]:
    """The administrator's client, as the command uses it."""
    with Login.from_uri(uri("admin", ADMIN_PASSWORD, "admin", member)).connect() as client:
        yield client


@pytest.fixture
def service(member: Mongod, admin: MongoClient) -> Login:
    """The service's login, set up."""
    service = Login.from_uri(uri("vault", SERVICE_PASSWORD, "vault", member))
    users.ensure_service(admin, service)
    return service


def test_the_service_reads_and_writes_its_own_database(service: Login) -> None:
    """As the API and the command ``indexes`` do."""
    with service.connect() as client:
        secrets = client["vault"]["secrets"]
        secrets.create_index("expires")
        secrets.insert_one({"_id": 1, "expires": None})
        secrets.update_one({"_id": 1}, {"$set": {"expires": 2}})

        assert [{"_id": 1, "expires": 2}] == list(secrets.find())
        assert 1 == secrets.delete_one({"_id": 1}).deleted_count
        assert ["_id_", "expires_1"] == sorted(secrets.index_information())
        assert ["secrets"] == client["vault"].list_collection_names()


def test_the_service_may_drop_staging_collections(service: Login) -> None:
    """A restore and a drill create them."""
    with service.connect() as client:
        for name in backup_collections.STAGING_COLLECTIONS:
            client["vault"][name].insert_one({})
            client["vault"].drop_collection(name)

        assert not set(backup_collections.STAGING_COLLECTIONS) & set(client["vault"].list_collection_names())


def test_the_service_can_read_its_disk_usage(service: Login, admin: MongoClient) -> None:
    """With the role of an older version there is no disk usage, but also no error."""
    store = Store(service.uri, 10)
    store.keys.register(["0" * 16])
    usage = store.disk_usage()
    assert usage is not None
    assert 0 < usage.used < usage.size

    older = [
        {
            "resource": {"db": "vault", "collection": ""},
            "actions": [action for action in users.SERVICE_ACTIONS if action != "dbStats"],
        }
    ]
    admin["vault"].command("updateRole", users.SERVICE_ROLE, privileges=older)
    assert store.disk_usage() is None

    assert ["changed the privileges of the role vaultService"] == users.ensure_service(admin, service)
    assert store.disk_usage() is not None
    store.close()


@pytest.mark.parametrize(
    "forbidden",
    [
        lambda client: client["other"]["secrets"].find_one(),
        lambda client: client["other"]["secrets"].insert_one({}),
        lambda client: client["admin"]["system.users"].find_one(),
        lambda client: client["local"]["oplog.rs"].find_one(),
        lambda client: client["vault"].drop_collection("secrets"),
        lambda client: client.drop_database("vault"),
        lambda client: client["vault"].command("createUser", "eve", pwd="x", roles=[]),
        lambda client: client["vault"].command("updateUser", "vault", roles=["dbOwner"]),
        lambda client: client.admin.command("replSetGetConfig"),
        lambda client: client.admin.command("shutdown"),
    ],
    ids=[
        "read elsewhere",
        "write elsewhere",
        "read users",
        "read the oplog",
        "drop a collection",
        "drop the database",
        "create a user",
        "get more rights",
        "read the configuration",
        "shut down",
    ],
)
def test_the_service_may_do_nothing_else(service: Login, forbidden: Callable[[MongoClient], object]) -> None:
    """MongoDB answers "not authorized" each time."""
    with service.connect() as client, pytest.raises(OperationFailure) as caught:
        forbidden(client)

    assert 13 == caught.value.code


def test_corrects_rights_and_password(service: Login, admin: MongoClient) -> None:
    """It returns a line for each change, and none the second time."""
    more = [{"resource": {"db": "vault", "collection": ""}, "actions": ["find", "dropCollection"]}]
    admin["vault"].command("updateRole", users.SERVICE_ROLE, privileges=more)
    admin["vault"].command("updateUser", "vault", roles=["dbOwner"], pwd="hunter-old")

    assert [
        "changed the privileges of the role vaultService",
        "changed the roles of the user vault",
        "changed the password of the user vault",
    ] == users.ensure_service(admin, service)
    admin["vault"].command("updateRole", users.SERVICE_ROLE, roles=["dbOwner"])
    assert ["changed the privileges of the role vaultService"] == users.ensure_service(admin, service)
    assert [] == users.ensure_service(admin, service)
    with service.connect() as client:
        client["vault"]["secrets"].find_one()
        with pytest.raises(OperationFailure, match="not authorized"):
            client["vault"].drop_collection("secrets")


def test_does_not_take_over_data_of_another_installation(member: Mongod) -> None:
    """If the password differs, no other user is created."""
    other = Login.from_uri(uri("admin", "hunter-other", "admin", member))

    with member.client() as local, pytest.raises(StoreUnavailable, match="another installation") as caught:
        users.ensure_admin(local, other)

    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        "mongodb://admin:hunter2@a:port/?replicaSet=rs",
        "mongodb://admin:hunter2@a/admin",
        "mongodb://admin@a/?replicaSet=hunter2",
        "mongodb://a/?replicaSet=hunter2",
    ],
)
def test_refuses_a_connection_string_without_repeating_it(text: str) -> None:
    """It may have a password in it."""
    with pytest.raises(ConfigurationError) as caught:
        Login.from_uri(text)

    assert "hunter2" not in str(caught.value)


def test_a_login_shows_no_password() -> None:
    """Whatever prints it."""
    assert "hunter2" not in repr(Login.from_uri("mongodb://admin:hunter2@a/?replicaSet=rs"))


def test_a_login_can_use_other_hosts() -> None:
    """Only the hosts change, whatever characters the password has."""
    login = Login.from_uri("mongodb://admin:%40%2F\\1@any:1,any:2/vault?replicaSet=rs&appName=a@b")

    moved = login.at(["a:27017", "b:27017"])

    assert "mongodb://admin:%40%2F\\1@a:27017,b:27017/vault?replicaSet=rs&appName=a@b" == moved.uri
    assert (login.user, login.password, "vault") == (moved.user, moved.password, moved.database)


@pytest.mark.parametrize("stored_in", ["admin", "people"])
def test_the_role_covers_the_database_that_the_service_uses(
    member: Mongod, admin: MongoClient, stored_in: str
) -> None:
    """Not the one in which the user is stored."""
    text = uri("production-user", SERVICE_PASSWORD, "production", member) + f"&authSource={stored_in}"
    service = Login.from_uri(text)

    assert [f"created the user {service.user}"] == users.ensure_service(admin, service)[-1:]
    assert [] == users.ensure_service(admin, service)
    Store(text, 10).wait_until_usable(20)
    with service.connect() as client:
        client["production"]["secrets"].insert_one({})
        for name in (stored_in, "vault"):
            with pytest.raises(OperationFailure, match="not authorized"):
                client[name]["secrets"].find_one()
