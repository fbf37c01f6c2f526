"""Envelope, status and receipt: the JSON bodies.

What is taken has no key twice, is valid under the published JSON Schema, reads alike in another JSON parser, and says
the same when it is written and read again. So two implementations cannot see two documents in one signed message.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from jsonschema import Draft202012Validator

from axis.client.witness import Witness
from axis.core.reading import parse_envelope, parse_status
from axis.errors import Refused
from schemas import Envelope, Receipt, Status, Wire, examples, generate
from tests.fuzz.oracle import Target, holds, other_reading, read_or_refused, words
from tests.fuzz.targets.keys import AXIS_CERTIFICATE, EXAMPLE_KEY, NoCertificates

_WITNESS = Witness(source=NoCertificates(), cache=None, axis_certificate=AXIS_CERTIFICATE)
_SCHEMAS = {name: Draft202012Validator(generate.json_schema(name)) for name in ("envelope", "status")}
_NO_TEXT = frozenset("\0\x1b\x7f")  # what forges lines in terminals, or is not to be stored

_Body = TypeVar("_Body", bound=Wire)


def check_envelope(data: bytes) -> None:
    """Read an envelope."""
    _check("envelope", Envelope, lambda: parse_envelope(data), data)


def check_status(data: bytes) -> None:
    """Read a status."""
    _check("status", Status, lambda: parse_status(data), data)


def check_receipt(data: bytes) -> None:
    """Read a receipt as the SDK does: signed by the axis, about a message of this account."""
    signature = EXAMPLE_KEY.sign(data)
    _check("receipt", Receipt, lambda: _WITNESS.receipt(data, signature, account="G22")[0], data)


def _check(name: str, model: type[_Body], read: Callable[[], _Body], data: bytes) -> None:
    body = read_or_refused(read, Refused, "message", "envelope", "certificate", "abuse")
    if body is None:
        return
    try:
        other = other_reading(data)
    except ValueError as error:
        holds(False, f"taken, and the other parser says: {error}")  # noqa: FBT003 - the failing branch
        return
    written = body.model_dump_json(by_alias=True).encode()
    holds(model.model_validate_json(written) == body, "written and read again it says something else")
    if name == "receipt":
        return  # an axis that says more than this program knows is read all the same, whatever is in it
    holds(orjson.loads(data) == other, "two parsers read two things")
    holds(not any(_NO_TEXT & set(text) for text in words(other)), "taken, with control characters")
    holds(_SCHEMAS[name].is_valid(other), "taken, and not valid under the published schema")
    # Every member of the text is in the model: nothing that was signed is passed over.
    dumped = json.loads(body.model_dump_json(by_alias=True, exclude_unset=True))
    holds(_shape(dumped) == _shape(other), "a member was lost between the bytes and the model")


def _shape(value: object) -> object:
    # Times are written in another spelling, all else as it came: numbers and texts are compared by the model.
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    return [_shape(item) for item in value] if isinstance(value, list) else type(value)


def _body(example: dict[str, Any], **changes: object) -> bytes:
    return examples.body_of({**example, **changes})


def _envelopes() -> Mapping[str, bytes]:
    envelope, document = examples.ENVELOPE, examples.ENVELOPE["document"]
    return {
        "example": _body(envelope),
        "recall": _body(envelope, action="recall", concerns=examples.ENVELOPE_ID, reason="Gửi nhầm nơi nhận"),
        "least": _body(
            {name: envelope[name] for name in ("schema", "id", "sender", "recipients", "sent_at")},
            document={name: document[name] for name in ("document_id", "subject")},
        ),
        "reply": _body(
            envelope,
            document={**document, "replies_to": [{"organisation": "H37", "notation": "12/UBND-VP"}]},
            trace=[{"organisation": "G22.01", "at": "2026-11-24T08:00:00Z"}],
        ),
        "indented": json.dumps(envelope, indent=1).encode(),
        "escaped": json.dumps(envelope, ensure_ascii=True).encode(),
        "key-twice": _body(envelope)[:-1] + b',"sender":"H37"}',
        "key-twice-escaped": _body(envelope)[:-1] + b',"\\u0073ender":"H37"}',
        "lone-surrogate": _body(envelope).replace(b"H\xc3\xa0 N\xe1\xbb\x99i", b"\\ud800"),
        "not-a-number": _body(envelope).replace(b'"pages":2', b'"pages":NaN'),
        "minus-zero": _body(envelope).replace(b'"pages":2', b'"pages":-0'),
        "huge-number": _body(envelope).replace(b'"pages":2', b'"pages":1e999'),
        "deep": b'{"schema":' + b"[" * 2_000 + b"]" * 2_000 + b"}",
        "beyond-the-calendar": _body(envelope, id="ffffffff-ffff-7c21-9f5e-3b7d9c0a4e11"),
        "empty": b"",
        "byte-order-mark": b"\xef\xbb\xbf" + _body(envelope),
        "utf-16": _body(envelope).decode().encode("utf-16"),
    }


def _statuses() -> Mapping[str, bytes]:
    status = examples.STATUS
    return {
        "example": _body(status),
        "refused": _body(status, code="02", reason="Sai thẩm quyền"),
        "take-back": _body(status, code="13", reason="Gửi nhầm", recipient="H37.05", reporter="G22"),
        "destroyed": _body(examples.DESTROYED),
        "untaken": _body(status, code="15", destroyed={"at": "2026-11-24T08:00:00Z", "untaken": True}),
        "offset": _body(status, at="2026-11-24T23:59:59.123456789-12:00"),
        "key-twice": _body(status)[:-1] + b',"code":"06"}',
        "beyond-the-calendar": _body(status, id="ffffffff-ffff-7c21-9f5e-3b7d9c0a4e11"),
    }


def _receipts() -> Mapping[str, bytes]:
    receipt = {**examples.RECEIPT, "id": "01a20c91-a000-7a00-8a55-0d1e2f3a4b5c"}  # when the example's key is valid
    return {
        "example": _body(receipt),
        "refused": _body(receipt, outcome="refused", code="abuse/signer", recipients=[]),
        "unreadable": _body(
            receipt, message_type="unknown", message_id=None, outcome="refused", code="message/not-json"
        ),
        "of-another": _body(receipt, account="H37"),
        "key-twice": _body(receipt)[:-1] + b',"outcome":"accepted"}',
        "beyond-the-calendar": _body(receipt, id="ffffffff-ffff-7c21-9f5e-3b7d9c0a4e11"),
    }


_SYNTAX = (
    b'"',
    b"{}",
    b"[]",
    b":",
    b",",
    b"null",
    b"true",
    b"\\u0000",
    b"\\ud800",
    b"\\udc00",
    b"-0",
    b"1e308",
    b"2.0",
)
_VALUES = (
    b'"2026-11-24T15:00:00+07:00"',
    b'"2026-02-30"',
    b'"1899-12-31T00:00:00Z"',
    b'"ffffffff-ffff-7c21-9f5e-3b7d9c0a4e11"',
    b'"H37.05.02"',
    b'"000.00.00.H37"',
    "e\u0302\u0301".encode(),
    "\u202e".encode(),
)


def _dictionary(model: type[Wire]) -> tuple[bytes, ...]:
    schema = model.model_json_schema(by_alias=True)
    parts = [schema, *schema.get("$defs", {}).values()]
    names = {f'"{name}":' for part in parts for name in part.get("properties", {})}
    values = {f'"{value}"' for part in parts for value in part.get("enum", ())}
    return (*_SYNTAX, *_VALUES, *(word.encode() for word in sorted(names | values)))


ENVELOPE = Target(check_envelope, _envelopes, _dictionary(Envelope), json=True)
STATUS = Target(check_status, _statuses, _dictionary(Status), json=True)
RECEIPT = Target(check_receipt, _receipts, _dictionary(Receipt), json=True)
