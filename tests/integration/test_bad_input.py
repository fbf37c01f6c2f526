"""Every kind of bad input ends with its own code: answered or kept, logged once, counted, and in nobody's way."""

import asyncio
import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from aiormq.exceptions import ChannelAccessRefused
from pamqp import commands

from axis.broker import Link
from axis.core.ids import new_id
from axis.core.messages import Outgoing
from axis.trust import SigningKey, enrol, new_key
from axis.trust.demonstration import DemonstrationCA
from schemas import REASONS, Outcome, Receipt
from tests.rig import Rig, envelope_id, now, rig
from tests.services import Vhost

# Kept in quarantine as well as answered: docs/decisions/0001-who-gets-a-receipt.md
KEPT = ("message/", "signature/", "certificate/", "abuse/")


@dataclass(frozen=True, slots=True)
class Case:
    """What is published, under which account, and the code it has to end with."""

    code: str
    message: Outgoing
    account: str = "G22"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.message.body).hexdigest()


def unsigned(axis: Rig, **changes: Any) -> Outgoing:
    return axis.submission(axis.envelope(), **{"headers": {}, **changes})


def raw(axis: Rig, body: bytes, **changes: Any) -> Outgoing:
    """Send any bytes, signed by the account's own key."""
    headers = {"axis-signature": axis.keys["G22"].sign(body)}
    base: dict[str, Any] = {
        "routing_key": "normal.G22",
        "message_id": new_id(now()),
        "user_id": "G22",
        "headers": headers,
    }
    return axis.submission(body, **{**base, **changes})


def signed_as(axis: Rig, key: str, body: Mapping[str, Any], **changes: Any) -> Outgoing:
    return axis.submission(dict(body), key=key, user_id="G22", **changes)


async def other_keys(axis: Rig) -> dict[str, SigningKey]:
    """Make keys whose certificates are unknown, expired and revoked."""
    authority = DemonstrationCA.open_or_create(axis.folder / "ca", now())
    made: dict[str, SigningKey] = {}
    for name, issued, days in (
        ("unknown", now(), 30),
        ("revoked", now(), 30),
        ("expired", now() - dt.timedelta(days=9), 2),
    ):
        pem = new_key("ed25519")
        certificate = authority.issue("G22", pem, name=name, now=issued, days=days)
        made[name] = SigningKey.from_pem(pem, certificate)
        if name != "unknown":
            record = enrol(certificate, "G22", "agency", issued, allow_demonstration=True)
            await axis.store.directory.put_certificate(record)
    await axis.store.directory.revoke(made["revoked"].thumbprint, now() - dt.timedelta(minutes=1))
    return made


def documents(axis: Rig, keys: Mapping[str, SigningKey]) -> dict[str, Case]:
    make = axis.envelope
    attachment = {"name": "a.pdf", "media_type": "application/pdf", "size": 3, "sha256": "a" * 64}

    def by(name: str) -> Outgoing:
        message = axis.submission(make())
        return replace(message, headers={"axis-signature": keys[name].sign(message.body)})

    altered = axis.submission(make())
    none = "eyJhbGciOiJub25lIiwiYjY0IjpmYWxzZSwiY3JpdCI6WyJiNjQiXSwieDV0I1MyNTYiOiJ4In0..AA"
    twice = json.dumps(make())[:-1].encode() + b', "sender": "G22"}'
    return {
        "not JSON": Case("message/not-json", raw(axis, b"not json")),
        "not UTF-8": Case("message/bad-utf8", raw(axis, b'{"a": "\xff"}')),
        "a key twice": Case("message/duplicate-key", raw(axis, twice)),
        "unknown field": Case("message/schema", axis.submission(make(surprise=1))),
        "too large": Case("message/too-large", raw(axis, b" " * (256 * 1024 + 1))),
        "wrong type": Case("message/type", axis.submission(make(), type="letter")),
        "wrong content type": Case("message/properties", axis.submission(make(), content_type="text/plain")),
        "another message_id": Case("message/id-mismatch", axis.submission(make(), message_id=new_id(now()))),
        "no recipients": Case("envelope/no-recipients", axis.submission(make(recipients=[]))),
        "10,000 recipients": Case(
            "envelope/too-many-recipients", axis.submission(make(recipients=[f"H{n}" for n in range(10_000)]))
        ),
        "a path as name": Case(
            "envelope/attachment-name", axis.submission(make(attachments=[{**attachment, "name": "../../x"}]))
        ),
        "an old id": Case("envelope/id-time", axis.submission(make(id=new_id(now() - dt.timedelta(days=60))))),
        "no signature": Case("signature/missing", unsigned(axis)),
        "no algorithm": Case("signature/algorithm", unsigned(axis, headers={"axis-signature": none})),
        "not a signature": Case("signature/malformed", unsigned(axis, headers={"axis-signature": "a.b.c"})),
        "an altered byte": Case("signature/invalid", replace(altered, body=altered.body.replace(b"G22,", b"G23,"))),
        "an unknown certificate": Case("certificate/unknown", by("unknown")),
        "an expired certificate": Case("certificate/expired", by("expired")),
        "a revoked certificate": Case("certificate/revoked", by("revoked")),
        "another's key": Case("abuse/signer", signed_as(axis, "H37", make())),
        "another's name": Case("abuse/account", signed_as(axis, "G22", make(sender="H37"), routing_key="normal.G22")),
        "another's routing key": Case("abuse/routing-key", axis.submission(make(), routing_key="normal.G22.01")),
        "the wrong lane": Case("lane/mismatch", axis.submission(make(), routing_key="urgent.G22")),
        "a missing file": Case("blob/missing", axis.submission(make(attachments=[attachment]))),
        "a wrong size": Case("blob/size", axis.submission(make(attachments=[{**attachment, "sha256": "b" * 64}]))),
    }


def statuses(axis: Rig, delivered: str) -> dict[str, Case]:
    unknown = new_id(now())
    reason = {"reason": "vì sao"}
    return {
        "of no envelope": Case("status/unknown-envelope", axis.status("H37", unknown, "03"), "H37"),
        "of nobody's": Case("status/not-recipient", axis.status("G22", delivered, "03"), "G22"),
        "taken back by a stranger": Case(
            "status/not-sender", axis.status("H37", delivered, "13", recipient="H37", **reason), "H37"
        ),
        "refused without a reason": Case("message/schema", axis.status("H37", delivered, "02"), "H37"),
        "with an old id": Case(
            "status/id-time", axis.status("H37", delivered, "03", id=new_id(now() - dt.timedelta(days=60))), "H37"
        ),
        "in another's name": Case("abuse/account", axis.status("G22", delivered, "03", routing_key="H37"), "H37"),
    }


async def test_bad_input(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        await axis.store.blobs.record_upload("b" * 64, 4, "G22")
        cases = documents(axis, await other_keys(axis))
        async with axis.worker("router") as router, axis.worker("tracker") as tracker:
            # A good one before, between and after them, on the same lane and in the same batches.
            good = [axis.envelope() for _ in range(3)]
            first, middle, last = (axis.submission(envelope) for envelope in good)
            bad = [case.message for case in cases.values()]
            await axis.send_as("G22", first, *bad[:12], middle, *bad[12:], last)
            assert {envelope_id(each) for each in await axis.mail("H37", 3)} == {envelope["id"] for envelope in good}
            reused = {**good[0], "document": {**good[0]["document"], "subject": "khác"}}
            cases["an id used before"] = Case("envelope/id-reused", axis.submission(reused))
            await axis.send_as("G22", cases["an id used before"].message)
            receipts = await axis.receipts("G22", len(cases) + 3)
            await _check(axis, cases, receipts)
            await _check_worker(axis, router.log, router.port, cases, {"accepted": 3})

            told = statuses(axis, good[0]["id"])
            told["in another's name"] = Case(
                "abuse/account", replace(told["in another's name"].message, user_id="H37"), "H37"
            )
            accepted = axis.status("H37", good[0]["id"], "03")
            await axis.send_as("H37", *(case.message for case in told.values() if case.account == "H37"), accepted)
            await axis.send_as("G22", told["of nobody's"].message)
            back = await axis.notices("G22", 2)
            assert {each.type for each in back} == {"status", "receipt"}
            assert accepted.message_id in {each.message_id for each in back}
            answers = await axis.receipts("H37", len(told) - 1)
            answers += [Receipt.model_validate_json(each.body) for each in back if each.type == "receipt"]
            await _check(axis, told, answers)
            await _check_worker(axis, tracker.log, tracker.port, told, {"advanced": 1})


async def _check(axis: Rig, cases: Mapping[str, Case], receipts: list[Receipt]) -> None:
    answered = {receipt.message_sha256: receipt for receipt in receipts}
    kept = {each.sha256: each.reason for each in await axis.store.quarantined(1000)}
    assert axis.axis_key is not None
    for name, case in cases.items():
        assert case.code in REASONS
        receipt = answered[case.sha256]
        assert (receipt.code, receipt.outcome, receipt.account) == (case.code, Outcome.REFUSED, case.account), name
        assert kept.get(case.sha256) == (case.code if case.code.startswith(KEPT) else None), name


async def _check_worker(axis: Rig, log: Path, port: int, cases: Mapping[str, Case], others: dict[str, int]) -> None:
    """Each refusal is one line of the log and one count of the metrics, and nothing is counted besides."""
    wanted = Counter(case.code for case in cases.values())
    lines = [json.loads(line) for line in (await asyncio.to_thread(log.read_text)).splitlines()]
    logged = Counter(line["code"] for line in lines if line["event"] == "refused")
    assert logged == wanted
    async with httpx.AsyncClient(trust_env=False) as client:
        page = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    counted = [line for line in page.splitlines() if line.startswith("axis_messages_total")]
    for code, count in wanted.items():
        assert sum(float(line.split()[-1]) for line in counted if f'"{code}"' in line) == count, code
    for outcome, count in others.items():
        assert sum(float(line.split()[-1]) for line in counted if f'outcome="{outcome}"' in line) == count


async def test_who_cannot_be_proved_is_kept_and_told_nothing(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        async with axis.worker("router"):
            # Without user_id nobody can say who it was. (The rig's own account may publish under any key.)
            nameless = axis.submission(axis.envelope(), user_id=None)
            await axis.publisher.publish(nameless)
            # A nameless message behind it is answered like any other.
            await axis.send_as("G22", axis.submission(axis.envelope()))
            (receipt,) = await axis.receipts("G22", 1)
            assert receipt.outcome is Outcome.ACCEPTED
            (kept,) = await axis.store.quarantined(10)
            assert (kept.reason, kept.sha256) == ("abuse/account", hashlib.sha256(nameless.body).hexdigest())


async def test_a_smuggled_route_is_refused(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        message = axis.submission(axis.envelope())
        properties = commands.Basic.Properties(
            content_type=message.content_type,
            headers={**message.headers, "CC": ["urgent.H37"]},
            message_id=message.message_id,
            message_type=message.type,
            user_id="G22",
        )
        async with axis.worker("router"), Link(axis.url_of("G22"), "agency") as link:
            channel = await link.channel(confirms=True)
            try:
                await channel.basic_publish(
                    message.body, exchange=message.exchange, routing_key=message.routing_key, properties=properties
                )
            except ChannelAccessRefused:
                return  # RabbitMQ 4 looks at the keys in CC by itself
            answers = await axis.receipts("G22", 2)  # one for each copy
            assert {answer.code for answer in answers} == {"abuse/routing-headers"}
