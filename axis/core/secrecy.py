"""Marks of state secrecy: such documents do not belong here (QĐ 28/2018 article 1.2), and nothing of one is kept.

The three levels are Mật, Tối mật and Tuyệt mật (Luật Bảo vệ bí mật nhà nước, 29/2018/QH14 article 8, now
117/2025/QH15). What counts as a mark, and what does not: docs/decisions, "what is a mark of secrecy". Nothing here
repeats what it finds: a refusal says the level and the kind of place, never the text.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal

from axis.errors import Refused
from schemas import Document, Envelope
from schemas.envelope import MAX_ATTACHMENTS

CODE = "secrecy/marked"

Level = Literal["Mật", "Tối mật", "Tuyệt mật"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A field that says so, by its name without accents, capitals and signs. Under the first names every value is a level
# that is not said to be none; the second are used for other things as well, so only a level counts.
_LEVEL_NAMES = frozenset(
    {"domat", "mucdomat", "capdomat", "secrecy", "secrecylevel", "securitylevel", "docsecurity", "confidentiality"}
)
_OTHER_NAMES = frozenset({"security", "securityclassification", "classification", "secret", "confidential"})
_NONE = _words(
    "0 no none null false off normal public unclassified open thuong binhthuong thongthuong khong khongmat congkhai "
    "noibo internal"
)
_VALUES: dict[str, Level] = {
    "mat": "Mật",
    "secret": "Mật",
    "confidential": "Mật",
    "true": "Mật",
    "toimat": "Tối mật",
    "topsecret": "Tối mật",
    "tuyetmat": "Tuyệt mật",
}

# Nearly every text has none of this, which is found out faster than the rest.
_MAYBE = re.compile("m[\u00ad\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]*[aâậạ]", re.IGNORECASE)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_OPENING = " \t\r\n\u00a0\"'“”‘’«»*#|•·.,;:-–—_"
_BRACKETS = {"[": "]", "(": ")", "{": "}", "<": ">", "【": "】", "（": "）"}
_SAID = re.compile(r"(?:mức\s+|cấp\s+)?độ\s+mật\s*[:=\-–]\s*", re.IGNORECASE)
_WORDS = re.compile(
    r"(?P<tuyet>tuy[ệe]t[\s_-]*m[ậa]t)|(?P<toi>t[ốo]i[\s_-]*m[ậa]t)|(?P<mat>mật)|(?P<plain>MAT)", re.IGNORECASE
)
# What ends a stamp that stands before a title. A hyphen without a space after it only joins the words of a file name.
_ENDS = re.compile(r"\s*(?:$|[:;/|•–—\n\\]|-\s|\.(?:\s|$))")
_NEXT = re.compile(r"[\s_\-]*([^\W_]+)(?:[\s_\-/]+([^\W_]+))?")
# MẬT before these is a word of ordinary language or a name: density, password, cryptography, honey, …
_COMPOUNDS = _words(
    "do khau ma ong thu danh gau vu ngu lenh phuc tham hoa mia thiet duong dao tong hieu nghi tich uoc son bai"
)
# “Mật” as an ordinary word never stands right before a kind of document (NĐ 30/2020 article 7); a stamp does.
_KINDS = _words(
    "nghiquyet quyetdinh chithi thongbao huongdan kehoach phuongan baocao bienban totrinh congvan congdien phieuchuyen "
    "giaymoi veviec vv"
)
_FINAL = re.compile(r"[\[({<【（]\s*(TUYỆT\s+MẬT|TỐI\s+MẬT|MẬT)\s*[\])}>】）]")
_SUFFIX = re.compile(r"(?<=.)\.[A-Za-z0-9]{1,8}$")

# For bodies that cannot be read: what is between the signs of JSON and XML is looked at like a text of its own. Such
# bytes may be made to keep us busy: no more is looked at than is kept of them, and what has too much to look at counts
# as marked.
_HINT = re.compile(r"m[ậa]t|secre|securit|confidential|classif", re.IGNORECASE)
_PIECES = re.compile(r"[\"<>\r\n\x00{}]+")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_DECLARED = re.compile(
    r"((?:(?:m[ứu]c|c[ấa]p)[\s_-]?)?[đd][ộo][\s_-]?m[ậa]t|secrecy(?:[\s_-]?level)?|security[\s_-]?(?:level|classification)"
    r"|doc[\s_-]?security|confidentiality|security|classification|confidential|secret)"
    r"[\"']?\s{0,8}[:=>]\s{0,8}[\"']?\s{0,8}([^\"'<>,}\]\r\n]{0,40})",
    re.IGNORECASE,
)
_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_MAX_BYTES = 1024 * 1024
_MAX_PIECE = 4_000
_MAX_PIECES = 20_000


def refuse_marked(envelope: Envelope) -> None:
    """Raise Refused secrecy/marked for an envelope that shows a mark in a place where marks stand."""
    refuse_document(envelope.document, (each.name for each in envelope.attachments))
    _refuse_texts("the reason", (envelope.reason,))
    _refuse_texts("an attachment's description", (each.description for each in envelope.attachments))


def refuse_document(document: Document, names: Iterable[str]) -> None:
    """Raise Refused secrecy/marked for a document that shows a mark, or whose files do by their names."""
    _refuse_texts("the subject", (document.subject,))
    _refuse_texts("the abstract", (document.abstract,))
    _refuse_texts("the kind of document", (document.kind,))
    _refuse_texts("an appendix", document.appendices)
    _refuse_texts("an attachment's name", map(_without_suffix, names))


def refuse_declared(fields: Iterable[tuple[str, str]]) -> None:
    """Raise Refused secrecy/marked when a field (name, value) beside those of the envelope declares a level."""
    for name, value in fields:
        level = declared(name, value)
        if level is not None:
            raise _refusal(level, "a field for the level of secrecy")


def shown_by(body: bytes) -> Refused | None:
    """Return the refusal for bytes that show a mark, whatever else is wrong with them; None when they show none.

    For bytes that were refused already: it looks everywhere, and rather finds too much. It never raises.
    """
    for text in _texts_of(body[:_MAX_BYTES]):
        if not _HINT.search(text):
            continue
        pieces = [piece for piece in _PIECES.split(text) if _HINT.search(piece)]
        if len(pieces) > _MAX_PIECES:
            return _refusal("Mật", "more places than can be looked at")
        for piece in pieces:
            level = stamped(_without_suffix(piece[:_MAX_PIECE]))
            if level is not None:
                return _refusal(level, "a text in the body")
        for match in _DECLARED.finditer(text):
            level = declared(match[1], match[2])
            if level is not None:
                return _refusal(level, "a field for the level of secrecy")
    return None


def digests_in(body: bytes) -> tuple[str, ...]:
    """Return what may be digests of blobs in the beginning of a body; no more than an envelope could name."""
    found = dict.fromkeys(match[0].decode() for match in _DIGEST.finditer(body[:_MAX_BYTES]))
    return tuple(itertools.islice(found, 2 * MAX_ATTACHMENTS))


def stamped(text: str) -> Level | None:
    """Say which level a text is marked with, as a stamp before a title is written; None: it only talks, if at all."""
    if _MAYBE.search(text) is None:
        return None
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    if final := _FINAL.search(text):
        return _level(final[1])
    closing = None
    begin = 0  # an index, cut once: cutting at each sign takes the square of the length
    while begin < len(text) and (text[begin] in _BRACKETS or text[begin] in _OPENING):
        closing = _BRACKETS.get(text[begin], closing)
        begin += 1
    text = text[begin:]
    said = _SAID.match(text)
    if said is not None:
        text = text[said.end() :]
    found = _WORDS.match(text)
    if found is None:
        return None
    rest = text[found.end() :].lstrip("\"'”’»")
    if rest[:1].isalnum():
        return None
    if said is not None or (closing is not None and rest.lstrip()[:1] == closing) or _is_stamp(found, rest):
        return _level(found[0])
    return None


def declared(name: str, value: str) -> Level | None:
    """Say which level a field declares; a value that means nothing to us is Mật where the name means nothing else."""
    folded = _folded(name)
    if folded not in _LEVEL_NAMES and folded not in _OTHER_NAMES:
        return None
    said = _folded(value)
    level = _VALUES.get(said)
    if level is None and folded in _LEVEL_NAMES and said and said not in _NONE:
        return "Mật"
    return level


def _is_stamp(found: re.Match[str], rest: str) -> bool:
    ended = _ENDS.match(rest) is not None
    word = found[0]
    if found["plain"]:
        return word == "MAT" and not rest.strip()
    if found["mat"] is None:
        # Two words that nobody begins a title with otherwise; without accents they are other words as well.
        return not word.isascii() or ended or word.isupper() or word in {"TuyetMat", "ToiMat"}
    if ended:
        return True
    following = _NEXT.match(rest)
    first, second = (_folded(following[1] or ""), _folded(following[2] or "")) if following else ("", "")
    if word.isupper():
        return bool(first) and first not in _COMPOUNDS
    return bool({first, first + second} & _KINDS)


def _refuse_texts(place: str, texts: Iterable[str | None]) -> None:
    for text in texts:
        if text and (level := stamped(text)) is not None:
            raise _refusal(level, place)


def _refusal(level: Level, place: str) -> Refused:
    return Refused(CODE, f"marked {level} in {place}; nothing of it is kept")


def _level(word: str) -> Level:
    return _VALUES[_folded(word)]


def _without_suffix(name: str) -> str:
    return _SUFFIX.sub("", name)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return "".join(character for character in plain if character.isalnum())


def _texts_of(body: bytes) -> Iterator[str]:
    texts = [body.decode("utf-8", errors="replace")]
    if "\\u" in texts[0]:
        # As JSON escapes it; a pair of surrogates becomes two signs that are no letters, which is as good.
        texts.append(_ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), texts[0]))
    if b"\0" in body:
        texts += [body.decode("utf-16-le", errors="replace"), body.decode("utf-16-be", errors="replace")]
    for text in texts:
        yield unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
