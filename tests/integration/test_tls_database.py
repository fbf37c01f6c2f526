"""PostgreSQL with TLS: who gets in, as which role, and how everybody else is told."""

import asyncio
import datetime as dt
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from axis.errors import Misconfigured, Unavailable
from axis.store import ensure_roles, migrate
from axis.store.hosts import with_role
from axis.store.reaching import connection
from axis.trust import Authority
from axis.trust.authority import Issued
from tests import services as real
from tests.rig import until
from tests.tls_peers import old_version

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
DAY = dt.timedelta(days=1)
PASSWORDS = {"axis_router": "router-secret", "axis_tracker": "tracker-secret", "axis_relay": "relay-secret"}


class Place:
    """The database with its roles, and the authority of its folder."""

    def __init__(self, database: real.OwnDatabase) -> None:
        self.database = database
        self.owner = database.record.database_url
        self.authority = Authority.open(database.root / ".axis" / "pki", NOW)

    def url(self, role: str, *, certificate: Issued | None = None, password: str | None = None) -> str:
        issued = certificate or self.authority.ensure("client", role, now=NOW, renew_before=DAY)
        files = (issued.certificate, issued.key)
        return with_role(self.owner, role, password or PASSWORDS[role], files)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    database = real.own_tls_database()
    if database is None:
        pytest.skip("no PostgreSQL programs on this machine to start a database of our own with")
    found = Place(database)
    asyncio.run(_set_up(found))
    yield found
    database.close()


@pytest.fixture(autouse=True)
async def _all_closed() -> AsyncIterator[None]:
    """Wait at the end until TLS has taken leave of the server.

    A loop that ended first would leave sockets to be collected in some other test, which would be blamed.
    """
    yield
    await until(_nothing_open)


def _nothing_open() -> bool:
    return len(asyncio.get_running_loop()._selector.get_map()) == 1  # type: ignore[attr-defined] # its own waking pipe


async def _set_up(place: Place) -> None:
    await migrate(place.owner)
    assert set(await ensure_roles(place.owner, PASSWORDS)) > PASSWORDS.keys()
    assert await ensure_roles(place.owner, PASSWORDS) == []


async def answer(url: str, question: str = "SELECT current_user") -> object:
    async with connection(url, "test") as link:
        return await link.fetchval(question)


async def refused(url: str) -> str:
    with pytest.raises((Misconfigured, Unavailable)) as caught:
        await answer(url)
    return caught.value.code


async def test_a_role_comes_in_with_its_own_certificate_and_password(place: Place) -> None:
    assert await answer(place.url("axis_router")) == "axis_router"
    question = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert await answer(place.url("axis_router"), question) == "TLSv1.3"


async def test_neither_the_password_nor_the_certificate_is_enough(place: Place) -> None:
    assert await refused(place.url("axis_router", password="guessed")) == Misconfigured.code
    tracker = place.authority.ensure("client", "axis_tracker", now=NOW, renew_before=DAY)
    assert await refused(place.url("axis_router", certificate=tracker)) == Misconfigured.code


async def test_no_certificate(place: Place) -> None:
    url = place.url("axis_router").partition("&sslcert=")[0]
    assert await refused(url) == "tls/client-missing"


async def test_without_tls_there_is_no_way_in(place: Place) -> None:
    url = place.url("axis_router").partition("?")[0]
    assert await refused(f"{url}?sslmode=disable") == Misconfigured.code


async def test_another_authority(place: Place, tmp_path: Path) -> None:
    other = Authority.create(tmp_path, NOW)
    forged = other.issue("client", "axis_router", now=NOW)
    assert await refused(place.url("axis_router", certificate=forged)) in {"tls/client-authority", Unavailable.code}
    mistrusting = place.url("axis_router").replace(
        str(place.authority.ca.parent / "issued/client/axis/ca.pem"), str(other.ca)
    )
    assert await refused(mistrusting) == "tls/server-authority"


async def test_a_server_with_another_name(place: Place) -> None:
    """The same server under a name that its certificate does not have: another spelling of 127.0.0.1."""
    url = place.url("axis_router").replace("@127.0.0.1:", "@127.1:")
    assert await refused(url) == "tls/server-name"
    assert await answer(url.replace("verify-full", "verify-ca")) == "axis_router"  # it is the name alone


async def test_tls_1_1_is_refused(place: Place) -> None:
    issued = place.authority.ensure("client", "axis_router", now=NOW, renew_before=DAY)
    context = ssl.create_default_context(cafile=place.authority.ca)
    context.load_cert_chain(issued.certificate, issued.key)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncpg.connect(place.url("axis_router").partition("?")[0], ssl=old_version(context))


async def test_the_servers_certificate_is_renewed_under_an_open_connection(place: Place) -> None:
    async with connection(place.owner, "test") as link:
        before = (place.database.files / "certificate.pem").read_bytes()
        renewed = place.authority.issue("server", "postgres", now=NOW)
        _replace(place.database.files / "certificate.pem", renewed.certificate.read_bytes())
        assert before != renewed.certificate.read_bytes()
        assert await link.fetchval("SELECT pg_reload_conf()")
        wanted = int(renewed.entry.serial, 16)
        await until(lambda: _has_serial(place, wanted))
        assert await link.fetchval("SELECT 1") == 1


async def test_a_revoked_certificate(place: Place) -> None:
    assert await answer(place.url("axis_relay")) == "axis_relay"
    url = place.url("axis_relay")
    key = place.authority.ensure("client", "axis_relay", now=NOW, renew_before=DAY).key
    stolen = key.read_bytes()
    place.authority.revoke("axis_relay", NOW)
    _replace(place.database.files / "crl.pem", place.authority.crl.read_bytes())
    async with connection(place.owner, "test") as link:
        await link.fetchval("SELECT pg_reload_conf()")

    async def revoked() -> bool:
        try:
            await answer(url)
        except Unavailable as error:
            return error.code == "tls/client-revoked"
        return False

    await until(revoked)
    assert await answer(place.url("axis_relay")) == "axis_relay"  # its successor
    assert key.read_bytes() != stolen


async def _has_serial(place: Place, wanted: int) -> bool:
    context = ssl.create_default_context(cafile=place.authority.ca)
    issued = place.authority.ensure("client", "axis_router", now=NOW, renew_before=DAY)
    context.load_cert_chain(issued.certificate, issued.key)
    link = await asyncpg.connect(place.url("axis_router").partition("?")[0], ssl=context)
    peer = link._transport.get_extra_info("peercert")
    await link.close()
    return int(peer["serialNumber"], 16) == wanted


def _replace(path: Path, data: bytes) -> None:
    owner = path.stat()
    fresh = path.with_name("fresh")
    fresh.write_bytes(data)
    fresh.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(fresh, owner.st_uid, owner.st_gid)
    fresh.replace(path)
