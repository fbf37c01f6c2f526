"""Fixtures shared by all tests: real services (see tests/services.py)."""

import signal
from collections.abc import Iterator

import pytest

from axis import local
from tests import services as real

pytest_plugins = ["tests.reached"]


def pytest_configure(config: pytest.Config) -> None:
    # A shell that starts us in the background has SIGINT ignored, and so would every program we start: tests of
    # Ctrl-C would then wait for ever.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        real.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        real.end_run()


@pytest.fixture(scope="session")
def services() -> local.Services:
    """The run's RabbitMQ and PostgreSQL."""
    return real.shared_services()


@pytest.fixture
def vhost(services: local.Services) -> Iterator[real.Vhost]:
    """A virtual host of the test's own."""
    with real.fresh_vhost(services) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def migrated_template(services: local.Services) -> str:
    """The name of the database every test's own is cloned from."""
    return real.migrated_template(services)


@pytest.fixture
def database(services: local.Services, migrated_template: str) -> Iterator[str]:
    """The DSN of a migrated database of the test's own."""
    with real.fresh_database(services, migrated_template) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def own_broker() -> Iterator[real.OwnBroker]:
    """A broker the tests of one module may kill and restart; use `own_vhost` with it."""
    broker = real.own_broker()
    if broker is None:
        pytest.skip("no RabbitMQ programs on this machine to start a broker of our own with")
    yield broker
    broker.close()


@pytest.fixture
def own_vhost(own_broker: real.OwnBroker) -> Iterator[real.Vhost]:
    """A virtual host of the test's own on a broker it may kill; the broker runs when the test begins."""
    own_broker.start_broker()
    with real.fresh_vhost(own_broker.services) as fresh:
        yield fresh
