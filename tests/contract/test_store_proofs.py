"""Revocation evidence and the ends of certificates, on the fake and on PostgreSQL."""

import asyncio
import datetime as dt
import hashlib
from typing import Any

import pytest

from axis.core.evidence import Answer, Evidence, Proof, Standing
from axis.core.ids import new_id
from axis.errors import NotFound
from axis.store import Signed, Stamp, Store
from tests.builders import NOW
from tests.unit.store.rows import THUMBPRINT, accepted, certificate, status_row

HOUR = dt.timedelta(hours=1)
UNTIL = NOW + 72 * HOUR
LONG_BEFORE = NOW - dt.timedelta(days=400)


def answer(body: bytes = b"list", **changes: Any) -> Answer:
    base: dict[str, Any] = {
        "kind": "crl",
        "source": "http://crl.test/below.crl",
        "sha256": hashlib.sha256(body).hexdigest(),
        "this_update": NOW - HOUR,
        "next_update": NOW + 12 * HOUR,
        "number": 7,
        "body": body,
    }
    return Answer(**{**base, **changes})


ABOVE = answer(b"above", source="http://crl.test/root.crl", this_update=NOW - 9 * HOUR, number=2**150)
EVIDENCE = Evidence(THUMBPRINT, (ABOVE, answer()))


async def relied_on(store: Store) -> tuple[int | None, dt.datetime | None]:
    _, _, (record,) = await store.directory.load()
    return record.evidence, record.trusted_until


async def test_evidence_is_kept_and_relied_on(store: Store) -> None:
    await store.directory.put_certificate(certificate())
    await store.proofs.keep(EVIDENCE, UNTIL)
    evidence, until = await relied_on(store)
    assert evidence is not None
    assert until == UNTIL
    assert await store.proofs.proofs([evidence, evidence + 100]) == {
        evidence: Proof(evidence, NOW - 9 * HOUR, NOW + 12 * HOUR)
    }
    assert await store.proofs.answers(evidence) == [answer(), ABOVE]
    assert await store.proofs.answers(evidence + 100) == []


async def test_the_same_evidence_is_one_and_newer_is_another(store: Store) -> None:
    await store.directory.put_certificate(certificate())
    await store.proofs.keep(EVIDENCE, UNTIL)
    first, _ = await relied_on(store)
    await store.proofs.keep(Evidence(THUMBPRINT, (answer(), ABOVE)), UNTIL + HOUR)
    assert await relied_on(store) == (first, UNTIL + HOUR)
    await store.proofs.keep(Evidence(THUMBPRINT, (ABOVE, answer(b"newer", this_update=NOW))), UNTIL)
    second, _ = await relied_on(store)
    assert second not in {None, first}


async def test_the_newest_answer_of_each_source_is_known(store: Store) -> None:
    await store.proofs.keep(EVIDENCE, UNTIL)
    await store.proofs.keep(Evidence(THUMBPRINT, (answer(b"older", this_update=NOW - 5 * HOUR, number=6),)), UNTIL)
    found = await store.proofs.newest([answer().source, ABOVE.source, "http://nobody"])
    assert found == {answer().source: Stamp(NOW - HOUR, 7), ABOVE.source: Stamp(NOW - 9 * HOUR, 2**150)}
    assert await store.proofs.newest([]) == {}


async def test_evidence_about_nobody_enrolled_is_kept_all_the_same(store: Store) -> None:
    await store.proofs.keep(EVIDENCE, UNTIL)
    await store.proofs.trust(THUMBPRINT, UNTIL)
    assert (await store.directory.load())[2] == []


async def test_how_long_it_counts_can_change(store: Store) -> None:
    await store.directory.put_certificate(certificate())
    await store.proofs.keep(EVIDENCE, UNTIL)
    evidence, _ = await relied_on(store)
    await store.proofs.trust(THUMBPRINT, NOW)
    assert await relied_on(store) == (evidence, NOW)


async def test_enrolling_again_leaves_evidence_and_revocation_alone(store: Store) -> None:
    await store.directory.put_certificate(certificate(anchor="R" * 43, matched="serialNumber"))
    await store.proofs.keep(EVIDENCE, UNTIL)
    await store.directory.revoke(THUMBPRINT, NOW, invalid_since=NOW - HOUR, why="mất khóa")
    evidence, _ = await relied_on(store)
    await store.directory.put_certificate(certificate(trusted_until=NOW))
    _, _, (record,) = await store.directory.load()
    assert record == certificate(
        anchor="R" * 43,
        matched="serialNumber",
        evidence=evidence,
        trusted_until=UNTIL,
        revoked_at=NOW,
        invalid_since=NOW - HOUR,
        revocation="mất khóa",
    )


async def test_a_revocation_only_becomes_graver(store: Store) -> None:
    await store.directory.put_certificate(certificate())
    await store.directory.revoke(THUMBPRINT, NOW, why="một")
    await store.directory.revoke(THUMBPRINT, NOW + HOUR, invalid_since=NOW - 3 * HOUR, why="hai")
    _, _, (record,) = await store.directory.load()
    assert (record.revoked_at, record.invalid_since, record.revocation) == (NOW, NOW - 3 * HOUR, "một")


async def test_a_retirement_can_be_taken_back(store: Store) -> None:
    await store.directory.put_certificate(certificate())
    for at in (NOW, None):
        await store.directory.retire(THUMBPRINT, at)
        _, _, (record,) = await store.directory.load()
        assert record.retired_at == at
    with pytest.raises(NotFound) as caught:
        await store.directory.retire("X" * 43, NOW)
    assert caught.value.code == "certificate/unknown"


async def test_workers_are_told_of_new_evidence_and_not_of_the_same(store: Store) -> None:
    told: asyncio.Queue[set[str] | None] = asyncio.Queue()
    await store.directory.put_certificate(certificate())
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        listening = group.create_task(store.directory.listen(told.put))
        assert await told.get() is None
        await store.proofs.keep(EVIDENCE, UNTIL)
        assert await told.get() == {"H37"}
        await store.proofs.keep(EVIDENCE, UNTIL)
        await store.proofs.trust(THUMBPRINT, UNTIL)
        await store.directory.retire(THUMBPRINT, None)
        await store.directory.revoke(THUMBPRINT, NOW)
        assert await told.get() == {"H37"}
        await store.directory.revoke(THUMBPRINT, NOW)
        await store.directory.put_certificate(certificate("H38", thumbprint="B" * 43))
        assert await told.get() == {"H38"}
        listening.cancel()


async def test_each_warning_is_noted_once(store: Store) -> None:
    assert await store.proofs.warned() == {}
    assert await store.proofs.warn(THUMBPRINT, 60)
    assert not await store.proofs.warn(THUMBPRINT, 60)
    assert await store.proofs.warn(THUMBPRINT, 30)
    assert {thumbprint: sorted(days) for thumbprint, days in (await store.proofs.warned()).items()} == {
        THUMBPRINT: [30, 60]
    }


async def test_what_a_key_has_signed_is_found_with_its_evidence(store: Store) -> None:
    await store.directory.put_certificate(certificate())
    await store.proofs.keep(EVIDENCE, UNTIL)
    evidence, _ = await relied_on(store)
    assert evidence is not None
    mine = [accepted(evidence=evidence), accepted(accepted_at=NOW + 20 * HOUR), accepted(thumbprint="B" * 43)]
    old = accepted(id=new_id(LONG_BEFORE))
    report, unproved = (
        status_row(mine[0].envelope.id, id=new_id(NOW + number * HOUR), evidence=named)
        for number, named in enumerate((evidence, None))
    )
    async with store.transaction() as tx:
        await tx.accept([*mine, old])
        await tx.statuses([report, unproved, status_row(mine[0].envelope.id, thumbprint="B" * 43)], {})
    proof = Proof(evidence, NOW - 9 * HOUR, NOW + 12 * HOUR)
    rows = [each.envelope for each in mine[:2]]
    envelopes = [Signed("envelope", row.id, row.accepted_at, "G22", "G22", row.document_id, None) for row in rows]
    wanted = [
        *sorted(
            (Signed(**{**_fields(each), "proof": proof if each.id == rows[0].id else None}) for each in envelopes),
            key=lambda each: each.id,
        ),
        Signed("status", report.id, report.received_at, "H37", "H37", rows[0].id, proof),
        Signed("status", unproved.id, unproved.received_at, "H37", "H37", rows[0].id, None),
    ]
    for page in (1, 2, 5000):
        pages = store.proofs.signed(THUMBPRINT, made_since=NOW - HOUR, page=page)
        assert [each async for found in pages for each in found] == wanted
    assert proof.standing(NOW) is Standing.FRESH


async def test_an_envelope_tells_by_what_its_signer_was_believed(store: Store) -> None:
    await store.directory.put_certificate(certificate())
    await store.proofs.keep(EVIDENCE, UNTIL)
    evidence, _ = await relied_on(store)
    with_it, without = accepted(evidence=evidence), accepted(document_id="khác")
    async with store.transaction() as tx:
        await tx.accept([with_it, without])
    async with store.transaction() as tx:
        assert (await tx.accept([with_it]))[with_it.envelope.id].envelope == with_it.envelope
    (tracked,) = await store.track(with_it.envelope.id)
    assert tracked.envelope.proof == Proof(evidence or 0, NOW - 9 * HOUR, NOW + 12 * HOUR)
    assert {each.id: each.proof is None for each in await store.sent("G22", 10)} == {
        with_it.envelope.id: False,
        without.envelope.id: True,
    }


def _fields(signed: Signed) -> dict[str, Any]:
    return {name: getattr(signed, name) for name in Signed.__slots__}
