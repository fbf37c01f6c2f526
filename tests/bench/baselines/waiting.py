"""How a baseline and the bench that runs it talk: `ready`, a line from the bench, `done`."""

import asyncio
import sys


def say(word: str) -> None:
    """Tell the bench."""
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


async def go() -> None:
    """Say that everything is connected, and wait for the bench's word."""
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
