"""Enrolling a certificate together with the evidence that it is not revoked now."""

import datetime as dt
from dataclasses import dataclass

from axis.core.enrolment import Enrolment
from axis.core.evidence import Evidence, GracePolicy
from axis.errors import Refused
from axis.evidence.fetching import Fetch
from axis.evidence.proving import Prover
from axis.store import Store
from axis.trust import enrol
from axis.trust.certificates import is_demonstration, load_pem
from axis.trust.chains import Authorities
from axis.trust.enrolling import Confirmation, enrol_checked
from axis.trust.revocation import Revoked, questions
from axis.trust.sealing_usage import check_apart
from schemas import CertificateRole


@dataclass(frozen=True, slots=True)
class Admitted:
    """A certificate that may be enrolled; `doubt` says why there is no evidence although somebody was asked."""

    enrolment: Enrolment
    evidence: Evidence | None = None
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """What a certificate is held against when it is to be enrolled."""

    store: Store
    authorities: Authorities
    fetch: Fetch
    policy: GracePolicy

    async def admit(
        self,
        certificate_pem: bytes,
        organisation: str,
        role: CertificateRole,
        at: dt.datetime,
        *,
        confirmed: Confirmation,
        demonstration: bool = False,
    ) -> Admitted:
        """Check a certificate wholly and ask whether it is revoked; nothing is written.

        An authority that does not answer keeps nobody out: its certificate is taken for as long as the policy's grace.
        `demonstration` allows those of a demonstration CA, which has no chain, no list and no place on a real axis.
        Raises Refused certificate/*.
        """
        if demonstration and is_demonstration(load_pem(certificate_pem)):
            return Admitted(enrol(certificate_pem, organisation, role, at, allow_demonstration=True))
        record, chain = await enrol_checked(
            certificate_pem, organisation, role, at, authorities=self.authorities, confirmed=confirmed
        )
        if chain is None:
            return Admitted(record)
        prover = Prover(self.fetch, self.authorities)
        await prover.ask([chain])
        newest = await self.store.proofs.newest(prover.sources())
        names_nobody = not questions(chain)[-1]
        try:
            judged = await prover.judge(chain, newest, at)
        except Revoked:
            raise
        except Refused as error:
            if names_nobody:
                return Admitted(record)
            doubt = "; ".join(filter(None, (error.detail, prover.told(chain))))
            until = self.policy.trusted_until(organisation, at)
            return Admitted(record.model_copy(update={"trusted_until": until}), doubt=doubt)
        return Admitted(record) if names_nobody else Admitted(record, judged.evidence)

    async def keep(self, admitted: Admitted, **changes: object) -> Enrolment:
        """Enrol what was admitted, with changes, and its evidence."""
        until = admitted.enrolment.trusted_until
        if admitted.evidence is not None:
            until = self.policy.trusted_until(admitted.enrolment.organisation, admitted.evidence.good_until)
        # At once with the record: should this end before the evidence is kept, the certificate must still have an end.
        record = admitted.enrolment.model_copy(update={**changes, "trusted_until": until})
        _, _, others = await self.store.directory.load()
        check_apart(record, others)
        await self.store.directory.put_certificate(record)
        if admitted.evidence is not None and until is not None:
            await self.store.proofs.keep(admitted.evidence, until)
        return record
