"""Whom a document can be sealed for, as the gateway answers it."""

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from axis.blobs import Blobs
from axis.client.addressing import choose, read_ways
from axis.errors import Refused
from axis.gateway import Enrolled, Limits, create_app
from axis.trust import SigningKey
from schemas import Certificate
from tests.builders import NOW, mailbox, organisation, organisations
from tests.unit.gateway.harness import Store
from tests.unit.trust.certified import certified
from tests.unit.trust.sealing import sealing

PATH = "/v1/sealing-keys"
OLD, NEW = sealing("rsa")[1], sealing("p256")[1]


@dataclass
class Asked:
    """A gateway in this process, and an agency that asks it."""

    client: httpx.AsyncClient
    enrolled: Enrolled
    key: SigningKey

    async def __call__(self, *codes: str, path: str = PATH, **params: str) -> httpx.Response:
        from axis.trust import issue_token

        token = issue_token(self.key, code="G22", method="GET", path=path, now=NOW)
        query: list[tuple[str, str | int | float | bool | None]] = [*(("to", code) for code in codes), *params.items()]
        return await self.client.get(path, params=query, headers={"authorization": f"Bearer {token}"})


@pytest.fixture
async def ask(tmp_path: Path) -> AsyncIterator[Asked]:
    key, own, _ = certified("ed25519", "G22")
    closed = organisation("H22", valid_to=NOW - dt.timedelta(days=1), successor="H37")
    enrolled = Enrolled(
        [own, OLD, NEW, NEW.model_copy(update={"thumbprint": "x" * 43})],  # the last cannot be used: it is left out
        [*organisations(["G22", "H37", "H37.05", "G12"]), closed],
        [mailbox("G22"), mailbox("H37"), mailbox("G12")],
    )
    app = create_app(
        blobs=Blobs.open(tmp_path.as_uri()), store=Store(), enrolled=enrolled, now=lambda: NOW, limits=Limits()
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway", trust_env=False) as client:
        yield Asked(client, enrolled, key)


def of(body: Any) -> list[tuple[str, str | None, str | None]]:
    return [(each["recipient"], each.get("mailbox"), each.get("code")) for each in body["recipients"]]


async def test_each_recipient_leads_to_a_mailbox_and_each_mailbox_has_its_certificates(ask: Asked) -> None:
    response = await ask("H37.05", "H22", "G12", "Z99", "H37.05")
    assert response.status_code == 200
    body = response.json()
    assert of(body) == [
        ("H37.05", "H37", None),
        ("H22", "H37", None),
        ("G12", "G12", None),
        ("Z99", None, "recipient/unknown"),
    ]
    assert body["recipients"][1]["via"][0].startswith("via successor H37")
    assert {each["thumbprint"] for each in body["certificates"]} == {OLD.thumbprint, NEW.thumbprint}
    ways = read_ways(response.content)
    assert set(ways.certificates) == {OLD, NEW}


async def test_expired_and_revoked_ones_are_left_out(ask: Asked) -> None:
    ended = [OLD.model_copy(update={"revoked_at": NOW}), NEW.model_copy(update={"not_after": NOW})]
    changed = Enrolled([certified("ed25519", "G22")[1], *ended], organisations(["H37"]), [mailbox("H37")])
    ask.enrolled.keyring, ask.enrolled.directory = changed.keyring, changed.directory
    ask.enrolled._for_sealing = changed._for_sealing
    assert (await ask("H37")).json()["certificates"] == []


@pytest.mark.parametrize(
    "codes", [(), ("h37",), ("H37' OR 1=1",), ("H37." + "X" * 40,), tuple(f"H{n}" for n in range(201))]
)
async def test_a_query_that_is_none_is_refused(ask: Asked, codes: tuple[str, ...]) -> None:
    response = await ask(*codes)
    assert (response.status_code, response.json()["code"]) == (400, "http/query")


async def test_another_parameter_is_refused_and_so_is_whoever_has_no_token(ask: Asked) -> None:
    assert (await ask("H37", all="1")).json()["code"] == "http/query"
    response = await ask.client.get(PATH, params={"to": "H37"})
    assert (response.status_code, response.json()["code"]) == (401, "token/missing")


async def test_a_certificate_for_sealing_is_found_by_its_thumbprint_too(ask: Asked) -> None:
    response = await ask(path=f"/v1/certificates/{NEW.thumbprint}")
    assert response.json()["role"] == "sealing"


class DirectoryOf:
    """A store of which some codes have changed."""

    def __init__(self, *certificates: Certificate) -> None:
        self.certificates = certificates

    async def load(self) -> Any:
        return organisations(["H37"]), [mailbox("H37")], self.certificates

    async def load_changed(self, codes: set[str]) -> Any:
        return organisations(sorted(codes)), [mailbox(code) for code in codes], self.certificates

    async def listen(self, changed: Any) -> None:
        await changed({"H37"})


async def test_a_new_certificate_is_offered_as_soon_as_it_is_enrolled() -> None:
    enrolled = Enrolled([OLD])
    await enrolled.load(DirectoryOf(OLD))
    assert [each.certificate for each in enrolled.for_sealing("H37")] == [OLD]
    await enrolled.follow(DirectoryOf(OLD, NEW))
    assert {each.certificate for each in enrolled.for_sealing("H37")} == {OLD, NEW}
    assert enrolled.for_sealing("G12") == ()


# What the sender makes of the answer


def answer(*certificates: Certificate, **ways: str | None) -> Any:
    import base64
    import json

    return read_ways(
        json.dumps(
            {
                "recipients": [
                    {"recipient": code.replace("_", ".")} | ({} if box is None else {"mailbox": box})
                    for code, box in ways.items()
                ],
                "certificates": [
                    each.model_dump(mode="json", exclude={"der"}) | {"der": base64.b64encode(each.der).decode()}
                    for each in certificates
                ],
            }
        ).encode()
    )


def test_one_certificate_for_each_mailbox_the_one_that_began_last() -> None:
    later = NEW.model_copy(update={"not_before": NEW.not_before + dt.timedelta(seconds=1)})
    chosen = choose(answer(OLD, later, H37="H37", H37_05="H37"), ["H37", "H37.05"], {}, NOW)
    assert {mailbox: each.thumbprint for mailbox, each in chosen.items()} == {"H37": NEW.thumbprint}


def test_every_recipient_without_a_certificate_is_named() -> None:
    with pytest.raises(Refused) as caught:
        choose(answer(NEW, H37="H37", G12="G12", H60_01="H60"), ["H37", "G12", "H60.01"], {}, NOW)
    assert caught.value.code == "seal/no-certificate"
    assert "G12, H60.01 (by way of H60)" in caught.value.detail


def test_a_recipient_that_leads_nowhere_is_left_to_the_axis_unless_it_is_the_only_one() -> None:
    assert choose(answer(NEW, H37="H37", Z99=None), ["H37", "Z99"], {}, NOW).keys() == {"H37"}
    with pytest.raises(Refused) as caught:
        choose(answer(), ["Z99"], {}, NOW)
    assert caught.value.code == "recipient/unknown"


def test_a_pinned_certificate_is_the_only_one_sealed_for() -> None:
    pins = {"H37": frozenset({OLD.thumbprint})}
    chosen = choose(answer(OLD, NEW, H37="H37"), ["H37"], pins, NOW)
    assert chosen["H37"].thumbprint == OLD.thumbprint
    with pytest.raises(Refused) as caught:
        choose(answer(NEW, H37="H37"), ["H37"], pins, NOW)
    assert caught.value.code == "seal/certificate"


def test_a_directory_cannot_lead_past_a_pin_to_another_mailbox() -> None:
    pins = {"H37": frozenset({OLD.thumbprint})}
    evil = NEW.model_copy(update={"organisation": "G12"})
    for recipient, way in (("H37", {"H37": "G12"}), ("H37.05", {"H37_05": "G12"})):
        with pytest.raises(Refused) as caught:
            choose(answer(OLD, evil, **way), [recipient], pins, NOW)
        assert caught.value.code == "seal/certificate"
        assert "G12" in caught.value.detail
    chosen = choose(answer(OLD, NEW, H37_05="H37"), ["H37.05"], pins, NOW)
    assert {mailbox: each.thumbprint for mailbox, each in chosen.items()} == {"H37": OLD.thumbprint}


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"recipients":[{"recipient":5}],"certificates":[]}', b"null"])
def test_an_answer_that_is_none(text: bytes) -> None:
    with pytest.raises(ValueError):
        read_ways(text)
