"""A driver for each test, and vaults for it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.swarm_driver import vault_double
from tests.swarm_driver.driver_process import DriverProcess
from tests.swarm_driver.vault_double import Behaviour, VaultDouble


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> Path:
    """The key and certificate of the vaults."""
    return authority.issue("vault")


@pytest.fixture
def stand(certificate: Path) -> Iterator[Callable[..., VaultDouble]]:
    """Return a function that makes a vault with TLS which behaves like this."""
    with ExitStack() as stack:

        def stand(behaviour: Behaviour, port: int = 0) -> VaultDouble:
            return stack.enter_context(vault_double.standing(certificate, behaviour, port))

        yield stand


@pytest.fixture(scope="module")
def standing() -> Iterator[list[DriverProcess]]:
    """The drivers of this file, the last of which may still run."""
    drivers: list[DriverProcess] = []
    yield drivers
    for driver in drivers:
        driver.stop()


@pytest.fixture
def driver(
    standing: list[DriverProcess], tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> DriverProcess:
    """A driver with a CA and a token, and no address; the last test's, if that left the breaker closed."""
    if not standing or not standing[-1].is_as_new():
        standing.append(DriverProcess(tmp_path_factory.mktemp("driver"), authority.file))
    standing[-1].begin_anew()
    return standing[-1]


@pytest.fixture
def own_driver(tmp_path: Path, authority: Authority) -> Iterator[DriverProcess]:
    """A driver that has just started, to stop or to kill."""
    driver = DriverProcess(tmp_path / "driver", authority.file)
    yield driver
    driver.stop()


@pytest.fixture
def vault(driver: DriverProcess, stand: Callable[..., VaultDouble]) -> VaultDouble:
    """A vault that delivers, and that the driver knows."""
    vault = stand(vault_double.delivers())
    driver.set_addresses(vault.address)
    return vault
