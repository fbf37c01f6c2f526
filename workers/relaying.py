"""What the relay is composed of, beyond what every worker is."""

import asyncio
import datetime as dt

from axis.evidence import Refresher, fetching
from axis.trust.chains import Authorities
from schemas.wire import QUARANTINE_QUEUE
from workers.certificates import Certificates
from workers.context import Context
from workers.relay import Relay
from workers.runtime import every
from workers.view import utc_now

_COUNT_SECONDS = 15.0  # as often as Prometheus asks
_HOUR_SECONDS = 3_600.0
_DAY_SECONDS = 86_400.0


async def work(context: Context) -> None:
    """Relay, and look after certificates, until told to stop."""
    seconds = context.settings.relay_seconds
    relay = Relay(
        store=context.store,
        post=await context.post("relay"),
        view=context.view,
        desk=context.desk,
        older_than=dt.timedelta(seconds=seconds),
        now=utc_now,
        log=context.log,
        metrics=context.metrics,
    )
    async with (
        fetching(context.settings.evidence_hosts) as fetch,
        asyncio.TaskGroup() as group,
    ):
        certificates = Certificates(
            store=context.store,
            refresher=Refresher(
                store=context.store,
                authorities=lambda: Authorities.load(context.settings.trusted),
                fetch=fetch,
                policy=context.settings.grace,
                now=utc_now,
                actor="relay",
            ),
            now=utc_now,
            log=context.log,
            metrics=context.metrics,
        )
        group.create_task(every(_HOUR_SECONDS, certificates.warn, stop=context.stop, log=context.log))
        if minutes := context.settings.evidence_minutes:
            group.create_task(every(60 * minutes, certificates.refresh, stop=context.stop, log=context.log))
        group.create_task(every(seconds / 3, relay.sweep, stop=context.stop, log=context.log))
        group.create_task(every(_COUNT_SECONDS, relay.count, stop=context.stop, log=context.log))
        group.create_task(every(_DAY_SECONDS, relay.keep_partitions, stop=context.stop, log=context.log))
        # The quarantine is the end: what is given up there would be gone.
        group.create_task(context.consume(QUARANTINE_QUEUE, relay.drain_quarantine, agencies=False))
