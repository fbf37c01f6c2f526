"""`axis database`: migrations, and the roles of the services."""

import asyncio

import typer

from axis.cli.accounts import ensure_database_roles
from axis.cli.console import JsonOption, print_json, print_table, say
from axis.settings import Settings
from axis.store import migrate, renew_rights
from axis.store.grants import TABLES

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Migrations, and the roles of the services.")


@app.callback()
def _group() -> None:
    """Migrations, and the roles of the services. Both are the work of the owner, whose address is AXIS_DATABASE_URL."""


@app.command("migrate")
def migrate_command(*, as_json: JsonOption = False) -> None:
    """Bring the database up to date; safe to repeat, and beside running services.

    For example:

      axis database migrate

    The services' roles get their rights to new tables at once; a database without roles wants `axis database roles`.
    """
    applied, roles = asyncio.run(_migrate(Settings.load().database_url.get_secret_value()))
    if as_json:
        print_json({"applied": applied, "roles": roles})
        return
    say(f"applied now: {', '.join(applied) or 'nothing, it was up to date'}")
    if not roles:
        say("there are no roles of the services yet: axis database roles")


@app.command("roles")
def roles_command(*, as_json: JsonOption = False) -> None:
    """Make the services' roles and give each exactly its rights; what was given by hand is taken back.

    The roles are the whole server's, their rights this database's. A role gets the password that its service's address
    names: AXIS_ROUTER_DATABASE_URL, and so for TRACKER, RELAY, GATEWAY and OPERATOR. An address that is not set is made
    and written to .axis/stack.env.

    For example:

      axis database roles

      axis database roles --json

    Exit code 78 when the owner may not make roles.
    """
    asyncio.run(ensure_database_roles(Settings.load()))
    if as_json:
        print_json(
            {"roles": {role: {table: list(verbs) for table, verbs in may.items()} for role, may in TABLES.items()}}
        )
        return
    print_table(
        ("role", "table", "may"),
        [(role, table, ", ".join(verbs)) for role, may in TABLES.items() for table, verbs in sorted(may.items())],
    )


async def _migrate(owner: str) -> tuple[list[str], bool]:
    return await migrate(owner), await renew_rights(owner)
