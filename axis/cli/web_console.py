"""`axis console`: what operators see in a browser."""

import asyncio

from axis.cli.console import say
from axis.console.__main__ import announce
from axis.console.serving import run
from axis.settings import Settings
from axis.web.logs import configure_logging

_LOOK_SECONDS = 2.0


def console() -> None:
    """Serve the console until Ctrl-C, and print its address; `axis up` starts it by itself.

    Where it answers already, only the address is printed. `axis operator add` makes the accounts.

    For example:

      axis console

      AXIS_CONSOLE_PORT=8443 axis console

    Exit code 69: the database is away; 78: the port is taken by something else, or the settings cannot work.
    """
    settings = Settings.load()
    if settings.console_port and asyncio.run(answers(settings.console_host, settings.console_port)):
        address = settings.console_url or settings.console_address
        say(f"something answers at port {settings.console_port} already: {address}")
        return
    configure_logging(settings.log_format, settings.log_level)
    asyncio.run(run(settings, announce))


async def answers(host: str, port: int) -> bool:
    """Say whether somebody listens at a port."""
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
