"""What surrounds the workers: agencies that submit, mailboxes that come and go, applications that take."""

from collections.abc import Iterator

from tests.model.explore import Step
from tests.model.states import Bytes, Hand, Rules, State, World, name, put

Moves = Iterator[Step[State]]


class Surroundings:
    """The agencies and the broker; what they do is the same under all rules but two."""

    def __init__(self, world: World, rules: Rules) -> None:
        self.world = world
        self.rules = rules
        self.box = {mailbox: number for number, mailbox in enumerate(world.mailboxes)}
        self.row = {identifier: number for number, identifier in enumerate(world.ids)}

    def surrounding(self, state: State) -> Moves:
        """Yield what may happen outside the workers."""
        yield from self._senders(state)
        yield from self._queues(state)
        if self.world.recipients:
            for box in range(len(self.world.mailboxes)):
                yield from self._recipient(state, box)

    def deliver(self, state: State, envelope: Bytes, mailboxes: tuple[str, ...], label: str) -> Step[State]:
        """Put an envelope into mailboxes."""
        step = Step(label, state)
        for mailbox in mailboxes:
            box = self.box[mailbox]
            if self.world.recipients:
                more = (*step.state.waiting[box], envelope)
                step = step._replace(state=step.state._replace(waiting=put(step.state.waiting, box, more)))
            else:
                applied = self._apply(step.state, box, envelope, label)
                step = step._replace(state=applied.state, wrong=step.wrong or applied.wrong)
        return step

    def _senders(self, state: State) -> Moves:
        for number, each in enumerate(self.world.submitting):
            if state.sent[number] or (each.after is not None and not _has_receipt(state, each.after)):
                continue
            taken = state._replace(queue=(*state.queue, number))
            done = put(state.sent, number, value=True)
            label = f"sender {number} submits {name(each.envelope)}"
            yield Step(f"{label}: confirmed", taken._replace(sent=done))
            if not state.faults:
                continue
            lost = taken._replace(faults=state.faults - 1)
            if self.rules.repeat_unconfirmed:
                yield Step(f"{label}: the confirm is lost", lost, fault=True)
            else:
                yield Step(f"{label}: the confirm is lost", lost._replace(sent=done), fault=True)
                yield Step(f"{label}: lost", lost._replace(sent=done, queue=state.queue), fault=True)

    def _queues(self, state: State) -> Moves:
        for box, mailbox in enumerate(self.world.mailboxes):
            if not state.there[box]:
                yield Step(f"the queue of {mailbox} appears", state._replace(there=put(state.there, box, value=True)))
            elif state.vanishing and not state.waiting[box] and state.hands[box] is None:
                gone = state._replace(there=put(state.there, box, value=False), vanishing=state.vanishing - 1)
                yield Step(f"the queue of {mailbox} is deleted", gone, fault=True)

    def _recipient(self, state: State, box: int) -> Moves:
        mailbox, hand, waiting = self.world.mailboxes[box], state.hands[box], state.waiting[box]
        if hand is None:
            if waiting:
                got = state._replace(
                    hands=put(state.hands, box, Hand(waiting[0])), waiting=put(state.waiting, box, waiting[1:])
                )
                yield Step(f"{mailbox} is handed {name(waiting[0])}", got)
            return
        empty = state._replace(hands=put(state.hands, box, None))
        if state.crashes:
            back = put(state.waiting, box, (hand.envelope, *waiting))
            crashed = empty._replace(waiting=back, crashes=state.crashes - 1)
            yield Step(f"{mailbox} crashes; {name(hand.envelope)} returns to its queue", crashed, fault=True)
        if hand.recorded:
            yield Step(f"{mailbox} acks {name(hand.envelope)}", empty)
        else:
            recorded = state._replace(hands=put(state.hands, box, Hand(hand.envelope, recorded=True)))
            label = f"{mailbox} applies and records {name(hand.envelope)}, or knows it"
            yield self._apply(recorded, box, hand.envelope, label)

    def _apply(self, state: State, box: int, envelope: Bytes, label: str) -> Step[State]:
        """Let an application have an envelope, and look whether it may."""
        before = state.applied[box]
        known = envelope[0] in {identifier for identifier, _ in before}
        if known and self.rules.drop_repeats:
            return Step(label, state)
        after = state._replace(applied=put(state.applied, box, (*before, envelope)))
        stored = state.store[self.row[envelope[0]]]
        wrong = ""
        if known:
            wrong = "an id is applied at most once"
        elif stored is None or stored.bytes != envelope[1]:
            wrong = "nothing is applied that was not committed"
        elif self.world.mailboxes[box] in stored.withdrawn:
            wrong = "what was withdrawn is in no mailbox"
        elif missed := self._overtaken(envelope[0], before, self.world.mailboxes[box]):
            wrong = f"what is submitted after a receipt comes after it ({missed} was overtaken)"
        return Step(label, after, wrong=wrong)

    def _overtaken(self, identifier: str, before: tuple[Bytes, ...], mailbox: str) -> str:
        earlier = {each.after for each in self.world.submitting if each.envelope[0] == identifier}
        here = {each for each in earlier if each is not None and mailbox in self.world.to[each]}
        return min(here - {each for each, _ in before}, default="")


def _has_receipt(state: State, identifier: str) -> bool:
    return any(outcome == "accepted" and envelope[0] == identifier for outcome, envelope in state.receipts)
