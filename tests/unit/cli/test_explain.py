import asyncio
import datetime as dt
from typing import Any

import pytest

from axis.core.enrolment import Enrolment
from axis.store import FakeStore
from schemas import Certificate
from tests.builders import LONG_AGO, mailbox, organisation
from tests.unit.cli.conftest import Run

CLOSURE = dt.datetime(2025, 6, 30, 17, tzinfo=dt.UTC)


def certificate(code: str) -> Certificate:
    far = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
    return Certificate(
        thumbprint="T" * 43, organisation=code, subject="CN=x", not_before=LONG_AGO, not_after=far, der=b"x"
    )


@pytest.fixture
def directory(store: FakeStore) -> None:
    async def fill() -> None:
        await store.directory.put_organisations(
            [
                organisation("G22", name="Văn phòng Chính phủ"),
                organisation("H37", name="UBND tỉnh Lạng Sơn"),
                organisation("H37.05"),
                organisation("H22", name="UBND tỉnh Hà Giang", valid_to=CLOSURE, successor="H60"),
                organisation("H60", name="UBND tỉnh Tuyên Quang"),
            ]
        )
        for code in ("G22", "H37", "H60", "H22"):
            await store.directory.put_mailbox(mailbox(code))
        await store.directory.put_certificate(certificate("G22"))

    asyncio.run(fill())


def test_every_rule_is_told_and_the_queue(run: Run, directory: None) -> None:
    ran = run("explain", "--from", "G22", "--to", "H37.05", "--priority", "urgent")
    assert ran.code == 0
    for told in (
        "urgent lane",
        "✓ account: G22 may submit it, under routing key urgent.G22",
        "in force: H37.05 is in force",
        "mailbox above: via H37",
        "mailbox H37, queue mailbox.urgent.H37",
        "notices.G22",
    ):
        assert told in ran.out


def test_both_forms_of_codes(run: Run, directory: None) -> None:
    ran = run("explain", "--from", "000.00.00.G22", "--to", "000.00.05.H37", "--json")
    assert ran.json["sender"]["code"] == "G22"
    assert ran.json["recipients"][0]["recipient"] == "H37.05"


def test_as_of_a_date(run: Run, directory: None) -> None:
    before = run("explain", "--from", "G22", "--to", "H22", "--at", "2025-06-30", "--json").json["recipients"][0]
    after = run("explain", "--from", "G22", "--to", "H22", "--at", "2025-07-01", "--json").json["recipients"][0]
    assert (before["mailbox"], after["mailbox"]) == ("H22", "H60")
    assert after["via"] == ["via successor H60: H22 closed on 2025-07-01"]
    step = {"successor": "H60", "code": "H22", "day": "2025-07-01"}
    assert [(each["how"], each["told"]) for each in after["steps"][:1]] == [("successor", step)]


def test_a_refusal_and_its_reason(run: Run, directory: None) -> None:
    ran = run("explain", "--from", "G22", "--to", "H99", "--to", "H37")
    assert ran.code == 1
    assert "✗ unknown: H99 is not in the directory" in ran.out
    assert "refused: recipient/unknown" in ran.out


def test_a_sender_that_could_not_send(run: Run, directory: None) -> None:
    ran = run("explain", "--from", "H37.05", "--to", "G22", "--json")
    assert ran.code == 1
    assert ran.json["sender"]["accounts"] == ["H37"]
    assert ran.json["sender"]["certificates"] == []
    assert ran.json["recipients"][0]["ok"] is True


def test_a_code_that_is_none(run: Run, directory: None) -> None:
    ran = run("explain", "--from", "G22", "--to", "Lạng Sơn")
    assert ran.code == 65
    assert "code/malformed" in ran.err


def test_a_certificate_that_no_longer_signs_is_not_called_good(run: Run, directory: None, store: FakeStore) -> None:
    ended = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)

    async def put(**life: object) -> None:
        await store.directory.put_certificate(Enrolment(**{**certificate("G22").model_dump(), **life}))

    def counted() -> Any:
        rows = run("agency", "list", "--json").json["organisations"]
        return next(row["certificates"] for row in rows if row["code"] == "G22")

    assert counted() == 1
    assert run("explain", "--from", "G22", "--to", "H37", "--json").json["sender"]["certificates"] == ["T" * 43]
    for life, state in (({"retired_at": ended}, "retired"), ({"trusted_until": ended}, "unproven")):
        asyncio.run(put(**life))
        ran = run("explain", "--from", "G22", "--to", "H37", "--json")
        assert ran.json["sender"]["certificates"] == []
        assert run("agency", "show", "G22", "--json").json["certificates"][0]["state"] == state
        assert state in run("agency", "show", "G22").out
        assert counted() == 0
    asyncio.run(put(role="sealing"))
    assert counted() == 0
