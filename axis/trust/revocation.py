"""Is a certificate revoked? Revocation lists (RFC 5280) and OCSP answers (RFC 6960), judged by pyhanko-certvalidator.

Bytes in, evidence out; nothing is fetched here. What an answer has to be: about this very certificate, signed by its
issuer or by whom the issuer appointed, made before now, not over, and no older than what its source said before: an old
list or answer, however well signed, hides what was revoked since.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import CRLValidationError, OCSPValidationError, RevokedError, ValidationError
from pyhanko_certvalidator.revinfo.validate_crl import verify_crl
from pyhanko_certvalidator.revinfo.validate_ocsp import verify_ocsp_response

from axis.core.evidence import Answer, Evidence
from axis.core.reading import printable
from axis.errors import Refused
from axis.trust.certificates import UNREADABLE, thumbprint
from axis.trust.chains import Authorities, Chain, Signatures

_TOLERANCE = dt.timedelta(minutes=1)  # between the authority's clock and ours
_WITHOUT_END = dt.timedelta(minutes=30)  # an answer that says no next update: “ask again whenever you like”
_SCHEMES = ("http://", "https://")
# What the library raises over answers that are late, early, foreign, unreadable or beyond it.
_NOT_COUNTED = (Refused, CRLValidationError, OCSPValidationError, ValidationError, NotImplementedError, *UNREADABLE)
_MOST, _LONGEST = 4, 1000  # addresses of one kind in a certificate, and characters of each


class Stamp(Protocol):
    """How new an answer was."""

    @property
    def this_update(self) -> dt.datetime:
        """When it was made."""

    @property
    def number(self) -> int | None:
        """Its number, where it is a list."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whom to ask about a certificate: `url`, with `body` to be posted, or None to get it.

    `source` stands for all that is asked there about the same: a list's address, an OCSP address and the certificate.
    """

    kind: Literal["crl", "ocsp"]
    url: str
    source: str
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Judged:
    """Evidence, and what was wrong with answers that were not used for it."""

    evidence: Evidence
    faults: tuple[str, ...]


class Revoked(Refused):
    """Report that a certificate, or an authority above it, is revoked: since when, and since when it is in doubt."""

    def __init__(self, detail: str, *, at: dt.datetime, invalid_since: dt.datetime) -> None:
        super().__init__("certificate/revoked", detail)
        self.at = at
        self.invalid_since = min(at, invalid_since)


def questions(chain: Chain) -> list[list[Question]]:
    """List whom to ask about each certificate below the root; an empty list: it names nobody.

    Addresses are what the certificates say, and only http and https; whoever fetches must not trust them.
    """
    below = chain.below_the_root
    above = [chain.path.first, *below]
    return [_questions(subject, issuer) for subject, issuer in zip(below, above, strict=False)]


async def judge(
    chain: Chain,
    authorities: Authorities,
    received: Mapping[str, bytes],
    newest: Mapping[str, Stamp],
    at: dt.datetime,
) -> Judged:
    """Judge what was received, by source, about a chain; `newest`: how new the newest answer of a source was before.

    Raises Revoked, or Refused certificate/unproven when an authority that names whom to ask is not vouched for.
    """
    court = _Court(chain, authorities, newest, at)
    answers: list[Answer] = []
    for subject, asked in zip(chain.below_the_root, questions(chain), strict=True):
        given = [(question, received[question.source]) for question in asked if question.source in received]
        heard = [await court.hear(subject, question, body) for question, body in given]
        good = [answer for answer in heard if answer is not None]
        if asked and not good:
            name = printable(subject.subject.human_friendly)
            told = "; ".join(court.faults) or "nobody who was asked has answered"
            raise Refused("certificate/unproven", f"nothing shows that {name} is not revoked: {told}"[:1000])
        if good:
            answers.append(max(good, key=lambda answer: answer.this_update))
    if not answers:
        raise Refused("certificate/unproven", "neither it nor an authority above it says whom to ask about revocation")
    leaf = thumbprint(chain.below_the_root[-1].dump())
    return Judged(Evidence(leaf, tuple(answers)), tuple(court.faults))


@dataclass(slots=True)
class _Court:
    """Hears one answer after the other about the certificates of a chain; `faults` collects why some do not count."""

    chain: Chain
    authorities: Authorities
    newest: Mapping[str, Stamp]
    at: dt.datetime
    faults: list[str] = field(default_factory=list)

    async def hear(self, subject: asn1.Certificate, question: Question, body: bytes) -> Answer | None:
        """Return an answer that says “not revoked”, None for one that does not count; raise Revoked."""
        try:
            answer = _read(question, body)
            await self._verify(subject, answer)
            _check_order(answer, self.newest.get(question.source))
        except Revoked:
            raise
        except _NOT_COUNTED as error:
            why = "; ".join(str(failure[0]) for failure in getattr(error, "failures", ())) or str(error)
            self.faults.append(printable(f"{question.url}: {why}")[:400])
            return None
        return answer

    async def _verify(self, subject: asn1.Certificate, answer: Answer) -> None:
        context = ValidationContext(
            trust_roots=[asn1.Certificate.load(each) for each in self.authorities.roots],
            other_certs=list(self.chain.path.iter_certs(include_root=False)),
            moment=self.at,
            time_tolerance=_TOLERANCE,
            allow_fetching=False,
            signature_validator=Signatures(),
            crls=[answer.body] if answer.kind == "crl" else [],
            ocsps=[answer.body] if answer.kind == "ocsp" else [],
        )
        try:
            if answer.kind == "crl":
                await verify_crl(subject, self.chain.path, context)
            else:
                await verify_ocsp_response(subject, self.chain.path, context)
        except RevokedError as error:
            name = printable(subject.subject.human_friendly)
            said_by = answer.source.partition(" ")[0]
            told = f"{said_by} says that {name} is revoked since {error.revocation_dt.isoformat()}"
            raise Revoked(
                f"{told}: {error.reason.human_friendly}"[:500],
                at=error.revocation_dt,
                invalid_since=_invalidity(subject, answer) or error.revocation_dt,
            ) from error


def _check_order(answer: Answer, before: Stamp | None) -> None:
    if before is None:
        return
    if answer.this_update < before.this_update:
        told = (
            f"it was made at {answer.this_update.isoformat()}, one of {before.this_update.isoformat()} was there before"
        )
        raise Refused("certificate/unproven", told)
    if answer.number is not None and before.number is not None and answer.number < before.number:
        raise Refused("certificate/unproven", f"its number is {answer.number}, {before.number} was there before")


def _read(question: Question, body: bytes) -> Answer:
    digest = hashlib.sha256(body).hexdigest()
    if question.kind == "crl":
        crl = x509.load_der_x509_crl(body)
        end = crl.next_update_utc or crl.last_update_utc + _WITHOUT_END
        return Answer("crl", question.source, digest, crl.last_update_utc, end, _number(crl), body)
    response = ocsp.load_der_ocsp_response(body)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise Refused("certificate/unproven", f"the responder says {response.response_status.name}")
    end = response.next_update_utc or response.this_update_utc + _WITHOUT_END
    return Answer("ocsp", question.source, digest, response.this_update_utc, end, None, body)


def _number(crl: x509.CertificateRevocationList) -> int | None:
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return None


def _invalidity(subject: asn1.Certificate, answer: Answer) -> dt.datetime | None:
    """Return since when a list says the key was not its owner's alone any more (RFC 5280 section 5.3.2)."""
    if answer.kind != "crl":
        return None
    entry = x509.load_der_x509_crl(answer.body).get_revoked_certificate_by_serial_number(subject.serial_number)
    if entry is None:
        return None
    try:
        return entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc
    except x509.ExtensionNotFound:
        return None


def _questions(subject: asn1.Certificate, issuer: asn1.Certificate | None) -> list[Question]:
    certificate = x509.load_der_x509_certificate(subject.dump())
    try:
        extensions = certificate.extensions
    except UNREADABLE:
        return []  # whoever enrolled it has looked at them; a parser that has become stricter asks nobody
    asked = [Question("crl", url, url, None) for url in _lists(extensions)]
    if issuer is not None:
        above = x509.load_der_x509_certificate(issuer.dump())
        # SHA-1 only names the certificate here, and every responder knows it (RFC 5019 section 2.1.1).
        request = ocsp.OCSPRequestBuilder().add_certificate(certificate, above, SHA1()).build()  # noqa: S303 - see above
        body = request.public_bytes(Encoding.DER)
        asked += [Question("ocsp", url, f"{url} {thumbprint(subject.dump())}", body) for url in _responders(extensions)]
    return asked


def _lists(extensions: x509.Extensions) -> Sequence[str]:
    try:
        points = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return ()
    names = [name for point in points for name in point.full_name or ()]
    return _addresses(names)


def _responders(extensions: x509.Extensions) -> Sequence[str]:
    try:
        accesses = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return ()
    wanted = [each for each in accesses if each.access_method == AuthorityInformationAccessOID.OCSP]
    return _addresses([each.access_location for each in wanted])


def _addresses(names: Sequence[x509.GeneralName]) -> Sequence[str]:
    found = [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]
    return [url for url in found[:_MOST] if url.lower().startswith(_SCHEMES) and len(url) <= _LONGEST]
