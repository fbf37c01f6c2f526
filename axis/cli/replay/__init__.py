"""`axis replay`: give a mailbox once more what it got before, out of the store."""

from axis.cli.replay.command import replay

__all__ = ["replay"]
