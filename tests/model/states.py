"""The axis as the model sees it: what there is, what is remembered where, and which rules are in force."""

from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

T = TypeVar("T")
Bytes = tuple[str, int]  # an envelope: its id, and which bytes it has under that id

# What the workers do, in this order; test_binding.py holds the code to it.
ROUTER = ("decide", "commit", "documents", "hold", "receipts", "mark", "ack")
RELAY = ("look", "documents", "hold", "receipts", "mark")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the axis keeps to. The defaults are what it does; a test takes one away and sees what it was for."""

    router: tuple[str, ...] = ROUTER
    relay: tuple[str, ...] = RELAY
    relays: bool = True
    on_conflict: bool = True  # the store keeps the first bytes of an id, and tells the second router of them
    drop_repeats: bool = True  # recipients know what they have applied
    hold_behind: bool = True  # what comes later for a mailbox is held behind what is held
    notice_not_first: bool = True  # the relay publishes a receipt with its envelope, or when that is marked
    release_one_by_one: bool = True  # the next document is released when the one before is confirmed
    claims: bool = True  # the relay claims what it is about to release, and releases nothing else
    only_untried: bool = True  # a recall withdraws only what was never on its way
    takes_up: bool = True  # routers take up a recall that waited, when its document is there
    repeat_unconfirmed: bool = True  # the sender sends until it is confirmed


@dataclass(frozen=True, slots=True)
class Submitting:
    """One message somebody submits, `after`: once the receipt for that id is in hand."""

    envelope: Bytes
    after: str | None = None


@dataclass(frozen=True, slots=True)
class World:
    """How much there is of everything: the bounds of what is looked at."""

    submitting: tuple[Submitting, ...]
    to: dict[str, tuple[str, ...]]  # id -> its mailboxes; all but the first are BCC keys of one publish
    recalls: dict[str, str] = field(default_factory=dict)  # id of a recall -> of its document
    missing: frozenset[str] = frozenset()  # mailboxes whose queue is not there at first
    routers: int = 2
    batch: int = 1
    crashes: int = 0  # of a router, the relay or an application; or a connection that is lost
    faults: int = 0  # publishes that are not taken, and confirms, marks and answers that are lost
    hasty: int = 0  # how often the relay takes up what a router is still at; else only what is left
    vanishing: int = 0  # how often an empty queue may be deleted
    recipients: bool = False  # look at each step of the application, and not only at what it gets in which order
    ids: tuple[str, ...] = field(init=False)
    mailboxes: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Number everything."""
        object.__setattr__(self, "ids", tuple(sorted(self.to)))
        object.__setattr__(self, "mailboxes", tuple(sorted({each for some in self.to.values() for each in some})))


class Row(NamedTuple):
    """One message in the hands of a worker."""

    envelope: Bytes
    source: int = -1  # which of the submitted ones it is; the relay knows of refusals only
    verdict: str = "accepted"  # or refused; waits: for its document
    documents: tuple[str, ...] | None = None  # the mailboxes it is to be published to; None: not to be touched
    published: bool = False
    untaken: tuple[str, ...] = ()  # those of the mailboxes that did not take it
    receipt: str = "due"  # due, ok, lost; none: it is not to be published here


class Actor(NamedTuple):
    """A router or the relay: at which step, with which messages; `cut`: its connection was lost meanwhile.

    `early`: it has taken up a recall that waited in the store, so there is nothing to ack and nothing comes back.
    """

    at: int
    rows: tuple[Row, ...]
    cut: bool = False
    early: bool = False


class Release(NamedTuple):
    """The relay while it releases what is held for a mailbox; `claimed` None: it has only looked."""

    mailbox: str
    waiting: tuple[str, ...]
    claimed: tuple[str, ...] | None = None
    confirmed: tuple[str, ...] = ()


class Stored(NamedTuple):
    """An envelope in the store, with its receipt.

    `tried`: the mailboxes it may have been on its way to while it is held (kept where there are recalls); `withdrawn`:
    those it never goes to.
    """

    bytes: int
    held: tuple[str, ...]
    tried: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    marked: bool = False
    receipt_marked: bool = False


class Hand(NamedTuple):
    """What an application has in hand, and whether it is applied and recorded."""

    envelope: Bytes
    recorded: bool = False


class State(NamedTuple):
    """Everything, at one moment. Tuples stand in the order of the world's submitting, ids or mailboxes."""

    sent: tuple[bool, ...]  # confirmed to the sender
    queue: tuple[int, ...]  # axis.route, by number of what was submitted
    routers: tuple[Actor, ...]  # those at work, sorted: one router is like another
    relay: Actor | Release | None
    store: tuple[Stored | None, ...]
    refusals: tuple[str, ...]  # "", committed, marked
    line: tuple[tuple[str, ...], ...]  # held ids, in order
    there: tuple[bool, ...]  # whether the mailbox has its queue
    waiting: tuple[tuple[Bytes, ...], ...]  # in the mailbox
    hands: tuple[Hand | None, ...]
    applied: tuple[tuple[Bytes, ...], ...]  # by the application, in order
    receipts: frozenset[tuple[str, Bytes]]  # in the hands of senders
    crashes: int
    faults: int
    hasty: int
    vanishing: int
    early: frozenset[Bytes] = frozenset()  # recalls that wait in the store for their documents


def beginning(world: World) -> State:
    """Nothing has happened yet."""
    boxes = len(world.mailboxes)
    return State(
        sent=(False,) * len(world.submitting),
        queue=(),
        routers=(),
        relay=None,
        store=(None,) * len(world.ids),
        refusals=("",) * len(world.submitting),
        line=((),) * boxes,
        there=tuple(each not in world.missing for each in world.mailboxes),
        waiting=((),) * boxes,
        hands=(None,) * boxes,
        applied=((),) * boxes,
        receipts=frozenset(),
        crashes=world.crashes,
        faults=world.faults,
        hasty=world.hasty,
        vanishing=world.vanishing,
    )


def put(values: tuple[T, ...], at: int, value: T) -> tuple[T, ...]:
    """Return the tuple with one value replaced."""
    return (*values[:at], value, *values[at + 1 :])


def name(envelope: Bytes) -> str:
    """Name an envelope and its bytes in a trace."""
    return f"{envelope[0]}{envelope[1]}"


def names(rows: tuple[Row, ...]) -> str:
    """Name all of a batch."""
    return " and ".join(name(row.envelope) for row in rows)
