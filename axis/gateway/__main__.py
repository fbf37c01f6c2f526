"""`python -m axis.gateway`: run the gateway from the settings."""

import argparse
import asyncio
import os
import sys
from functools import partial
from pathlib import Path

import structlog

from axis.gateway.server import run
from axis.leaving import leave, outcome
from axis.settings import Settings
from axis.web.logs import configure_logging


def main() -> int:
    """Run until SIGTERM or SIGINT and return the exit code (0, or sysexits(3) of the error)."""
    parser = argparse.ArgumentParser(prog="python -m axis.gateway", description="The axis's HTTP gateway for blobs.")
    parser.add_argument("--home", type=Path, help="folder of axis.env (default: AXIS_HOME or .axis)")
    parser.add_argument("--port-file", type=Path, help="write the port here once requests are answered")
    parser.add_argument(
        "--part",
        choices=("all", "agencies", "desk"),
        default="all",
        help="desk: only what existing document systems call, without client certificates; agencies: all but that",
    )
    arguments = parser.parse_args()
    port_file: Path | None = arguments.port_file

    def announce(settings: Settings, host: str, port: int) -> None:
        address = f"[{host}]" if ":" in host else host
        if port_file is not None:
            unfinished = port_file.with_name(f"{port_file.name}.{os.getpid()}")
            unfinished.write_text(f"{port}\n", encoding="ascii")
            unfinished.replace(port_file)  # a reader sees the whole number or no file
        scheme = "http" if settings.gateway_certificate is None else "https"
        sys.stdout.write(f"gateway: {scheme}://{address}:{port}\n")
        sys.stdout.flush()
        structlog.get_logger(part="gateway").info("listening", host=host, port=port)

    def work() -> None:
        settings = Settings.load(arguments.home)
        configure_logging(settings.log_format, settings.log_level)
        asyncio.run(run(settings, partial(announce, settings), arguments.part))

    return outcome("gateway", work)


if __name__ == "__main__":
    leave(main())
