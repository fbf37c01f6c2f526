"""The commands, in the order of a certificate's life."""

import typer

from axis.cli.certificate.ending import retire, revoke
from axis.cli.certificate.entering import enrol, request, succeed
from axis.cli.certificate.looking import check, list_command, refresh
from axis.cli.certificate.suspecting import suspects

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The life of a certificate: from request to end.")


@app.callback()
def _group() -> None:
    """The life of a certificate: requested, enrolled, succeeded by another one, retired or revoked."""


# One thumbprint in sixty-four begins with a hyphen, and is no option.
_TAKES_THUMBPRINT = {"ignore_unknown_options": True}

app.command("request")(request)
app.command("enrol")(enrol)
app.command("succeed", context_settings=_TAKES_THUMBPRINT)(succeed)
app.command("list")(list_command)
app.command("check", context_settings=_TAKES_THUMBPRINT)(check)
app.command("refresh")(refresh)
app.command("retire", context_settings=_TAKES_THUMBPRINT)(retire)
app.command("revoke", context_settings=_TAKES_THUMBPRINT)(revoke)
app.command("suspects", context_settings=_TAKES_THUMBPRINT)(suspects)
