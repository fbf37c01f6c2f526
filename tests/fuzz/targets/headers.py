"""The signed headers of the VXP profile: what is a parameter was signed, and was sent as it was signed."""

import hashlib
import hmac
import json
from collections.abc import Mapping

from axis.errors import Refused
from axis.gateway.desk.signing import PREFIX, Signed, read_signed
from tests.fuzz.oracle import Target, holds, read_or_refused

_SECRET = b"a secret"


def check(data: bytes) -> None:
    """Read headers, one a line as `name: value`; what reads them has the proof made of the text as it came."""
    raw = _headers(data)
    signed = read_or_refused(lambda: read_signed(raw), Refused, "partner")
    if signed is None:
        return
    named = {name.decode("latin-1"): value for name, value in raw}
    sent = {name.removeprefix(PREFIX): value for name, value in named.items() if name.startswith(PREFIX)}
    for name, value in signed.parameters.items():
        holds(name == name.lower() and name in sent, f"{name!r} is no parameter that was sent")
        holds(value == _text(sent[name]).strip(), f"{name} is read as {value!r}, sent as {sent[name]!r}")
    holds(signed.system_id == signed.parameters["systemid"] and signed.parameters["timestamp"], "who asks, and when")
    holds(signed.text == sent["sign-header"], "another text is proved than was sent")
    proof = hmac.new(_SECRET, signed.text, hashlib.sha256).hexdigest()
    holds(_proved(signed, _SECRET) is (signed.digest == proof), "a proof of another text or another secret")
    holds(not _proved(signed), "nobody's secret proves")
    try:
        strict = json.loads(_text(signed.text))
    except (ValueError, RecursionError):
        return  # joined by hand, without its quotes
    if isinstance(strict, dict) and all(isinstance(value, str) for value in strict.values()):
        said = {name.strip().lower().removeprefix(PREFIX): value.strip() for name, value in strict.items()}
        said.pop("content-type", None)
        holds(said == signed.parameters, "JSON says other parameters")


def _proved(signed: Signed, *secrets: bytes) -> bool:
    def verify() -> bool:
        signed.verify(secrets)
        return True

    return read_or_refused(verify, Refused, "partner") is True


def _headers(data: bytes) -> list[tuple[bytes, bytes]]:
    lines = (line.partition(b": ") for line in data.split(b"\n"))
    return [(name.lower(), value) for name, colon, value in lines if colon]


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _signed(parameters: Mapping[str, str], *, text: str | None = None, names: str | None = None) -> bytes:
    prefixed = {f"XroadVnpt-{name}": value for name, value in parameters.items()}
    signed = json.dumps(prefixed, ensure_ascii=False) if text is None else text
    digest = hmac.new(_SECRET, signed.encode(), hashlib.sha256).hexdigest()
    proof = {"sign-header": signed, "sign-header-key": names or ";".join(parameters), "hash-header": digest}
    lines = {**prefixed, **{f"XroadVnpt-{name}": value for name, value in proof.items()}}
    return "\n".join(f"{name}: {value}" for name, value in lines.items()).encode()


def _seeds() -> Mapping[str, bytes]:
    who = {"systemid": "00.37.W00", "timestamp": "24112026T080000+0000"}
    listed = {**who, "servicetype": "eDoc", "messagetype": "edoc"}
    by_hand = '{"systemid":"00.37.W00","timestamp":"24112026T080000+0000","docId":0199-abc}'
    return {
        "list": _signed(listed),
        "fetch": _signed({**who, "docId": "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"}),
        "vietnamese": _signed({**who, "description": "Đã tiếp nhận"}),
        "by-hand": _signed({**who, "docId": "0199-abc"}, text=by_hand),
        "content-type": _signed({**listed, "Content-Type": "multipart/form-data"}),
        "unlisted": _signed(listed, names="systemid;timestamp"),
        "twice": _signed(who, text='{"systemid":"a","SystemId":"b","timestamp":"c"}'),
        "other-secret": _signed(who)[:-4] + b"0000",
        "nothing": b"",
    }


_WORDS = (
    "XroadVnpt-",
    "sign-header",
    "sign-header-key",
    "hash-header",
    "systemid",
    "timestamp",
    "docId",
    ";",
    '{"',
    '":"',
    '\\"',
    "\\u00e0",
    "\\ud800",
    "\x00",
)
HEADERS = Target(check, _seeds, tuple(word.encode() for word in _WORDS), 4_096)
