"""What the relay does about certificates: evidence kept fresh, and warnings before the end, each once."""

import datetime as dt
from collections import Counter
from collections.abc import Callable

from axis.core.ending import WARN_DAYS, due
from axis.errors import Misconfigured, Unavailable
from axis.evidence import Refresher
from axis.store import Store
from axis.trust import is_second
from workers.metrics import Metrics
from workers.runtime import Log


class Certificates:
    """Look after the enrolled certificates; several at once do no harm."""

    def __init__(
        self, *, store: Store, refresher: Refresher, now: Callable[[], dt.datetime], log: Log, metrics: Metrics
    ) -> None:
        self._store = store
        self._refresher = refresher
        self._now = now
        self._log = log
        self._metrics = metrics

    async def refresh(self) -> None:
        """Ask about every certificate once."""
        try:
            swept = await self._refresher.sweep()
        except Misconfigured as error:
            # A file in the folder of authorities is no reason to stop documents: what is proved counts on meanwhile.
            self._log.error("evidence", code=error.code, detail=error.detail)
            return
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - nor is a fault of ours in one pass: the relay has documents to publish
            self._log.exception("evidence")
            return
        self._metrics.certificates(proved=len(swept.proved), unproven=len(swept.unproven))
        for thumbprint, why in swept.unproven.items():
            self._log.warning("unproven", thumbprint=thumbprint, detail=why)
        self._log.info(
            "evidence",
            proved=len(swept.proved),
            unproven=len(swept.unproven),
            revoked=len(swept.revoked),
            not_asked=len(swept.not_asked),
        )

    async def warn(self) -> None:
        """Warn of certificates that end in 60, 30 or 7 days and have no successor."""
        _, _, enrolled = await self._store.directory.load()
        ending = Counter(each.days for each in due(enrolled, {}, self._now(), is_second=is_second))
        self._metrics.certificates_ending({days: ending[days] for days in WARN_DAYS})
        for each in due(enrolled, await self._store.proofs.warned(), self._now(), is_second=is_second):
            certificate = each.certificate
            if await self._store.proofs.warn(certificate.thumbprint, each.days):
                self._log.warning(
                    "certificate ends",
                    organisation=certificate.organisation,
                    role=certificate.role,
                    thumbprint=certificate.thumbprint,
                    within_days=each.days,
                    not_after=certificate.not_after.isoformat(),
                    remedy="have a successor issued and enrol it: axis certificate succeed",
                )
