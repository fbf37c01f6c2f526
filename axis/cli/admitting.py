"""Holding certificates against what this axis trusts."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

import typer

from axis.evidence import Admission, fetching
from axis.settings import Settings
from axis.store import Store
from axis.trust.chains import Authorities

ConfirmIssuer = Annotated[
    str | None,
    typer.Option(
        "--confirm-issuer",
        metavar="WHY",
        help="Take it although its issuer is not known here: how you know that it is genuine. Kept for the auditor.",
        show_default=False,
    ),
]
ConfirmOrganisation = Annotated[
    str | None,
    typer.Option(
        "--confirm-organisation",
        metavar="WHY",
        help="Take it although it does not say the code: how you know whose it is. Kept for the auditor.",
        show_default=False,
    ),
]


@contextlib.asynccontextmanager
async def admission(settings: Settings, store: Store) -> AsyncIterator[Admission]:
    """Have certificates checked against the trusted authorities, and asked about."""
    async with fetching(settings.evidence_hosts) as fetch:
        yield Admission(store, Authorities.load(settings.trusted), fetch, settings.grace)
