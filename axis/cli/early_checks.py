"""What `axis doctor` says of envelopes that came before the one they act on."""

import datetime as dt

from axis.cli import moments
from axis.cli.console import local_time
from axis.cli.findings import Check, Level
from axis.core.concerning import WAIT
from axis.settings import Settings
from axis.store import Store

_NAME = "early recalls"


async def early(settings: Settings) -> list[Check]:
    """Look whether routers take up what waits: its document comes, or its time is over."""
    async with Store.connect(settings.operator_database, name="axis doctor", connections=1) as store:
        piles = await store.backlog.early()
    waiting = sum(pile.count for pile in piles.values())
    if not waiting:
        return [Check(_NAME, Level.OK, "nothing waits for its document")]
    oldest = min(pile.oldest for pile in piles.values() if pile.oldest is not None)
    told = f"{waiting} wait for their documents, the first since {local_time(oldest)}"
    if moments.now() - oldest <= WAIT + dt.timedelta(minutes=2):
        return [Check(_NAME, Level.OK, told)]
    queues = ", ".join(sorted(piles))
    remedy = (
        f"routers of {queues} have to run, and all route queues to be read:"
        " nothing is refused while its document may be unread there; `axis track ENVELOPE` shows one"
    )
    return [Check(_NAME, Level.WARN, told, remedy)]
