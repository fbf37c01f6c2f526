"""The signed headers of the VXP profile.

Every parameter of a request is a header `XroadVnpt-<name>`; the body is a file or nothing. Three more headers prove
them:

    XroadVnpt-sign-header       JSON text of an object: the names, with the prefix or without, and the values as sent
    XroadVnpt-sign-header-key   the names without the prefix, joined by `;`
    XroadVnpt-hash-header       hexadecimal HMAC-SHA256 of that text, under the system's secret

The text is judged as the bytes that came, for clients build it by joining strings: values without quotes are seen, and
`docid` beside `docId`. What was not signed is not a parameter; what was signed has to be what was sent.
"""

import datetime as dt
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from axis.core.reading import printable
from axis.core.workdays import VIETNAM_TIME
from axis.errors import Refused

PREFIX = "xroadvnpt-"
_PROOF = ("sign-header", "sign-header-key", "hash-header")
_UNCOMPARED = "content-type"  # the one that goes without the prefix; the multipart boundary is chosen later
# Anybody may send this, so it is read in linear time: a bare value is taken with its spaces, which are cut off after.
_PAIR = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*:(?:\s*("(?:[^"\\]|\\.)*")\s*|([^,{}"\[\]]*))(?=[,}])')
_MOST_BYTES = 16 * 1024  # some hundreds of recipients by their codes
# ddMMyyyy'T'HHmmss+SSSS: the last four are milliseconds and only look like a zone; the clock is Vietnam's.
_TIMESTAMP = re.compile(r"(\d{2})(\d{2})(\d{4})T(\d{2})(\d{2})(\d{2})\+\d{3,4}")
_NOBODY = b"nobody has this secret"


@dataclass(frozen=True, slots=True)
class Signed:
    """A request's parameters, by name in small letters, and its proof; nothing in it is proved yet."""

    system_id: str
    parameters: Mapping[str, str]
    text: bytes
    digest: str

    def verify(self, secrets: Iterable[bytes]) -> None:
        """Raise Refused `partner/credentials` unless one of the secrets made the proof."""
        # With a secret nobody has, an unknown system takes as long as a known one.
        made = [hmac.new(secret, self.text, "sha256").hexdigest() for secret in secrets] or [
            hmac.new(_NOBODY, self.text, "sha256").hexdigest() + "-"
        ]
        if not any([hmac.compare_digest(each.encode(), self.digest.encode()) for each in made]):  # noqa: C419 - all of them, always
            raise Refused("partner/credentials")

    def check_clock(self, minutes: int | None, now: dt.datetime) -> None:
        """Raise Refused `partner/clock` when the request was made too long ago, where that is looked at at all."""
        if minutes is None:
            return
        told = self.parameters["timestamp"]
        match = _TIMESTAMP.fullmatch(told)
        if match is None:
            raise Refused("partner/headers", f"timestamp {told[:40]!r} is not ddMMyyyy'T'HHmmss+SSSS")
        day, month, year, hour, minute, second = (int(each) for each in match.groups())
        try:
            made = dt.datetime(year, month, day, hour, minute, second, tzinfo=VIETNAM_TIME)
        except ValueError as error:
            raise Refused("partner/headers", f"there is no moment {told[:40]!r}") from error
        if abs(now - made) > dt.timedelta(minutes=minutes):
            raise Refused("partner/clock", f"made at {made.isoformat()}; {minutes} minutes are allowed")


def read_signed(raw: Iterable[tuple[bytes, bytes]]) -> Signed:
    """Read the signed headers of a request, as ASGI hands them over; raise Refused `partner/headers`."""
    sent = _sent(raw)
    missing = [f"XroadVnpt-{name}" for name in _PROOF if name not in sent]
    if missing:
        raise Refused("partner/headers", f"{', '.join(missing)} missing")
    text, names, digest = (sent[name] for name in _PROOF)
    if len(text) > _MOST_BYTES:
        raise Refused("partner/headers", f"sign-header has {len(text)} bytes; {_MOST_BYTES} are allowed")
    signed = read_text(_decoded(text))
    listed = {_bare(name) for name in _decoded(names).split(";") if name.strip()}
    if listed != signed.keys():
        told = ", ".join(sorted(listed ^ signed.keys()))
        raise Refused("partner/headers", f"sign-header and sign-header-key differ in {printable(told)[:200]}")
    parameters: dict[str, str] = {}
    for name, said in signed.items():
        if name != _UNCOMPARED:
            parameters[name] = _compared(name, said.strip(), sent)
    for name in ("systemid", "timestamp"):
        if not parameters.get(name):
            raise Refused("partner/headers", f"{name} is not signed")
    return Signed(parameters["systemid"], parameters, text, _decoded(digest).strip().lower())


def _sent(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, bytes]:
    sent: dict[str, bytes] = {}
    for header, value in raw:
        name = header.decode("latin-1").lower()
        if name.startswith(PREFIX) and sent.setdefault(name.removeprefix(PREFIX), value) != value:
            raise Refused("partner/headers", f"{printable(name)[:60]} is there twice")
    return sent


def _compared(name: str, said: str, sent: Mapping[str, bytes]) -> str:
    if name not in sent:
        raise Refused("partner/headers", f"{printable(name)[:60]} is signed and was not sent")
    if _decoded(sent[name]).strip() != said:
        raise Refused("partner/headers", f"{printable(name)[:60]} was signed with another value than was sent")
    return said


def read_text(text: str) -> dict[str, str]:
    """Read the JSON text of an object whose values may lack their quotes; raise Refused `partner/headers`.

    Names come in small letters and without the prefix.
    """
    whole = text.strip()
    found: dict[str, str] = {}
    if not (whole.startswith("{") and whole.endswith("}")):
        raise Refused("partner/headers", "sign-header is not the JSON text of an object")
    place, end = 1, len(whole) - 1
    while whole[place:end].strip():
        match = _PAIR.match(whole, place)
        if match is None:
            raise Refused("partner/headers", f"sign-header cannot be read from character {place} on")
        name, quoted, bare = match.groups()
        key = _bare(_unquoted(f'"{name}"', place))
        if key in found:
            raise Refused("partner/headers", f"sign-header says {printable(key)[:60]} twice")
        found[key] = bare.strip() if quoted is None else _unquoted(quoted, place)
        place = match.end()
        if place < end:
            if whole[place] != "," or not whole[place + 1 : end].strip():
                raise Refused("partner/headers", f"sign-header cannot be read from character {place} on")
            place += 1
    return found


def _unquoted(text: str, place: int) -> str:
    try:
        value = str(json.loads(text))
        value.encode()  # half of a surrogate pair, which no log and no answer can carry
    except ValueError as error:
        raise Refused("partner/headers", f"sign-header cannot be read from character {place} on") from error
    return value


def _bare(name: str) -> str:
    return name.strip().lower().removeprefix(PREFIX)


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
