"""What a document is found by in the register: lexemes, and what is asked of them. Everything is folded on both sides.

Words of the document stand as they are. What has a name of its own begins with a slash, which no word does:
`/s:` the sender and every code above it, `/r:` the same of each recipient (as addressed, resolved, and its mailbox),
`/a:` whose document it is (the sender's account and the mailboxes), `/n:` number and notation, `/l:` the lane,
`/late` sent late. So any combination is one question to one index.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from axis.core.codes import lineage
from axis.core.deadlines import Clock
from axis.core.folding import number_key, number_keys, words_of
from axis.core.registered import Entry, Sought
from schemas.base import CODE_PATTERN

_LONGEST = 600  # characters of one lexeme; PostgreSQL takes 2,046 bytes
_MOST_WORDS = 20  # of what is typed
_LATE = "/late"
_NOTHING = "/none"  # no document has it: what was typed holds no word
_CODE = re.compile(CODE_PATTERN.removesuffix("$"))


@dataclass(frozen=True, slots=True)
class Term:
    """A lexeme, or with `prefix` the beginning of one."""

    lexeme: str
    prefix: bool = False


# All of the clauses have to fit, of each clause one term.
Question = Sequence[Sequence[Term]]
Codes = Iterable[str | None]


def lexemes_of(entry: Entry, codes: Codes, mailboxes: Codes) -> tuple[str, ...]:
    """Return what a document is found by; `codes`: everybody it is for, `mailboxes` included."""
    found = {
        *words_of(entry.subject),
        *words_of(entry.document_id),
        *(f"/n:{key}" for key in number_keys(entry.number, entry.notation)),
        *(f"/s:{code}" for code in lineage(entry.sender)),
        *(f"/r:{above}" for code in {code for code in codes if code} for above in lineage(code)),
        *(f"/a:{each}" for each in {entry.account, *mailboxes} if each),
        f"/l:{entry.lane}",
    }
    for each in (entry.number, entry.notation):
        found.update(words_of(each or ""))
    if entry.sent_late:
        found.add(_LATE)
    return tuple(sorted(lexeme[:_LONGEST] for lexeme in found))


def question_of(sought: Sought) -> Question:
    """Ask for what is said once of a document and does not change; empty: for nothing of it."""
    clauses = _words(sought.words or "")
    for name, value in (
        ("n", None if sought.number is None else number_key(sought.number)),
        ("s", sought.sender),
        ("r", sought.recipient),
        ("r", sought.mailbox),
        ("a", sought.account),
        ("l", sought.lane),
    ):
        if value is not None:
            clauses.append([Term(f"/{name}:{value}"[:_LONGEST])])
    if sought.sent_late is True or sought.late is Clock.SENDING:
        clauses.append([Term(_LATE)])
    return clauses


def _words(typed: str) -> list[list[Term]]:
    """Ask for words as beginnings; a code is one word to people, and may be the sender's or a recipient's."""
    code = typed.strip().upper()
    if "." in code and _CODE.fullmatch(code):
        return [_as_code(code)]
    words = words_of(typed)[:_MOST_WORDS]
    if typed.strip() and not words:
        return [[Term(_NOTHING)]]
    return [[Term(word, prefix=True), *(_as_code(word.upper()) if word.isascii() else ())] for word in words]


def _as_code(code: str) -> list[Term]:
    return [Term(f"/s:{code}"[:_LONGEST]), Term(f"/r:{code}"[:_LONGEST])]


def answers(lexemes: Iterable[str], question: Question) -> bool:
    """Say whether a document is one that is asked for."""
    known = set(lexemes)
    return all(any(_fits(term, known) for term in clause) for clause in question)


def _fits(term: Term, known: set[str]) -> bool:
    return any(lexeme.startswith(term.lexeme) for lexeme in known) if term.prefix else term.lexeme in known
