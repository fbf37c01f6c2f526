"""Fixtures shared by all tests: real services (see tests/services.py)."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from axis import local
from tests import services as real

pytest_plugins = ["tests.reached"]

# What takes longest begins first, so that no process is left with it at the end.
_FIRST = ("faults", "acceptance", "integration", "contract")


class OneAxisBroken(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist tells no types
    """Give each process files whole, and all of tests/faults to one.

    A scenario of faults takes all the processors there are, and waits until a private axis has worked off what it was
    sent: two at a time take four times as long. The other processes wait for brokers meanwhile, mostly.
    """

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return "tests/faults" if scope.startswith("tests/faults/") else scope


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneAxisBroken | None:
    return OneAxisBroken(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    folders = Path(item.nodeid.partition("::")[0]).parts[1:-1]
    return _FIRST.index(folders[0]) if folders and folders[0] in _FIRST else len(_FIRST)


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
