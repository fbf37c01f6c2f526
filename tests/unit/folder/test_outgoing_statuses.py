"""Statuses that are put into the folder: handed over, refused, and refused later."""

import asyncio
import errno
import hashlib
import json

import pytest

from axis.folder import What
from axis.folder.parcel import Parcel
from axis.folder.sending import Sender
from axis.folder.settling import Settling
from schemas import Outcome
from tests.unit.folder.desk import Desk, package, status_package

KEY = "000.00.00.H37,2026/11/24,7/UBND"


async def test_a_status_is_handed_over(desk: Desk) -> None:
    document = desk.world.document()
    await desk.world.post.put("mailbox.normal.H37", document)
    async with desk.watching():
        await desk.told(What.RECEIVED)
        desk.put("tt.edxml", status_package("G22,2026/11/24,7816/VPCP-TTĐT"))
        await desk.told(What.REPORTED)
    assert [each[0] for each in desk.world.post.statuses()] == ["01", "03"]
    told = json.loads((desk.out / "sent" / "tt.edxml.receipt.json").read_bytes())
    assert len(told["statuses"]) == 1


async def test_a_status_may_come_before_the_ledger_has_its_document(desk: Desk) -> None:
    desk.put("tt.edxml", status_package("G22,2026/11/24,7816/VPCP-TTĐT"))
    async with desk.watching(patience=3600):
        await desk.told(What.PICKED_UP)
        await desk.world.post.put("mailbox.normal.H37", desk.world.document())
        await desk.told(What.REPORTED)


async def test_a_status_of_nothing_is_refused_after_a_while(desk: Desk) -> None:
    desk.put("tt.edxml", status_package("G22,2026/11/24,1/X"))
    async with desk.watching():
        (refused,) = await desk.told(What.REFUSED)
    assert refused.code == "document/not-found"


async def test_a_status_that_is_refused_later_goes_to_refused(desk: Desk) -> None:
    await desk.world.post.put("mailbox.normal.H37", desk.world.document())
    async with desk.watching():
        await desk.told(What.RECEIVED)
        desk.put("tt.edxml", status_package("G22,2026/11/24,7816/VPCP-TTĐT"))
        await desk.told(What.REPORTED)
        (status,) = json.loads((desk.out / "sent" / "tt.edxml.receipt.json").read_bytes())["statuses"]
        desk.outcome, desk.code = Outcome.REFUSED, "status/not-recipient"
        await desk.world.post.put("notices.H37", desk.receipt(status, message_type="status"))
        (refused,) = await desk.told(What.REFUSED)
        assert (refused.code, refused.file) == ("status/not-recipient", "tt.edxml")
        assert desk.names("sent") == []
        # The same status is the same message, so nobody would say it again.
        (desk.out / "refused" / "tt.edxml").rename(desk.out / "tt.edxml")
        await desk.told(What.REFUSED, 2)
    assert desk.names("refused") == [f"tt.edxml{end}" for end in ("", ".report.json", ".report.txt")]


async def test_a_report_is_about_the_package_that_was_looked_at(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.world.post.put("mailbox.normal.H37", desk.world.document())
    looked_at = status_package("G22,2026/11/24,7816/VPCP-TTĐT")
    begun = Sender.take_up

    async def changed(self: Sender, name: str, parcel: Parcel) -> None:
        (desk.out / "sending" / name).write_bytes(status_package("G22,2026/11/24,7816/VPCP-TTĐT", "06"))
        await begun(self, name, parcel)

    async with desk.watching():
        await desk.told(What.RECEIVED)
        desk.put("a.edxml", looked_at)
        await desk.told(What.REPORTED)
        monkeypatch.setattr(Sender, "take_up", changed)
        desk.put("b.edxml", status_package("G22,2026/11/24,7816/VPCP-TTĐT", "04"))
        (refused,) = await desk.told(What.REFUSED)
    assert (refused.file, refused.code) == ("b.edxml", "file/changed")
    assert [each[0] for each in desk.world.post.statuses()] == ["01", "03"]
    told = json.loads((desk.out / "sent" / "a.edxml.receipt.json").read_bytes())
    assert told["sha256"] == hashlib.sha256(looked_at).hexdigest()


async def test_a_status_with_a_private_code_is_refused(desk: Desk) -> None:
    await desk.world.post.put("mailbox.normal.H37", desk.world.document())
    desk.put("tt.edxml", status_package("G22,2026/11/24,7816/VPCP-TTĐT", "103"))
    async with desk.watching():
        (refused,) = await desk.told(What.REFUSED)
    assert refused.code == "edxml/conversion"


async def test_the_refusal_of_a_status_is_acted_on_before_its_notice_is_done(desk: Desk) -> None:
    await desk.world.post.put("mailbox.normal.H37", desk.world.document())
    async with desk.watching(answered=False):
        await desk.told(What.RECEIVED)
        desk.put("tt.edxml", status_package("G22,2026/11/24,7816/VPCP-TTĐT"))
        await desk.told(What.REPORTED)
    (status,) = json.loads((desk.out / "sent" / "tt.edxml.receipt.json").read_bytes())["statuses"]
    desk.outcome, desk.code = Outcome.REFUSED, "status/not-recipient"
    await desk.world.post.put("notices.H37", desk.receipt(status, message_type="status"))
    with pytest.MonkeyPatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(Settling, "refuse_late", full)
        async with desk.open() as watcher:
            with pytest.raises(OSError, match="No space"):
                await watcher._listen(60)
    async with desk.open() as watcher:  # no pass over OUT is made here, as at the end of a run with an end
        listening = asyncio.create_task(watcher._listen(None))
        await desk.told(What.REFUSED)
        listening.cancel()
    assert desk.names("sent") == []
    assert desk.names("refused") == [f"tt.edxml{end}" for end in ("", ".report.json", ".report.txt")]


async def test_a_receipt_that_comes_after_the_last_pass_is_acted_on(desk: Desk) -> None:
    desk.put("a.edxml", package())
    async with desk.open() as watcher:
        await watcher._pass()
        (document,) = desk.documents()
        await desk.world.post.put("notices.H37", desk.receipt(document["id"]))

        async def nothing(_: float | None) -> None:
            await desk.until(lambda: watcher._outgoing._sender._receipts)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(watcher, "_send_on", nothing)
            await watcher.run_once(wait=1, idle=0.05)
        assert watcher.sending == 0
    assert [each.what for each in desk.events].count(What.SENT) == 1
