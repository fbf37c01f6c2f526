"""`axis send`: send a document by hand."""

import asyncio
import datetime as dt
import unicodedata
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from axis.cli.console import JsonOption, print_json, progress, say
from axis.cli.documents import OUTCOMES, print_receipt
from axis.cli.moments import day
from axis.cli.moving import transfers_shown
from axis.cli.profiles import AsOption, ProfileOption, load_profile
from axis.client import Agency, AgencySettings, Sent
from axis.core.codes import canonical
from axis.core.ids import new_id
from axis.core.secrecy import refuse_document
from axis.edxml import VIETNAM_TIME
from axis.errors import NotFound, Refused, Unavailable
from schemas import Action, Document, Outcome, Priority, Receipt

NOT_KNOWN_YET = 75  # EX_TEMPFAIL
PARTLY = 1
_EDXML = {".edxml", ".edoc"}


def send(
    file: Annotated[
        Path,
        typer.Argument(help="An edXML package (.edxml), or any file: it becomes the attachment.", show_default=False),
    ],
    *,
    agency: AsOption,
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to", metavar="CODE", help="A recipient; repeat it. A package names its own.", show_default=False
        ),
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="Trích yếu; default: the file's name.", show_default=False)
    ] = None,
    priority: Annotated[Priority, typer.Option(help="Độ khẩn.")] = Priority.NORMAL,
    document_id: Annotated[
        str | None,
        typer.Option(help="Default: CODE,date,file name (sealed: a new id).", metavar="ID", show_default=False),
    ] = None,
    number: Annotated[str | None, typer.Option(help="Số.", show_default=False)] = None,
    notation: Annotated[str | None, typer.Option(help="Ký hiệu.", show_default=False)] = None,
    kind: Annotated[str | None, typer.Option(help="Loại văn bản.", show_default=False)] = None,
    issued_on: Annotated[str | None, typer.Option(metavar="DATE", help="Ngày ban hành.", show_default=False)] = None,
    due_on: Annotated[str | None, typer.Option(metavar="DATE", help="Hạn trả lời.", show_default=False)] = None,
    place: Annotated[str | None, typer.Option(help="Nơi ban hành.", show_default=False)] = None,
    abstract: Annotated[str | None, typer.Option(help="Tóm tắt nội dung.", show_default=False)] = None,
    signer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Người ký văn bản: its name.", show_default=False)
    ] = None,
    position: Annotated[str | None, typer.Option(help="Chức vụ of the signer.", show_default=False)] = None,
    pages: Annotated[int | None, typer.Option(min=0, help="Số trang.", show_default=False)] = None,
    paper: Annotated[bool, typer.Option("--paper", help="It is sent on paper as well (bản giấy).")] = False,
    replies_to: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Document id of what this answers; repeat it.", show_default=False),
    ] = None,
    attach: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A further file; repeat it.", show_default=False)
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="A unit below that sends through this agency.", show_default=False),
    ] = None,
    action: Annotated[Action, typer.Option(help="What it does with the document of --concerns.")] = Action.NEW,
    concerns: Annotated[
        str | None, typer.Option(metavar="ENVELOPE", help="What is recalled, updated or replaced.", show_default=False)
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Why it is recalled, updated or replaced.", show_default=False)
    ] = None,
    seal: Annotated[
        bool, typer.Option("--seal", help="Encrypt the files for the recipients; the subject stays readable.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the receipt of the axis.")] = True,
    timeout: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="How long to wait for it.")] = 30.0,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a document; print what the axis did.

    The receipt is waited for, its signature checked, and every recipient's outcome shown.

    With --seal only the recipients' mailboxes can read the files, not the axis. What the envelope says (codes, subject,
    number) stays readable, so a subject that may be has to be given.

    For example:

      axis send cong-van.pdf --as G22 --to H37 --to G12 --subject "V/v kết nối, liên thông" --priority urgent

      axis send 7816.edxml --as G22

      axis send tra-loi.docx --as H37 --to G22 --signer "Nguyễn Văn A" --replies-to "G22,2026/11/24,1/VPCP-TTĐT"

      axis send bao-cao.pdf --as G22 --to H37 --seal --subject "Báo cáo"

      axis send moi.pdf --as G22 --to H37 --action replace --concerns ENVELOPE --reason "sai số liệu"

    Exit code 0: accepted for every recipient; 1: some recipients were refused; 65: refused, or a file that cannot be
    understood; 69: gateway or broker away; 75: sent, but no receipt yet (`axis track ENVELOPE` tells later).
    """
    settings = load_profile(agency, profile)
    for each in (file, *(attach or [])):
        if not each.is_file():
            raise NotFound(f"no such file: {each}", code="file/not-found")
    if file.suffix.lower() in _EDXML:
        document = None
    elif not to:
        raise typer.BadParameter("name a recipient: --to CODE")
    elif seal and subject is None:
        raise typer.BadParameter("with --seal give a --subject that everybody may read: the file's name is sealed")
    else:
        document = _document(
            settings.code if sender is None else canonical(sender),
            file,
            sealed=seal,
            document_id=document_id,
            subject=subject,
            priority=priority,
            number=number,
            notation=notation,
            kind=kind,
            issued_on=day(issued_on),
            due_on=day(due_on),
            place=place,
            abstract=abstract,
            signer=_signer(signer, position),
            pages=pages,
            paper_follows=paper,
            replies_to=[{"document_id": each} for each in replies_to or ()],
        )
        # Before anything is connected; the client looks again, also into packages.
        refuse_document(document, (each.name for each in (file, *(attach or []))))
    recipients = None if not to else list(dict.fromkeys(canonical(code) for code in to))

    async def deliver(connected: Agency) -> Sent:
        if document is None:
            return await connected.send_edxml(file, recipients=recipients, sender=sender, concerns=concerns, seal=seal)
        return await connected.send(
            document=document,
            recipients=recipients or [],
            attachments=[file, *(attach or [])],
            action=action,
            concerns=concerns,
            reason=reason,
            sender=sender,
            seal=seal,
        )

    sent, receipt = asyncio.run(send_and_wait(settings, deliver, timeout if wait else None))
    tell(sent, receipt, waited=wait, as_json=as_json)
    raise typer.Exit(exit_code(receipt, waited=wait))


def _signer(name: str | None, position: str | None) -> dict[str, str | None] | None:
    if name is None and position is not None:
        raise typer.BadParameter("--position is of a --signer")
    return None if name is None else {"name": name, "position": position}


def _document(
    code: str, file: Path, *, sealed: bool, document_id: str | None, subject: str | None, **members: object
) -> Document:
    today = dt.datetime.now(VIETNAM_TIME)
    # The name of a sealed file is sealed as well: it must not come out again where everybody can read.
    stem = new_id(today) if sealed else unicodedata.normalize("NFC", file.stem)
    said = {
        "document_id": document_id or f"{code},{today:%Y/%m/%d},{stem}",
        "subject": unicodedata.normalize("NFC", subject or stem),
        **members,
    }
    try:
        return Document.model_validate(said)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise Refused("message/schema", told) from error


async def send_and_wait(
    settings: AgencySettings, deliver: Callable[[Agency], Awaitable[Sent]], seconds: float | None
) -> tuple[Sent, Receipt | None]:
    """Let a connected agency send something; wait so long for its receipt, None: not at all."""
    with transfers_shown() as moved:
        async with Agency.connect(settings, moved=moved) as agency:
            sent = await deliver(agency)
            if seconds is None:
                return sent, None
            progress(f"{sent.envelope_id} is with the axis; waiting for its receipt …")
            try:
                return sent, await agency.receipt(sent.envelope_id, deadline=seconds)
            except Unavailable as error:
                progress(error.detail)  # also that it was over a limit, and when it is sent again
                return sent, None


def tell(sent: Sent, receipt: Receipt | None, *, waited: bool, as_json: bool) -> None:
    """Print what was sent, and what the axis did."""
    if as_json:
        print_json(
            {
                "envelope": sent.envelope_id,
                "lane": sent.lane,
                "confirmed_at": sent.confirmed_at,
                "sealed_for": sent.sealed_for,
                "receipt": receipt,
            }
        )
        return
    say(f"envelope {sent.envelope_id} ({sent.lane} lane)")
    if sent.sealed_for:
        say(f"sealed for {', '.join(sent.sealed_for)}")
    if receipt is None:
        if waited:
            say(f"no receipt yet: `axis track {sent.envelope_id}` tells later")
        return
    say(OUTCOMES[receipt.outcome] + ("" if receipt.code is None else f" – {receipt.code}: {receipt.detail or ''}"))
    print_receipt(receipt)


def exit_code(receipt: Receipt | None, *, waited: bool) -> int:
    """Return the exit code of a command that sends."""
    if receipt is None:
        return NOT_KNOWN_YET if waited else 0
    return {Outcome.ACCEPTED: 0, Outcome.PARTIAL: PARTLY, Outcome.REFUSED: Refused.exit_code}[receipt.outcome]
