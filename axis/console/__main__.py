"""`python -m axis.console`: run the console from the settings."""

import argparse
import asyncio
import sys
from pathlib import Path

from axis.console.serving import run
from axis.errors import AxisError
from axis.gateway.logs import configure_logging
from axis.settings import Settings


def main() -> int:
    """Run until SIGTERM or SIGINT and return the exit code (0, or sysexits(3) of the error)."""
    parser = argparse.ArgumentParser(prog="python -m axis.console", description="The console of the axis.")
    parser.add_argument("--home", type=Path, help="folder of axis.env (default: AXIS_HOME or .axis)")
    arguments = parser.parse_args()
    try:
        settings = Settings.load(arguments.home)
        configure_logging(settings.log_format, settings.log_level)
        asyncio.run(run(settings, announce))
    except AxisError as error:
        return _fail(error)
    except BaseExceptionGroup as group:
        known, rest = group.split(AxisError)
        if known is None or rest is not None:
            raise
        return _fail(_first(known))
    return 0


def announce(address: str) -> None:
    """Say where browsers find it."""
    sys.stdout.write(f"console: {address}\n")
    sys.stdout.flush()


def _fail(error: AxisError) -> int:
    sys.stderr.write(f"console: {error}\n")
    return error.exit_code


def _first(group: BaseExceptionGroup[AxisError]) -> AxisError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


if __name__ == "__main__":
    sys.exit(main())
