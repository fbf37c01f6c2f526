import pytest

from axis.core.reading import read_status
from axis.core.tracking import DeliveryFact, EnvelopeFacts, judge
from axis.errors import Refused
from schemas import Status, StatusCode
from tests.builders import status_dict, status_submission

FACTS = EnvelopeFacts(
    sender="G22.01",
    account="G22",
    deliveries=[
        DeliveryFact("H37", "H37", "H37", None),
        DeliveryFact("H37.05", "H37.05", "H37", None),
        DeliveryFact("H37.07.01", "H37.07.01", "H37", None),
        DeliveryFact("H22", "H60", "H60", "03"),
        DeliveryFact("X99", None, None, None),
        DeliveryFact("H26.01", "H26.01", "H26.01", None),
    ],
)


def status(**changes: object) -> Status:
    return read_status(status_submission(status_dict(**changes)))


def code_of(**changes: object) -> str:
    with pytest.raises(Refused) as caught:
        judge(status(**changes), FACTS, sha256="a")
    return caught.value.code


def test_a_recipient_reports_for_its_own_code_only() -> None:
    verdict = judge(status(reporter="H37", code="03"), FACTS, sha256="a")
    assert verdict.recipients == ("H37",)
    assert verdict.advances == {"H37": StatusCode.ACCEPTED}
    assert verdict.notify == "G22"


def test_a_mailbox_reports_for_a_unit_it_names() -> None:
    verdict = judge(status(reporter="H37", recipient="H37.05", code="01"), FACTS, sha256="a")
    assert verdict.recipients == ("H37.05",)
    between = judge(status(reporter="H37.07", recipient="H37.07.01"), FACTS, sha256="a")
    assert between.recipients == ("H37.07.01",)


def test_a_successor_reports_for_the_code_that_led_to_it() -> None:
    verdict = judge(status(reporter="H60", code="05"), FACTS, sha256="a")
    assert verdict.advances == {"H22": StatusCode.PROCESSING}


def test_who_did_not_get_it_cannot_report() -> None:
    assert code_of(reporter="H38") == "status/not-recipient"
    assert code_of(reporter="X99") == "status/not-recipient"
    assert code_of(reporter="H37", recipient="H22") == "status/not-recipient"
    # The ministry above did not get what its unit's own mailbox got.
    assert code_of(reporter="H26", recipient="H26.01") == "status/not-recipient"
    assert code_of(reporter="H37.05", recipient="H37") == "status/not-recipient"


def test_an_unknown_envelope_is_said_so() -> None:
    with pytest.raises(Refused) as caught:
        judge(status(), None, sha256="a")
    assert caught.value.code == "status/unknown-envelope"


def test_an_id_with_other_bytes_is_refused_and_with_the_same_is_not() -> None:
    with pytest.raises(Refused) as caught:
        judge(status(), FACTS, sha256="a", known_as="b")
    assert caught.value.code == "status/id-reused"
    judge(status(), FACTS, sha256="a", known_as="a")


def test_what_is_late_never_moves_a_delivery_back() -> None:
    verdict = judge(status(reporter="H60", code="01"), FACTS, sha256="a")
    assert verdict.advances == {}
    assert FACTS.after(verdict) == FACTS


def test_the_facts_follow_the_verdicts_of_one_batch() -> None:
    first = judge(status(reporter="H37", code="06"), FACTS, sha256="a")
    second = judge(status(reporter="H37", code="03"), FACTS.after(first), sha256="b")
    assert second.advances == {}


def test_only_the_sender_takes_back_and_the_recipient_is_told() -> None:
    taken = status(reporter="G22.01", code="13", recipient="H22", reason="Gửi nhầm")
    verdict = judge(taken, FACTS, sha256="a")
    assert (verdict.recipients, verdict.notify, verdict.advances) == (("H22",), "H60", {})
    assert code_of(reporter="H37", code="13", recipient="H22", reason="x") == "status/not-sender"
    assert code_of(reporter="G22.01", code="13", recipient="X99", reason="x") == "status/not-recipient"
