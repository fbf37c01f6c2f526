"""The commands of `axis partner`."""

import typer

from axis.cli.partner.adding import add_command
from axis.cli.partner.ending import close_command, remove_command, rotate_command
from axis.cli.partner.looking import list_command, show_command

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Document systems that the gateway serves as they are."
)
app.command("add")(add_command)
app.command("list")(list_command)
app.command("show")(show_command)
app.command("rotate")(rotate_command)
app.command("close")(close_command)
app.command("remove")(remove_command)
