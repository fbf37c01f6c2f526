"""`axis edxml`: read, check and write edXML packages."""

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from axis.cli.edxml_checking import check_command
from axis.cli.edxml_making import write
from axis.edxml import EdxmlDocument, EdxmlError, EdxmlStatus, file_names, read
from axis.edxml.plain import as_plain
from axis.edxml.summary import printable, summary
from axis.errors import NotFound

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Read, check and write edXML packages (QCVN 102:2016)."
)

# sysexits(3)
_CANNOT_CREATE = 73
_CANNOT_READ = 74


@app.callback()
def _group() -> None:
    """Read, check and write edXML packages (QCVN 102:2016)."""


app.command("check")(check_command)
app.command("write")(write)


@app.command("read")
def read_command(
    file: Annotated[Path, typer.Argument(help="A document or status package (.edxml).", show_default=False)],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything understood as one JSON object.")] = False,
    save_attachments: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also save the attachments in DIR; never overwrites.", show_default=False),
    ] = None,
) -> None:
    """Print what the axis understands of a package.

    For example:

      axis edxml read 7816.edxml

      axis edxml read 7816.edxml --json

      axis edxml read 7816.edxml --save-attachments inbox/

    Exit code 0: understood; 65: malformed, with code, line and column; 66: there is no such file.
    """
    package = _read(file, as_json=as_json)
    saved = _save(package, save_attachments) if save_attachments else []
    if as_json:
        plain = as_plain(package)
        if save_attachments:
            plain["saved"] = [str(path) for path in saved]
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    console = Console(highlight=False)
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in summary(package):
        table.add_row(label, escape(value))
    console.print(table)
    for warning in package.warnings:
        place = f" (line {warning.line})" if warning.line else ""
        console.print(
            f"[yellow]tolerated[/yellow] {warning.code}: {escape(printable(warning.message))}{place}", soft_wrap=True
        )
    for path in saved:
        console.print(f"saved {escape(str(path))}", soft_wrap=True)


def _read(file: Path, *, as_json: bool) -> EdxmlDocument | EdxmlStatus:
    try:
        with file.open("rb") as source:
            return read(source)
    except (FileNotFoundError, IsADirectoryError):
        _fail(NotFound.exit_code, NotFound.code, f"no such file: {file}", as_json=as_json)
    except EdxmlError as error:
        _fail(
            error.exit_code,
            error.code,
            f"{file}: {error}",
            as_json=as_json,
            detail=error.detail,
            line=error.line,
            column=error.column,
        )
    except OSError as error:
        _fail(_CANNOT_READ, "file/unreadable", f"{file}: {error.strerror}", as_json=as_json)


def _fail(exit_code: int, code: str, text: str, *, as_json: bool = False, **more: str | int | None) -> NoReturn:
    """Say why on standard error; with --json also as an object on standard output, where the answer would be."""
    if as_json:
        typer.echo(json.dumps({"error": {"code": code, "detail": text, **more}}, ensure_ascii=False, indent=2))
    typer.echo(f"axis edxml: {printable(text)}", err=True)
    raise typer.Exit(exit_code)


def _save(package: EdxmlDocument | EdxmlStatus, folder: Path) -> list[Path]:
    if isinstance(package, EdxmlStatus):
        return []
    saved = []
    for name, attachment in zip(file_names(package), package.attachments, strict=True):
        path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as target:
                for piece in attachment.content.chunks():
                    target.write(piece)
        except OSError as error:
            _fail(_CANNOT_CREATE, "file/not-created", f"{path}: {error.strerror}")
        saved.append(path)
    return saved
