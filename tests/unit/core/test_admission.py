import datetime as dt

import pytest

from axis.core.admission import IdWindow, admit_envelope, admit_status, check_concerned
from axis.core.directory import Directory
from axis.core.ids import new_id
from axis.core.messages import Signer, Submission
from axis.core.reading import read_envelope, read_status
from axis.errors import Refused
from schemas import UnknownBelow
from tests.builders import (
    LONG_AGO,
    NOW,
    document_submission,
    envelope_dict,
    mailbox,
    organisation,
    organisations,
    status_dict,
    status_submission,
)

DIRECTORY = Directory.build(
    organisations(["G22", "G22.01", "H37", "H37.05"]), [mailbox("G22"), mailbox("H37"), mailbox("H37.05")]
)


def admit(submission: Submission, signer: Signer) -> None:
    admit_envelope(read_envelope(submission), submission, signer, DIRECTORY, NOW)


def refused(submission: Submission, signer: Signer = Signer("G22", "t")) -> str:  # noqa: B008 - a frozen value
    with pytest.raises(Refused) as caught:
        admit(submission, signer)
    return caught.value.code


def test_four_facts_that_agree_are_admitted() -> None:
    admit(document_submission(), Signer("G22", "t"))


def test_an_organisation_speaks_for_its_units() -> None:
    submission = document_submission(envelope_dict(sender="G22.01"), account="G22")
    admit(submission, Signer("G22", "t"))
    admit(submission, Signer("G22.01", "t"))
    admit(submission, Signer("G22", "t", role="gateway"))


def test_a_unit_does_not_speak_for_its_parent() -> None:
    assert refused(document_submission(), Signer("G22.01", "t")) == "abuse/signer"
    assert (
        refused(document_submission(envelope_dict(sender="H37"), account="H37.05"), Signer("H37", "t"))
        == "abuse/account"
    )


@pytest.mark.parametrize("account", [None, "H37", "G2", "G22.01", "guest"])
def test_the_account_must_hold_the_sender(account: str | None) -> None:
    assert refused(document_submission(account=account)) == "abuse/account"


def test_the_axis_key_speaks_for_nobody() -> None:
    assert refused(document_submission(), Signer("G22", "t", role="axis")) == "abuse/signer"


def test_similar_codes_are_not_related() -> None:
    assert refused(document_submission(), Signer("G2", "t")) == "abuse/signer"
    assert refused(document_submission(), Signer("G", "t")) == "abuse/signer"


@pytest.mark.parametrize("key", ["normal.G22.01", "G22", "normal.H37", "other.G22", ""])
def test_the_routing_key_must_be_the_senders(key: str) -> None:
    assert refused(document_submission(routing_key=key)) == "abuse/routing-key"


def test_the_lane_must_be_the_one_of_the_priority() -> None:
    assert refused(document_submission(routing_key="urgent.G22")) == "lane/mismatch"
    urgent = envelope_dict(document={"priority": "express_timed"})
    assert refused(document_submission(urgent)) == "lane/mismatch"
    admit(document_submission(urgent, routing_key="urgent.G22"), Signer("G22", "t"))


@pytest.mark.parametrize("header", ["CC", "BCC"])
def test_smuggled_routes_are_abuse(header: str) -> None:
    assert refused(document_submission(headers={header: ["urgent.H37"]})) == "abuse/routing-headers"
    submission = status_submission(headers={header: ["G22"]})
    with pytest.raises(Refused) as caught:
        admit_status(read_status(submission), submission, Signer("H37", "t"), DIRECTORY, NOW)
    assert caught.value.code == "abuse/routing-headers"


def test_a_status_needs_the_same_witnesses() -> None:
    def admit_it(submission: Submission, signer: Signer) -> None:
        admit_status(read_status(submission), submission, signer, DIRECTORY, NOW)

    admit_it(status_submission(), Signer("H37", "t"))
    admit_it(status_submission(status_dict(reporter="H37.02"), account="H37"), Signer("H37", "t"))
    for submission, signer, code in [
        (status_submission(account="G22"), Signer("H37", "t"), "abuse/account"),
        (status_submission(), Signer("G22", "t"), "abuse/signer"),
        (status_submission(routing_key="G22"), Signer("H37", "t"), "abuse/routing-key"),
    ]:
        with pytest.raises(Refused) as caught:
            admit_it(submission, signer)
        assert caught.value.code == code


def test_ids_from_far_away_are_refused() -> None:
    window = IdWindow(past=dt.timedelta(days=31), future=dt.timedelta(hours=1))
    for offset in (dt.timedelta(0), dt.timedelta(minutes=59), -dt.timedelta(days=30)):
        window.check(new_id(NOW + offset), NOW, "envelope/id-time")
    far = [new_id(NOW + dt.timedelta(hours=2)), new_id(NOW - dt.timedelta(days=32)), new_id(LONG_AGO)]
    beyond_the_calendar = "ffffffff-ffff-7fff-bfff-ffffffffffff"
    for identifier in (*far, beyond_the_calendar):
        with pytest.raises(Refused) as caught:
            window.check(identifier, NOW, "status/id-time")
        assert caught.value.code == "status/id-time"


def test_only_who_is_in_force_sends() -> None:
    closed = organisation("H11", valid_to=NOW, successor="H37")
    opened = organisation("H26", unknown_below=UnknownBelow.OPEN)
    directory = Directory.build(
        [*organisations(["G22", "H37"]), closed, opened],
        [mailbox("G22"), mailbox("H11"), mailbox("H37"), mailbox("H26")],
    )

    def admit_as(sender: str, account: str) -> None:
        submission = document_submission(envelope_dict(sender=sender), account=account)
        admit_envelope(read_envelope(submission), submission, Signer(account, "t"), directory, NOW)

    admit_as("G22", "G22")
    admit_as("H26.77", "H26")
    for sender, account in (("H11", "H11"), ("H11.05", "H11"), ("H37.NOSUCH", "H37")):
        with pytest.raises(Refused) as caught:
            admit_as(sender, account)
        assert caught.value.code == "abuse/sender"


def test_nobody_recalls_anothers_document() -> None:
    recall = read_envelope(
        document_submission(envelope_dict(sender="G22.01", action="recall", concerns=new_id(NOW)), account="G22")
    )
    for own in ("G22.01", "G22", "G22.07"):
        check_concerned(recall, "G22", sender=own)
    with pytest.raises(Refused) as caught:
        check_concerned(recall, "G22", sender="H37")
    assert caught.value.code == "abuse/concerned"
