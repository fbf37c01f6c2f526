"""What is put into the folder: sent, refused, recognised; and what is left alone."""

import contextlib
import datetime as dt
import hashlib
import json
import os
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from axis.folder import What
from axis.folder.register import Register
from schemas import Action, Outcome
from tests.unit.folder.desk import Desk, package

KEY = "000.00.00.H37,2026/11/24,7/UBND"


async def test_a_document_is_sent_with_its_receipt_beside_it(desk: Desk) -> None:
    data = package()
    desk.put("công văn 7.edxml", data)
    async with desk.watching():
        (sent,) = await desk.told(What.SENT)
    (envelope,) = desk.documents()
    assert (envelope["id"], envelope["document"]["document_id"]) == (sent.envelope, KEY)
    assert envelope["attachments"][-1]["role"] == "package"
    assert data in desk.world.shelf.files.values()
    assert (desk.names(), desk.names("sending")) == ([], [])
    assert desk.names("sent") == [f"công văn 7.edxml{end}" for end in ("", ".receipt.json", ".receipt.txt")]
    assert (desk.out / "sent" / "công văn 7.edxml").read_bytes() == data
    told = json.loads((desk.out / "sent" / "công văn 7.edxml.receipt.json").read_bytes())
    assert (told["envelope"], told["outcome"], told["repeats"]) == (envelope["id"], "accepted", None)
    assert told["receipt"]["message_id"] == envelope["id"]
    text = (desk.out / "sent" / "công văn 7.edxml.receipt.txt").read_text("utf-8-sig")
    assert "Trục liên thông đã nhận" in text
    assert envelope["id"] in text


async def test_what_the_axis_refuses_is_told_and_may_be_sent_again(desk: Desk) -> None:
    desk.outcome, desk.code = Outcome.REFUSED, "recipient/unknown"
    desk.put("a.edxml", package())
    async with desk.watching():
        (refused,) = await desk.told(What.REFUSED)
        assert refused.code == "recipient/unknown"
        report = json.loads((desk.out / "refused" / "a.edxml.report.json").read_bytes())
        assert (report["code"], report["fault"]) == ("recipient/unknown", "sender")
        assert report["receipt"]["message_id"] == refused.envelope
        assert report["title"].keys() == report["remedy"].keys() == {"vi", "en"}
        desk.outcome, desk.code = Outcome.ACCEPTED, None
        (desk.out / "refused" / "a.edxml").rename(desk.out / "a.edxml")
        (sent,) = await desk.told(What.SENT)
    assert sent.envelope != refused.envelope
    assert len(desk.documents()) == 2
    assert desk.names("sending") == []


async def test_the_same_again_under_another_name_is_no_second_document(desk: Desk) -> None:
    desk.put("a.edxml", package())
    async with desk.watching():
        (sent,) = await desk.told(What.SENT)
        desk.put("b.edxml", package())
        (repeated,) = await desk.told(What.REPEATED)
        desk.put("c.edxml", package(subject="Nội dung khác"))
        await desk.told(What.SENT, 2)
    assert repeated.envelope == sent.envelope
    assert len(desk.documents()) == 2
    told = json.loads((desk.out / "sent" / "b.edxml.receipt.json").read_bytes())
    assert (told["repeats"], told["outcome"]) == ("a.edxml", "accepted")
    assert "đã được gửi trước đó (tệp a.edxml)" in (desk.out / "sent" / "b.edxml.receipt.txt").read_text("utf-8-sig")


async def test_the_same_twice_at_once_is_one_document(desk: Desk) -> None:
    desk.put("a.edxml", package())
    desk.put("b.edxml", package())
    async with desk.watching():
        await desk.told(What.SENT)
        await desk.told(What.REPEATED)
    assert len(desk.documents()) == 1


async def test_a_repeat_of_something_long_forgotten_is_not_sent_either(desk: Desk) -> None:
    desk.put("a.edxml", package())
    async with desk.watching():
        (sent,) = await desk.told(What.SENT)
    async with desk.world.connect() as agency:
        async for _ in agency.notices(idle=0.01):
            pass
        await agency._ledger.prune(before="f" * 36)
    desk.put("b.edxml", package())
    async with desk.watching(answered=False):
        (repeated,) = await desk.told(What.REPEATED)
    assert repeated.envelope == sent.envelope
    assert json.loads((desk.out / "sent" / "b.edxml.receipt.json").read_bytes())["receipt"] is None
    assert len(desk.documents()) == 1


async def test_one_name_for_every_file(desk: Desk) -> None:
    async with desk.watching():
        for number in range(3):
            desk.put("out.edxml", package(f"{number}/UBND"))
            await desk.told(What.SENT, number + 1)
    kept = [name for name in desk.names("sent") if name.endswith(".edxml")]
    assert len(kept) == 3
    assert "out.edxml" in kept
    assert all(name.startswith("out") for name in kept)


async def test_a_broken_package_says_where(desk: Desk) -> None:
    desk.put("a.edxml", package().replace(b"</edXML:Subject>", b"</edXML:Subjekt>"))
    async with desk.watching():
        (refused,) = await desk.told(What.REFUSED)
    assert refused.code == "edxml/not-well-formed"
    report = json.loads((desk.out / "refused" / "a.edxml.report.json").read_bytes())
    (finding,) = report["findings"]
    assert report["line"] == finding["line"] > 1
    text = (desk.out / "refused" / "a.edxml.report.txt").read_bytes()
    assert text.startswith("\ufeffTỪ CHỐI: ".encode())
    assert text.count(b"\n") == text.count(b"\r\n") > 8
    assert f"[{finding['line']}:{finding['column']}]" in text.decode()
    assert desk.documents() == []


async def test_every_finding_is_told_with_its_path(desk: Desk) -> None:
    desk.put("a.edxml", package(to=("nobody", "G22")))
    async with desk.watching():
        await desk.told(What.REFUSED)
    report = json.loads((desk.out / "refused" / "a.edxml.report.json").read_bytes())
    (finding,) = [each for each in report["findings"] if each["severity"] == "error"]
    assert finding["path"].endswith("To/OrganId") or "To" in finding["path"]
    assert finding["message"].keys() == {"vi", "en"}


async def test_in_the_name_of_somebody_else(desk: Desk) -> None:
    desk.put("a.edxml", package(sender="000.00.00.G22"))
    async with desk.watching():
        (refused,) = await desk.told(What.REFUSED)
    assert refused.code == "abuse/account"
    assert desk.names("refused") == [f"a.edxml{end}" for end in ("", ".report.json", ".report.txt")]


def others_than(name: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != name]


async def test_of_a_secret_nothing_is_kept_but_the_agency_s_own_file(desk: Desk, tmp_path: Path) -> None:
    words = "TỐI MẬT: kế hoạch phòng thủ Ba Vì"
    data = package(subject=words)
    desk.put("a.edxml", data)
    async with desk.watching():
        (refused,) = await desk.told(What.REFUSED)
    assert refused.code == "secrecy/marked"
    assert (desk.out / "refused" / "a.edxml").read_bytes() == data
    kept = others_than("a.edxml", tmp_path)
    assert {path.name for path in kept} >= {"a.edxml.report.json", "a.edxml.report.txt", "folder.sqlite3"}
    for path in kept:
        for written in ("Ba Vì", "7/UBND"):
            assert written.encode() not in path.read_bytes(), path
    assert desk.world.shelf.files == {}
    assert "vẫn nằm trong thư mục này" in (desk.out / "refused" / "a.edxml.report.txt").read_text("utf-8-sig")


async def test_a_recall_goes_after_its_document(desk: Desk) -> None:
    desk.world.shelf.away = True
    desk.put("1.edxml", package())
    os.utime(desk.out / "1.edxml", (1, 1))
    # Urgent, so it would go first: but there is nothing yet that it could be about.
    desk.put("2.edxml", package("8/UBND", action=Action.RECALL, about="7/UBND", priority=2))
    async with desk.watching():
        await desk.told(What.TROUBLE)
        assert sorted(n for n in desk.names("sending") if n.endswith(".edxml")) == ["1.edxml", "2.edxml"]
        desk.world.shelf.away = False
        await desk.told(What.SENT, 2)
        await desk.told(What.MENDED)
    new, recall = desk.documents()
    assert (new["action"], recall["action"], recall["concerns"]) == ("new", "recall", new["id"])


async def test_a_recall_of_nothing_is_refused(desk: Desk) -> None:
    desk.put("2.edxml", package(action=Action.RECALL, about="9/UBND"))
    async with desk.watching():
        (refused,) = await desk.told(What.REFUSED)
    assert refused.code == "envelope/unknown-concerned"


async def test_urgent_ones_go_first(desk: Desk) -> None:
    for number, priority in enumerate((0, 0, 3)):
        desk.put(f"{number}.edxml", package(f"{number}/UBND", priority=priority))
    async with desk.watching():
        await desk.told(What.SENT, 3)
    assert desk.documents()[0]["document"]["priority"] == "express"


async def test_what_is_over_a_limit_of_the_gateway_waits(desk: Desk) -> None:
    from axis.errors import Refused

    upload, refused = desk.world.shelf.upload, 0

    async def limited(file: object) -> object:
        nonlocal refused
        refused += 1
        if refused == 1:
            raise Refused("limit/bytes", retry_after=1)
        return await upload(file)  # type: ignore[arg-type]

    desk.world.shelf.upload = limited  # type: ignore[method-assign,assignment]
    desk.put("a.edxml", package())
    async with desk.watching():
        (kept,) = await desk.told(What.KEPT)
        assert (kept.code, refused) == ("limit/bytes", 1)
        desk.world.clock.time += dt.timedelta(seconds=2)
        await desk.told(What.SENT)


async def test_a_broker_that_is_away_gets_it_later(desk: Desk) -> None:
    desk.world.post.deaf = True
    desk.put("a.edxml", package())
    async with desk.watching():
        await desk.told(What.KEPT)
        desk.world.post.deaf = False
        await desk.told(What.SENT)
    assert len(desk.documents()) == 1


async def test_an_id_too_old_to_be_taken_is_replaced(desk: Desk) -> None:
    desk.world.shelf.away = True
    desk.put("a.edxml", package())
    async with desk.watching():
        await desk.told(What.TROUBLE)
        (first,) = (desk.out / "sending").glob("*.json")
        before = json.loads(first.read_bytes())["envelope"]
        desk.world.clock.time += dt.timedelta(days=21)
        desk.world.shelf.away = False
        (sent,) = await desk.told(What.SENT)
    assert sent.envelope != before
    with contextlib.closing(Register(desk.world.settings.state_folder / "folder.sqlite3")) as register:
        claim = register.claimed(hashlib.sha256(package()).hexdigest())
    assert claim is not None
    assert claim.envelope == sent.envelope


# What is left alone, and what vanishes


async def test_names_in_use_by_writers_links_and_others_are_never_touched(desk: Desk, tmp_path: Path) -> None:
    outside = tmp_path / "outside.edxml"
    outside.write_bytes(package("1/UBND"))
    for name in ("a.edxml.tmp", "b.EDXML.part", "c.edxml~", ".d.edxml", "e.xml"):
        desk.put(name, package(f"{len(name)}/UBND"))
    (desk.out / "link.edxml").symlink_to(outside)
    (desk.out / "folder.edxml").mkdir()
    os.mkfifo(desk.out / "pipe.edxml")
    before = sorted(each.name for each in desk.out.iterdir())
    async with desk.watching():
        await desk.told(What.IGNORED, 3)
        desk.put("f.edxml", package("2/UBND"))
        await desk.told(What.SENT)
    assert [each for each in desk.names("sent") if each.endswith(".edxml")] == ["f.edxml"]
    assert {each.name for each in desk.out.iterdir()} >= set(before)
    assert outside.exists()
    ignored = {each.file for each in desk.events if each.what is What.IGNORED}
    assert ignored == {"link.edxml", "pipe.edxml", "e.xml", "folder.edxml"}


async def test_a_file_that_vanishes_is_let_go(desk: Desk) -> None:
    desk.world.shelf.away = True
    desk.put("a.edxml", package())
    async with desk.watching():
        await desk.told(What.TROUBLE)
        (desk.out / "sending" / "a.edxml").unlink()
        desk.world.shelf.away = False
        await desk.told(What.GONE)
        assert desk.names("sending") == []
        desk.put("b.edxml", package())
        await desk.told(What.SENT)
    assert len(desk.documents()) == 1


async def test_a_file_nobody_may_read_is_refused_in_the_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def denied(path: Path, *arguments: object, **named: object) -> object:
        if path.parent.name == "sending":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", denied)  # the tests may be root, whom no mode keeps out
    desk.put("a.edxml", package())
    async with desk.watching():
        (refused,) = await desk.told(What.REFUSED)
    assert refused.code == "file/unreadable"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
async def test_vietnamese_names_in_either_form(desk: Desk, form: str) -> None:
    name = unicodedata.normalize(form, "Quyết định số 7 – Lạng Sơn.edxml")  # type: ignore[arg-type]
    desk.put(name, package())
    async with desk.watching():
        await desk.told(What.SENT)
    assert name in desk.names("sent")
    told = json.loads((desk.out / "sent" / f"{name}.receipt.json").read_bytes())
    assert told["file"] == unicodedata.normalize("NFC", name)


async def test_names_that_are_no_text_or_too_long(desk: Desk) -> None:
    desk.put(os.fsdecode(b"a\xff\xfe.edxml"), package("1/UBND"))
    desk.put("ộ" * 82 + ".edxml", package("2/UBND"))
    async with desk.watching():
        await desk.told(What.SENT, 2)
    kept = [name for name in desk.names("sent") if name.endswith(".edxml")]
    assert len(kept) == 2
    assert all(len(name.encode()) <= 200 for name in kept)


async def test_a_recall_of_what_the_axis_refuses_ends_with_it(desk: Desk) -> None:
    desk.world.settings = replace(desk.world.settings, deadline=0.05)
    desk.put("1.edxml", package())
    os.utime(desk.out / "1.edxml", (1, 1))
    desk.put("2.edxml", package("8/UBND", action=Action.RECALL, about="7/UBND"))
    async with desk.watching(answered=False):
        await desk.told(What.KEPT)
        (document,) = desk.documents()
        desk.outcome, desk.code = Outcome.REFUSED, "recipient/unknown"
        await desk.world.post.put("notices.H37", desk.receipt(document["id"]))
        refused = await desk.told_in_time(What.REFUSED, 2)
    assert {each.file: each.code for each in refused} == {"1.edxml": "recipient/unknown", "2.edxml": "concerns/refused"}


async def test_other_bytes_than_those_that_were_looked_at_are_not_sent(desk: Desk) -> None:
    desk.world.shelf.away = True
    desk.put("a.edxml", package())
    async with desk.watching():
        await desk.told(What.TROUBLE)
        (desk.out / "sending" / "a.edxml").write_bytes(package(subject="Nội dung khác"))
        desk.world.shelf.away = False
        (refused,) = await desk.told_in_time(What.REFUSED)
    assert refused.code == "file/changed"
    assert desk.documents() == []
    with contextlib.closing(Register(desk.world.settings.state_folder / "folder.sqlite3")) as register:
        assert register.claimed(hashlib.sha256(package()).hexdigest()) is None
