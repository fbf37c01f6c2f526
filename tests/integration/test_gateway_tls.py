"""The gateway with TLS: who reaches it, as whom, and what happens when its certificate is renewed."""

import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from axis.blobs import Blobs
from axis.client.gateway import Gateway
from axis.errors import Unavailable
from axis.gateway import Enrolled, Limits, create_app
from axis.tls import Credentials, TlsRefused
from axis.trust import Authority
from axis.web.certificate import ServerCertificate
from tests.tls_peers import old_version
from tests.unit.gateway.harness import DEADLINE_SECONDS, Agency, Store, path_of, raw_connection, serving

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
DATA = "Công văn".encode() * 100


@dataclass
class Place:
    """A gateway that wants client certificates, and two agencies."""

    port: int
    authority: Authority
    server: ServerCertificate
    agency: Agency
    other: Agency

    def credentials(self, code: str | None) -> Credentials:
        if code is None:
            return Credentials(self.authority.ca)
        issued = self.authority.issue("client", code, now=NOW)
        return Credentials(issued.ca, issued.certificate, issued.key)

    @asynccontextmanager
    async def http(self, credentials: Credentials) -> AsyncIterator[httpx.AsyncClient]:
        base = f"https://127.0.0.1:{self.port}"
        async with httpx.AsyncClient(
            base_url=base, verify=credentials.context(), timeout=DEADLINE_SECONDS, trust_env=False
        ) as client:
            yield client

    async def put(self, agency: Agency, credentials: Credentials) -> httpx.Response:
        async with self.http(credentials) as client:
            return await client.put(path_of(DATA), content=DATA, headers=agency.bearer("PUT", path_of(DATA), NOW))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    agencies = [Agency(code, tmp_path / "ca", NOW) for code in ("G22", "H37")]
    authority = Authority.create(tmp_path / "pki", NOW)
    issued = authority.issue("server", "gateway", hosts=("127.0.0.1", "localhost"), now=NOW)
    server = ServerCertificate(issued.certificate, issued.key, authority.ca, authority.crl)
    limits = Limits(handshake_seconds=0.5)
    app = create_app(
        blobs=Blobs.open((tmp_path / "blobs").as_uri()),
        store=Store(),
        enrolled=Enrolled([agency.certificate for agency in agencies]),
        now=lambda: NOW,
        limits=limits,
    )
    async with serving(app, limits, server) as port:
        yield Place(port, authority, server, *agencies)


async def test_an_agency_with_its_own_certificate_uploads(place: Place) -> None:
    assert (await place.put(place.agency, place.credentials("G22"))).status_code == 201


async def test_a_token_under_the_certificate_of_another_agency_opens_nothing(place: Place) -> None:
    answer = await place.put(place.agency, place.credentials("H37"))
    assert (answer.status_code, answer.json()["code"]) == (401, "tls/account")
    assert answer.json()["remedy"]


async def test_who_has_no_certificate_hears_nothing(place: Place) -> None:
    with pytest.raises((httpx.HTTPError, ssl.SSLError)):
        await place.put(place.agency, place.credentials(None))


async def test_an_answer_is_read_before_the_body_was_sent(place: Place) -> None:
    """A refusal that ends the connection reaches a client that is still sending; TLS has no half to close."""
    many = b"x" * (1 << 20)
    async with place.http(place.credentials("G22")) as client:
        answer = await client.put(path_of(many), content=many, headers={"authorization": "Bearer nonsense"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token/invalid")


async def test_tls_1_1_is_refused(place: Place) -> None:
    context = old_version(place.credentials("G22").context())
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"https://127.0.0.1:{place.port}/v1/health/live")


async def test_a_renewed_certificate_is_taken_up_and_half_a_one_is_not(place: Place) -> None:
    credentials = place.credentials("G22")
    async with place.http(credentials) as before:
        assert (await before.get("/v1/health/live")).status_code == 200
        assert not place.server.renew()
        renewed = place.authority.issue("server", "gateway", now=NOW)
        whole = renewed.certificate.read_bytes()
        renewed.certificate.write_bytes(whole[:200])
        assert not place.server.renew()
        assert await serial(place, credentials) != int(renewed.entry.serial, 16)
        renewed.certificate.write_bytes(whole)
        assert place.server.renew()
        assert await serial(place, credentials) == int(renewed.entry.serial, 16)
        assert (await before.get("/v1/health/live")).status_code == 200  # the connection that was there goes on


async def serial(place: Place, credentials: Credentials) -> int:
    async with place.http(credentials) as client, client.stream("GET", "/v1/health/live") as answer:
        wire: Any = answer.extensions["network_stream"].get_extra_info("ssl_object")
        return int(wire.getpeercert()["serialNumber"], 16)


@pytest.mark.parametrize(
    ("hosts", "code"), [(("127.0.0.9",), "tls/server-name"), (None, "tls/server-authority")], ids=["name", "authority"]
)
async def test_the_sdk_says_why_it_does_not_trust_a_gateway(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hosts: tuple[str, ...] | None, code: str
) -> None:
    monkeypatch.setattr("axis.client.gateway._WAITS", ())
    if hosts is not None:
        place.authority.issue("server", "gateway", hosts=hosts, now=NOW)
        assert place.server.renew()
    trusted = place.credentials("G22") if hosts else Credentials(Authority.create(tmp_path / "other", NOW).ca)
    async with Gateway(
        f"https://127.0.0.1:{place.port}",
        code="G22",
        key=place.agency.key,
        now=lambda: NOW,
        deadline=DEADLINE_SECONDS,
        verify=trusted.context(),
    ) as gateway:
        with pytest.raises(Unavailable) as caught:
            async for _ in gateway.download("0" * 64, 1):
                pass
    assert isinstance(caught.value, TlsRefused)
    assert caught.value.code == code


async def test_a_revoked_certificate_is_kept_out_without_a_restart_and_its_successor_is_not(place: Place) -> None:
    stolen = place.credentials("G22")
    assert (await place.put(place.agency, stolen)).status_code == 201
    kept = stolen.context()  # a thief has the files, whatever is issued under the name later
    place.authority.revoke("G22", NOW)
    assert place.server.renew()
    async with httpx.AsyncClient(verify=kept, trust_env=False, timeout=DEADLINE_SECONDS) as client:
        with pytest.raises((httpx.HTTPError, ssl.SSLError)):
            await client.get(f"https://127.0.0.1:{place.port}/v1/health/live")
    assert (await place.put(place.agency, place.credentials("G22"))).status_code in {200, 201}
    assert (await place.put(place.other, place.credentials("H37"))).status_code in {200, 201}


async def test_an_authority_counts_while_it_is_in_the_file(place: Place, tmp_path: Path) -> None:
    other = Authority.create(tmp_path / "other", NOW, title="Trục")
    issued = other.issue("client", "G22", now=NOW)
    newcomer = Credentials(place.authority.ca, issued.certificate, issued.key)
    with pytest.raises((httpx.HTTPError, ssl.SSLError)):
        await place.put(place.agency, newcomer)
    alone = place.authority.ca.read_bytes()
    place.authority.ca.write_bytes(alone + other.ca.read_bytes())
    place.authority.crl.write_bytes(place.authority.crl.read_bytes() + other.crl.read_bytes())
    assert place.server.renew()
    assert (await place.put(place.agency, newcomer)).status_code == 201
    place.authority.ca.write_bytes(alone)
    assert place.server.renew()
    with pytest.raises((httpx.HTTPError, ssl.SSLError)):
        await place.put(place.agency, newcomer)


async def test_a_list_that_cannot_be_read_changes_nothing(place: Place) -> None:
    place.authority.crl.write_text("nonsense")
    assert not place.server.renew()
    assert (await place.put(place.agency, place.credentials("G22"))).status_code == 201


async def test_who_connects_and_says_nothing_is_hung_up_on(place: Place) -> None:
    async with raw_connection(place.port) as silent:
        assert await silent.closed()
