"""Keeping evidence fresh: one pass over all enrolled certificates, to be repeated, by several at once if need be.

What a pass does to a certificate: new evidence is kept and relied on; a revocation is written down, effective since the
authority says, and every worker knows within a second; and where nothing can be proved this time, what was proved
before goes on to count until the policy's grace is over. So an outage degrades as the policy says and heals with the
next pass that gets an answer.
"""

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from axis.core.enrolment import Enrolment, State
from axis.core.evidence import GracePolicy, Proof
from axis.errors import Refused, Unavailable
from axis.evidence.fetching import Fetch
from axis.evidence.proving import Prover
from axis.store import Stamp, Store
from axis.trust.chains import Authorities, Chain, find_chain
from axis.trust.revocation import Revoked, questions

log = logging.getLogger("axis.evidence")

# A retired one too: what it signed is only as good as long as nobody revokes it, perhaps for a time before.
_ASKED_ABOUT = frozenset({State.NOT_YET_VALID, State.VALID, State.UNPROVEN, State.RETIRED})


@dataclass(slots=True)
class Swept:
    """What a pass found: thumbprints, and for `unproven` why."""

    proved: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    unproven: dict[str, str] = field(default_factory=dict)
    not_asked: list[str] = field(default_factory=list)  # nobody checked their chain, or they name nobody


class Refresher:
    """Ask about every certificate that has neither ended nor been revoked."""

    def __init__(
        self,
        *,
        store: Store,
        authorities: Callable[[], Authorities],
        fetch: Fetch,
        policy: GracePolicy,
        now: Callable[[], dt.datetime],
        actor: str,
    ) -> None:
        self._store = store
        self._authorities = authorities
        self._fetch = fetch
        self._policy = policy
        self._now = now
        self._actor = actor

    async def sweep(self) -> Swept:
        """Do one pass. Raises Unavailable when the store is away, Misconfigured for an unreadable trust folder."""
        at, swept = self._now(), Swept()
        _, _, enrolled = await self._store.directory.load()
        wanted = [each for each in enrolled if each.anchor is not None and each.state(at) in _ASKED_ABOUT]
        swept.not_asked = [
            each.thumbprint for each in enrolled if each.anchor is None and each.state(at) in _ASKED_ABOUT
        ]
        prover = Prover(self._fetch, self._authorities())
        chains = await self._chains(wanted, prover.authorities, at, swept)
        await prover.ask(chain for _, chain in chains)
        at = self._now()  # asking took its time, and an answer may be younger than the question
        newest = await self._store.proofs.newest(prover.sources())
        for certificate, chain in chains:
            try:
                await self._one(certificate, chain, swept, prover=prover, newest=newest, at=at)
            except Unavailable:
                raise
            except Exception:  # one strange answer must not keep the others from being looked at
                log.exception("certificate %s of %s", certificate.thumbprint, certificate.organisation)
                swept.unproven[certificate.thumbprint] = "a fault of ours; the log has it"
        await self._hold_to_policy([each for each in wanted if each.thumbprint in swept.unproven])
        return swept

    async def _chains(
        self, wanted: Sequence[Enrolment], authorities: Authorities, at: dt.datetime, swept: Swept
    ) -> list[tuple[Enrolment, Chain]]:
        chains: list[tuple[Enrolment, Chain]] = []
        for certificate in wanted:
            await asyncio.sleep(0)  # whoever shares the loop publishes documents meanwhile
            try:
                chains.append((certificate, await find_chain(certificate.der, authorities, at)))
            except Refused as error:
                swept.unproven[certificate.thumbprint] = error.detail
        return chains

    async def _one(
        self,
        certificate: Enrolment,
        chain: Chain,
        swept: Swept,
        *,
        prover: Prover,
        newest: Mapping[str, Stamp],
        at: dt.datetime,
    ) -> None:
        thumbprint = certificate.thumbprint
        names_nobody = not questions(chain)[-1]
        try:
            judged = await prover.judge(chain, newest, at)
        except Revoked as error:
            await self._revoke(certificate, error)
            swept.revoked.append(thumbprint)
            return
        except Refused as error:
            if names_nobody:
                await self._not_asked(certificate, swept)
            else:
                swept.unproven[thumbprint] = "; ".join(filter(None, (error.detail, prover.told(chain))))
            return
        for fault in judged.faults:
            log.warning("certificate %s of %s: %s", thumbprint, certificate.organisation, fault)
        if names_nobody:
            # Those above it are not revoked; of itself nobody says anything, so it gets no evidence that says so.
            await self._not_asked(certificate, swept)
            return
        until = self._policy.trusted_until(certificate.organisation, judged.evidence.good_until)
        await self._store.proofs.keep(judged.evidence, until)
        swept.proved.append(thumbprint)

    async def _not_asked(self, certificate: Enrolment, swept: Swept) -> None:
        swept.not_asked.append(certificate.thumbprint)
        if certificate.evidence is None and certificate.trusted_until is not None:
            # Its root had been taken out and is there again.
            await self._store.proofs.trust(certificate.thumbprint, None)

    async def _revoke(self, certificate: Enrolment, error: Revoked) -> None:
        await self._store.directory.revoke(
            certificate.thumbprint, error.at, invalid_since=error.invalid_since, why=error.detail
        )
        log.error("certificate %s of %s is revoked: %s", certificate.thumbprint, certificate.organisation, error.detail)
        detail = {"organisation": certificate.organisation, "why": error.detail, "at": error.at.isoformat()}
        detail |= {"invalid_since": error.invalid_since.isoformat()}
        await self._store.audit(self._actor, "certificate.revoke", certificate.thumbprint, detail)

    async def _hold_to_policy(self, unproven: Sequence[Enrolment]) -> None:
        """Have the policy of today count for evidence of yesterday: it may have become stricter or milder."""
        proofs = await self._store.proofs.proofs([each.evidence for each in unproven if each.evidence is not None])
        now = self._now()
        for certificate in unproven:
            proof: Proof | None = None if certificate.evidence is None else proofs.get(certificate.evidence)
            if proof is not None:
                until = self._policy.trusted_until(certificate.organisation, proof.good_until)
                await self._store.proofs.trust(certificate.thumbprint, until)
            elif certificate.trusted_until is None:
                # It named nobody to be asked, so its chain was all that spoke for it: the grace begins without that.
                until = self._policy.trusted_until(certificate.organisation, now)
                await self._store.proofs.trust(certificate.thumbprint, until)
