"""`axis audit`: bring store and broker together after one of them was brought back from a copy."""

from axis.cli.audit.command import app

__all__ = ["app"]
