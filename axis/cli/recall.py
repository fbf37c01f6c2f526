"""`axis recall`: ask for a document back."""

import asyncio
from typing import Annotated

import typer

from axis.cli.console import JsonOption
from axis.cli.profiles import AsOption, ProfileOption, load_profile
from axis.cli.send import exit_code, send_and_wait, tell
from axis.client import Agency, Sent
from axis.core.codes import canonical


def recall(
    envelope: Annotated[str, typer.Argument(help="The id of the envelope that was sent.", show_default=False)],
    *,
    agency: AsOption,
    reason: Annotated[str, typer.Option(help="Why: the recipients read it.", show_default=False)],
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to", metavar="CODE", help="Only from this recipient; repeat it. Default: from all.", show_default=False
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the receipt of the axis.")] = True,
    timeout: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="How long to wait for it.")] = 30.0,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recall a document (Thu hồi): each recipient destroys its copy and proves it, or declines with a reason.

    What is still held at the axis is withdrawn at once, and what a recipient has not taken yet is never shown to its
    people. `axis track ENVELOPE` shows who has answered.

    For example:

      axis recall 01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11 --as G22 --reason "Ban hành nhầm"

      axis recall ENVELOPE --as G22 --to H53 --reason "Gửi nhầm nơi nhận"

    Exit code 0: asked of everybody; 1: some cannot be asked; 65: refused; 66: this agency has not sent it; 69: gateway
    or broker away; 75: sent, but no receipt yet.
    """
    settings = load_profile(agency, profile)
    recipients = None if not to else list(dict.fromkeys(canonical(code) for code in to))

    async def deliver(connected: Agency) -> Sent:
        return await connected.recall(envelope.strip().lower(), reason, recipients=recipients)

    sent, receipt = asyncio.run(send_and_wait(settings, deliver, timeout if wait else None))
    tell(sent, receipt, waited=wait, as_json=as_json)
    raise typer.Exit(exit_code(receipt, waited=wait))
