"""`axis track`: where is my document?"""

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from axis.cli.console import JsonOption, local_time, print_json, print_table, say, say_reasons
from axis.cli.courses import Courses, courses_of, tell
from axis.cli.moments import moment, now
from axis.core.asof import as_of as as_it_was
from axis.core.codes import lineage
from axis.core.conversation import Conversation, Talk
from axis.core.evidence import Proof
from axis.errors import NotFound
from axis.settings import Settings
from axis.signatures.verdict import Standing, Verdict
from axis.store import FiledPaper, Store, Tracked, TrackedEnvelope, TrackedWaiting


def track(
    term: Annotated[
        str, typer.Argument(metavar="DOCUMENT|ENVELOPE", help="A document id or an envelope id.", show_default=False)
    ],
    *,
    recipient: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only this one, as addressed.", show_default=False)
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="TIME", help="What was known then: 2026-11-24T08:00+07:00.", show_default=False
        ),
    ] = None,
    events: Annotated[bool, typer.Option("--events/--no-events", help="Also the statuses, one by one.")] = True,
    story: Annotated[bool, typer.Option("--story/--no-story", help="Also what happened when, by recipient.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Show what became of a document.

    For each of its recipients: where the axis has brought it and what was done with it (docs/statuses.md), since when,
    what it waits for, its deadlines, and the story: what happened when, who says so, and the id of what proves it
    (`axis log prove` for the receipt). What was asked about it (recall, update, replacement, taking back) and how each
    answered; and every status that was reported. Of each file whether it is a signed PDF: by
    whom, intact, and trusted by the axis's own authorities. A recall, update or replacement that came before its
    document waits for it, and is shown by its own envelope and by the document's.

    For example:

      axis track 01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11

      axis track "G22,2026/11/24,7816/VPCP-TTĐT" --json

      axis track 01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11 --recipient H37.02 --as-of 2026-11-25

    Exit code 0: found; 66: the axis never accepted such a document (`axis quarantine list` holds what it refused).
    """
    then = None if as_of is None else moment(as_of)
    found, roles, files, early, courses = asyncio.run(_track(term.strip(), then))
    if recipient is not None and not any(d.recipient == recipient for each in found for d in each.deliveries):
        raise NotFound(f"{term} was not sent to {recipient}", code="track/unknown")
    if not found and not early:
        raise NotFound(f"the axis has accepted no document or envelope {term}", code="track/unknown")
    if as_json:
        told = {key: [{"file": name, **each.as_json()} for name, each in filed] for key, filed in files.items()}
        print_json({"envelopes": found, "courses": courses, "signer_roles": roles, "files": told, "waiting": early})
        return
    for number, tracked in enumerate(found):
        if number:
            say("")
        _tell(tracked, roles, files[tracked.envelope.id])
        tell(tracked, courses[tracked.envelope.id], stories=story, recipient=recipient)
        _tell_more(tracked, events=events, recipient=recipient)
    for each in early:
        say(_early(each))


_Files = Mapping[str, Sequence[tuple[str, Verdict]]]


_Found = tuple[tuple[Tracked, ...], dict[str, str], _Files, tuple[TrackedWaiting, ...], Mapping[str, Courses]]


async def _track(term: str, then: dt.datetime | None) -> _Found:
    """Return what became of it, the role of each certificate that it was signed under, where its files stand.

    And what waits for it, or that it waits itself, which is not accepted yet; and how its deliveries stand. `then`: as
    it was known at that moment.
    """
    settings = Settings.load()
    async with Store.connect(settings.operator_database, name="axis cli") as store:
        found = await store.track(term)
        if then is not None:
            found = tuple(known for each in found if (known := as_it_was(each, then)) is not None)
        senders = {code for each in found for code in lineage(each.envelope.sender)}
        _, _, certificates = await store.directory.load_changed(senders)
        files = {each.envelope.id: await store.papers.of(each.envelope.id) for each in found}
        early = await store.waiting_for({term.lower(), *(each.envelope.id for each in found)}) if then is None else ()
        courses = await courses_of(store, settings, found, then or now(), past=then is not None)
    signed = {each.envelope.thumbprint for each in found}
    roles: dict[str, str] = {each.thumbprint: each.role for each in certificates if each.thumbprint in signed}
    return (
        found,
        roles,
        {key: [(each.name, standing_of(each)) for each in filed] for key, filed in files.items()},
        early,
        courses,
    )


def standing_of(file: FiledPaper) -> Verdict:
    """Say where a file of an envelope stands; what was not looked at is told apart by its name."""
    if file.name.endswith(".sealed"):
        return Verdict(Standing.SEALED)
    if file.verdict is not None:
        return Verdict.from_json(dict(file.verdict))
    return Verdict(Standing.NOT_LOOKED_AT if file.name.lower().endswith(".pdf") else Standing.NOT_A_PDF)


def _tell(tracked: Tracked, roles: Mapping[str, str], files: Sequence[tuple[str, Verdict]]) -> None:
    envelope = tracked.envelope
    concerns = "" if envelope.concerns is None else f" {envelope.concerns}"
    by = "" if envelope.account == envelope.sender else f", by the account of {envelope.account}"
    say(envelope.subject)
    say(f"document {envelope.document_id}, envelope {envelope.id}: {envelope.action}{concerns}, {envelope.lane} lane")
    say(f"from {envelope.sender}{by}; sent {local_time(envelope.sent_at)}, accepted {local_time(envelope.accepted_at)}")
    whose = ", by the gateway" if roles.get(envelope.thumbprint) == "gateway" else ""
    say(f"signed under {envelope.thumbprint}{whose}; {_proved(envelope)}")
    for name, verdict in files:
        say(f"file {name}: {verdict.told()}")


def _tell_more(tracked: Tracked, *, events: bool, recipient: str | None) -> None:
    envelope = tracked.envelope
    say_reasons(delivery.reason for delivery in tracked.deliveries)
    for request, talks in _by_request(tracked.conversations).items():
        say("")
        say(_asked(talks[0], request=None if request == envelope.id else request))
        for each in talks:
            say(f"  {_answered(each)}")
    if events and tracked.statuses:
        say("")
        print_table(
            ("received", "reporter", "for", "status", "effect", "certificate", "reason"),
            [
                (
                    each.received_at,
                    each.reporter,
                    ", ".join(each.recipients),
                    each.code,
                    each.effect,
                    "not asked about" if each.proof is None else _standing(each.proof, each.received_at),
                    each.reason,
                )
                for each in tracked.statuses
                if recipient is None or recipient in each.recipients
            ],
        )
    waiting = [notice for notice in tracked.notices if notice.published_at is None]
    if waiting:
        say(f"{len(waiting)} notices wait to be published: the relay does that (`axis doctor`)")


def _early(waiting: TrackedWaiting) -> str:
    """Say that an envelope came before the one it acts on."""
    return (
        f"{waiting.action} {waiting.id} by the account of {waiting.account} came {local_time(waiting.received_at)}"
        f" before envelope {waiting.concerns}, and waits for it; refused if that never comes,"
        f" not before {local_time(waiting.until)}"
    )


def _by_request(conversations: Sequence[Conversation]) -> Mapping[str, list[Conversation]]:
    found: dict[str, list[Conversation]] = {}
    for each in conversations:
        found.setdefault(each.request, []).append(each)
    return found


def _asked(talk: Conversation, *, request: str | None) -> str:
    by = "" if request is None else f" by envelope {request}"
    why = "" if talk.reason is None else f": {talk.reason}"
    return f"{talk.kind.value} requested {local_time(talk.requested_at)} by {talk.requested_by}{by}{why}"


def _answered(talk: Conversation) -> str:
    """Say what one recipient made of it."""
    if talk.state is Talk.REQUESTED:
        return f"{talk.recipient} has not answered"
    if talk.state is Talk.WITHDRAWN:
        gone = talk.destroyed_at or talk.requested_at
        return f"{talk.recipient} had not taken the document: withdrawn {local_time(gone)}"
    said = "declined" if talk.state is Talk.DECLINED else "agreed"
    told = f"{talk.recipient} {said} {local_time(talk.answered_at or talk.requested_at)}"
    if talk.state is Talk.DESTROYED and talk.destroyed_at is not None:
        told += f", copy destroyed {local_time(talk.destroyed_at)}"
    return told if talk.answer is None else f"{told}: {talk.answer}"


def _proved(envelope: TrackedEnvelope) -> str:
    """Say on what its signer's certificate was taken not to be revoked."""
    if envelope.proof is None:
        return "nobody was asked whether that was revoked"
    return f"not revoked by {_standing(envelope.proof, envelope.accepted_at)}"


def _standing(proof: Proof, at: dt.datetime) -> str:
    """Say what evidence it was, as of when it was relied on."""
    hours = (at - proof.as_of).total_seconds() / 3600
    return f"{proof.standing(at).value} evidence, {hours:.1f} h old then"
