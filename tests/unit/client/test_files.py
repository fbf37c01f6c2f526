"""Saving attachments, profiles, and the gateway's answers."""

import datetime as dt
import hashlib
import json
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from axis.client import AgencySettings, Delivery, File, write_profile
from axis.client.certificates import pinned, read_certificate, write_certificate
from axis.client.gateway import Gateway
from axis.errors import Malformed, Misconfigured, Refused, Unavailable
from tests.unit.client.doubles import World, identity

Answer = Callable[[httpx.Request], httpx.Response]


async def delivered(world: World, *files: tuple[str, bytes]) -> Delivery:
    described: list[dict[str, object]] = []
    for number, (name, data) in enumerate(files):
        digest = hashlib.sha256(data).hexdigest()
        world.shelf.files[digest] = data
        described.append(File(data, name).attachment(number, sha256=digest, size=len(data)))
    await world.post.put("mailbox.normal.H37", world.document(attachments=described))
    async with world.connect() as agency:
        delivery: Delivery = await anext(agency.inbox())
        return delivery


async def test_files_are_saved_under_their_names_and_again_without_harm(world: World, tmp_path: Path) -> None:
    delivery = await delivered(world, ("7816-VPCP-TTĐT.pdf", b"%PDF"), ("rỗng.txt", b""))
    folder = tmp_path / "in" / "box"
    paths = await delivery.save_attachments(folder)
    assert [path.name for path in paths] == ["7816-VPCP-TTĐT.pdf", "rỗng.txt"]
    assert [path.read_bytes() for path in paths] == [b"%PDF", b""]
    world.shelf.away = True
    assert await delivery.save_attachments(folder) == paths
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in paths)


async def test_another_file_of_the_same_name_is_never_overwritten(world: World, tmp_path: Path) -> None:
    delivery = await delivered(world, ("a.pdf", b"%PDF"))
    (tmp_path / "a.pdf").write_bytes(b"mine")
    with pytest.raises(Malformed, match="another file") as raised:
        await delivery.save_attachments(tmp_path)
    assert raised.value.code == "file/exists"
    assert (tmp_path / "a.pdf").read_bytes() == b"mine"
    (tmp_path / "a.pdf").unlink()
    (tmp_path / "a.pdf").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Malformed):
        await delivery.save_attachments(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


async def test_wrong_bytes_leave_no_file(world: World, tmp_path: Path) -> None:
    delivery = await delivered(world, ("a.pdf", b"%PDF"))
    (digest,) = world.shelf.files
    world.shelf.files[digest] = b"%PDX"
    with pytest.raises(Refused, match="blob/digest"):
        await delivery.save_attachments(tmp_path / "in")
    assert list((tmp_path / "in").iterdir()) == []


async def test_long_vietnamese_names_fit_the_file_system(world: World, tmp_path: Path) -> None:
    long = "Ộ" * 190
    delivery = await delivered(world, (f"{long}1.pdf", b"1"), (f"{long}2.pdf", b"2"), (f"{long}3", b"3"))
    paths = await delivery.save_attachments(tmp_path)
    assert [path.read_bytes() for path in paths] == [b"1", b"2", b"3"]
    assert [path.suffix for path in paths[:2]] == [".pdf", ".pdf"]
    assert all(len(path.name.encode()) <= 240 for path in paths)


# Profiles


def profile(folder: Path, *, user: str = "H37") -> None:
    own, axis = identity("H37"), identity("W00", "axis")
    write_profile(
        folder,
        code="H37",
        amqp_url=f"amqp://{user}:secret@127.0.0.1:5672/axis",
        gateway_url="http://127.0.0.1:8080",
        key=own.key_pem,
        certificate=own.certificate_pem,
        axis_certificate=axis.certificate_pem,
    )


def test_a_profile_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = tmp_path / "agencies" / "H37"
    profile(folder)
    profile(folder)  # an agency may be connected anew
    settings = AgencySettings.load(folder)
    assert (settings.code, settings.gateway_url) == ("H37", "http://127.0.0.1:8080")
    assert settings.amqp_url.get_secret_value() == "amqp://H37:secret@127.0.0.1:5672/axis"
    assert "secret" not in repr(settings)
    for name, mode in (("profile.json", 0o600), ("key.pem", 0o600), ("certificate.pem", 0o644)):
        assert stat.S_IMODE((folder / name).stat().st_mode) == mode
    assert sorted(path.name for path in folder.iterdir()) == [
        "axis.pem",
        "certificate.pem",
        "key.pem",
        "profile.json",
    ]


def test_everything_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"profile\.json is missing; key\.pem is missing; .*axis\.pem"):
        AgencySettings.load(tmp_path)


def test_an_account_of_another_name_is_refused(tmp_path: Path) -> None:
    profile(tmp_path, user="guest")
    with pytest.raises(Misconfigured, match="“guest”"):
        AgencySettings.load(tmp_path)


@pytest.mark.parametrize("text", ["{", '{"code":"H37"}', '{"code":"h37","amqp_url":"amqp://","gateway_url":"x"}'])
def test_a_broken_profile_is_refused(tmp_path: Path, text: str) -> None:
    profile(tmp_path)
    (tmp_path / "profile.json").write_text(text)
    with pytest.raises(Misconfigured, match=r"profile\.json"):
        AgencySettings.load(tmp_path)


def test_pinned_certificates_may_be_two_and_must_be_one() -> None:
    one, two = identity("W00", "axis"), identity("W00", "axis")
    both = pinned(b"text before\n" + one.certificate_pem + two.certificate_pem)
    assert [each.thumbprint for each in both] == [each.certificate.thumbprint for each in (one, two)]
    assert {each.role for each in both} == {"axis"}
    for wrong in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"):
        with pytest.raises(Misconfigured):
            pinned(wrong)


def test_a_certificate_survives_json() -> None:
    certificate = identity("H37").certificate
    assert read_certificate(write_certificate(certificate)) == certificate
    for wrong in (b"{}", b"[]", b"x", b'{"der":"AA"}'):
        with pytest.raises(ValueError):
            read_certificate(wrong)


# The gateway


@pytest.fixture
async def gateway(world: World) -> AsyncIterator[Callable[[Answer], Gateway]]:
    opened: list[Gateway] = []

    def make(answer: Answer) -> Gateway:
        made = Gateway(
            "http://gateway.invalid",
            code="H37",
            key=world.own.key,
            now=lambda: dt.datetime.now(dt.UTC),
            deadline=5.0,
            transport=httpx.MockTransport(answer),
        )
        opened.append(made)
        return made

    yield make
    for each in opened:
        await each.__aexit__()


def problem(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "title": "t", "detail": "d"}, headers={"axis-code": code})


async def test_a_file_that_is_there_is_not_sent_again(gateway: Callable[[Answer], Gateway]) -> None:
    seen: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.url.path))
        assert request.headers["authorization"].startswith("Bearer ")
        return httpx.Response(200)

    digest = hashlib.sha256(b"abc").hexdigest()
    uploaded = await gateway(answer).upload(File.of_bytes("a", b"abc"))
    assert (uploaded.sha256, uploaded.size) == (digest, 3)
    assert seen == [("HEAD", f"/v1/blobs/{digest}")]


async def test_an_upload_is_streamed_with_its_length(gateway: Callable[[Answer], Gateway], tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 600_000)
    bodies: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "HEAD":
            return problem(404, "blob/not-found")
        assert request.headers["content-length"] == "600000"
        assert "transfer-encoding" not in request.headers
        bodies.append(len(request.content))
        return httpx.Response(201)

    await gateway(answer).upload(File.of(tmp_path / "a"))
    assert bodies == [600_000]


async def test_what_may_be_repeated_is_repeated(gateway: Callable[[Answer], Gateway]) -> None:
    answers: list[httpx.Response | Exception] = [
        problem(503, "axis/unavailable"),
        httpx.ConnectError("no"),
        httpx.Response(200),
    ]

    def answer(_: httpx.Request) -> httpx.Response:
        now = answers.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    await gateway(answer).upload(File(b"abc", "a"))
    assert answers == []


@pytest.mark.parametrize(
    ("response", "error", "code"),
    [
        (problem(413, "blob/too-large"), Refused, "blob/too-large"),
        (problem(401, "token/invalid"), Refused, "token/invalid"),
        (problem(404, "http/address"), Unavailable, "axis/unavailable"),
        (httpx.Response(404, text="<html>"), Unavailable, "axis/unavailable"),
        (httpx.Response(502, text="<html>"), Unavailable, "axis/unavailable"),
    ],
)
async def test_refusals_keep_their_code_and_everything_else_is_unavailable(
    gateway: Callable[[Answer], Gateway],
    response: httpx.Response,
    error: type[Exception],
    code: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("axis.client.gateway._WAITS", (0.0,))
    with pytest.raises(error) as raised:
        await gateway(lambda _: response).certificate("A" * 43)
    assert getattr(raised.value, "code", None) == code


async def test_more_than_ones_share_says_when_to_come_back(gateway: Callable[[Answer], Gateway]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "HEAD":
            return problem(404, "blob/not-found")
        over = problem(429, "limit/uploads")
        over.headers["retry-after"] = "86"
        return over

    with pytest.raises(Refused) as raised:
        await gateway(answer).upload(File(b"x", "x.txt"))
    assert (raised.value.code, raised.value.retry_after) == ("limit/uploads", 86)


async def test_a_certificate_nobody_enrolled_is_none(gateway: Callable[[Answer], Gateway]) -> None:
    assert await gateway(lambda _: problem(404, "certificate/unknown")).certificate("A" * 43) is None


async def test_a_certificate_comes_as_the_gateway_writes_it(gateway: Callable[[Answer], Gateway]) -> None:
    certificate = identity("G22").certificate
    content = json.loads(write_certificate(certificate))
    got = await gateway(lambda _: httpx.Response(200, json=content)).certificate(certificate.thumbprint)
    assert got == certificate


@pytest.mark.parametrize("sent", [b"abd", b"ab", b"abcd", b""])
async def test_wrong_bytes_never_reach_their_end(gateway: Callable[[Answer], Gateway], sent: bytes) -> None:
    digest = hashlib.sha256(b"abc").hexdigest()
    pieces = gateway(lambda _: httpx.Response(200, content=sent)).download(digest, 3)
    with pytest.raises(Refused, match="blob/digest"):
        await anext(pieces)


async def test_a_download_is_streamed(gateway: Callable[[Answer], Gateway]) -> None:
    data = bytes(range(256)) * 4000
    answer = gateway(lambda _: httpx.Response(200, content=data))
    pieces = [piece async for piece in answer.download(hashlib.sha256(data).hexdigest(), len(data))]
    assert b"".join(pieces) == data
    assert len(pieces) > 1


class Breaking(httpx.AsyncByteStream):
    """A body that breaks off after some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._data
        raise httpx.ReadError("the gateway was killed")


async def test_a_download_that_breaks_off_goes_on_where_it_was(
    gateway: Callable[[Answer], Gateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axis.client.gateway._WAITS", (0.0, 0.0, 0.0))
    data = bytes(range(256)) * 4_000
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        start = request.headers.get("range")
        asked.append(start)
        if len(asked) == 1:
            raise httpx.ConnectError("nobody there")
        if len(asked) == 2:
            return httpx.Response(200, stream=Breaking(data[:300_000]))
        return httpx.Response(206, content=data[int(start.removeprefix("bytes=").rstrip("-")) :] if start else data)

    reached = gateway(answer)
    pieces = [piece async for piece in reached.download(hashlib.sha256(data).hexdigest(), len(data))]
    assert b"".join(pieces) == data
    assert asked[:2] == [None, None]
    assert asked[2] is not None


async def test_a_download_gives_up_when_nobody_answers(
    gateway: Callable[[Answer], Gateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axis.client.gateway._WAITS", (0.0, 0.0))
    asked = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        # A gateway that answers a range with the whole file cannot be gone on with.
        return httpx.Response(200, stream=Breaking(bytes(300_000)))

    with pytest.raises(Unavailable):
        [piece async for piece in gateway(answer).download("0" * 64, 1_000_000)]
    assert asked == 3


async def test_a_download_goes_on_where_the_gateway_sends_it_without_the_token(
    gateway: Callable[[Answer], Gateway],
) -> None:
    data = b"abc" * 1000
    digest = hashlib.sha256(data).hexdigest()
    seen: list[tuple[str, bool]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.host, "authorization" in request.headers))
        if request.url.host == "gateway.invalid":
            return httpx.Response(307, headers={"location": "http://bucket.invalid/blobs/x?signature=1"})
        return httpx.Response(200, content=data)

    pieces = [piece async for piece in gateway(answer).download(digest, len(data))]
    assert b"".join(pieces) == data
    assert seen == [("gateway.invalid", True), ("bucket.invalid", False)]


@pytest.mark.parametrize(
    ("location", "error"), [("http://bucket.invalid/x", "blob/digest"), ("ftp://bucket.invalid/x", "axis/unavailable")]
)
async def test_what_comes_from_elsewhere_is_held_against_the_digest(
    gateway: Callable[[Answer], Gateway], monkeypatch: pytest.MonkeyPatch, location: str, error: str
) -> None:
    monkeypatch.setattr("axis.client.gateway._WAITS", ())

    def answer(request: httpx.Request) -> httpx.Response:
        elsewhere = request.url.host == "bucket.invalid"
        return httpx.Response(200, content=b"abd") if elsewhere else httpx.Response(307, headers={"location": location})

    with pytest.raises((Refused, Unavailable)) as failed:
        async for _ in gateway(answer).download(hashlib.sha256(b"abc").hexdigest(), 3):
            pass
    assert failed.value.code == error


async def test_whoever_wants_to_is_told_how_files_move() -> None:
    data = bytes(600_000)
    digest = hashlib.sha256(data).hexdigest()
    told: list[tuple[str, int, int]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "HEAD":
            return httpx.Response(404, headers={"axis-code": "blob/not-found"})
        return httpx.Response(201) if request.method == "PUT" else httpx.Response(200, content=data)

    async with Gateway(
        "http://axis",
        code="H37",
        key=identity("H37").key,
        now=lambda: dt.datetime.now(dt.UTC),
        deadline=5,
        transport=httpx.MockTransport(answer),
        moved=lambda *each: told.append(each),
    ) as gateway:
        await gateway.upload(File(data, "a.pdf"))
        assert b"".join([piece async for piece in gateway.download(digest, len(data))]) == data
    assert told[0] == ("a.pdf", 262_144, 600_000)
    assert ("a.pdf", 600_000, 600_000) in told
    assert told[-1] == (digest, 600_000, 600_000)
