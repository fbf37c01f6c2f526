"""docs/four-facts.md: the matrix of tests/four_facts.py and the table of tests/broker_alone.py, for people to check.

`python -m tests.four_facts_page` writes it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from tests.broker_alone import ATTEMPTS, CONNECTING, MANAGEMENT
from tests.four_facts import (
    ABSENT,
    ACCEPTED,
    ACCOUNTS,
    BY_BROKER,
    CODES,
    PLACES,
    SPEAKS_FOR,
    Combination,
    Kind,
    combinations,
    expected,
)

PAGE = Path(__file__).parents[1] / "docs" / "four-facts.md"
_CLAIM = {"document": "sender", "status": "reporter"}
_WORKER = {"document": "router", "status": "tracker"}

_HEAD = (
    "# Four facts\n"
    'Who may say what, as a table (design: "Who may say what"). Every combination is played against a real broker and '
    "real workers by `tests/integration/test_four_facts.py`; this page is written by `python -m tests.four_facts_page` "
    "from a statement of the rules that shares nothing with the code it checks (`tests/four_facts.py`).\n\n"
    "The facts: the **account** a client connected with; the **user_id** it put on the message; the **routing key**; "
    "the **claim** (a document's `sender`, a status's `reporter`); the **signer**, whose certificate made the "
    "signature. Each stands somewhere, seen from H37.05:\n"
)
_RULES = (
    "An organisation speaks for itself and for what is below it; never for one above, never for one beside.\n\n"
    "A worker applies its rules in this order, and of several that are broken the first one is told: the body can be "
    "read (`message/schema`), it is signed (`signature/missing`), by an enrolled certificate (`certificate/unknown`), "
    "the user_id is there and speaks for the claim (`abuse/account`), the signer speaks for the claim "
    "(`abuse/signer`), a document's sender is in the directory (`abuse/sender`), the routing key is the claim's "
    "(`abuse/routing-key`). A status has to be about something its reporter received (`status/not-recipient`).\n"
)
_BROKER_HEAD = (
    "# What the broker alone stops\n"
    "What the account of an agency (H37, another one is H26) gets for an answer before any worker sees anything. "
    "`tests/integration/test_broker_alone.py` tries each line on a real broker; where versions or plugins differ, both "
    "answers are named. *Taken* is not a hole by itself: the last column says what comes of it.\n"
)


def page() -> str:
    """Write the page."""
    return "\n".join([*_facts(), *_broker()])


def _facts() -> Iterator[str]:
    yield _HEAD
    yield from _table(("place", "code", "speaks for"), [(p, CODES[p], _listed(SPEAKS_FOR[p])) for p in CODES])
    yield f"{_RULES}\n{_counted()}\n"
    yield "## At the broker\nAccount down, user_id across, under a key that the account may use; `–`: passed on.\n"
    yield from _crossed(ACCOUNTS, PLACES, lambda account, user: _broker_says(account, user_id=user, key=account))
    yield "Account down, routing key across, with the account's own user_id or none:\n"
    yield from _crossed(ACCOUNTS, PLACES, lambda account, key: _broker_says(account, user_id=ABSENT, key=key))
    for kind in ("document", "status"):
        yield from _worker(kind)


def _worker(kind: Kind) -> Iterator[str]:
    claim = _CLAIM[kind]
    yield f"## At the {_WORKER[kind]}: a {kind}\n{claim.capitalize()} down, signer across.\n"
    reaching = [facts for facts in combinations() if expected(kind, facts) not in BY_BROKER]
    yield "Without a user_id, under any account and key:\n"
    yield from _claims(kind, [facts for facts in reaching if facts.user_id == ABSENT])
    for account in ACCOUNTS:
        for key in PLACES:
            own = [f for f in reaching if (f.account, f.user_id, f.key) == (account, account, key)]
            if own:
                yield f"Account and user_id {account} ({CODES[account]}), routing key {key} ({CODES[key]}):\n"
                yield from _claims(kind, own)


def _claims(kind: Kind, some: Sequence[Combination]) -> Iterator[str]:
    def cell(claim: str, signer: str) -> str:
        end = _one(expected(kind, f) for f in some if (f.claim, f.signer) == (claim, signer))
        return f"**{end}**" if end == ACCEPTED[kind] else end

    return _crossed(PLACES, PLACES, cell)


def _broker_says(account: str, *, user_id: str, key: str) -> str:
    said = {
        expected(kind, f)
        for kind in ("document", "status")
        for f in combinations()
        if (f.account, f.user_id, f.key) == (account, user_id, key)
    }
    return _one(said) if said & BY_BROKER else "–"


def _counted() -> str:
    everything = [expected(kind, facts) for kind in ("document", "status") for facts in combinations()]
    stopped = sum(outcome in BY_BROKER for outcome in everything)
    taken = sum(outcome in ACCEPTED.values() for outcome in everything)
    return (
        f"Of {len(everything):,} combinations the broker stops {stopped:,}, a worker refuses "
        f"{len(everything) - stopped - taken:,}, and {taken} are taken."
    )


def _broker() -> Iterator[str]:
    yield _BROKER_HEAD
    for title, attempts in (("Connecting", CONNECTING), ("AMQP", ATTEMPTS), ("Management API", MANAGEMENT)):
        yield f"## {title}\n"
        yield from _table(
            ("what is tried", "the broker says", "and then"),
            [(each.name, " or ".join(each.answers), each.then) for each in attempts],
        )


def _crossed(rows: Sequence[str], columns: Sequence[str], cell: Callable[[str, str], str]) -> Iterator[str]:
    return _table(("", *columns), [(f"**{row}**", *(cell(row, column) for column in columns)) for row in rows])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _listed(places: Iterable[str]) -> str:
    return ", ".join(place for place in PLACES if place in places) or "nobody"


def _one(outcomes: Iterable[str]) -> str:
    (only,) = set(outcomes)
    return only


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
