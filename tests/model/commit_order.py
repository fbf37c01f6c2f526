"""The commit order, modelled: who does what next, and what may fail there.

Left out, because it changes nothing here: what is in a message, lanes, statuses; and that a recall whose document never
comes is refused, which a clock decides (tests/unit/workers/test_waiting.py). Time is left out too: the relay may
find what no router is at any more at any moment, which is more than it can in truth; and sometimes (`hasty`) what one
still is at. A router that decides a batch while it posts the one before is two routers here, which can do all it can.
"""

from tests.model.explore import Step
from tests.model.posting import After, onward
from tests.model.recalling import Recalling
from tests.model.states import Actor, Release, Row, State, Stored, name, names, put
from tests.model.surroundings import Moves


class Model(Recalling):
    """All that can happen in a world under some rules."""

    def steps(self, state: State) -> Moves:
        """Yield everything that can happen next."""
        yield from self.surrounding(state)
        yield from self._taking(state)
        for number, router in enumerate(state.routers):
            if number == 0 or state.routers[number - 1] != router:
                yield from self._router(state, number, router)
        yield from self.taking_up(state)
        if self.rules.relays:
            yield from self._relay(state)

    def unfinished(self, state: State) -> str:
        """Say what is missing, if the axis were to rest here for ever."""
        for number, each in enumerate(self.world.submitting):
            if not state.sent[number]:
                return f"{name(each.envelope)} is never confirmed to its sender"
            if not state.receipts & {("accepted", each.envelope), ("refused", each.envelope)}:
                return f"{name(each.envelope)} has no receipt"
            if state.refusals[number] == "committed":
                return f"the refusal of {name(each.envelope)} is never marked"
        for identifier, stored in zip(self.world.ids, state.store, strict=True):
            if stored is None:
                continue
            for mailbox in self.world.to[identifier]:
                if (
                    mailbox not in stored.withdrawn
                    and (identifier, stored.bytes) not in state.applied[self.box[mailbox]]
                ):
                    return f"{identifier} is accepted and never applied by {mailbox}"
            if not stored.marked or not stored.receipt_marked or stored.held:
                return f"{identifier} is applied, and the store never knows"
        rest = state.queue or any(state.waiting) or state.routers or state.early
        return "messages stay in a queue" if rest else ""

    # The router.

    def _taking(self, state: State) -> Moves:
        if len(state.routers) == self.world.routers:
            return
        for count in range(1, 1 + min(self.world.batch, len(state.queue))):
            rows = tuple(Row(self.world.submitting[each].envelope, each) for each in state.queue[:count])
            if len({row.envelope[0] for row in rows}) < count:
                return  # of one id twice the second is decided when the first is committed
            taken = _at_work(state._replace(queue=state.queue[count:]), Actor(0, rows))
            yield Step(f"a router takes {names(rows)}", taken)

    def _router(self, state: State, number: int, router: Actor) -> Moves:
        order = self.rules.router
        others = state._replace(routers=state.routers[:number] + state.routers[number + 1 :])

        def after(now: State, worker: Actor | None) -> State:
            gone = worker is None or (worker := onward(worker, order)).at == len(order)
            return now if gone or worker is None else _at_work(now, worker)

        if state.crashes:
            forgotten = router.cut or order.index("ack") < router.at
            back = () if forgotten else tuple(row.source for row in router.rows)
            returned = others._replace(queue=(*back, *state.queue), crashes=state.crashes - 1)
            yield Step(f"the router of {names(router.rows)} crashes", returned, fault=True)
            if not forgotten:
                cut = _at_work(returned, router._replace(cut=True))
                yield Step(f"the router of {names(router.rows)} loses its connection and goes on", cut, fault=True)
        match order[router.at]:
            case "decide":
                rows = tuple(row._replace(documents=self._ready(state, row.envelope[0])) for row in router.rows)
                decided = router._replace(at=router.at + 1, rows=rows)
                yield Step(f"a router decides {names(rows)}", after(others, decided))
            case "commit":
                yield from self._commit(others, router, after)
            case "ack":
                committed = all(self._is_committed(state, row) for row in router.rows)
                # Without its connection it acks nothing: the broker has handed the messages out again.
                wrong = "" if committed or router.cut else "nothing is acked before it is committed"
                done = after(others, router._replace(at=router.at + 1))
                yield Step(f"a router acks {names(router.rows)}", done, wrong=wrong)
            case _:
                fresh = tuple(row._replace(published=False, untaken=(), receipt="due") for row in router.rows)
                again = router._replace(at=order.index("documents"), rows=fresh)
                yield from self.post(others, router, after, "a router", again=again)

    def _ready(self, state: State, identifier: str) -> tuple[str, ...]:
        boxes = [(mailbox, self.box[mailbox]) for mailbox in self.world.to[identifier]]
        behind = [box for _, box in boxes if state.line[box] and self.rules.hold_behind]
        return tuple(mailbox for mailbox, box in boxes if state.there[box] and box not in behind)

    def _commit(self, state: State, router: Actor, after: After) -> Moves:
        rows: list[Row] = []
        now, wrong = state, ""
        if router.early and not {row.envelope for row in router.rows} <= state.early:
            yield Step(f"a router finds {names(router.rows)} decided by another", state)
            return
        for row in router.rows:
            (identifier, content), number = row.envelope, self.row[row.envelope[0]]
            old, addressed = now.store[number], self.world.to[identifier]
            if old is None and self.is_early(now, identifier):
                now = now._replace(early=now.early | {row.envelope})
                rows.append(row._replace(verdict="waits"))
                continue
            now = now._replace(early=now.early - {row.envelope})
            if old is not None and old.bytes != content and not self.rules.on_conflict:
                old, wrong = None, "an id keeps the bytes that were accepted under it"
            if old is None:
                now = now._replace(store=put(now.store, number, Stored(content, ())))
                now, going, wrong = self.recall(now, identifier, row.documents or (), wrong)
                now = self.hold(now, identifier, tuple(each for each in addressed if each not in going), tried=False)
                rows.append(row._replace(documents=going))
            elif old.bytes == content:
                unmarked = None if old.marked else self.routed(identifier, old)
                rows.append(row._replace(documents=unmarked))
            else:
                if not now.refusals[row.source]:
                    now = now._replace(refusals=put(now.refusals, row.source, "committed"))
                rows.append(row._replace(verdict="refused", documents=None))
        label = f"a router commits {names(router.rows)}"
        waits = all(row.verdict == "waits" for row in rows)  # there is nothing to post; a recall is in no batch here
        at = self.rules.router.index("ack") if waits else router.at + 1
        yield Step(label, after(now, router._replace(at=at, rows=tuple(rows))), wrong=wrong)
        if state.faults:
            anew = Actor(0, tuple(Row(row.envelope, row.source) for row in router.rows), router.cut)
            lost = now._replace(faults=state.faults - 1)
            yield Step(f"{label}, the answer is lost", after(lost, None if router.early else anew), fault=True)

    def _is_committed(self, state: State, row: Row) -> bool:
        stored = state.store[self.row[row.envelope[0]]]
        return (
            row.envelope in state.early
            or bool(state.refusals[row.source])
            or (stored is not None and stored.bytes == row.envelope[1])
        )

    # The relay.

    def _relay(self, state: State) -> Moves:
        relay, order = state.relay, self.rules.relay
        if relay is None:
            yield from self._handing_out(state)
            for box, line in enumerate(state.line):
                if line and state.there[box]:
                    release = Release(self.world.mailboxes[box], line)
                    label = f"the relay finds {' and '.join(line)} held for {release.mailbox}"
                    yield Step(label, state._replace(relay=release))
            return

        def after(now: State, worker: Actor | None) -> State:
            done = worker is None or (worker := onward(worker, order)).at == len(order)
            return now._replace(relay=None if done else worker)

        if state.crashes:
            yield Step("the relay crashes", state._replace(relay=None, crashes=state.crashes - 1), fault=True)
        if isinstance(relay, Release):
            yield from self._release(state, relay)
        elif order[relay.at] == "look":
            (row,) = relay.rows
            wanted = row.documents or ()
            missing = tuple(each for each in wanted if not state.there[self.box[each]])
            held = self.hold(state, row.envelope[0], missing, tried=True)
            ready = row.documents and tuple(each for each in wanted if each not in missing)
            label = f"the relay looks for the mailboxes of {name(row.envelope)}, {missing or 'none'} missing"
            yield Step(label, after(held, relay._replace(at=relay.at + 1, rows=(row._replace(documents=ready),))))
        else:
            yield from self.post(state, relay, after, "the relay", again=None)

    def _handing_out(self, state: State) -> Moves:
        busy = {row.envelope[0] for router in state.routers for row in router.rows}
        for identifier, stored in zip(self.world.ids, state.store, strict=True):
            hasty = identifier in busy
            if stored is None or (hasty and not state.hasty):
                continue
            envelope, rows = (identifier, stored.bytes), list[Row]()
            if not stored.marked:
                routed = self.routed(identifier, stored)
                rows.append(Row(envelope, documents=routed, receipt="none" if stored.receipt_marked else "due"))
            if not stored.receipt_marked and (stored.marked or not self.rules.notice_not_first):
                rows.append(Row(envelope))
            for row in rows:
                what = "a receipt" if row.documents is None else "an envelope"
                handed = state._replace(relay=onward(Actor(0, (row,)), self.rules.relay), hasty=state.hasty - hasty)
                yield Step(f"the relay is handed {what}, {name(envelope)}", handed, fault=hasty)
        for number, refused in enumerate(state.refusals):
            envelope = self.world.submitting[number].envelope
            if refused == "committed" and envelope[0] not in busy:
                row = Row(envelope, number, "refused")
                yield Step(f"the relay is handed a refusal, {name(envelope)}", state._replace(relay=Actor(0, (row,))))

    def _release(self, state: State, relay: Release) -> Moves:
        box = self.box[relay.mailbox]
        if relay.claimed is None:
            yield from self.claim(state, relay)
            return
        if not relay.waiting:
            now = state._replace(relay=None)
            for identifier in relay.confirmed:
                number = self.row[identifier]
                stored = now.store[number]
                if stored is not None and relay.mailbox in stored.held:
                    left = tuple(each for each in stored.held if each != relay.mailbox)
                    line = tuple(each for each in now.line[box] if each != identifier)
                    store = put(now.store, number, stored._replace(held=left))
                    now = now._replace(store=store, line=put(now.line, box, line))
            yield Step(f"the relay notes what is released to {relay.mailbox}: {relay.confirmed or 'nothing'}", now)
            return
        identifier, *rest = relay.waiting
        if identifier not in relay.claimed:  # withdrawn since it was looked at; what is behind goes after the next look
            yield Step(f"the relay finds {identifier} not its own", state._replace(relay=relay._replace(waiting=())))
            return
        stored = state.store[self.row[identifier]]
        envelope = (identifier, 0 if stored is None else stored.bytes)
        onwards = relay._replace(waiting=tuple(rest))
        failed = onwards._replace(waiting=()) if self.rules.release_one_by_one else onwards
        label = f"the relay releases {name(envelope)} to {relay.mailbox}"
        if not state.there[box]:
            yield Step(f"{label}: returned, there is no queue", state._replace(relay=failed))
            return
        confirmed = onwards._replace(confirmed=(*relay.confirmed, identifier))
        yield self.deliver(state._replace(relay=confirmed), envelope, (relay.mailbox,), f"{label}: confirmed")
        if state.faults:
            spent = state._replace(faults=state.faults - 1, relay=failed)
            yield Step(f"{label}: not taken", spent, fault=True)
            got = self.deliver(spent, envelope, (relay.mailbox,), f"{label}: the confirm is lost")
            yield got._replace(fault=True)


def _at_work(state: State, router: Actor) -> State:
    return state._replace(routers=tuple(sorted((*state.routers, router), key=hash)))
