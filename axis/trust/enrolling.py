"""From a certificate to its enrolment: checked against the authorities and the organisation, or confirmed by hand."""

import datetime as dt
from dataclasses import dataclass

from axis.core.enrolment import Enrolment
from axis.errors import Refused
from axis.trust.belonging import matched_by
from axis.trust.certificates import enrol
from axis.trust.chains import Authorities, Chain, NoChain, find_chain
from schemas import CertificateRole


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What an operator vouches for by hand, each with his reason, which is kept with the enrolment.

    `issuer`: that the certificate is genuine although its issuer is not known here. `organisation`: that it is the
    organisation's although it does not say its code.
    """

    issuer: str | None = None
    organisation: str | None = None


NOTHING_CONFIRMED = Confirmation()


async def enrol_checked(
    certificate_pem: bytes,
    organisation: str,
    role: CertificateRole,
    at: dt.datetime,
    *,
    authorities: Authorities,
    confirmed: Confirmation,
) -> tuple[Enrolment, Chain | None]:
    """Check a certificate wholly; return its enrolment, and its chain where there is one.

    Raises Refused `certificate/untrusted` without a chain to a trusted root (an issuer that is not known here can be
    confirmed, a chain that does not hold cannot), `certificate/organisation` when it does not say that it is the
    organisation's, unless that is confirmed, and whatever `enrol` raises.
    """
    record = enrol(certificate_pem, organisation, role, at)
    chain: Chain | None = None
    matched = ""
    try:
        chain = await find_chain(record.der, authorities, at)
    except NoChain:
        # Confirmed can be who nobody here knows; not a chain that was found and does not hold.
        if confirmed.issuer is None:
            raise
        matched = f"issuer confirmed: {confirmed.issuer}; "
    try:
        matched += matched_by(certificate_pem, organisation)
    except Refused as error:
        if error.code != "certificate/organisation" or confirmed.organisation is None:
            raise
        matched += f"organisation confirmed: {confirmed.organisation}"
    changes = {"anchor": None if chain is None else chain.anchor, "matched": matched[:500]}
    return record.model_copy(update=changes), chain
