"""AMQPS on a real broker: who gets in, as whom, and how everybody else is told."""

import asyncio
import datetime as dt
import os
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from axis.broker import Link, ManagementApi, Publisher
from axis.core.messages import Outgoing
from axis.core.topology import Change, Item, Permission, Queue, User, Verb
from axis.errors import Misconfigured, Unavailable
from axis.tls import Credentials, TlsRefused
from axis.trust import Authority
from axis.trust.authority import Issued
from tests import services as real
from tests.rig import hash_of
from tests.tls_peers import hang_up, impostor, old_version

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
DAY = dt.timedelta(days=1)
VHOST = "axis"


class Place:
    """The broker, and the authority of its folder."""

    def __init__(self, broker: real.OwnBroker) -> None:
        self.broker = broker
        self.authority = Authority.open(broker.root / ".axis" / "pki", NOW)
        self.port = urlsplit(broker.amqp_url).port

    def url(self, account: str, client: Issued | None, *, port: int | None = None, ca: Path | None = None) -> str:
        options = {"auth": "external", "cafile": str(ca or self.authority.ca)}
        if client is not None:
            options |= {"certfile": str(client.certificate), "keyfile": str(client.key)}
        return f"amqps://{account}@127.0.0.1:{port or self.port}/{VHOST}?{urlencode(options)}"

    def client(self, account: str) -> Issued:
        return self.authority.ensure("client", account, now=NOW, renew_before=DAY)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    broker = real.own_broker(tls=True)
    if broker is None:
        pytest.skip("no RabbitMQ programs on this machine to start a broker of our own with")
    found = Place(broker)
    asyncio.run(_accounts(found))
    yield found
    broker.close()


async def _accounts(place: Place) -> None:
    items: list[Item] = [
        Queue("of.H37", {"x-queue-type": "quorum"}),
        *(User(code, hash_of(code), ()) for code in ("G22", "H37", "H41")),
        *(Permission(code, "", "amq.default", "of.H37" if code == "H37" else "") for code in ("G22", "H37", "H41")),
    ]
    async with ManagementApi(place.broker.api_url, VHOST) as api:
        await api.apply([Change(Verb.CREATE, item.kind, "", "", item) for item in items], lambda _: None)


async def refused(url: str, kind: type[Unavailable] = TlsRefused) -> str:
    """Try to connect, and return the code that says why not."""
    with pytest.raises(kind) as caught:
        async with Link(url, "test", deadline=10.0):
            pass
    return caught.value.code


# A server with TLS 1.3 looks at our certificate after our handshake is over, and hangs up with its verdict on the way:
# that is lost when our first bytes reach it after that.
HUNG_UP = "tls/refused"


def letter(user: str) -> Outgoing:
    return Outgoing(
        exchange="", routing_key="of.H37", body=b"x", type="document", content_type="text/plain", message_id="1",
        headers={}, user_id=user,
    )  # fmt: skip


async def test_a_certificate_is_an_account_and_nobody_writes_under_anothers_name(place: Place) -> None:
    async with Link(place.url("H37", place.client("H37")), "test") as link:
        await Publisher(link).publish(letter("H37"))
        with pytest.raises(Unavailable) as caught:
            await Publisher(link).publish(letter("G22"))
    assert "user_id" in caught.value.detail
    states = await _depth(place)
    assert states == 1


async def _depth(place: Place) -> int:
    async with Link(place.url("H37", place.client("H37")), "test") as link:
        state = (await link.queue_states(["of.H37"]))["of.H37"]
    assert state is not None
    return state.messages


async def test_the_certificate_of_another_agency_is_noticed_before_anything_is_said(place: Place) -> None:
    with pytest.raises(Misconfigured) as caught:
        Link(place.url("G22", place.client("H37")), "test")
    assert caught.value.code == "tls/account"
    assert "H37" in caught.value.detail


async def test_whom_the_address_names_counts_for_nothing_at_the_broker(place: Place) -> None:
    """A client that does not look: the account is the certificate's, and so is the name it may write under."""
    url = place.url("", place.client("G22")).replace("//@", "//")
    async with Link(url, "test") as link:
        with pytest.raises(Unavailable) as caught:
            await Publisher(link).publish(letter("H37"))
        assert "user_id" in caught.value.detail
        with pytest.raises(Unavailable) as caught:
            await Publisher(link).publish(replace(letter("G22"), exchange="amq.topic"))
    assert "ACCESS_REFUSED" in caught.value.detail


async def test_no_certificate(place: Place) -> None:
    assert await refused(place.url("H37", None)) in {"tls/client-missing", HUNG_UP}


async def test_the_certificate_of_an_unknown_authority(place: Place, tmp_path: Path) -> None:
    other = Authority.create(tmp_path, NOW).issue("client", "H37", now=NOW)
    assert await refused(place.url("H37", other)) in {"tls/client-authority", HUNG_UP}


async def test_an_expired_certificate(place: Place) -> None:
    expired = place.authority.issue("client", "H48", now=NOW - 100 * DAY, days=90)
    assert await refused(place.url("H48", expired)) in {"tls/client-expired", HUNG_UP}


async def test_a_servers_certificate_is_no_clients(place: Place) -> None:
    server = place.authority.issue("server", "H37", hosts=("h37.example",), now=NOW)
    assert (await refused(place.url("H37", server))).startswith("tls/")


async def test_a_certificate_without_an_account(place: Place) -> None:
    assert await refused(place.url("H99", place.client("H99"))) == "tls/account"


async def test_a_password_is_not_even_looked_at(place: Place) -> None:
    client = place.client("H37")
    options = urlencode({"cafile": client.ca, "certfile": client.certificate, "keyfile": client.key})
    url = f"amqps://H37:secret-H37@127.0.0.1:{place.port}/{VHOST}?{options}"
    await refused(url, Unavailable)


async def test_without_tls_nothing_is_answered(place: Place) -> None:
    await refused(f"amqp://H37:secret-H37@127.0.0.1:{place.port}/{VHOST}", Unavailable)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_versions_that_are_taken(place: Place, version: ssl.TLSVersion) -> None:
    client = place.client("H37")
    context = Credentials(client.ca, client.certificate, client.key).context()
    context.minimum_version = context.maximum_version = version
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port, ssl=context)
    writer.write(b"AMQP\0\0\x09\x01")
    assert await reader.readexactly(1) == b"\1"
    await hang_up(writer)


async def test_tls_1_1_is_refused(place: Place) -> None:
    client = place.client("H37")
    context = old_version(Credentials(client.ca, client.certificate, client.key).context())
    with pytest.raises(ssl.SSLError) as caught:
        await asyncio.open_connection("127.0.0.1", place.port, ssl=context)
    assert "PROTOCOL_VERSION" in str(caught.value)


# A server that is not the broker


async def test_a_server_of_another_authority(place: Place, tmp_path: Path) -> None:
    other = Authority.create(tmp_path, NOW).issue("server", "broker", hosts=("127.0.0.1",), now=NOW)
    async with impostor(other) as port:
        assert await refused(place.url("H37", place.client("H37"), port=port)) == "tls/server-authority"


async def test_a_server_with_another_name(place: Place) -> None:
    other = place.authority.issue("server", "elsewhere", hosts=("broker.example", "127.0.0.9"), now=NOW)
    async with impostor(other) as port:
        assert await refused(place.url("H37", place.client("H37"), port=port)) == "tls/server-name"


async def test_a_server_whose_certificate_has_ended(place: Place) -> None:
    ended = place.authority.issue("server", "ended", hosts=("127.0.0.1",), now=NOW - 100 * DAY, days=90)
    async with impostor(ended) as port:
        assert await refused(place.url("H37", place.client("H37"), port=port)) == "tls/server-expired"


async def test_a_server_that_speaks_tls_1_1_only(place: Place) -> None:
    server = place.authority.issue("server", "old", hosts=("127.0.0.1",), now=NOW)
    async with impostor(server, old=True) as port:
        assert await refused(place.url("H37", place.client("H37"), port=port)) == "tls/version"


async def test_a_server_that_speaks_no_tls(place: Place) -> None:
    async with impostor(None) as port:
        assert await refused(place.url("H37", place.client("H37"), port=port)) == "tls/plain"


# The management API


async def test_the_management_api_wants_a_certificate_too(place: Place) -> None:
    async with ManagementApi(place.broker.api_url, VHOST) as api:
        assert await api.version()
        assert not await api.alarmed()
    without = f"{place.broker.api_url.partition('?')[0]}?{urlencode({'cafile': place.authority.ca})}"
    async with ManagementApi(without, VHOST) as api:
        with pytest.raises(Unavailable) as missing:
            await api.version()
    assert missing.value.code in {"tls/client-missing", Unavailable.code}
    unknown = place.broker.api_url.partition("?")[0]
    async with ManagementApi(unknown, VHOST) as api:
        with pytest.raises(TlsRefused) as caught:
            await api.version()
    assert caught.value.code == "tls/server-authority"
    plain = place.broker.api_url.partition("?")[0].replace("https:", "http:")
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.HTTPError):
            await client.get(f"{plain}/api/overview")


# Renewing


async def test_the_brokers_certificate_is_renewed_while_a_connection_goes_on(place: Place) -> None:
    client = place.client("H37")
    async with Link(place.url("H37", client), "test") as link:
        before = await _serial(place, client)
        renewed = place.authority.issue("server", "rabbitmq", now=NOW)
        target = place.broker.data / "tls" / "certificate.pem"
        owner = target.stat()
        fresh = target.with_name("certificate.new")
        fresh.write_bytes(renewed.certificate.read_bytes())
        _own(fresh, owner.st_uid, owner.st_gid)
        fresh.replace(target)
        await asyncio.to_thread(place.broker.rabbitmqctl, "eval", "ssl:clear_pem_cache().")
        assert await _serial(place, client) == int(renewed.entry.serial, 16) != before
        await Publisher(link).publish(letter("H37"))


async def test_a_clients_renewed_certificate_counts_from_the_next_connection_on(place: Place) -> None:
    client = place.authority.issue("client", "G22", now=NOW - 100 * DAY, days=90)
    link = Link(place.url("G22", client), "test")
    with pytest.raises(TlsRefused):
        await link.__aenter__()
    place.authority.issue("client", "G22", now=NOW)
    async with link:
        assert link.connected


async def test_half_a_renewal_is_waited_out(place: Place) -> None:
    client = place.authority.issue("client", "G22", now=NOW)
    link = Link(place.url("G22", client), "test")
    whole = client.certificate.read_bytes()
    client.certificate.write_bytes(whole[:100])
    with pytest.raises(TlsRefused) as caught:
        await link.__aenter__()
    assert caught.value.code == "tls/files"
    client.certificate.write_bytes(whole)
    async with link:
        assert link.connected


async def _serial(place: Place, client: Issued) -> int:
    context = Credentials(client.ca, client.certificate, client.key).context()
    _, writer = await asyncio.open_connection("127.0.0.1", place.port, ssl=context)
    peer = writer.get_extra_info("peercert")
    await hang_up(writer)
    return int(peer["serialNumber"], 16)


def _own(path: Path, uid: int, gid: int) -> None:
    path.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(path, uid, gid)


# Revoking


async def test_a_revoked_certificate_is_kept_out_and_its_successor_is_not(place: Place) -> None:
    """The node reads the lists for each connection: nothing is restarted."""
    url = place.url("H41", place.client("H41"))
    async with Link(url, "test") as link:
        assert link.connected
    place.authority.revoke("H41", NOW)
    read = place.broker.data / "tls" / "crl"
    owner = read.stat()
    for made in place.authority.crl_folder.iterdir():
        fresh = read / f"{made.name}.new"
        fresh.write_bytes(made.read_bytes())
        _own(fresh, owner.st_uid, owner.st_gid)
        fresh.replace(read / made.name)
    assert await refused(url) in {"tls/client-revoked", HUNG_UP}
    place.authority.issue("client", "H41", now=NOW)
    async with Link(url, "test") as link:
        assert link.connected
    async with Link(place.url("H37", place.client("H37")), "test") as link:
        assert link.connected, "nobody else is touched"
