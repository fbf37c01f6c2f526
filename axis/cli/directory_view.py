"""The directory as commands show it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from axis.cli.console import print_table, say
from axis.core.codes import to_qcvn102
from axis.core.directory import Directory
from axis.core.enrolment import Enrolment, State
from axis.core.lanes import LANES, mailbox_queue, notices_queue
from schemas import Organisation


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything about one organisation; `mailbox` is through whom it receives."""

    code: str
    history: tuple[Organisation, ...]
    mailbox: str | None
    certificates: tuple[Enrolment, ...]
    at: dt.datetime

    @classmethod
    def of(cls, code: str, directory: Directory, certificates: Sequence[Enrolment], at: dt.datetime) -> "Shown":
        """Gather it as of a time."""
        own = tuple(each for each in certificates if each.organisation == code)
        return cls(code, directory.history(code), directory.mailbox_of(code, at), own, at)

    @property
    def queues(self) -> list[str]:
        """Name its own queues."""
        if self.mailbox != self.code:
            return []
        return [*(mailbox_queue(lane, self.code) for lane in LANES), notices_queue(self.code)]

    def plain(self) -> Mapping[str, Any]:
        """Return it for machines."""
        return {
            "code": self.code,
            "code102": self.history[-1].code102 or to_qcvn102(self.code),
            "periods": self.history,
            "mailbox": self.mailbox,
            "queues": self.queues,
            "certificates": [
                {**each.model_dump(mode="json", exclude={"der"}), "state": each.state(self.at).value}
                for each in self.certificates
            ],
        }

    def tell(self) -> None:
        """Print it for people."""
        say(f"{self.code}  {self.history[-1].name}")
        columns = ("name", "from", "to", "successor", "forwarding", "unknown below", "13 characters")
        periods = [
            (o.name, o.valid_from, o.valid_to, o.successor, yes_or_dash(o.forwarding), o.unknown_below.value, o.code102)
            for o in self.history
        ]
        print_table(columns, periods)
        say("")
        if self.mailbox is None:
            say("receives nothing: neither it nor an organisation above it has a mailbox")
        elif self.mailbox != self.code:
            say(f"receives through {self.mailbox}")
        else:
            say(f"receives in {', '.join(self.queues)}")
        if self.certificates:
            say("")
            print_table(
                ("certificate", "role", "state", "subject", "from", "to", "revoked"),
                [
                    (c.thumbprint, c.role, c.state(self.at).value, c.subject, c.not_before, c.not_after, c.revoked_at)
                    for c in self.certificates
                ],
            )


def listed(directory: Directory, certificates: Sequence[Enrolment], at: dt.datetime) -> list[dict[str, Any]]:
    """Return one row for each code that was ever known, as of a time, with how many certificates sign for it."""
    valid = [each for each in certificates if each.role != "sealing" and each.state(at) is State.VALID]
    rows: dict[str, dict[str, Any]] = {}
    for latest in directory.organisations():
        code = latest.code
        current = directory.organisation(code, at)
        closed = directory.closed(code, at)
        shown = current or closed or latest
        rows[code] = {
            "code": code,
            "name": shown.name,
            "mailbox": directory.has_mailbox(code, at),
            "certificates": sum(c.organisation == code for c in valid),
            "state": "in force" if current else "closed" if closed else "not yet in force",
            "successor": None if current else shown.successor,
        }
    return list(rows.values())


def yes_or_dash(value: object) -> object:
    """Return `yes` for true and nothing for false; anything else as it is."""
    return value if not isinstance(value, bool) else "yes" if value else None
