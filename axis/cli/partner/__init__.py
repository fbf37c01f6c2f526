"""`axis partner`: existing document systems that the gateway serves as they are."""

from axis.cli.partner.app import app

__all__ = ["app"]
