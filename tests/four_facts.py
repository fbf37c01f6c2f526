"""Who may say what (design.md), said a second time: every combination of the four facts and its expected outcome.

Nothing here is computed by the code under test. The relations are written out by hand, five organisations around one:

    H37  above      H37.05  same      H37.05.02  below      H37.06  sibling      H37.99  unknown

tests.four_facts_page writes docs/four-facts.md from it; a unit test says when that page is stale.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Literal

Kind = Literal["document", "status"]

CODES: Mapping[str, str] = {
    "same": "H37.05",
    "above": "H37",
    "below": "H37.05.02",
    "sibling": "H37.06",
    "unknown": "H37.99",  # in no directory; as a signer: a certificate for H37.05 that is not enrolled
}
ABSENT = "absent"
PLACES = (*CODES, ABSENT)
ACCOUNTS = tuple(CODES)  # nobody connects without an account

# For whom each may speak: an organisation for itself and for what is below it, never for one above or beside it.
SPEAKS_FOR: Mapping[str, frozenset[str]] = {
    "same": frozenset({"same", "below"}),
    "above": frozenset({"same", "above", "below", "sibling", "unknown"}),
    "below": frozenset({"below"}),
    "sibling": frozenset({"sibling"}),
    "unknown": frozenset(),
}

LOGIN = "login"  # the broker lets nobody in
KEY = "403 key"  # the topic permission: ACCESS_REFUSED
USER = "406 user_id"  # the broker checks the property against the connection: PRECONDITION_FAILED
KEY_AND_USER = "403 key, 406 user_id"  # both are wrong; which of them is said depends on the broker's version
ACCEPTED: Mapping[Kind, str] = {"document": "accepted", "status": "recorded"}
BY_BROKER = frozenset({LOGIN, KEY, USER, KEY_AND_USER})


@dataclass(frozen=True, slots=True)
class Combination:
    """Where each fact stands, seen from H37.05; `claim`: the sender of a document, the reporter of a status."""

    account: str
    user_id: str
    key: str
    claim: str
    signer: str


def combinations() -> Iterator[Combination]:
    """Go through all of them."""
    for facts in product(ACCOUNTS, PLACES, PLACES, PLACES, PLACES):
        yield Combination(*facts)


def expected(kind: Kind, facts: Combination) -> str:
    """Say what has to become of it: what the broker answers, a reason code, or that it is taken."""
    stopped = _at_the_broker(facts)
    return _at_the_worker(kind, facts) if stopped is None else stopped


def _at_the_broker(facts: Combination) -> str | None:
    if facts.account == "unknown":
        return LOGIN
    wrong_key = facts.key not in SPEAKS_FOR[facts.account]
    wrong_user = facts.user_id not in {facts.account, ABSENT}
    if wrong_key and wrong_user:
        return KEY_AND_USER
    if wrong_key:
        return KEY
    return USER if wrong_user else None


def _at_the_worker(kind: Kind, facts: Combination) -> str:
    """Apply the rules in their order: of several that are broken, the first one is told."""
    broken = (
        ("message/schema", facts.claim == ABSENT),
        ("signature/missing", facts.signer == ABSENT),
        ("certificate/unknown", facts.signer == "unknown"),
        ("abuse/account", facts.user_id == ABSENT or facts.claim not in SPEAKS_FOR[facts.account]),
        ("abuse/signer", facts.claim not in SPEAKS_FOR.get(facts.signer, ())),
        ("abuse/sender", kind == "document" and facts.claim == "unknown"),
        ("abuse/routing-key", facts.key != facts.claim),
        ("status/not-recipient", kind == "status" and facts.claim == "unknown"),
    )
    return next((code for code, is_so in broken if is_so), ACCEPTED[kind])
