"""`axis edxml check`: everything that is wrong with a package."""

import datetime as dt
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from axis.cli.console import print_json, print_table, say, speaks_vietnamese
from axis.edxml import Profile, check
from axis.errors import Malformed, NotFound
from axis.signatures.trust import Trust

_REFUSED = 65


def check_command(
    file: Annotated[Path, typer.Argument(help="A document or status package (.edxml).", show_default=False)],
    *,
    strict: Annotated[bool, typer.Option("--strict", help="As a strict reader of QCVN 102:2016 does.")] = False,
    trust: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Also verify its XML signature: roots/*.pem and intermediates/*.pem in there count.",
            show_default=False,
        ),
    ] = None,
    allow_sha1: Annotated[bool, typer.Option("--allow-sha1", help="With --trust: SHA-1 counts as well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False,
) -> None:
    """List everything that is wrong with a package, at once.

    An error is what cannot be routed; with --strict also whatever a strict reader refuses. Warnings harm nobody.

    For example:

      axis edxml check 7816.edxml

      axis edxml check 7816.edxml --strict --trust authorities/ --json

    Exit code 0: no errors; 65: errors; 66: there is no such file.
    """
    verify = None
    if trust is not None:
        from axis.signatures.xml import verify_package  # noqa: PLC0415 - it brings two libraries that nobody else needs

        at = dt.datetime.now(dt.UTC)
        verify = partial(verify_package, trust=Trust.load(trust), at=at, allow_sha1=allow_sha1)
    try:
        with file.open("rb") as source:
            report = check(source, Profile.STRICT if strict else Profile.LENIENT, verify=verify)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotFound(f"no such file: {file}", code="file/not-found") from error
    except OSError as error:
        raise Malformed(f"{file}: {error.strerror}", code="file/unreadable") from error
    if as_json:
        print_json(report.as_json())
    else:
        vietnamese = speaks_vietnamese()
        if report.findings:
            print_table(
                ("line", "severity", "code", "what", "exactly", "where"),
                [
                    (
                        each.line,
                        each.severity.value,
                        each.code,
                        each.message_vi if vietnamese else each.message,
                        each.detail,
                        each.path,
                    )
                    for each in report.findings
                ],
            )
        if report.left_out:
            say(f"{report.left_out} more are not listed")
        errors = sum(each.severity.value == "error" for each in report.findings)
        say(f"{file}: {'taken' if report.ok else f'refused, {errors} errors'} ({report.profile.value})")
    raise typer.Exit(0 if report.ok else _REFUSED)
