"""`axis local`: a private RabbitMQ and PostgreSQL for this clone."""

import datetime as dt
import os
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit, urlunsplit

import typer

from axis import local
from axis.cli.console import JsonOption, TlsOption, local_time, print_json, progress, report, say
from axis.errors import AxisError
from axis.local import LocalStatus, NodeStatus, Services
from axis.settings import HOME_VARIABLE

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="A private RabbitMQ and PostgreSQL for this clone.")

NOT_RUNNING = 3  # what `systemctl status` and the LSB say for a program that does not run
INTERRUPTED = 130

RootOption = Annotated[
    Path | None,
    typer.Option("--root", help="The folder that holds .axis; default: the current folder.", show_default=False),
]


@app.callback()
def _group() -> None:
    """A private RabbitMQ and PostgreSQL for this clone.

    Where they come from, first that fits: AXIS_AMQP_URL, AXIS_RABBITMQ_API_URL and AXIS_DATABASE_URL; programs on
    this machine, started on free ports with their data under .axis/; on Debian and Ubuntu as root the same after
    installing the packages; a Docker engine. System services are never touched.
    """


@app.command("up")
def up_command(
    *,
    root: RootOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Install missing packages without asking.")] = False,
    durable: Annotated[
        bool, typer.Option("--durable/--no-durable", help="--no-durable is faster and may lose data with the power.")
    ] = True,
    tls: TlsOption = False,
    as_json: JsonOption = False,
) -> None:
    """Start a broker and a database unless they run, and write their addresses to .axis/axis.env.

    For example:

      axis local up

      axis local up --yes --json

      axis local up --tls

      set -a; . .axis/axis.env; psql "$AXIS_DATABASE_URL"

    Exit code 0: both can be used; 69: nothing to start them from, or they did not start; 78: settings that cannot
    work; 130: interrupted, and nothing was left running.
    """
    folder = _root(root)
    try:
        services = local.up(folder, progress=progress, assume_yes=yes, durable=durable, tls=tls)
    except AxisError as error:
        _fail(error, as_json=as_json)
    except KeyboardInterrupt:
        progress("interrupted: nothing that was being started is left running")
        raise typer.Exit(INTERRUPTED) from None
    _show(local.status(folder), folder, services, as_json=as_json)


@app.command("down")
def down_command(*, root: RootOption = None, as_json: JsonOption = False) -> None:
    """Stop what `axis local up` started; the data stays.

    For example:

      axis local down

    Exit code 0, whether or not something ran.
    """
    folder = _root(root)
    progress("stopping; RabbitMQ takes a few seconds to close its files")
    try:
        stopped = local.down(folder)
    except AxisError as error:
        _fail(error, as_json=as_json)
    except KeyboardInterrupt:
        progress("interrupted: the nodes go on stopping by themselves")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json({"stopped": stopped})
    else:
        say("Stopped; the data is kept." if stopped else "Nothing of this clone was running.")


@app.command("status")
def status_command(*, root: RootOption = None, as_json: JsonOption = False) -> None:
    """Say what runs where: ports, process, version, data folder, log.

    For example:

      axis local status

      axis local status --json

    Exit code 0: a broker and a database can be used; 3: they cannot, run `axis local up`.
    """
    folder = _root(root)
    try:
        found = local.status(folder)
    except AxisError as error:
        _fail(error, as_json=as_json)
    _show(found, folder, found.services, as_json=as_json)
    if not found.running:
        raise typer.Exit(NOT_RUNNING)


def _root(given: Path | None) -> Path:
    if given is not None:
        return given
    home = Path(os.environ.get(HOME_VARIABLE, ".axis"))
    return home.parent if home.name == ".axis" else Path()


def _fail(error: AxisError, *, as_json: bool) -> NoReturn:
    raise typer.Exit(report(error, as_json=as_json))


def _show(found: LocalStatus, root: Path, services: Services | None, *, as_json: bool) -> None:
    env_file = root.resolve() / ".axis" / "axis.env"
    if as_json:
        print_json(_plain(found, services, env_file))
        return
    if services is None:
        say("Nothing runs for this clone: start it with `axis local up`.")
    elif services.kind == "environment":
        say("Broker and database are those named by AXIS_AMQP_URL, AXIS_RABBITMQ_API_URL and AXIS_DATABASE_URL:")
    if services is not None:
        for name, url in _addresses(services).items():
            say(f"  {name:<11} {url}")
    for node in found.nodes:
        for line in _lines(node):
            say(line)
    if services is not None and services.kind != "environment":
        say(f"The addresses with their passwords are in {env_file}")


def _lines(node: NodeStatus) -> list[str]:
    """Describe a node in a few lines: folders are long, and a table would cut them off."""
    title = f"{local.TITLES[node.name]} {node.version}".strip()
    if not node.running:
        return [f"{title}: not running", f"  data        {node.data}"]
    restarts = f", restarted {node.restarts} times" if node.restarts else ""
    since = dt.datetime.fromisoformat(node.since) if node.since else None
    return [
        f"{title}: running" + (f", process {node.pid} since {local_time(since)}{restarts}" if node.pid else ""),
        f"  ports       {', '.join(f'{name} {port}' for name, port in node.ports)} (on 127.0.0.1 only)",
        f"  data        {node.data}",
        *([f"  log         {node.log}"] if node.log else []),
    ]


def _plain(found: LocalStatus, services: Services | None, env_file: Path) -> dict[str, Any]:
    private = services is not None and services.kind != "environment"
    return {
        "running": services is not None,
        "kind": None if services is None else services.kind,
        "addresses": {} if services is None else _addresses(services),
        "env_file": str(env_file) if private else None,
        "nodes": [
            {
                "name": node.name,
                "running": node.running,
                "version": node.version,
                "ports": dict(node.ports),
                "pid": node.pid,
                "since": node.since,
                "restarts": node.restarts,
                "data": node.data,
                "log": node.log,
            }
            for node in found.nodes
        ],
    }


def _addresses(services: Services) -> dict[str, str]:
    """Name every address without its password: terminals and logs are kept longer than they should be."""
    found = {"amqp": services.amqp_url, "management": services.api_url, "database": services.database_url}
    if services.prometheus_url is not None:
        found["metrics"] = services.prometheus_url
    return {name: _without_password(url) for name, url in found.items()}


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{parts.username}:***@{host}" if parts.username else host
    return urlunsplit(parts._replace(netloc=netloc))
