import asyncio
import datetime as dt
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from axis.cli.track import standing_of
from axis.core.concerning import WAIT, Waiting
from axis.core.enrolment import Enrolment
from axis.core.evidence import Evidence
from axis.core.ids import new_id
from axis.core.records import (
    Accepted,
    DeliveryRow,
    DeliveryState,
    EnvelopeRow,
    NoticeRow,
    QuarantineRow,
    StatusRow,
)
from axis.signatures.verdict import PdfSignature, Standing, Verdict
from axis.store import FakeStore, FiledPaper
from tests.builders import NOW
from tests.contract.test_store_proofs import answer
from tests.unit.cli.conftest import Run
from tests.unit.store.rows import certificate

ENVELOPE = new_id(NOW)
STATUS = new_id(NOW)
QUARANTINED = new_id(NOW)
DOCUMENT = "G22,2026/11/24,7816/VPCP-TTĐT"
HOSTILE = '{"subject": "\x1b]0;owned\x07\x1b[2J[red]Văn bản[/red]"'.encode()


def accepted() -> Accepted:
    envelope = EnvelopeRow(
        id=ENVELOPE,
        sender="G22",
        account="G22",
        thumbprint="T" * 43,
        lane="urgent",
        action="new",
        concerns=None,
        document_id=DOCUMENT,
        subject="V/v kết nối, liên thông",
        sent_at=NOW,
        accepted_at=NOW,
        body=b"{}",
        signature="s",
        sha256="0" * 64,
    )
    return Accepted(
        envelope,
        (
            DeliveryRow(ENVELOPE, "H37.02", "H37.02", "H37", DeliveryState.ROUTED, via=("via H37: the nearest above",)),
            DeliveryRow(ENVELOPE, "H99", None, None, DeliveryState.REFUSED, "recipient/unknown", "H99 is unknown"),
        ),
        (),
        NoticeRow(new_id(NOW), "G22", "receipt", ENVELOPE, b"{}", "s"),
    )


def status() -> StatusRow:
    return StatusRow(
        id=STATUS,
        envelope_id=ENVELOPE,
        reporter="H37",
        recipients=("H37.02",),
        code="03",
        effect="advanced",
        at=NOW,
        received_at=NOW,
        reason=None,
        account="H37",
        thumbprint="T" * 43,
        body=b"{}",
        signature="s",
        sha256="1" * 64,
    )


@pytest.fixture
def filled(store: FakeStore) -> None:
    async def fill() -> None:
        async with store.transaction() as tx:
            await tx.accept([accepted()])
            await tx.statuses([status()], {(ENVELOPE, "H37.02"): ("03", NOW)})
            await tx.quarantine(
                [
                    QuarantineRow(
                        id=QUARANTINED,
                        received_at=NOW,
                        source="axis.route.normal",
                        reason="signature/invalid",
                        detail="it does not fit",
                        account="G09",
                        message_id=ENVELOPE,
                        body=HOSTILE,
                        sha256="2" * 64,
                        headers={"type": "document"},
                    )
                ]
            )
        await store.mark_published([ENVELOPE], [])

    asyncio.run(fill())


@pytest.mark.parametrize("term", [ENVELOPE, DOCUMENT], ids=["envelope", "document"])
def test_track_by_envelope_and_by_document(run: Run, filled: None, term: str) -> None:
    ran = run("track", term)
    assert ran.code == 0
    for told in ("V/v kết nối, liên thông", "2 recipients: 1 taken, 1 undeliverable", "H37.02", "advanced", "via H37"):
        assert told in ran.out
    assert "1 notices wait" in ran.out


def test_track_in_json(run: Run, filled: None) -> None:
    (tracked,) = run("track", ENVELOPE, "--json").json["envelopes"]
    assert tracked["envelope"]["sent_at"] == NOW.isoformat().replace("+00:00", "Z")
    assert [each["state"] for each in tracked["deliveries"]] == ["delivered", "refused"]
    assert tracked["deliveries"][0]["last_status"] == "03"
    assert tracked["statuses"][0]["reporter"] == "H37"


def test_track_says_that_the_gateway_signed_for_an_agency(run: Run, filled: None, store: FakeStore) -> None:
    assert "by the gateway" not in run("track", ENVELOPE).out
    tracked = run("track", ENVELOPE, "--json").json["envelopes"][0]["envelope"]
    record = Enrolment(
        thumbprint=tracked["thumbprint"],
        organisation=tracked["sender"],
        role="gateway",
        subject="CN=G22",
        not_before=NOW,
        not_after=NOW,
        der=b"der",
    )
    asyncio.run(store.directory.put_certificate(record))
    assert "by the gateway" in run("track", ENVELOPE).out
    assert run("track", ENVELOPE, "--json").json["signer_roles"] == {tracked["thumbprint"]: "gateway"}


def test_track_shows_a_recall_that_came_before_its_document(run: Run, filled: None, store: FakeStore) -> None:
    early, own = (waiting(concerns) for concerns in (new_id(NOW), ENVELOPE))

    async def keep() -> None:
        async with store.transaction() as tx:
            for each in (early, own):
                await tx.wait(each, 10)

    asyncio.run(keep())
    for term in (early.id, early.concerns, early.id.upper()):
        ran = run("track", term)
        assert (ran.code, f"recall {early.id} by the account of G22 came" in ran.out) == (0, True)
        assert f"before envelope {early.concerns}, and waits for it" in ran.out
    assert run("track", early.id, "--json").json["waiting"][0]["concerns"] == early.concerns
    # The moment between the document and the next look of a router.
    for term in (ENVELOPE, DOCUMENT):
        assert f"recall {own.id}" in run("track", term).out
    assert early.id not in run("track", ENVELOPE).out


def waiting(concerns: str) -> Waiting:
    return Waiting(
        id=new_id(NOW),
        concerns=concerns,
        queue="axis.route.urgent",
        account="G22",
        routing_key="urgent.G22",
        content_type="application/json",
        headers={},
        body=b'{"action": "recall"}',
        sha256="3" * 64,
        received_at=NOW,
        until=NOW + WAIT,
    )


def test_track_says_on_what_a_reporters_certificate_was_taken(run: Run, filled: None, store: FakeStore) -> None:
    assert "not asked about" in run("track", ENVELOPE).out.replace("\n", " ")
    as_of = NOW - dt.timedelta(hours=2)
    proved = replace(status(), id=new_id(NOW), sha256="4" * 64, evidence=1)

    async def report() -> None:
        await store.directory.put_certificate(certificate())
        await store.proofs.keep(Evidence(certificate().thumbprint, (answer(this_update=as_of),)), NOW + WAIT)
        async with store.transaction() as tx:
            await tx.statuses([proved], {})

    asyncio.run(report())
    statuses = run("track", ENVELOPE, "--json").json["envelopes"][0]["statuses"]
    (told,) = [each for each in statuses if each["id"] == proved.id]  # of one moment, in no order
    assert told["proof"]["as_of"] == as_of.isoformat().replace("+00:00", "Z")
    assert "2.0 h" in run("track", ENVELOPE).out


def test_track_of_nothing(run: Run, filled: None) -> None:
    assert run("track", new_id(NOW)).code == 66


def test_quarantine_list_and_its_filter(run: Run, filled: None) -> None:
    assert "signature/invalid" in run("quarantine", "list").out
    assert run("quarantine", "list", "--json").json["quarantined"][0]["id"] == QUARANTINED
    assert run("quarantine", "list", "--reason", "message/not-json").out == "nothing in quarantine\n"


def test_quarantine_show_cannot_be_made_to_move_the_cursor(run: Run, filled: None) -> None:
    ran = run("quarantine", "show", QUARANTINED)
    assert ran.code == 0
    assert "[red]Văn bản[/red]" in ran.out
    assert "\x1b" not in ran.out
    assert "\x07" not in ran.out


def test_quarantine_show_saves_the_exact_bytes_once(run: Run, filled: None, tmp_path: Path) -> None:
    target = tmp_path / "message.bin"
    assert run("quarantine", "show", QUARANTINED, "--save", str(target), "--json").code == 0
    assert target.read_bytes() == HOSTILE
    assert not stat.S_IMODE(target.stat().st_mode) & stat.S_IXUSR
    again = run("quarantine", "show", QUARANTINED, "--save", str(target))
    assert again.code == 73
    assert "file/not-created" in again.err


def test_quarantine_show_of_nothing(run: Run, filled: None) -> None:
    assert run("quarantine", "show", "no-such").code == 66


@pytest.mark.parametrize(
    ("name", "verdict", "told"),
    [
        ("1.sealed", None, "sealed"),
        ("a.PDF", None, "not looked at yet"),
        ("a.xlsx", None, "not a PDF"),
        ("a.pdf", Verdict(Standing.NOT_SIGNED), "not signed"),
        (
            "a.pdf",
            Verdict(Standing.SIGNED, (PdfSignature("Trần Văn Thử", intact=True, trusted=True),)),
            "signed by Trần Văn Thử, intact, trusted (revocation not checked)",
        ),
        ("a.pdf", Verdict(Standing.NOT_TRUSTED, (PdfSignature("A"),)), "signed, intact, not trusted (A)"),
    ],
)
def test_every_file_has_its_standing(name: str, verdict: Verdict | None, told: str) -> None:
    filed = FiledPaper(name, "0" * 64, None if verdict is None else verdict.as_json())
    assert standing_of(filed).told() == told
