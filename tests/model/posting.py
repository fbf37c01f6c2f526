"""What routers and the relay do alike (workers.post): publish documents, hold, publish receipts, mark."""

from collections.abc import Callable, Iterator
from itertools import combinations

from tests.model.explore import Step
from tests.model.states import Actor, Row, State, name, names, put
from tests.model.surroundings import Moves, Surroundings

After = Callable[[State, Actor | None], State]  # puts a worker, as it is now, back into the state


class Posting(Surroundings):
    """The steps after the commit. `again`: where a worker goes on when the broker or the store was away."""

    def post(self, state: State, worker: Actor, after: After, who: str, *, again: Actor | None) -> Moves:
        """Yield what may happen next to a worker that is at one of these steps."""
        order = self.rules.router if who == "a router" else self.rules.relay
        match order[worker.at]:
            case "documents":
                yield from self._document(state, worker, after, who, again)
            case "hold":
                now = state
                for row in worker.rows:
                    now = self.hold(now, row.envelope[0], row.untaken, tried=True)
                rows = tuple(row._replace(untaken=()) for row in worker.rows)
                yield Step(
                    f"{who} holds {names(worker.rows)}", after(now, worker._replace(at=worker.at + 1, rows=rows))
                )
            case "receipts":
                yield from self._receipt(state, worker, after, who)
            case _:
                yield from self._mark(state, worker, after, who, again)

    def hold(self, state: State, identifier: str, mailboxes: tuple[str, ...], *, tried: bool) -> State:
        """Hold what is not held yet, behind all that is; `tried`: it may have been on its way."""
        number = self.row[identifier]
        stored = state.store[number]
        if stored is None:
            return state
        new = tuple(each for each in mailboxes if each not in (*stored.held, *stored.withdrawn))
        line = state.line
        for each in new:
            line = put(line, self.box[each], (*line[self.box[each]], identifier))
        held = stored._replace(held=tuple(sorted((*stored.held, *new))))
        if tried and self.world.recalls:
            held = held._replace(tried=tuple(sorted({*held.tried, *new})))
        return state._replace(store=put(state.store, number, held), line=line)

    def _document(self, state: State, worker: Actor, after: After, who: str, again: Actor | None) -> Moves:
        number, row = next((number, row) for number, row in enumerate(worker.rows) if is_due(row))
        documents = row.documents or ()
        there = tuple(each for each in documents if state.there[self.box[each]])
        label = f"{who} publishes {name(row.envelope)} to {' and '.join(documents)}"

        def ended(arrived: tuple[str, ...], untaken: tuple[str, ...], what: str, *, fault: bool = False) -> Step[State]:
            step = self.deliver(state._replace(faults=state.faults - fault), row.envelope, arrived, f"{label}: {what}")
            rows = put(worker.rows, number, row._replace(published=True, untaken=untaken))
            return step._replace(state=after(step.state, worker._replace(rows=rows)), fault=fault)

        if not there:
            yield ended((), documents, "returned, there is no queue")
            return
        yield ended(there, (), "confirmed" if there == documents else "confirmed, though one queue is not there")
        if not state.faults:
            return
        # Which mailbox did not take it is found out by publishing to each alone: whoever does not confirm then is held,
        # and may have got it nevertheless.
        for taken in _some(there):
            for arrived in _some(there):
                if set(taken) <= set(arrived) and taken != there:
                    untaken = tuple(each for each in documents if each not in taken)
                    yield ended(arrived, untaken, f"in truth to {arrived}, confirmed by {taken}", fault=True)
        for arrived in ((), there):
            step = self.deliver(state, row.envelope, arrived, f"{label}: the broker is away, {arrived} got it")
            spent = step.state._replace(faults=state.faults - 1)
            yield step._replace(state=after(spent, again), fault=True)

    def _receipt(self, state: State, worker: Actor, after: After, who: str) -> Moves:
        number, row = next((number, row) for number, row in enumerate(worker.rows) if row.receipt == "due")
        label = f"{who} publishes the receipt “{row.verdict}” for {name(row.envelope)}"
        stored = state.store[self.row[row.envelope[0]]]
        wrong = ""
        if row.verdict == "accepted" and (stored is None or stored.bytes != row.envelope[1]):
            wrong = "a receipt says accepted only of what is committed"
        there = state._replace(receipts=state.receipts | {(row.verdict, row.envelope)})

        def ended(now: State, receipt: str, what: str) -> Step[State]:
            fault = receipt == "lost"
            rows = put(worker.rows, number, row._replace(receipt=receipt))
            spent = now._replace(faults=state.faults - fault)
            return Step(f"{label}: {what}", after(spent, worker._replace(rows=rows)), fault=fault, wrong=wrong)

        yield ended(there, "ok", "confirmed")
        if state.faults:
            yield ended(there, "lost", "the confirm is lost")
            yield ended(state, "lost", "lost")

    def _mark(self, state: State, worker: Actor, after: After, who: str, again: Actor | None) -> Moves:
        now = state
        for row in worker.rows:
            now = self._marked(now, row)
        done, label = worker._replace(at=worker.at + 1), f"{who} marks {names(worker.rows)}"
        yield Step(label, after(now, done))
        if state.faults:
            spent = state._replace(faults=state.faults - 1)
            yield Step(f"{label}, the mark is lost", after(spent, done), fault=True)
            yield Step(f"{label}: the store is away", after(spent, again), fault=True)

    def _marked(self, state: State, row: Row) -> State:
        told = row.receipt == "ok"
        if row.verdict == "refused":
            return state._replace(refusals=put(state.refusals, row.source, "marked")) if told else state
        number = self.row[row.envelope[0]]
        stored = state.store[number]
        if stored is None:
            return state
        new = stored._replace(
            marked=stored.marked or row.documents is not None, receipt_marked=stored.receipt_marked or told
        )
        return state._replace(store=put(state.store, number, new))


def onward(worker: Actor, order: tuple[str, ...]) -> Actor:
    """Pass over the steps that have nothing to do; forget what no later step asks for."""
    at, due = worker.at, False
    while at < len(order):
        match order[at]:
            case "documents":
                due = any(is_due(row) for row in worker.rows)
            case "hold":
                due = any(row.untaken for row in worker.rows)
            case "receipts":
                due = any(row.receipt == "due" for row in worker.rows)
            case "ack" if at == len(order) - 1:
                worker = worker._replace(rows=tuple(Row(row.envelope, row.source) for row in worker.rows))
                due = True
            case _:
                due = True
        if due:
            break
        at += 1
    return worker._replace(at=at)


def is_due(row: Row) -> bool:
    """Say whether its documents are still to be published."""
    return bool(row.documents) and not row.published


def _some(mailboxes: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for size in range(len(mailboxes) + 1):
        yield from combinations(mailboxes, size)
