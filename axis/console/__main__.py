"""`python -m axis.console`: run the console from the settings."""

import argparse
import asyncio
import sys
from pathlib import Path

from axis.console.serving import run
from axis.leaving import leave, outcome
from axis.settings import Settings
from axis.web.logs import configure_logging


def main() -> int:
    """Run until SIGTERM or SIGINT and return the exit code (0, or sysexits(3) of the error)."""
    parser = argparse.ArgumentParser(prog="python -m axis.console", description="The console of the axis.")
    parser.add_argument("--home", type=Path, help="folder of axis.env (default: AXIS_HOME or .axis)")
    arguments = parser.parse_args()

    def work() -> None:
        settings = Settings.load(arguments.home)
        configure_logging(settings.log_format, settings.log_level)
        asyncio.run(run(settings, announce))

    return outcome("console", work)


def announce(address: str) -> None:
    """Say where browsers find it."""
    sys.stdout.write(f"console: {address}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    leave(main())
