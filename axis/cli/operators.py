"""`axis operator`: who may log in to the console, and as what."""

import asyncio
import datetime as dt
import getpass
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, TypeVar

import typer

from axis.cli.console import JsonOption, print_json, print_table, say
from axis.console.access.passwords import Passwords, check_new, one_time_password
from axis.core.codes import canonical
from axis.core.operators import LOGIN, Operator, Role
from axis.errors import NotFound, Refused
from axis.settings import Settings
from axis.store import Store

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Accounts of the console.")

T = TypeVar("T")
LoginArgument = Annotated[str, typer.Argument(help="What is typed to log in.")]
CodeOption = Annotated[
    str | None,
    typer.Option("--code", metavar="CODE", help="The agency of an agency user (role agency).", show_default=False),
]


@app.callback()
def _group() -> None:
    """Accounts of the console (`axis console`).

    Roles: a viewer sees everything, an operator acts as well, an administrator looks after accounts as well. An agency
    user sees what one agency sent and received, and nothing else.
    """


@app.command("add")
def add_command(
    login: LoginArgument,
    *,
    role: Annotated[Role, typer.Option(help="What it may do.")],
    name: Annotated[str | None, typer.Option(help="The person's name; default: the login.", show_default=False)] = None,
    code: CodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an account with a password for once, which is shown once.

    For example:

      axis operator add lan --role operator --name "Nguyễn Thị Lan"

      axis operator add noivu --role agency --code H37 --json

    Exit code 65 when the login is taken or the role does not fit.
    """
    operator = _made(login, name or login, role, code)
    password = one_time_password()

    async def add(store: Store) -> bool:
        return await store.operators.add(replace(operator, temporary=True), Passwords().hash(password), by=_who())

    if not _with(add):
        raise Refused("console/account", f"{login} is taken.")
    _tell_password(login, password, as_json=as_json)


@app.command("list")
def list_command(*, as_json: JsonOption = False) -> None:
    """List the accounts, closed ones too.

    For example:

      axis operator list

      axis operator list --json
    """
    found = _with(lambda store: store.operators.all())
    if as_json:
        print_json({"operators": found})
        return
    columns = ("login", "name", "role", "agency", "made", "closed", "password")
    print_table(columns, [(o.login, o.name, o.role, o.code, o.created_at, o.closed_at, _password_of(o)) for o in found])


@app.command("password")
def password_command(
    login: LoginArgument,
    *,
    choose: Annotated[
        bool, typer.Option("--choose", help="Read the password instead: typed twice, or a line of standard input.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Give an account a new password for once, shown once; all its sessions end.

    For example:

      axis operator password lan

      axis operator password lan --choose < password.txt

    Exit code 65: the password cannot be taken; 66: no such account, or one that logs in elsewhere.
    """
    password = _read(login) if choose else one_time_password()

    async def change(store: Store) -> bool:
        hashed = Passwords().hash(password)
        return await store.operators.set_password(login, hashed, temporary=not choose, by=_who())

    if not _with(change):
        raise NotFound(f"there is no account {login} that has a password")
    _tell_password(login, None if choose else password, as_json=as_json)


@app.command("role")
def role_command(
    login: LoginArgument,
    role: Annotated[Role, typer.Argument(help="What it may do from now on.")],
    *,
    code: CodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give an account another role; its sessions end.

    For example:

      axis operator role lan administrator

      axis operator role noivu agency --code H37

    Exit code 66 when there is no such account.
    """
    _change(login, lambda before: _made(login, before.name, role, code), as_json=as_json)


@app.command("close")
def close_command(
    login: LoginArgument,
    *,
    reopen: Annotated[bool, typer.Option("--reopen", help="Open it again, with the password it had.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Close an account: nobody logs in with it any more, and who is logged in is out. It stays in the list.

    For example:

      axis operator close lan

      axis operator close lan --reopen

    Exit code 66 when there is no such account.
    """
    at = None if reopen else dt.datetime.now(dt.UTC)
    _change(login, lambda before: replace(before, closed_at=at), closing=True, as_json=as_json)


def _change(login: str, wanted: Callable[[Operator], Operator], *, closing: bool = False, as_json: bool) -> None:
    async def change(store: Store) -> Operator:
        found = await store.operators.find(login)
        if found is None:
            raise NotFound(f"there is no account {login}")
        before = found[0]
        after = wanted(before) if closing else replace(wanted(before), closed_at=before.closed_at)
        await store.operators.change(after, by=_who())
        return after

    after = _with(change)
    if as_json:
        print_json(after)
    else:
        closed = ", closed" if after.closed_at else ""
        say(f"{login}: {after.role}{f' of {after.code}' if after.code else ''}{closed}; it has to log in again")


def _made(login: str, name: str, role: Role, code: str | None) -> Operator:
    if not LOGIN.fullmatch(login):
        raise Refused("console/account", "A login has 1 to 64 letters of ASCII, digits, and . _ @ -")
    if (role is Role.AGENCY) != (code is not None):
        raise Refused("console/account", "--code goes with the role agency, and with no other.")
    return Operator(login, name, role, None if code is None else canonical(code))


def _read(login: str) -> str:
    if sys.stdin.isatty():
        password, again = getpass.getpass("Password: "), getpass.getpass("Again: ")
    else:
        password = again = sys.stdin.readline().rstrip("\r\n")
    check_new(password, again, login)
    return password


def _tell_password(login: str, password: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"login": login, "password": password})
    elif password is None:
        say(f"{login} has the password that was given")
    else:
        say(f"{login} logs in once with {password}\nand then has to choose a password; this one is not shown again.")


def _password_of(operator: Operator) -> str:
    if operator.issuer is not None:
        return f"at {operator.issuer}"
    return "for once" if operator.temporary else "own"


def _with(act: Callable[[Store], Awaitable[T]]) -> T:
    async def run() -> T:
        async with Store.connect(Settings.load().operator_database, name="axis cli") as store:
            return await act(store)

    return asyncio.run(run())


def _who() -> str:
    return getpass.getuser()
