"""From bytes to a model: strict, size-limited, one spelling only; every failure is a coded refusal."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from axis.core.hybrid import joined
from axis.core.messages import Submission
from axis.core.secrecy import refuse_marked
from axis.errors import Refused
from schemas import MAX_ENVELOPE_BYTES, MAX_STATUS_BYTES, Envelope, Receipt, Status, Wire
from schemas.wire import ENVELOPE_MEDIA_TYPE, STATUS_MEDIA_TYPE, TYPE_DOCUMENT, TYPE_STATUS

_MAX_PROBLEMS_TOLD = 3
# An envelope of the largest size names some 5,000 recipients, and a receipt has a few hundred bytes for each.
_MAX_RECEIPT_BYTES = 8 * 1024 * 1024

# Where the schema refuses, a more telling code than message/schema exists for some places.
_TELLING: Mapping[tuple[str, str], str] = {
    ("recipients", "too_short"): "envelope/no-recipients",
    ("recipients", "missing"): "envelope/no-recipients",
    ("recipients", "too_long"): "envelope/too-many-recipients",
}

_Model = TypeVar("_Model", bound=Wire)


def read_envelope(submission: Submission) -> Envelope:
    """Parse the body of a document submission; raise Refused message/*, envelope/* or secrecy/*."""
    _check_properties(submission, TYPE_DOCUMENT, ENVELOPE_MEDIA_TYPE)
    envelope = _parse(submission.body, Envelope, MAX_ENVELOPE_BYTES)
    refuse_marked(envelope)
    _check_id(submission, envelope.id)
    return envelope


def read_status(submission: Submission) -> Status:
    """Parse the body of a status submission; raise Refused message/*."""
    _check_properties(submission, TYPE_STATUS, STATUS_MEDIA_TYPE)
    status = _parse(submission.body, Status, MAX_STATUS_BYTES)
    _check_id(submission, status.id)
    return status


def signature_of(submission: Submission) -> str:
    """Return the signature, a hybrid as one text; raise Refused signature/missing or malformed."""
    return joined(submission.headers)


def parse_envelope(body: bytes) -> Envelope:
    """Parse the bytes of an envelope that did not come with AMQP properties (a recipient's, the store's)."""
    return _parse(body, Envelope, MAX_ENVELOPE_BYTES)


def parse_status(body: bytes) -> Status:
    """Parse the bytes of a status that did not come with AMQP properties."""
    return _parse(body, Status, MAX_STATUS_BYTES)


def parse_sealed(body: bytes, model: type[_Model], limit: int) -> _Model:
    """Parse what a sealed document's keys or their contents say; raise Refused seal/malformed."""
    try:
        return _parse(body, model, limit)
    except Refused as error:
        raise Refused("seal/malformed", error.detail) from error


def parse_receipt(body: bytes) -> Receipt:
    """Parse the bytes of a receipt; raise Refused message/*.

    Members that this program does not know are passed over: a receipt is the axis's own word, under its signature, and
    an axis that says more than before must not make its receipts unreadable to agencies that were not updated yet. A
    member that stands twice is refused all the same: what is shown to a court must say one thing to every reader.
    """
    if len(body) > _MAX_RECEIPT_BYTES:
        raise Refused("message/too-large", f"{len(body)} bytes, the limit for a receipt is {_MAX_RECEIPT_BYTES}")
    try:
        _refuse_duplicate_keys(body.decode("utf-8"))
        return Receipt.model_validate_json(body, extra="ignore")
    except UnicodeDecodeError as error:
        raise Refused("message/bad-utf8", f"byte {error.start} is not UTF-8") from error
    except ValidationError as error:
        raise Refused("message/schema", "not a receipt") from error


def printable(text: str) -> str:
    """Replace what is not printable: details go into receipts, logs and terminals, where it would forge lines."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _check_properties(submission: Submission, type_: str, media_type: str) -> None:
    if submission.type != type_:
        raise Refused("message/type", f"type is {_quoted(submission.type)}, taken here: {type_}")
    if submission.content_type != media_type:
        raise Refused("message/properties", f"content_type is {_quoted(submission.content_type)}, must be {media_type}")


def _check_id(submission: Submission, identifier: str) -> None:
    if submission.message_id != identifier:
        raise Refused(
            "message/id-mismatch", f"message_id is {_quoted(submission.message_id)}, the body says {identifier}"
        )


def _parse(body: bytes, model: type[_Model], limit: int) -> _Model:
    if len(body) > limit:
        raise Refused("message/too-large", f"{len(body)} bytes, the limit is {limit}")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("message/bad-utf8", f"byte {error.start} is not UTF-8") from error
    _refuse_duplicate_keys(text)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(error) from error


def _refuse_duplicate_keys(text: str) -> None:
    # The model's parser keeps the last of two equal keys without a word; two readers of the same signed bytes
    # could then see two different documents (RFC 8259 section 4).
    try:
        _SCANNER.decode(text)
    except (ValueError, RecursionError) as error:
        raise Refused("message/not-json", _clean(str(error))) from error


def _unique(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise Refused("message/duplicate-key", f"the key {_quoted(key)} stands twice in one object")
        seen.add(key)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# Made once: json.loads would make one for each message.
_SCANNER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _refusal(error: ValidationError) -> Refused:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    for problem in problems:
        location, kind = problem["loc"], problem["type"]
        if kind == "json_invalid":
            return Refused("message/not-json", _clean(problem["msg"]))
        if location and (telling := _TELLING.get((str(location[0]), kind))):
            return Refused(telling, _told(problem))
        if location[:1] == ("attachments",) and location[2:3] == ("name",):
            return Refused("envelope/attachment-name", _told(problem))
    told = "; ".join(_told(problem) for problem in problems[:_MAX_PROBLEMS_TOLD])
    more = len(problems) - _MAX_PROBLEMS_TOLD
    return Refused("message/schema", told + (f"; and {more} more" if more > 0 else ""))


def _told(problem: Mapping[str, Any]) -> str:
    path = ".".join(str(part) for part in problem["loc"])
    return _clean(f"{path or 'body'}: {problem['msg']}")


def _quoted(value: str | None) -> str:
    return "absent" if value is None else f"“{_clean(value[:80])}”"


def _clean(text: str) -> str:
    return printable(text)[:500]
