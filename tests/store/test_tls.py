"""store.tls: connections to a real mongod that requires client certificates."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, ServerSelectionTimeoutError

from service.environment import Environment
from service.errors import ConfigurationError
from service.settings import StoreSettings
from service.store.store import Store
from service.store.tls import MongoTls
from tests.certificates import Authority
from tests.replica_set import Mongod, bare_members, command, setup, uri

SECONDS = 10
PASSWORDS = ("vault", "vault-hunter3", "vault")


@pytest.fixture(scope="module")
def member(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """The only member of a replica set, set up by the command, that accepts TLS only."""
    certificate = authority.issue("member")
    options = (
        *("--tlsMode", "requireTLS", "--tlsDisabledProtocols", "TLS1_0,TLS1_1"),
        *("--tlsCAFile", str(authority.file), "--tlsCertificateKeyFile", str(certificate)),
    )
    tls = MongoTls(str(authority.file), str(certificate))
    with bare_members(tmp_path_factory.mktemp("tls-mongo"), 1, options, tls) as (member,):
        code, said = setup(member, local=member)
        assert 0 == code, said
        yield member


def store(member: Mongod, tls: MongoTls | None) -> Store:
    """Return the service's store on that member."""
    return Store(uri(*PASSWORDS, member), SECONDS, tls)


def test_the_commands_and_the_service_use_it(authority: Authority, member: Mongod) -> None:
    """With a client certificate, from the files named in the environment."""
    client = authority.issue("client")
    named = {"MONGO_TLS_CA_FILE": str(authority.file), "MONGO_TLS_CERT_FILE": str(client)}
    settings = StoreSettings.from_environment(Environment(named))

    opened = store(member, settings.mongo_tls)
    opened.wait_until_usable(SECONDS)
    opened.close()
    assert (0, f"{member.host} PRIMARY\n") == command(member, "status")


def test_the_connection_string_alone_is_enough(authority: Authority, member: Mongod) -> None:
    """It may contain the driver's own TLS options."""
    client = authority.issue("client-by-uri")
    by_uri = f"{uri(*PASSWORDS, member)}&tls=true&tlsCAFile={authority.file}&tlsCertificateKeyFile={client}"

    opened = Store(by_uri, SECONDS)
    opened.wait_until_usable(SECONDS)
    opened.close()


def test_plain_text_is_refused(member: Mongod) -> None:
    """A client without TLS is rejected."""
    with pytest.raises((AutoReconnect, ServerSelectionTimeoutError)):
        MongoClient(member.host, directConnection=True, serverSelectionTimeoutMS=2000).admin.command("hello")


@pytest.mark.parametrize("stranger", ["another CA's", "none"])
def test_strangers_are_refused(authority: Authority, member: Mongod, tmp_path: Path, stranger: str) -> None:
    """A certificate of another CA is rejected like a missing one, although the client trusts the server."""
    shown = str(Authority(tmp_path, "another").issue("stranger")) if stranger != "none" else None
    opened = store(member, MongoTls(str(authority.file), shown))

    with pytest.raises(ConfigurationError, match="MongoDB was not reachable"):
        opened.wait_until_usable(3)
    opened.close()


def test_a_server_of_another_ca_is_not_trusted(authority: Authority, member: Mongod, tmp_path: Path) -> None:
    """The error says that TLS failed."""
    opened = store(member, MongoTls(str(Authority(tmp_path, "another").file), str(authority.issue("me"))))

    with pytest.raises(ConfigurationError, match="TLS handshake failed"):
        opened.wait_until_usable(3)
    opened.close()


def test_refuses_files_that_cannot_be_used(authority: Authority, tmp_path: Path) -> None:
    """The error is one line, whether the variables or the connection string name the files."""
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("hunter2")
    good = str(authority.file)

    for ca, certificate in (
        (str(nonsense), None),
        ("/nowhere", None),
        (good, str(nonsense)),
        (good, "/nowhere"),
    ):
        with pytest.raises(
            ConfigurationError, match="a PEM file for MongoDB's TLS cannot be used"
        ) as refused:
            Store("mongodb://localhost", SECONDS, MongoTls(ca, certificate))
        assert "hunter2" not in str(refused.value)
        assert "\n" not in str(refused.value)
        by_uri = f"mongodb://u:hunter2@localhost/?tls=true&tlsCAFile={ca}"
        by_uri += f"&tlsCertificateKeyFile={certificate}" if certificate else ""
        with pytest.raises(ConfigurationError, match="a PEM file for MongoDB's TLS cannot be used"):
            Store(by_uri, SECONDS)


def test_refuses_a_client_certificate_without_a_ca() -> None:
    """The client would present it to any server."""
    with pytest.raises(ConfigurationError, match="MONGO_TLS_CA_FILE is not"):
        StoreSettings.from_environment(Environment({"MONGO_TLS_CERT_FILE": "/run/secrets/tls_client"}))
