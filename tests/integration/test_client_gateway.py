"""The agency SDK against the real gateway: files both ways, rights, certificates."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from axis.client import File
from axis.client.building import Author
from axis.client.gateway import Gateway as Client
from axis.client.witness import Witness
from axis.errors import AxisError, Misconfigured, Refused, Unavailable
from axis.gateway import Limits
from schemas import Document
from tests.unit.client.doubles import identity
from tests.unit.gateway.harness import Agency, Gateway, gateway

DATA = bytes(range(256)) * 4 * 1024 * 3  # 3 MiB
LIMIT = 4 * 1024 * 1024


@pytest.fixture
async def axis(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(tmp_path, Limits(blob_bytes=LIMIT)) as running:
        yield running


@asynccontextmanager
async def client(axis: Gateway, agency: Agency) -> AsyncIterator[Client]:
    url = f"http://127.0.0.1:{axis.port}"
    async with Client(url, code=agency.code, key=agency.key, now=axis.clock, deadline=10.0) as made:
        yield made


async def read(made: Client, data: bytes) -> bytes:
    pieces = made.download(hashlib.sha256(data).hexdigest(), len(data))
    return b"".join([piece async for piece in pieces])


@pytest.mark.parametrize("data", [b"", b"x", DATA], ids=["empty", "tiny", "large"])
async def test_up_by_the_sender_and_down_by_the_recipient(axis: Gateway, data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(data)
    async with client(axis, axis.sender) as sender, client(axis, axis.recipient) as recipient:
        uploaded = await sender.upload(File.of(tmp_path / "a.pdf"))
        assert await sender.upload(File.of_bytes("b.pdf", data)) == uploaded
        assert len(axis.rights.uploads) == 1, "what is there is not sent again"
        with pytest.raises(Refused) as refused:
            await read(recipient, data)
        assert refused.value.code == "blob/not-found"
        axis.rights.let(axis.recipient.code, uploaded.sha256)
        assert await read(recipient, data) == data
        assert await read(sender, data) == data


async def test_a_file_over_the_limit_keeps_its_code(axis: Gateway) -> None:
    async with client(axis, axis.sender) as sender:
        with pytest.raises(Refused) as refused:
            await sender.upload(File.of_bytes("a", b"x" * (LIMIT + 1)))
    assert refused.value.code == "blob/too-large"


async def test_a_file_that_changes_while_it_is_sent_is_refused(axis: Gateway) -> None:
    class Changing:
        times = 0

        def chunks(self, size: int) -> list[bytes]:
            self.times += 1
            return [str(self.times).encode() * 1000]

    async with client(axis, axis.sender) as sender:
        with pytest.raises(Refused) as refused:
            await sender.upload(File(Changing(), "a"))  # type: ignore[arg-type]  # a list is iterable enough
    assert refused.value.code == "blob/digest"


async def test_a_blob_that_rots_in_the_store_never_ends_well(axis: Gateway) -> None:
    async with client(axis, axis.sender) as sender:
        await sender.upload(File.of_bytes("a", DATA))
        (stored,) = axis.stored()
        stored.write_bytes(DATA[:-1] + b"?")
        with pytest.raises(AxisError):
            await read(sender, DATA)


async def test_a_gateway_or_store_that_is_away_is_unavailable(axis: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axis.client.gateway._WAITS", (0.01,))
    async with client(axis, axis.sender) as sender:
        axis.rights.away = True
        with pytest.raises(Unavailable):
            await sender.upload(File.of_bytes("a", DATA))
    nowhere = Client("http://127.0.0.1:9", code="G22", key=axis.sender.key, now=axis.clock, deadline=2.0)
    async with nowhere:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await nowhere.upload(File.of_bytes("a", b"x"))


async def test_a_document_is_proved_with_the_gateways_certificate(axis: Gateway, tmp_path: Path) -> None:
    entry = Author("G22", axis.sender.key, axis.clock).envelope(
        sender="G22", recipients=["H37"], document=Document(document_id="d", subject="s")
    )
    pin = identity("W00", "axis").certificate_pem
    async with client(axis, axis.recipient) as recipient:
        witness = Witness(source=recipient, cache=tmp_path / "cache", axis_certificate=pin)
        _, signer = await witness.envelope(entry.body, entry.signature)
        assert (signer.organisation, signer.thumbprint) == ("G22", axis.sender.key.thumbprint)
        assert await recipient.certificate("A" * 43) is None
    stranger = Agency("H98", tmp_path / "other", axis.clock())
    async with client(axis, stranger) as unknown:
        witness = Witness(source=unknown, cache=None, axis_certificate=pin)
        with pytest.raises(Misconfigured, match="refuses this agency"):
            await witness.envelope(entry.body, entry.signature)
