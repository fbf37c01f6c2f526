"""The commands, in the order of a certificate's life."""

import re
from typing import Any

import typer
from typer.core import TyperCommand

from axis.cli.certificate.ending import retire, revoke
from axis.cli.certificate.entering import enrol, request, succeed
from axis.cli.certificate.looking import check, list_command, refresh
from axis.cli.certificate.suspecting import suspects

_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The life of a certificate: from request to end.")


@app.callback()
def _group() -> None:
    """The life of a certificate: requested, enrolled, succeeded by another one, retired or revoked."""


class _TakesThumbprint(TyperCommand):
    """Takes a thumbprint that begins with a hyphen, as one in sixty-four does, for what it is and for no options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        hyphened = [each for each in args if each.startswith("-") and _THUMBPRINT.fullmatch(each)]
        if hyphened and "--" not in args:
            # It is the last of what such a command is given, so behind the options it stands where it stood.
            args = [*(each for each in args if each not in hyphened), "--", *hyphened]
        return super().parse_args(ctx, args)


app.command("request")(request)
app.command("enrol")(enrol)
app.command("succeed", cls=_TakesThumbprint)(succeed)
app.command("list")(list_command)
app.command("check", cls=_TakesThumbprint)(check)
app.command("refresh")(refresh)
app.command("retire", cls=_TakesThumbprint)(retire)
app.command("revoke", cls=_TakesThumbprint)(revoke)
app.command("suspects", cls=_TakesThumbprint)(suspects)
