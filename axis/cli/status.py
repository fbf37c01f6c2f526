"""`axis status`: report what was done with a document."""

import asyncio
from typing import Annotated

import typer

from axis.cli.console import JsonOption, print_json, say
from axis.cli.profiles import AsOption, ProfileOption, load_profile
from axis.client import Agency, AgencySettings, Reported
from axis.core.codes import canonical
from axis.errors import Refused, Unavailable
from schemas import Receipt, Staff, StatusCode

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Report what was done with a document.")

MEANINGS = {
    StatusCode.ARRIVED: "đã đến – arrived",
    StatusCode.REFUSED: "từ chối tiếp nhận – refused",
    StatusCode.ACCEPTED: "đã tiếp nhận – accepted",
    StatusCode.ASSIGNED: "phân công xử lý – assigned",
    StatusCode.PROCESSING: "đang xử lý – in process",
    StatusCode.FINISHED: "hoàn thành – finished",
    StatusCode.TAKE_BACK: "lấy lại – asked back by the sender",
    StatusCode.AGREED: "đồng ý – agreed to an update or a recall",
    StatusCode.DECLINED: "từ chối – declined an update or a recall",
}


@app.callback()
def _group() -> None:
    """Report what was done with a document."""


@app.command("send")
def send_command(
    envelope: Annotated[str, typer.Argument(help="The id of the envelope received (13: sent).", show_default=False)],
    *,
    agency: AsOption,
    code: Annotated[
        StatusCode,
        typer.Option("--code", help="01 arrived … 06 finished, 13 take back, 15 agreed.", show_default=False),
    ],
    reason: Annotated[str | None, typer.Option(help="Needed for 02, 13 and 16.", show_default=False)] = None,
    recipient: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="The recipient meant, as addressed, if it is not --as.", show_default=False),
    ] = None,
    reporter: Annotated[
        str | None, typer.Option(metavar="CODE", help="A unit below that reports through it.", show_default=False)
    ] = None,
    staff_name: Annotated[str | None, typer.Option(help="Who acted.", show_default=False)] = None,
    department: Annotated[str | None, typer.Option(help="In which department.", show_default=False)] = None,
    wait: Annotated[
        float,
        typer.Option(min=0, metavar="SECONDS", help="How long to wait for a refusal; what is accepted gets no answer."),
    ] = 1.0,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report a status: 01 arrived, 02 refused, 03 accepted, 04 assigned, 05 in process, 06 finished, 13, 15, 16.

    For example:

      axis status send 01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11 --as H37 --code 03

      axis status send ENVELOPE --as H37 --code 02 --reason "Văn bản gửi nhầm thẩm quyền"

      axis status send ENVELOPE --as G22 --code 13 --recipient H37 --reason "Ban hành nhầm"

    Exit code 0: sent, and not refused meanwhile; 65: refused; 69: broker away (it is kept and sent later).
    """
    settings = load_profile(agency, profile)
    staff = Staff(name=staff_name, department=department) if staff_name or department else None
    reported, refusal = asyncio.run(
        _report(
            settings,
            envelope.strip().lower(),
            code,
            recipient=None if recipient is None else canonical(recipient),
            reason=reason,
            staff=staff,
            reporter=reporter,
            wait=wait,
        )
    )
    if as_json:
        print_json({"status": reported, "refused": refusal})
    elif refusal is None:
        say(f"{code.value} {MEANINGS[code]}: reported for {reported.recipient}")
        if reported.confirmed_at is None:
            say("the broker is away: the status is kept and sent at the next connect")
    else:
        say(f"refused: {refusal.code}: {refusal.detail or ''}")
    if refusal is not None:
        raise typer.Exit(Refused.exit_code)
    if reported.confirmed_at is None:
        raise typer.Exit(Unavailable.exit_code)


async def _report(
    settings: AgencySettings,
    envelope: str,
    code: StatusCode,
    *,
    recipient: str | None,
    reason: str | None,
    staff: Staff | None,
    reporter: str | None,
    wait: float,
) -> tuple[Reported, Receipt | None]:
    async with Agency.connect(settings) as agency:
        reported = await agency.report(
            envelope, code, recipient=recipient, reason=reason, staff=staff, reporter=reporter
        )
        if reported.confirmed_at is None or not wait:
            return reported, None
        try:
            return reported, await agency.receipt(reported.status_id, deadline=wait)
        except Unavailable:
            return reported, None
