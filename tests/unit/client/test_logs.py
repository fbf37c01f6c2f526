"""A receipt proved offline, and everything that must not pass for one."""

import asyncio
import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from axis.client import Trusted, verify_proof
from axis.client.logs import FolderSource, HttpSource, read_keys, write_keys, write_proof
from axis.core.ids import new_id
from axis.errors import Misconfigured, NotFound, Refused, Unavailable
from axis.proving import Checkpoint, Edge, LogProof, LogReader, NoteSigner, leaf_hash, receipt_entry
from axis.proving.timestamps import read_roots
from axis.trust import DemonstrationCA, SigningKey, new_key
from schemas import examples
from tests.stamping import timestamp_authority
from tests.unit.client.doubles import World

NOW = dt.datetime.now(dt.UTC)
ORIGIN = "axis.example/log"
LOG_KEY = NoteSigner.from_pem(ORIGIN, new_key("ed25519"))


async def logged(body: bytes, signature: str) -> tuple[Checkpoint, LogProof]:
    others = [receipt_entry(new_id(NOW), b"other", "signature") for _ in range(6)]
    entry = receipt_entry(json.loads(body)["id"], body, signature)
    leaves = [leaf_hash(each.data) for each in (*others[:3], entry, *others[3:])]
    edge, files = Edge(0, {}), {}
    for tile, content in edge.append(leaves).items():
        files[tile.path] = content

    class Files:
        async def get(self, path: str) -> bytes | None:
            return files.get(path)

    checkpoint = Checkpoint(ORIGIN, edge.size, edge.root())
    hashes = await LogReader(Files()).inclusion(3, edge.size)
    return checkpoint, LogProof(3, tuple(hashes), checkpoint.signed([LOG_KEY]))


class Axis:
    """The axis's key, and a log with a few receipts."""

    def __init__(self, folder: Path) -> None:
        authority = DemonstrationCA.open_or_create(folder / "ca", NOW)
        key = new_key("p256")
        self.certificate = authority.issue("W00", key, name="Trục liên thông", now=NOW)
        self.key = SigningKey.from_pem(key, self.certificate)
        self.receipt = {**examples.RECEIPT, "id": new_id(NOW), "detail": "đã chuyển"}
        self.body = json.dumps(self.receipt, ensure_ascii=False).encode()
        self.signature = self.key.sign(self.body)
        self.trusted = Trusted(self.certificate, [LOG_KEY.public])

    def proof(self, timestamp: bytes | None = None) -> bytes:
        _, log = asyncio.run(logged(self.body, self.signature))
        return write_proof(self.body, self.signature, log, timestamp)


@pytest.fixture(scope="module")
def axis(tmp_path_factory: pytest.TempPathFactory) -> Axis:
    return Axis(tmp_path_factory.mktemp("axis"))


def changed(proof: bytes, **members: Any) -> bytes:
    return json.dumps({**json.loads(proof), **members}, ensure_ascii=False).encode()


def code_of(proof: bytes, trusted: Trusted) -> str:
    with pytest.raises(Refused) as refused:
        verify_proof(proof, trusted)
    return refused.value.code


def test_what_is_proven(axis: Axis) -> None:
    found = verify_proof(axis.proof(), axis.trusted)
    assert (found.receipt.id, found.receipt.detail) == (axis.receipt["id"], "đã chuyển")
    assert (found.signer.organisation, found.index) == ("W00", 3)
    assert (found.checkpoint.origin, found.checkpoint.size, found.stamped_at) == (ORIGIN, 7, None)


def test_a_receipt_with_anything_altered_is_not_proven(axis: Axis) -> None:
    proof = axis.proof()
    text = axis.body.decode()
    assert code_of(changed(proof, receipt=text.replace("partial", "refused")), axis.trusted) == "signature/invalid"
    assert code_of(changed(proof, receipt=text + " "), axis.trusted) == "signature/invalid"
    assert code_of(changed(proof, receipt="{}"), axis.trusted) == "message/schema"
    resigned = axis.key.sign(axis.body)  # as true as the first, but not the one that was logged
    assert code_of(changed(proof, signature=resigned), axis.trusted) == "log/inclusion"


def test_a_true_receipt_that_was_never_logged_is_not_proven(axis: Axis) -> None:
    body = axis.body.replace("đã chuyển".encode(), "chưa chuyển".encode())
    forged = changed(axis.proof(), receipt=body.decode(), signature=axis.key.sign(body))
    assert code_of(forged, axis.trusted) == "log/inclusion"


def test_keys_of_somebody_else_prove_nothing(axis: Axis, tmp_path: Path) -> None:
    other = NoteSigner.from_pem(ORIGIN, new_key("ed25519"))
    assert code_of(axis.proof(), Trusted(axis.certificate, [other.public])) == "log/unknown-key"
    stranger = DemonstrationCA.open_or_create(tmp_path, NOW).issue("W00", new_key("p256"), name="other", now=NOW)
    assert code_of(axis.proof(), Trusted(stranger, [LOG_KEY.public])) == "certificate/unknown"


def test_while_keys_change_either_is_enough(axis: Axis) -> None:
    other = NoteSigner.from_pem(ORIGIN, new_key("ed25519"))
    keys = read_keys(write_keys([other.public, LOG_KEY.public]))
    assert verify_proof(axis.proof(), Trusted(axis.certificate, keys)).index == 3


@pytest.mark.parametrize(
    "members",
    [
        {"schema": "axis.proof/2"},
        {"log": "c2sp.org/tlog-proof@v1\n"},
        {"log": ""},
        {"timestamp": "no base64 \0"},
        {"colour": "red"},
        {"receipt": None},
    ],
)
def test_a_file_that_is_no_proof(axis: Axis, members: dict[str, Any]) -> None:
    assert code_of(changed(axis.proof(), **members), axis.trusted) == "log/malformed"


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"x" * (9 * 1024 * 1024)])
def test_bytes_that_are_no_proof(axis: Axis, content: bytes) -> None:
    assert code_of(content, axis.trusted) == "log/malformed"


def test_a_time_is_proven_by_a_timestamp_and_asked_for_by_naming_its_root(axis: Axis, tmp_path: Path) -> None:
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    authority = timestamp_authority(tmp_path / "tsa")
    roots = read_roots(authority.root.read_bytes())
    with_roots = Trusted(axis.certificate, [LOG_KEY.public], roots)
    assert code_of(axis.proof(), with_roots) == "log/timestamp"
    checkpoint, log = asyncio.run(logged(axis.body, axis.signature))
    query = TimestampRequestBuilder().data(checkpoint.text.encode()).hash_algorithm(HashAlgorithm.SHA256).build()
    stamp = authority.answer(query.as_bytes())
    found = verify_proof(write_proof(axis.body, axis.signature, log, stamp), with_roots)
    assert found.stamped_at is not None
    assert abs(found.stamped_at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)
    assert code_of(axis.proof(base64.b64decode("AAAA")), with_roots) == "log/timestamp"


async def test_an_agency_keeps_its_receipt_with_the_proof_as_soon_as_it_is_logged(world: World) -> None:
    message = new_id(NOW)
    receipt = world.receipt(message)
    async with world.connect() as agency:
        with pytest.raises(Unavailable, match="no receipt"):
            await agency.proof(message, deadline=0.05)
        await world.post.put("notices.H37", receipt)
        with pytest.raises(NotFound) as missing:
            await agency.proof(message, deadline=5)
        assert missing.value.code == "log/not-logged"
        _, log = await logged(receipt.body, str(receipt.headers["axis-signature"]))
        world.shelf.proofs[str(receipt.message_id)] = log.text
        proof = await agency.proof(message, deadline=5)
    found = verify_proof(proof, Trusted(world.axis.certificate_pem, [LOG_KEY.public]))
    assert (found.receipt.message_id, found.receipt.account) == (message, "H37")


def test_a_file_of_keys_may_have_remarks_and_must_have_keys() -> None:
    assert read_keys(f"# cũ và mới\n\n{LOG_KEY.public}\n") == [LOG_KEY.public]
    for text in ("", "# none\n", "no key\n"):
        with pytest.raises(Misconfigured):
            read_keys(text)


async def test_the_files_of_a_log_over_http_and_in_a_folder(tmp_path: Path) -> None:
    answers = {"/log/checkpoint": httpx.Response(200, content=b"note"), "/log/tile/0/001": httpx.Response(503)}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/log/tile/0/002":
            raise httpx.ReadTimeout("slow", request=request)
        return answers.get(request.url.path, httpx.Response(404))

    async with HttpSource("http://gateway.example/log/", transport=httpx.MockTransport(answer)) as source:
        assert await source.get("checkpoint") == b"note"
        assert await source.get("tile/0/000") is None
        for path in ("tile/0/001", "tile/0/002"):
            with pytest.raises(Unavailable):
                await source.get(path)
        with pytest.raises(ValueError, match="not the name"):
            await source.get("../v1/health")
    (tmp_path / "tile" / "0").mkdir(parents=True)
    (tmp_path / "tile" / "0" / "000").write_bytes(b"tile")
    folder = FolderSource(tmp_path)
    assert (await folder.get("tile/0/000"), await folder.get("tile/0/001")) == (b"tile", None)
