"""Addresses that name one server or several, and which of them is asked when."""

from typing import Any

import asyncpg
import pytest

from axis.store.hosts import Hosts, split


@pytest.mark.parametrize(
    ("dsn", "found"),
    [
        ("postgresql://u:p@one:1/db", ["postgresql://u:p@one:1/db"]),
        ("postgresql://u:p@one:1,two:2/db?x=1", ["postgresql://u:p@one:1/db?x=1", "postgresql://u:p@two:2/db?x=1"]),
        ("postgresql://u:a,b@one,[::1]:2/db", ["postgresql://u:a,b@one/db", "postgresql://u:a,b@[::1]:2/db"]),
        ("postgresql://one,two?host=x", ["postgresql://one?host=x", "postgresql://two?host=x"]),
        ("postgresql:///db?host=one,two", ["postgresql:///db?host=one,two"]),
        ("no address", ["no address"]),
    ],
)
def test_each_server_gets_an_address(dsn: str, found: list[str]) -> None:
    assert list(split(dsn)) == found


class Servers:
    """What each server does when it is connected to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **does: BaseException | str) -> None:
        self.does = does
        self.asked: list[str] = []
        self.options: dict[str, Any] = {}
        monkeypatch.setattr(asyncpg, "connect", self.connect)

    async def connect(self, dsn: str, **options: Any) -> str:
        name = dsn.rpartition("@")[2].partition("/")[0]
        self.asked.append(name)
        self.options = options
        done = self.does[name]
        if isinstance(done, BaseException):
            raise done
        return done


async def test_the_next_one_is_asked_whatever_the_first_one_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (
        ConnectionRefusedError(),
        TimeoutError(),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.TooManyConnectionsError("full"),
        asyncpg.InvalidPasswordError("another password"),
        asyncpg.TargetServerAttributeNotMatched("a standby"),
    ):
        servers = Servers(monkeypatch, one=error, two="link")
        assert await Hosts("postgresql://u:p@one,two/db").connect(timeout=10.0) == "link"
        assert servers.asked == ["one", "two"]


async def test_the_one_that_answered_is_asked_first_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = Servers(monkeypatch, one=TimeoutError(), two="link")
    hosts = Hosts("postgresql://u:p@one,two/db")
    await hosts.connect(timeout=10.0)
    await hosts.connect(timeout=10.0)
    assert servers.asked == ["one", "two", "two"]
    servers.does = {"one": "link", "two": TimeoutError()}
    await hosts.connect(timeout=10.0)
    assert servers.asked[3:] == ["two", "one"]


async def test_each_of_several_has_its_share_of_the_time_and_has_to_take_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    servers = Servers(monkeypatch, one="link")
    await Hosts("postgresql://u:p@one/db").connect(timeout=10.0, command_timeout=1)
    assert servers.options == {"timeout": 10.0, "command_timeout": 1}
    await Hosts("postgresql://u:p@one,two/db").connect(timeout=10.0)
    assert servers.options == {"timeout": 5.0, "target_session_attrs": "read-write"}
    await Hosts("postgresql://u:p@one,two/db?target_session_attrs=any").connect(timeout=10.0)
    assert servers.options == {"timeout": 5.0}


async def test_the_only_one_is_heard_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    Servers(monkeypatch, one=asyncpg.InvalidPasswordError("no"))
    with pytest.raises(asyncpg.InvalidPasswordError):
        await Hosts("postgresql://u:p@one/db").connect(timeout=10.0)


async def test_what_each_of_several_said_is_told_without_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    Servers(monkeypatch, one=ConnectionRefusedError("closed"), two=asyncpg.CannotConnectNowError("starting"))
    with pytest.raises(ConnectionError) as told:
        await Hosts("postgresql://u:secret@one,two/db").connect(timeout=10.0)
    assert str(told.value) == "one: ConnectionRefusedError: closed; two: CannotConnectNowError: starting"
