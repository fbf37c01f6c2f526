"""The directory: who exists, since when and until when, and who holds a mailbox. Every question is as of a date.

Nothing is ever forgotten. A code's history is a list of periods; when an organisation closes, its period ends and
names a successor, and questions about earlier dates still find the old name. Where two periods overlap, the one that
began later speaks.

A `Directory` never changes: `updated` returns another one, so a worker swaps the reference and a batch that is being
decided goes on with the directory it began with. Each question is a handful of dictionary look-ups, as many as the
code has levels, however many organisations there are.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self, TypeVar

from axis.core.codes import cleaned_code, from_qcvn102, is_within, lineage
from axis.errors import Malformed
from schemas import Mailbox, Organisation

_Dated = TypeVar("_Dated", Organisation, Mailbox)
_History = Mapping[str, tuple[_Dated, ...]]


@dataclass(frozen=True, slots=True, repr=False)
class Directory:
    """Answers who is who, as of a date. Make it with `Directory.build`."""

    _organisations: _History[Organisation] = field(default_factory=dict)
    _mailboxes: _History[Mailbox] = field(default_factory=dict)
    _bearers_102: Mapping[str, frozenset[str]] = field(default_factory=dict)  # who ever bore a 13-character form

    @classmethod
    def build(cls, organisations: Iterable[Organisation], mailboxes: Iterable[Mailbox]) -> Self:
        """Take all periods of all codes, in any order."""
        return cls().updated(organisations, mailboxes)

    def updated(self, organisations: Iterable[Organisation], mailboxes: Iterable[Mailbox]) -> Self:
        """Return a directory in which the histories of the codes named are replaced by those given.

        A code not named keeps its history, so give all periods of a code, not only the new one.
        """
        changed = _histories(organisations)
        bearers = dict(self._bearers_102)
        for code, periods in changed.items():
            for text in _forms_102(self.history(code)):
                bearers[text] -= {code}
            for text in _forms_102(periods):
                bearers[text] = bearers.get(text, frozenset()) | {code}
        mailboxes_now = {**self._mailboxes, **_histories(mailboxes)}
        return type(self)({**self._organisations, **changed}, mailboxes_now, bearers)

    def history(self, code: str) -> tuple[Organisation, ...]:
        """Return every period of a code, the earliest first; empty when the code was never known."""
        return self._organisations.get(code, ())

    def latest(self, code: str) -> Organisation | None:
        """Return the last period of a code, in force or not."""
        history = self.history(code)
        return history[-1] if history else None

    def organisation(self, code: str, at: dt.datetime) -> Organisation | None:
        """Return what the code names at that time, or None when nothing."""
        return _in_force(self.history(code), at)

    def names(self, codes: Iterable[str], at: dt.datetime) -> dict[str, str]:
        """Return code -> name as of a time, else the last it had; a code that is not here is left out."""
        named = {code: self.organisation(code, at) or self.latest(code) for code in codes}
        return {code: found.name for code, found in named.items() if found is not None}

    def closed(self, code: str, at: dt.datetime) -> Organisation | None:
        """Return the period that ended last, if the code was in force before that time and is not at it."""
        history = self.history(code)
        if _in_force(history, at) is not None:
            return None
        ended = [period for period in history if period.valid_to is not None and period.valid_to <= at]
        return max(ended, key=lambda period: period.valid_to or at, default=None)

    def mailbox(self, code: str, at: dt.datetime) -> Mailbox | None:
        """Return the code's own mailbox at that time."""
        return _in_force(self._mailboxes.get(code, ()), at)

    def has_mailbox(self, code: str, at: dt.datetime) -> bool:
        """Say whether the code itself is a connection point at that time."""
        return self.mailbox(code, at) is not None

    def mailbox_of(self, code: str, at: dt.datetime) -> str | None:
        """Return the nearest code with a mailbox: the code itself or one above it."""
        for above in lineage(code):
            if self.has_mailbox(above, at):
                return above
        return None

    def holds(self, account: str, claim: str, at: dt.datetime) -> bool:
        """Say whether a broker account may speak for a code: it has a mailbox, and is the code or stands above it."""
        return is_within(claim, account) and self.has_mailbox(account, at)

    def code_of_102(self, text: str) -> str | None:
        """Return the code that a 13-character form means, or None when it is not one.

        A row of the directory goes before the rule. A form that meant one unit before and another since means the
        later one. Where the rule leads to a code that the directory gives another form, the rule is wrong there.
        """
        cleaned = cleaned_code(text)
        if bearers := self._bearers_102.get(cleaned):
            return max(bearers, key=lambda code: (self._since(code, cleaned), code))
        try:
            code = from_qcvn102(cleaned)
        except Malformed:
            return None
        known = self.latest(code)
        return None if known is not None and known.code102 not in {None, cleaned} else code

    def organisations(self) -> Iterator[Organisation]:
        """Go through every period of every organisation, by code, the earliest first."""
        for code in sorted(self._organisations):
            yield from self._organisations[code]

    def mailboxes(self, at: dt.datetime) -> Iterator[Mailbox]:
        """Go through the mailboxes of that time, by code."""
        for code in sorted(self._mailboxes):
            if (mailbox := _in_force(self._mailboxes[code], at)) is not None:
                yield mailbox

    def _since(self, code: str, form_102: str) -> dt.datetime:
        return max(period.valid_from for period in self.history(code) if period.code102 == form_102)


def _in_force(history: tuple[_Dated, ...], at: dt.datetime) -> _Dated | None:
    for period in reversed(history):
        if period.valid_from <= at and (period.valid_to is None or at < period.valid_to):
            return period
    return None


def _histories(records: Iterable[_Dated]) -> dict[str, tuple[_Dated, ...]]:
    gathered: dict[str, list[_Dated]] = {}
    for record in records:
        gathered.setdefault(record.code, []).append(record)
    return {code: tuple(sorted(periods, key=lambda p: p.valid_from)) for code, periods in gathered.items()}


def _forms_102(history: tuple[Organisation, ...]) -> set[str]:
    return {period.code102 for period in history if period.code102 is not None}
