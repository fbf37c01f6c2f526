"""A call of a webhook is believed when the axis signed it, for us, at this address, now."""

import datetime as dt
import json
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from axis.client import read_webhook
from axis.core.webhooks import Call, Event, Webhook, body_of
from axis.errors import AxisError, Refused
from tests.builders import NOW
from tests.unit.trust.certified import certified

URL = "https://x.gov.vn/hook"
KEY, RECORD, _ = certified("p256", "W00")
PEM = x509.load_der_x509_certificate(RECORD.certificate.der).public_bytes(Encoding.PEM)
EVENT = Event(7, "status", "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11", "H37", "03", NOW)
WEBHOOK = Webhook("w", "G22", URL, (), 0, NOW, "G22")
BODY = body_of(Call("c", "w", (EVENT,), missed=False, since=NOW, due_at=NOW), WEBHOOK, NOW)


def read(
    body: bytes = BODY, signature: str | None = None, account: str = "G22", url: str = URL, at: dt.datetime = NOW
) -> object:
    signed = KEY.sign(body) if signature is None else signature
    return read_webhook(body, signed, account=account, url=url, axis_certificate=PEM, now=at)


def test_what_the_axis_signed_is_believed() -> None:
    called = read_webhook(BODY, KEY.sign(BODY), account="G22", url=URL, axis_certificate=PEM, now=NOW)
    assert (called.id, called.attempt, called.missed) == ("c", 1, False)
    (change,) = called.changes
    assert (change.seq, change.kind, change.recipient, change.code) == (7, "status", "H37", "03")


def test_what_others_signed_or_changed_is_not() -> None:
    stranger, _, _ = certified("p256", "G22")
    for body, signature in ((BODY, stranger.sign(BODY)), (BODY + b" ", KEY.sign(BODY)), (BODY, ""), (BODY, "x")):
        with pytest.raises(Refused) as caught:
            read(body, signature)
        assert caught.value.code.startswith(("signature/", "certificate/"))


def test_a_call_to_others_an_old_one_or_something_else_that_the_axis_signed_is_not() -> None:
    late = dt.timedelta(minutes=11)
    calls: list[Callable[[], object]] = [
        lambda: read(account="H37"),
        lambda: read(url="https://y.gov.vn/"),
        lambda: read(at=NOW + late),
        lambda: read(json.dumps({"schema": "axis.receipt/1"}).encode()),
        lambda: read(b"[]"),
        lambda: read(b"{"),
        lambda: read(b"[" * 100_000),
        lambda: read(BODY.replace(b'"seq":7', b'"seq":"x"')),
    ]
    for told in calls:
        with pytest.raises(AxisError) as caught:
            told()
        assert caught.value.code == "webhook/malformed"
