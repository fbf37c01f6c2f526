"""`axis explain`: what would become of a document, and why, without sending it."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from axis.cli.console import JsonOption, local_time, print_json, say, say_reasons
from axis.cli.moments import moment
from axis.core.codes import canonical, lineage
from axis.core.directory import Directory
from axis.core.enrolment import Enrolment, State
from axis.core.lanes import lane_of, mailbox_queue, notices_queue, submit_key
from axis.core.resolving import Resolution, Step, resolve
from axis.settings import Settings
from axis.store import Store
from schemas import Priority


@dataclass(frozen=True, slots=True)
class SenderSide:
    """Whether a code could send, as of a time: all three have to be there."""

    code: str
    name: str | None
    in_force: bool
    accounts: tuple[str, ...]  # who may submit for it
    certificates: tuple[str, ...]  # thumbprints that may sign for it
    routing_key: str
    receipts: tuple[str, ...]  # where the receipt would go, for each account

    @property
    def ok(self) -> bool:
        """Whether a document would get past the four facts."""
        return bool(self.accounts and self.certificates)


def explain(
    *,
    sender: Annotated[str, typer.Option("--from", metavar="CODE", help="Who would send.", show_default=False)],
    to: Annotated[
        list[str], typer.Option("--to", metavar="CODE", help="Who would receive; repeat it.", show_default=False)
    ],
    at: Annotated[
        str | None, typer.Option(metavar="DATE", help="As of this date; default: now.", show_default=False)
    ] = None,
    priority: Annotated[Priority, typer.Option(help="Decides the lane.")] = Priority.NORMAL,
    as_json: JsonOption = False,
) -> None:
    """Explain where a document would go, and why.

    Prints every rule that was considered, the mailbox, the accounts and the lane. Nothing is sent. Codes may be in
    either form.

    For example:

      axis explain --from G22 --to H37.05.02

      axis explain --from G22 --to H22 --at 2025-06-30

      axis explain --from G22 --to H37 --to H22 --priority urgent --json

    Exit code 0: it would be delivered to all of them; 1: it would not.
    """
    when = dt.datetime.now(dt.UTC) if at is None else moment(at)
    directory, certificates = asyncio.run(_load())
    side = _sender_side(_code(directory, sender), directory, certificates, when, priority)
    resolutions = [resolve(directory, _code(directory, each), when) for each in to]
    lane = lane_of(priority)
    if as_json:
        recipients = [
            {
                "recipient": each.recipient,
                "ok": each.ok,
                "resolved": each.resolved,
                "mailbox": each.mailbox,
                "queue": None if each.mailbox is None else mailbox_queue(lane, each.mailbox),
                "via": each.via,
                "steps": each.steps,
                "reason": each.reason,
                "detail": each.detail,
            }
            for each in resolutions
        ]
        print_json({"at": when, "lane": lane, "sender": side, "recipients": recipients})
    else:
        say(f"as of {local_time(when)}, priority {priority.value}: {lane} lane")
        _tell_sender(side)
        for each in resolutions:
            _tell(each, None if each.mailbox is None else mailbox_queue(lane, each.mailbox))
    if not (side.ok and all(each.ok for each in resolutions)):
        raise typer.Exit(1)


async def _load() -> tuple[Directory, Sequence[Enrolment]]:
    async with Store.connect(Settings.load().operator_database, name="axis cli") as store:
        organisations, mailboxes, certificates = await store.directory.load()
    return Directory.build(organisations, mailboxes), certificates


def _code(directory: Directory, text: str) -> str:
    return directory.code_of_102(text) or canonical(text, tolerant=True)


def _sender_side(
    code: str, directory: Directory, certificates: Sequence[Enrolment], at: dt.datetime, priority: Priority
) -> SenderSide:
    above = lineage(code)
    accounts = tuple(each for each in above if directory.has_mailbox(each, at))
    named = directory.organisation(code, at) or directory.latest(code)
    return SenderSide(
        code=code,
        name=None if named is None else named.name,
        in_force=directory.organisation(code, at) is not None,
        accounts=accounts,
        certificates=tuple(
            each.thumbprint
            for each in certificates
            if each.organisation in above and each.role not in {"axis", "sealing"} and each.state(at) is State.VALID
        ),
        routing_key=submit_key(lane_of(priority), code),
        receipts=tuple(notices_queue(each) for each in accounts),
    )


def _tell_sender(side: SenderSide) -> None:
    say("")
    say(f"from {side.code}{'' if side.name is None else f' – {side.name}'}")
    if not side.in_force:
        say("  • note: it is not in force in the directory")
    if side.accounts:
        say(f"  ✓ account: {' or '.join(side.accounts)} may submit it, under routing key {side.routing_key}")
    else:
        say("  ✗ account: neither it nor an organisation above it has a mailbox, so nobody may submit for it")
    if side.certificates:
        say(f"  ✓ signature: {len(side.certificates)} certificates may sign for it: {', '.join(side.certificates)}")
    else:
        say("  ✗ signature: no valid certificate is enrolled for it or an organisation above it")
    if side.receipts:
        say(f"  → the receipt goes to {' or '.join(side.receipts)}, whichever account submits")


def _tell(resolution: Resolution, queue: str | None) -> None:
    say("")
    say(f"to {resolution.recipient}")
    refusing: Step | None = None if resolution.ok else resolution.steps[-1]
    for step in resolution.steps:
        say(f"  {'✗' if step is refusing else '✓'} {step.rule.value}: {step.text}")
    if queue is None:
        say(f"  → refused: {resolution.reason}: {resolution.detail}")
        say_reasons([resolution.reason])
    else:
        say(f"  → mailbox {resolution.mailbox}, queue {queue}")
