"""`axis certificate`: the life of a certificate."""

from axis.cli.certificate.app import app

__all__ = ["app"]
