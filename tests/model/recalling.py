"""Recalls: one before its document waits, one of what is held withdraws it; the relay claims what it sends."""

from tests.model.explore import Step
from tests.model.posting import Posting
from tests.model.states import Actor, Release, Row, State, Stored, name, put
from tests.model.surroundings import Moves


class Recalling(Posting):
    """What workers.acting decides in the transaction of a recall, and what the relay does against it."""

    def taking_up(self, state: State) -> Moves:
        """Let a router take up what waited for a document that is there now; any number of them may at once."""
        if len(state.routers) == self.world.routers or not self.rules.takes_up:
            return
        for envelope in sorted(state.early):
            if not self.is_early(state, envelope[0]):
                source = next(n for n, each in enumerate(self.world.submitting) if each.envelope == envelope)
                router = Actor(0, (Row(envelope, source),), cut=True, early=True)
                routers = tuple(sorted((*state.routers, router), key=hash))
                yield Step(f"a router takes up {name(envelope)}", state._replace(routers=routers))

    def is_early(self, state: State, identifier: str) -> bool:
        """Say whether it is a recall whose document is not there."""
        about = self.world.recalls.get(identifier)
        return about is not None and state.store[self.row[about]] is None

    def routed(self, identifier: str, stored: Stored) -> tuple[str, ...]:
        """Name the mailboxes that an unmarked envelope is to be published to."""
        return tuple(each for each in self.world.to[identifier] if each not in (*stored.held, *stored.withdrawn))

    def recall(
        self, state: State, identifier: str, ready: tuple[str, ...], wrong: str
    ) -> tuple[State, tuple[str, ...], str]:
        """Withdraw what a recall may; return also which mailboxes it goes to itself now, and what rule is broken."""
        if (about := self.world.recalls.get(identifier)) is None:
            return state, ready, wrong
        number, own = self.row[about], self.row[identifier]
        document = state.store[number]
        if document is None:
            raise AssertionError(f"{identifier} waits for {about}")
        shared = [each for each in self.world.to[identifier] if each in document.held]
        gone = tuple(each for each in shared if each not in document.tried or not self.rules.only_untried)
        for mailbox in gone:
            box = self.box[mailbox]
            there = {each for each, _ in (*state.applied[box], *state.waiting[box])}
            wrong = "what was withdrawn is in no mailbox" if about in there else wrong
            line = tuple(each for each in state.line[box] if each != about)
            state = state._replace(line=put(state.line, box, line))
        left = tuple(each for each in document.held if each not in gone)
        document = document._replace(held=left, withdrawn=tuple(sorted({*document.withdrawn, *gone})))
        state = state._replace(store=put(state.store, number, document))
        stored = state.store[own]
        if stored is not None:
            state = state._replace(store=put(state.store, own, stored._replace(withdrawn=gone)))
        return state, tuple(each for each in ready if each not in shared), wrong

    def claim(self, state: State, relay: Release) -> Moves:
        """Note that what is still held is on its way from now on."""
        line = state.line[self.box[relay.mailbox]]
        claimed = tuple(each for each in relay.waiting if each in line) if self.rules.claims else relay.waiting
        now = state
        if self.rules.claims and self.world.recalls:
            for identifier in claimed:
                stored = now.store[self.row[identifier]]
                if stored is not None:
                    tried = tuple(sorted({*stored.tried, relay.mailbox}))
                    now = now._replace(store=put(now.store, self.row[identifier], stored._replace(tried=tried)))
        label = f"the relay claims {' and '.join(claimed) or 'nothing'} for {relay.mailbox}"
        yield Step(label, now._replace(relay=relay._replace(claimed=claimed)))
        if state.faults:
            lost = now._replace(relay=None, faults=state.faults - 1)
            yield Step(f"{label}, the answer is lost", lost, fault=True)
