"""The table of bad messages for test_bad_input.py: what is sent, under which account, and the code it ends with."""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from axis.core.ids import new_id
from axis.core.messages import Outgoing
from axis.trust.jws import header_segment
from schemas.wire import SIGNATURE_HEADER
from tests.builders import as_bytes
from tests.rig import Rig, now

Make = Callable[[Rig, str], Outgoing]
DOCUMENT = {"document_id": "G22,2026/11/24,1/X", "subject": "x"}
BEYOND = "ffffffff-ffff-7fff-bfff-ffffffffffff"


@dataclass(frozen=True, slots=True)
class Case:
    """`make(axis, id of an envelope that H37 got)`. `account`: None is a broker account without a mailbox.

    `good_copies`: how often the good message behind it arrives.
    """

    name: str
    code: str
    make: Make
    account: str | None = "G22"
    first: Callable[[Rig, str], Sequence[Outgoing]] = lambda _axis, _about: ()
    good_copies: int = 1

    def before(self, axis: Rig, about: str = "") -> Sequence[Outgoing]:
        """Build the good messages that have to go before the bad one."""
        return self.first(axis, about)


# Makers of documents


def _body(axis: Rig, change: Callable[[bytes], bytes]) -> Outgoing:
    """Sign and send other bytes in place of a good envelope's."""
    good = axis.submission(axis.envelope())
    body = change(good.body)
    return replace(good, body=body, headers={SIGNATURE_HEADER: axis.keys["G22"].sign(body)})


def altered(change: Callable[[bytes], bytes]) -> Make:
    return lambda axis, _: _body(axis, change)


def envelope(key: str | None = None, **changes: Any) -> Make:
    return lambda axis, _: axis.submission(axis.envelope(**changes), key=key)


def sent(**changes: Any) -> Make:
    """A good envelope under other properties."""
    return lambda axis, _: axis.submission(axis.envelope(), **changes)


def headed(**headers: Any) -> Make:
    """A good envelope with further headers."""

    def make(axis: Rig, _: str) -> Outgoing:
        good = axis.submission(axis.envelope())
        return replace(good, headers={**good.headers, **headers})

    return make


def signed(change: Callable[[Rig, str], Any]) -> Make:
    """A good envelope with another signature made of the right one."""

    def make(axis: Rig, _: str) -> Outgoing:
        good = axis.submission(axis.envelope())
        return replace(good, headers={SIGNATURE_HEADER: change(axis, good.headers[SIGNATURE_HEADER])})

    return make


def algorithm(name: str | None) -> Make:
    def change(axis: Rig, right: str) -> str:
        members = {"alg": name, "b64": False, "crit": ["b64"], "x5t#S256": axis.keys["G22"].thumbprint}
        segment = header_segment({key: value for key, value in members.items() if value is not None})
        return f"{segment}..{right.rpartition('.')[2] if name != 'none' else ''}"

    return signed(change)


def foreign_key(axis: Rig, _: str) -> Outgoing:
    """Signed by H37's key under the name of G22's certificate."""
    good = axis.submission(axis.envelope())
    header = axis.keys["G22"].sign(good.body).partition("..")[0]
    # H37's own key over the very bytes that G22's would have signed.
    forged = axis.keys["H37"].sign(good.body).rpartition(".")[2]
    return replace(good, headers={SIGNATURE_HEADER: f"{header}..{forged}"})


def flipped(axis: Rig, _: str) -> Outgoing:
    good = axis.submission(axis.envelope(document={"subject": "Chi 1 000 000 đồng"}))
    return replace(good, body=good.body.replace(b"1 000 000", b"9 000 000"))


def attached(**changes: Any) -> Make:
    file = {"name": "a.pdf", "media_type": "application/pdf", "size": 7, "sha256": "a" * 64, **changes}
    return envelope(attachments=[file])


def as_h37(**changes: Any) -> Make:
    """What H37 publishes in G22's name, signed with G22's own key even."""
    return lambda axis, _: axis.submission(axis.envelope(), user_id="H37", routing_key="normal.H37", **changes)


def _smuggled(axis: Rig, _: str) -> Outgoing:
    """Under a key that H37 may use, led to one that it may not."""
    good = axis.submission(axis.envelope(), user_id="H37", routing_key="normal.H37")
    return replace(good, headers={**good.headers, "CC": _list("normal.G22")})


def _slow_express(axis: Rig, _: str) -> Outgoing:
    return axis.submission(axis.envelope(document={"priority": "express"}), routing_key="normal.G22")


def _list(*keys: str) -> Any:
    return list(keys)


_reused: dict[str, Outgoing] = {}


def _use(axis: Rig, _: str) -> list[Outgoing]:
    _reused["document"] = axis.submission(axis.envelope())
    return [_reused["document"]]


def _use_again(axis: Rig, _: str) -> Outgoing:
    return axis.submission(axis.envelope(id=_reused["document"].message_id, document={"subject": "Khác"}))


def _use_elsewhere(axis: Rig, _: str) -> Outgoing:
    identifier = _reused["document"].message_id
    return axis.submission(axis.envelope("H26", ["H37"], id=identifier))


def deep(_: bytes) -> bytes:
    return b'{"a":' * 20_000 + b"1" + b"}" * 20_000


def twice(key: str) -> Callable[[bytes], bytes]:
    """Name a key a second time, with another value."""
    return lambda body: body.replace(f'"{key}":'.encode(), f'"{key}": "x", "{key}":'.encode(), 1)


def far(moment: dt.timedelta) -> Make:
    return lambda axis, _: axis.submission(axis.envelope(id=new_id(now() + moment)))


CASES = [
    # The bytes
    Case("not JSON", "message/not-json", altered(lambda _: b"{not json")),
    Case("nothing at all", "message/not-json", altered(lambda _: b"")),
    Case("a NaN", "message/not-json", altered(lambda body: body.replace(b'"sent_at": "', b'"n": NaN, "sent_at": "'))),
    Case("nested 20,000 deep", "message/not-json", altered(deep)),
    Case("a byte order mark", "message/not-json", altered(lambda body: b"\xef\xbb\xbf" + body)),
    Case("a key twice", "message/duplicate-key", altered(twice("sender"))),
    Case("a key twice, deep inside", "message/duplicate-key", altered(twice("subject"))),
    Case("bad UTF-8", "message/bad-utf8", altered(lambda body: body.replace(b"V/v", b"V\xff"))),
    Case("UTF-16", "message/bad-utf8", altered(lambda body: body.decode().encode("utf-16"))),
    Case("too large", "message/too-large", altered(lambda body: body + b" " * 256 * 1024)),
    Case("a megabyte", "message/too-large", altered(lambda body: body.replace(b"V/v", b"V" * 1_000_000))),
    # The schema
    Case("a list", "message/schema", altered(lambda body: b"[" + body + b"]")),
    Case("an unknown field", "message/schema", envelope(colour="red")),
    Case("an unknown field, deep inside", "message/schema", envelope(document={"colour": "red"})),
    Case("a schema of later", "message/schema", envelope(schema="axis.envelope/2")),
    Case("a number as text", "message/schema", envelope(document={"pages": "7"})),
    Case("a NUL in a text", "message/schema", envelope(document={"subject": "a\0b"})),
    Case("half a surrogate", "message/not-json", altered(lambda body: body.replace(b"V/v", rb"\ud800"))),
    Case("a date beyond the calendar", "message/schema", envelope(sent_at="9999-12-31T23:59:59+00:00")),
    Case("a recall of nothing", "message/schema", envelope(action="recall")),
    # The recipients and attachments
    Case("no recipients", "envelope/no-recipients", envelope(recipients=[])),
    Case("recipients left out", "envelope/no-recipients", lambda axis, _: axis.submission(_without(axis.envelope()))),
    Case(
        "10,000 recipients",
        "envelope/too-many-recipients",
        envelope(recipients=[f"H37.{n:05}" for n in range(10_000)]),
    ),
    Case("a recipient twice", "message/schema", envelope(recipients=["H37", "H37"])),
    Case("an attachment named ../../x", "envelope/attachment-name", attached(name="../../x")),
    Case("an attachment named ..\\x", "envelope/attachment-name", attached(name="..\\x")),
    Case("an attachment named .bashrc", "envelope/attachment-name", attached(name=".bashrc")),
    Case("an attachment named with a line feed", "envelope/attachment-name", attached(name="a\nb")),
    Case("an attachment that is not there", "blob/missing", attached(sha256="c" * 64)),
    Case("an attachment of somebody else", "blob/missing", attached(sha256="b" * 64)),
    Case("an attachment of another size", "blob/size", attached(size=8)),
    Case("an attachment with half a digest", "message/schema", attached(sha256="a" * 32)),
    # The properties
    Case("no type", "message/type", sent(type=None)),
    Case("a status among documents", "message/type", sent(type="status")),
    Case("another content type", "message/properties", sent(content_type="application/json")),
    Case("no content type", "message/properties", sent(content_type=None)),
    Case("no message id", "message/id-mismatch", sent(message_id=None)),
    Case("another message id", "message/id-mismatch", sent(message_id="x\ny")),
    # The signature
    Case("no signature", "signature/missing", sent(headers={})),
    Case("a number as signature", "signature/missing", sent(headers={SIGNATURE_HEADER: 7})),
    Case("not a JWS", "signature/malformed", sent(headers={SIGNATURE_HEADER: "abc"})),
    Case("a JWS that is not detached", "signature/malformed", signed(lambda _, right: right.replace("..", ".e30."))),
    Case("no algorithm", "signature/malformed", algorithm(None)),
    Case("algorithm none", "signature/algorithm", algorithm("none")),
    Case("algorithm HS256", "signature/algorithm", algorithm("HS256")),
    Case("an algorithm for another key", "signature/algorithm", algorithm("ES256")),
    Case("another's key", "signature/invalid", foreign_key),
    Case("an altered byte", "signature/invalid", flipped),
    Case("a space more", "signature/invalid", lambda axis, _: _spaced(axis.submission(axis.envelope()))),
    # The certificate
    Case("a certificate not enrolled", "certificate/unknown", envelope(key="nobody's")),
    Case("an expired certificate", "certificate/expired", envelope(key="expired")),
    Case("a certificate of tomorrow", "certificate/not-yet-valid", envelope(key="early")),
    Case("a revoked certificate", "certificate/revoked", envelope(key="revoked")),
    # Who says it
    Case("another's certificate", "abuse/signer", envelope(key="H37")),
    Case("a unit's certificate for its parent", "abuse/signer", envelope(key="G22.01")),
    Case("the axis's own certificate", "abuse/signer", envelope(key="the axis's")),
    Case("another's account", "abuse/account", as_h37(), account="H37"),
    Case("no account", "abuse/account", sent(user_id=None)),
    Case("an account without a mailbox", "abuse/account", sent(user_id="axis"), account=None),
    Case("another unit's routing key", "abuse/routing-key", sent(routing_key="normal.G22.01")),
    Case("the key of a unit with a line feed", "abuse/routing-key", sent(routing_key="normal.G22.\n\x1b[2J\0")),
    Case("a CC header", "abuse/routing-headers", headed(CC=["normal.G22"])),
    Case("another lane", "lane/mismatch", sent(routing_key="urgent.G22")),
    Case("an urgent one in the normal lane", "lane/mismatch", _slow_express),
    # The id
    Case("an id of last year", "envelope/id-time", far(dt.timedelta(days=-365))),
    Case("an id of tomorrow", "envelope/id-time", far(dt.timedelta(days=1))),
    Case("an id beyond the calendar", "envelope/id-time", envelope(id=BEYOND)),
    Case("an id used for other bytes", "envelope/id-reused", _use_again, first=_use),
    Case("an id used by another sender", "envelope/id-reused", _use_elsewhere, account="H26", first=_use),
]

SMUGGLED = Case("a key smuggled by CC", "abuse/routing-headers", _smuggled, account="H37")


def _without(content: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != "recipients"}


def _spaced(message: Outgoing) -> Outgoing:
    return replace(message, body=message.body + b" ")


# Makers of statuses


def status(reporter: str = "H37", code: str = "03", **changes: Any) -> Make:
    return lambda axis, about: axis.status(reporter, changes.get("envelope") or about, code, **_known(changes))


def status_body(change: Callable[[bytes], bytes]) -> Make:
    def make(axis: Rig, about: str) -> Outgoing:
        good = axis.status("H37", about, "03")
        body = change(good.body)
        return replace(good, body=body, headers={SIGNATURE_HEADER: axis.keys["H37"].sign(body)})

    return make


def _known(changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in changes.items() if key != "envelope"}


def _fields(**fields: Any) -> Make:
    return status_body(lambda body: as_bytes({**json.loads(body), **fields}))


def _report(axis: Rig, about: str) -> list[Outgoing]:
    _reused["status"] = axis.status("H37", about, "01")
    return [_reused["status"]]


def _signed_by(key: str) -> Make:
    def make(axis: Rig, about: str) -> Outgoing:
        good = axis.status("H37", about, "03")
        return replace(good, headers={SIGNATURE_HEADER: axis.keys[key].sign(good.body)})

    return make


def _none(axis: Rig, about: str) -> Outgoing:
    good = axis.status("H37", about, "03")
    segment = header_segment({"alg": "none", "b64": False, "crit": ["b64"], "x5t#S256": axis.keys["H37"].thumbprint})
    return replace(good, headers={SIGNATURE_HEADER: f"{segment}.."})


STATUS_CASES = [
    Case("not JSON", "message/not-json", status_body(lambda _: b"<edXML/>"), "H37"),
    Case("a key twice", "message/duplicate-key", status_body(twice("code")), "H37"),
    Case("an unknown field", "message/schema", _fields(colour="red"), "H37"),
    Case("an unknown code", "message/schema", _fields(code="99"), "H37"),
    Case("a refusal without a reason", "message/schema", _fields(code="02"), "H37"),
    Case("a take-back from nobody", "message/schema", _fields(code="13", reason="x"), "H37"),
    Case("bad UTF-8", "message/bad-utf8", status_body(lambda body: body + b"\xff"), "H37"),
    Case("too large", "message/too-large", status_body(lambda body: body + b" " * 16 * 1024), "H37"),
    Case("a document among statuses", "message/type", status(type="document"), "H37"),
    Case("another content type", "message/properties", status(content_type="text/plain"), "H37"),
    Case("another message id", "message/id-mismatch", status(message_id="x"), "H37"),
    Case("no signature", "signature/missing", status(headers={}), "H37"),
    Case("algorithm none", "signature/algorithm", _none, "H37"),
    Case(
        "an altered byte",
        "signature/invalid",
        lambda axis, about: _spaced(axis.status("H37", about, "03")),
        "H37",
    ),
    Case("a certificate not enrolled", "certificate/unknown", _signed_by("nobody's"), "H37"),
    Case("another's certificate", "abuse/signer", _signed_by("H26"), "H37"),
    Case("another's account", "abuse/account", status(user_id="H26", routing_key="H26"), "H26"),
    Case("no account", "abuse/account", status(user_id=None), "H37"),
    Case("an account without a mailbox", "abuse/account", status(user_id="axis"), None),
    Case("another unit's routing key", "abuse/routing-key", status(routing_key="H37.01"), "H37"),
    Case(
        "a CC header",
        "abuse/routing-headers",
        lambda axis, about: replace(
            (good := axis.status("H37", about, "03")), headers={**good.headers, "CC": _list("H37")}
        ),
        "H37",
    ),
    Case("an unknown envelope", "status/unknown-envelope", lambda axis, _: _about_nothing(axis), "H37"),
    Case("by somebody who is not a recipient", "status/not-recipient", status("H26"), "H26"),
    Case("for another recipient", "status/not-recipient", status(recipient="H26"), "H37"),
    Case("a take-back by a recipient", "status/not-sender", status(code="13", reason="x", recipient="H37"), "H37"),
    Case(
        "a take-back from somebody else",
        "status/not-recipient",
        status("G22", code="13", reason="x", recipient="H26"),
        "G22",
    ),
    Case(
        "an id of last year",
        "status/id-time",
        lambda axis, about: axis.status("H37", about, "03", id=new_id(now() - dt.timedelta(days=365))),
        "H37",
    ),
    Case(
        "an id used for other bytes",
        "status/id-reused",
        lambda axis, about: axis.status("H37", about, "06", id=_reused["status"].message_id),
        "H37",
        first=_report,
    ),
]


def _about_nothing(axis: Rig) -> Outgoing:
    return axis.status("H37", new_id(now()), "03")
