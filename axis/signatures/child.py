"""`python -m axis.signatures.child FILE`: look at the signatures of one PDF, in a process that can be given up.

A PDF is a program for whoever reads it. Whatever one does to this process (memory, time, a crash) it does to this
process alone, which holds no secret and has nothing to send anywhere: `axis.signatures.pdf` starts it, tells it on
standard input whom to trust, and takes what it says only when it ends well and in time.
"""

import asyncio
import base64
import contextlib
import datetime as dt
import json
import resource
import sys
from pathlib import Path
from typing import Any, BinaryIO

from asn1crypto import x509 as asn1
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import SigningError
from pyhanko.sign.validation import EmbeddedPdfSignature, async_validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError, ValidationInfoReadingError
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from axis.core.reading import printable
from axis.signatures.verdict import PdfSignature, Standing, Verdict
from axis.trust.certificates import UNREADABLE, thumbprint
from axis.trust.chains import Signatures

MAX_SIGNATURES = 20
_MEMORY_BYTES = 1024 * 1024 * 1024
_SIGNED_OBJECT = "/Sig"


def main(path: Path, said: dict[str, Any]) -> Verdict:
    """Look at a file; `said` names whom to trust (DER as base64) and when."""
    with path.open("rb") as file:
        try:
            return _look(file, said)
        except (PdfError, ValidationInfoReadingError, RecursionError, AttributeError, *UNREADABLE) as error:
            # It says that it is signed, and cannot be read: that is no signed document.
            return Verdict(Standing.BROKEN, detail=_words(error))


def _look(file: BinaryIO, said: dict[str, Any]) -> Verdict:
    reader = PdfFileReader(file, strict=False)
    if reader.encrypted:
        return Verdict(Standing.NOT_LOOKED_AT, detail="the PDF is encrypted")
    found = reader.embedded_regular_signatures
    if not found:
        return Verdict(Standing.NOT_SIGNED)
    if len(found) > MAX_SIGNATURES:
        return Verdict(Standing.NOT_LOOKED_AT, detail=f"{len(found)} signatures are over the limit of {MAX_SIGNATURES}")
    judged = tuple(_judge(each, said) for each in found)
    if not all(each.intact for each in judged):
        return Verdict(Standing.BROKEN, judged)
    if not all(each.trusted for each in judged):
        return Verdict(Standing.NOT_TRUSTED, judged)
    return Verdict(Standing.SIGNED, judged)


def _judge(signature: EmbeddedPdfSignature, said: dict[str, Any]) -> PdfSignature:
    try:
        certificate = signature.signer_cert
        signer, print_ = _name(certificate), thumbprint(certificate.dump())
    except (SignatureValidationError, SigningError, *UNREADABLE) as error:
        return PdfSignature("?", detail=_words(error))
    at = dt.datetime.fromisoformat(said["at"])
    try:
        status = asyncio.run(_validated(signature, said, at))
        stamp = status.timestamp_validity
        stamped = stamp is not None and stamp.intact and stamp.valid and stamp.trusted
        if stamped and not status.trusted and stamp is not None:
            # Of the time that is proved: a certificate that ended since was good when it signed.
            status = asyncio.run(_validated(signature, said, stamp.timestamp))
    except (SignatureValidationError, SigningError, PdfError, *UNREADABLE) as error:
        return PdfSignature(signer, print_, detail=_words(error))
    moment = stamp.timestamp if stamped and stamp is not None else status.signer_reported_dt
    return PdfSignature(
        signer,
        print_,
        signed_at=moment.isoformat() if moment else None,
        stamped=stamped,
        intact=status.intact and status.valid and bool(status.docmdp_ok),
        trusted=bool(status.trusted),
        detail=_detail(status),
    )


async def _validated(signature: EmbeddedPdfSignature, said: dict[str, Any], at: dt.datetime) -> PdfSignatureStatus:
    def context() -> ValidationContext:
        return ValidationContext(
            trust_roots=_certificates(said["roots"]),
            other_certs=_certificates(said["intermediates"]),
            moment=at,
            allow_fetching=False,
            revocation_mode="soft-fail",
            signature_validator=Signatures(),
        )

    return await async_validate_pdf_signature(
        signature, signer_validation_context=context(), ts_validation_context=context()
    )


def _certificates(ders: list[str]) -> list[asn1.Certificate]:
    return [asn1.Certificate.load(base64.b64decode(each)) for each in ders]


def _name(certificate: asn1.Certificate) -> str:
    return printable(str(certificate.subject.native.get("common_name") or certificate.subject.human_friendly))[:300]


def _detail(status: PdfSignatureStatus) -> str:
    if not status.intact or not status.valid:
        return "the bytes are not those that were signed"
    if not status.docmdp_ok:
        return "changed after it was signed"
    if status.revoked:
        return "the certificate is revoked"
    return "" if status.trusted else "no chain to an authority that is trusted here, at that time"


def _words(error: BaseException) -> str:
    return printable(str(error) or type(error).__name__)[:300]


def _limit(seconds: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # the system's own are lower already
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _said = json.load(sys.stdin)
    _limit(int(_said["seconds"]))
    print(json.dumps(main(Path(sys.argv[1]), _said).as_json()))  # noqa: T201 - it is what the parent reads
