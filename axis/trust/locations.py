"""Where a private key lives, as one URI: `file:` for a file in PEM, `pkcs11:` for a token (RFC 7512)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

from axis.errors import Misconfigured

_PATH = frozenset({"token", "serial", "slot-id", "object", "id", "type"})
_QUERY = frozenset({"module-path", "pin-source"})
_ESCAPES = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A private key in PEM."""

    path: Path


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """A private key in a PKCS#11 token: where it differs from None, that must be so of the token or key."""

    module: Path
    pin: Path | None
    token: str | None = None
    serial: bytes | None = None
    slot: int | None = None
    label: str | None = None
    id: bytes | None = None

    def __str__(self) -> str:
        key = self.label if self.label is not None else (self.id or b"").hex()
        token = self.token or (str(self.slot) if self.serial is None else self.serial.decode(errors="replace"))
        return f"the key “{key}” in the token “{token}”"


Place = FilePlace | TokenPlace


def read_location(uri: str) -> Place:
    """Read a URI; raise Misconfigured saying what is wrong with it.

    Attributes that are not understood are refused (RFC 7512 section 2.3): one left out could name another key. So is
    `pin-value`: the URI stands in settings and process lists, where a secret does not belong.
    """
    scheme, colon, rest = uri.partition(":")
    match scheme if colon else "":
        case "file":
            return FilePlace(_file(rest))
        case "pkcs11":
            return _token(rest)
        case _:
            raise Misconfigured("a key's location is file:/path/key.pem or pkcs11:token=…;object=…?module-path=…")


def _file(rest: str) -> Path:
    path = Path(unquote(rest.removeprefix("//")))
    if not path.is_absolute() or "?" in rest or "#" in rest:
        raise Misconfigured("a file: location is file: and an absolute path")
    return path


def _token(rest: str) -> TokenPlace:
    path, _, query = rest.partition("?")
    where, how = _attributes(path, ";", _PATH), _attributes(query, "&", _QUERY)
    if where.get("type", "private") != "private":
        raise Misconfigured("pkcs11: type must be private, or left out")
    if not where.keys() & {"token", "serial", "slot-id"}:
        raise Misconfigured("pkcs11: say which token: token=LABEL, serial= or slot-id=")
    if not where.keys() & {"object", "id"}:
        raise Misconfigured("pkcs11: say which key: object=LABEL or id=%01…")
    module = Path(_text(how, "module-path") or "")
    if not module.is_absolute():
        # A bare name would be looked for wherever the loader looks: a library of another's choosing would get the PIN.
        raise Misconfigured("pkcs11: module-path must be the absolute path of the token's library (.so)")
    slot = _text(where, "slot-id")
    if slot is not None and not (slot.isascii() and slot.isdigit()):
        raise Misconfigured("pkcs11: slot-id must be a number")
    pin = _text(how, "pin-source")
    return TokenPlace(
        module=module,
        pin=None if pin is None else _pin_file(pin),
        token=_text(where, "token"),
        serial=_bytes(where, "serial"),
        slot=None if slot is None else int(slot),
        label=_text(where, "object"),
        id=_bytes(where, "id"),
    )


def _pin_file(source: str) -> Path:
    # RFC 7512 section 2.4 knows a path, a file: URI and `|command`; a command is nothing that settings should run.
    path = Path(source.removeprefix("file:").removeprefix("//"))
    if not path.is_absolute():
        raise Misconfigured("pkcs11: pin-source must be file: and the absolute path of a file that holds the PIN")
    return path


def _attributes(text: str, separator: str, known: frozenset[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for part in text.split(separator) if text else ():
        name, equals, value = part.partition("=")
        if name == "pin-value":
            raise Misconfigured("pkcs11: no pin-value in a location: put the PIN into a file, pin-source=file:/path")
        if not equals or name not in known:
            raise Misconfigured(f"pkcs11: {name[:40]!r} is not understood here; known are {', '.join(sorted(known))}")
        if name in found:
            raise Misconfigured(f"pkcs11: {name} stands twice")
        if not value or _ESCAPES.search(value):
            raise Misconfigured(f"pkcs11: the value of {name} is empty or badly escaped")
        found[name] = value
    return found


def _text(attributes: Mapping[str, str], name: str) -> str | None:
    value = attributes.get(name)
    try:
        return None if value is None else unquote(value, errors="strict")
    except UnicodeDecodeError as error:
        raise Misconfigured(f"pkcs11: the value of {name} is not UTF-8") from error


def _bytes(attributes: Mapping[str, str], name: str) -> bytes | None:
    value = attributes.get(name)
    return None if value is None else unquote_to_bytes(value)
