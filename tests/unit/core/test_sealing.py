"""What the axis does for a sealed document, and what its recipient checks."""

import datetime as dt
from typing import Any

import pytest

from axis.core.directory import Directory
from axis.core.reading import parse_envelope, parse_sealed
from axis.core.resolving import resolver
from axis.core.routing import blobs_of, check_blobs, deliveries_of, resolve_recipients
from axis.core.sealing import check_contents
from axis.errors import Refused
from schemas import MAX_KEYS_BYTES, Envelope, SealContents
from tests.builders import LONG_AGO, NOW, as_bytes, envelope_dict, mailbox, organisation, organisations

DIGESTS = [f"{number:064x}" for number in range(3)]


def sealed_envelope(*recipients: str, mailboxes: tuple[str, ...] = ("H37",), **changes: Any) -> Envelope:
    files = [
        {"name": f"{n}.sealed", "media_type": "application/vnd.axis.sealed", "size": 57 + n, "sha256": DIGESTS[n]}
        for n in range(2)
    ]
    body = envelope_dict(
        recipients=list(recipients or ("H37",)),
        attachments=files,
        sealed={
            "scheme": "axis.seal/1",
            "keys": {"sha256": DIGESTS[2], "size": 900},
            "mailboxes": list(mailboxes),
        },
        **changes,
    )
    return parse_envelope(as_bytes(body))


DIRECTORY = Directory.build(
    [
        *organisations(["G12", "H37", "H37.05", "H60"]),
        organisation("H22", valid_to=NOW - dt.timedelta(days=1), successor="H60", valid_from=LONG_AGO),
    ],
    [mailbox("G12"), mailbox("H37"), mailbox("H60")],
)


def test_a_recipient_that_leads_elsewhere_is_refused_and_the_others_are_not() -> None:
    envelope = sealed_envelope("H37.05", "H22", "Z99", mailboxes=("H37", "H22"))
    deliveries = deliveries_of(
        envelope.id, resolve_recipients(envelope, resolver(DIRECTORY, NOW)), lambda _mailbox: None
    )
    states = [(each.recipient, each.state.value, each.mailbox, each.reason) for each in deliveries]
    assert states == [
        ("H37.05", "routed", "H37", None),
        ("H22", "refused", None, "seal/other-mailbox"),
        ("Z99", "refused", None, "recipient/unknown"),
    ]
    detail = deliveries[1].detail
    assert detail is not None
    assert "successor H60" in detail
    assert "through H60" in detail


def test_an_envelope_that_is_not_sealed_goes_as_ever() -> None:
    envelope = parse_envelope(as_bytes(envelope_dict(recipients=["H22"])))
    (resolution,) = resolve_recipients(envelope, resolver(DIRECTORY, NOW))
    assert resolution.mailbox == "H60"


def test_the_wrapped_keys_are_a_blob_like_the_files() -> None:
    envelope = sealed_envelope()
    assert [(row.name, row.sha256, row.size) for row in blobs_of(envelope)] == [
        ("0.sealed", DIGESTS[0], 57),
        ("1.sealed", DIGESTS[1], 58),
        ("keys.jwe", DIGESTS[2], 900),
    ]
    known = {DIGESTS[0]: 57, DIGESTS[1]: 58, DIGESTS[2]: 900}
    assert check_blobs(envelope, known) == blobs_of(envelope)
    for wrong, code in (({**known, DIGESTS[2]: 901}, "blob/size"), ({DIGESTS[0]: 57, DIGESTS[1]: 58}, "blob/missing")):
        with pytest.raises(Refused, match=r"keys\.jwe") as caught:
            check_blobs(envelope, wrong)
        assert caught.value.code == code


@pytest.mark.parametrize(
    "change",
    [
        {"scheme": "axis.seal/2"},
        {"mailboxes": []},
        {"mailboxes": ["H37", "H37"]},
        {"keys": {"sha256": DIGESTS[2], "size": MAX_KEYS_BYTES + 1}},
        {"key": "A" * 43},
    ],
)
def test_a_sealed_part_that_is_not_of_the_form_is_refused(change: dict[str, Any]) -> None:
    part = {"scheme": "axis.seal/1", "keys": {"sha256": DIGESTS[2], "size": 900}, "mailboxes": ["H37"], **change}
    with pytest.raises(Refused) as caught:
        parse_envelope(as_bytes(envelope_dict(sealed=part)))
    assert caught.value.code == "message/schema"


def contents(envelope: Envelope, **changes: Any) -> SealContents:
    files = [
        {"name": name, "media_type": "application/pdf", "size": 1, "sha256": DIGESTS[0]}
        for name in ("Công văn.pdf", "Phụ lục.pdf")
    ]
    said = {
        "schema": "axis.seal/1",
        "envelope": envelope.id,
        "sender": envelope.sender,
        "key": "A" * 43,
        "files": files,
        **changes,
    }
    return parse_sealed(as_bytes(said), SealContents, MAX_KEYS_BYTES)


def test_keys_open_the_envelope_they_were_made_for_alone() -> None:
    envelope, other = sealed_envelope(), sealed_envelope()
    made = contents(envelope)
    check_contents(made, envelope)
    file = made.files[0]
    for wrong, code in (
        (contents(other), "seal/other-envelope"),
        (contents(envelope, sender="G12"), "seal/other-envelope"),
        (made.model_copy(update={"files": [file]}), "seal/malformed"),
        (made.model_copy(update={"files": [file, file.model_copy(update={"name": "CÔNG VĂN.pdf"})]}), "seal/malformed"),
    ):
        with pytest.raises(Refused) as caught:
            check_contents(wrong, envelope)
        assert caught.value.code == code


def test_contents_of_another_form_are_refused() -> None:
    envelope = sealed_envelope()
    changes: list[dict[str, Any]] = [{"files": []}, {"key": "A" * 42}, {"files": [{"name": "../x"}]}, {"more": 1}]
    for change in changes:
        with pytest.raises(Refused) as caught:
            contents(envelope, **change)
        assert caught.value.code == "seal/malformed"
