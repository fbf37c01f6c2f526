"""What partners are done with is forgotten after a while, with the packages that were written for it."""

import datetime as dt
import os
from pathlib import Path

import pytest

from axis.core.partners import Kind, Wanted
from axis.errors import Misconfigured
from axis.settings import Settings
from tests.unit.client.doubles import NOW
from tests.unit.gateway.desk.harness import SYSTEM, Rig, came
from tests.unit.test_encryption import SAFE

LONG = dt.timedelta(days=800)


async def test_a_package_lies_as_long_as_anybody_may_ask_for_it(desk: Rig) -> None:
    await desk.add()
    documents = [desk.world.document(document_id=f"G22,2026/11/24,{number}/VPCP") for number in range(3)]
    await came(desk, *documents)
    await desk.connected()
    first, second, third = await desk.waiting(count=3)
    packages = desk.folder / "desk" / "packages"
    stray = packages / ("ab" * 32)  # of a crash between packing and noting
    for path in (stray, packages / "something of the operator's"):
        path.write_bytes(b"x")
    for path in packages.iterdir():
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    young = packages / ("cd" * 32)
    young.write_bytes(b"x")
    os.utime(young, ((NOW + LONG).timestamp(), (NOW + LONG).timestamp()))
    for each in (first, second):
        await desk.vxp().call("getEdoc", docId=each.doc_id)
    await desk.vxp().call("updateStatus", docId=first.doc_id, status="done")
    await desk.until(lambda: desk.world.post.statuses() == [("01", "H37", None, None)])

    async def reported() -> bool:
        return await desk.store.partners.unreported(9, ["H37"]) == []

    await desk.until(reported)
    assert (await desk.desk.forget(NOW)).incoming == 0
    gone = await desk.desk.forget(NOW + LONG)
    assert (gone.incoming, gone.outgoing, gone.files) == (1, 0, 2)
    kept = {second.sha256, third.sha256, young.name, "something of the operator's"}
    assert {each.name for each in packages.iterdir()} == kept
    assert (await desk.vxp().call("getEdoc", docId=first.doc_id))["code"] == "partner/unknown-package"
    assert (await desk.vxp().call("getEdoc", docId=second.doc_id))["status"] == "OK"
    # The broker's repeat of it is known to the ledger, however long ago it was.
    await came(desk, desk.world.document(), documents[0])
    assert len(await desk.waiting(count=3)) == 3
    await desk.until(lambda: desk.world.post.unacked == [])
    assert len(await desk.store.partners.listed(SYSTEM, Wanted(Kind.EDOC))) == 3


def test_it_is_kept_at_least_as_long_as_a_repeat_may_come(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {**SAFE, "AXIS_PARTNER_KEEP_DAYS": "30"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match="AXIS_PARTNER_KEEP_DAYS is 30: at least AXIS_ID_PAST_DAYS, which is 31"):
        Settings.load(tmp_path)
