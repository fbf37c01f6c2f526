"""Hybrid signatures through a real broker, a real router and a real database, and what somebody in between can do."""

from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from axis.core.hybrid import headers_of
from axis.core.messages import Outgoing
from axis.trust import DemonstrationCA, SigningKey, enrol, new_key
from schemas.wire import SECOND_SIGNATURE_HEADER, SIGNATURE_HEADER
from tests.rig import Rig, now, rig, until
from tests.services import Vhost


async def sign_twice(axis: Rig, code: str) -> str:
    """Give an organisation a second key and enrol it; return the thumbprint."""
    authority = DemonstrationCA.open_or_create(axis.folder / "ca", now())
    pem = new_key("ml-dsa-65")
    certificate = authority.issue(code, pem, name=code, now=now())
    record = enrol(certificate, code, "agency", now(), allow_demonstration=True)
    await axis.store.directory.put_certificate(record)
    axis.keys[code] = axis.keys[code].with_second(SigningKey.from_pem(pem, certificate))
    return record.thumbprint


def stripped(message: Outgoing) -> Outgoing:
    return replace(message, headers={SIGNATURE_HEADER: message.headers[SIGNATURE_HEADER]})


async def refused_as(axis: Rig, code: str) -> bool:
    """Send a document and see whether it is refused so; a router may know of a revocation a second later."""
    await axis.send_as("G22", axis.submission(axis.envelope()))
    (receipt,) = await axis.receipts("G22", 1)
    return receipt.code == code


@pytest.mark.parametrize("required", [False, True])
async def test_a_hybrid_is_accepted_and_neither_stripping_nor_changing_the_second_one_passes(
    vhost: Vhost, database: str, tmp_path: Path, required: bool
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        second = await sign_twice(axis, "G22")
        whole, mixed, bare, other = (axis.submission(axis.envelope()) for _ in range(4))
        mixed = replace(
            mixed, headers={**mixed.headers, SECOND_SIGNATURE_HEADER: other.headers[SECOND_SIGNATURE_HEADER]}
        )
        bare = stripped(bare)
        settings = {"hybrid_required": '["G22"]'} if required else {}
        # The relay beside it: on a busy machine a mailbox may not take what the router publishes, and it is held then.
        async with axis.worker("router", **settings), axis.worker("relay", relay_seconds="0.6"):
            await axis.send_as("G22", whole, mixed, bare)
            told = {each.message_id: (each.outcome, each.code) for each in await axis.receipts("G22", 3)}
            mail = await axis.mail("H37", 1 if required else 2)
            # H37 has no second key, and nobody asks it for one.
            await axis.send_as("H37", axis.submission(axis.envelope("H37", ["G22"])))
            (answer,) = await axis.receipts("H37", 1)
            assert answer.outcome == "accepted"
            # The second key is looked up as the first is: revoked, it takes what it signed with it.
            await axis.store.directory.revoke(second, now())
            await until(lambda: refused_as(axis, "certificate/revoked"))
        assert told == {
            whole.message_id: ("accepted", None),
            mixed.message_id: ("refused", "signature/invalid"),
            bare.message_id: ("refused", "signature/second-missing") if required else ("accepted", None),
        }
        delivered = {each.message_id: each.headers for each in mail}
        assert delivered.keys() == ({whole.message_id} if required else {whole.message_id, bare.message_id})
        assert {name: delivered[whole.message_id][name] for name in whole.headers} == whole.headers
        connection = await asyncpg.connect(database)
        try:
            kept = await connection.fetchval("SELECT signature FROM envelope WHERE id = $1", whole.message_id)
        finally:
            await connection.close()
        assert headers_of(kept) == whole.headers
