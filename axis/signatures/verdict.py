"""What was found on a file: signed, not signed, or why nobody can say."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class Standing(StrEnum):
    """Where a file stands in law, so far as its signatures say (QĐ 28/2018 article 4, NĐ 30/2020 article 5)."""

    SIGNED = "signed"  # every signature is intact and of somebody who is trusted
    NOT_SIGNED = "not-signed"
    BROKEN = "broken"  # changed after it was signed, or signed in a way that does not hold
    NOT_TRUSTED = "not-trusted"  # intact, but of somebody who is not trusted here
    NOT_LOOKED_AT = "not-looked-at"  # not yet, or it could not be: `detail` says why
    NOT_A_PDF = "not-a-pdf"
    SEALED = "sealed"  # encrypted end to end: only the recipient can look


MEANINGS = {
    Standing.SIGNED: ("signed, intact, trusted", "đã ký, toàn vẹn, tin cậy"),
    Standing.NOT_SIGNED: ("not signed", "chưa ký số"),
    Standing.BROKEN: ("signed, but broken", "chữ ký số không hợp lệ"),
    Standing.NOT_TRUSTED: ("signed, intact, not trusted", "đã ký nhưng không tin cậy"),
    Standing.NOT_LOOKED_AT: ("not looked at yet", "chưa kiểm tra"),
    Standing.NOT_A_PDF: ("not a PDF", "không phải PDF"),
    Standing.SEALED: ("sealed", "được mã hóa"),
}


@dataclass(frozen=True, slots=True)
class PdfSignature:
    """One signature: who and when, as the certificate and the signature say; proved only where both flags are true.

    `signed_at` is ISO 8601, from a timestamp that is trusted where `stamped`, else the signer's own word.
    """

    signer: str
    certificate: str | None = None
    signed_at: str | None = None
    stamped: bool = False
    intact: bool = False
    trusted: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the signatures of one file make of it, in the order they were made."""

    standing: Standing
    signatures: tuple[PdfSignature, ...] = ()
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "standing": self.standing.value,
            "signatures": [asdict(each) for each in self.signatures],
            "detail": self.detail,
        }

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """Read what `as_json` wrote; raise ValueError, KeyError or TypeError for anything else."""
        signatures = tuple(PdfSignature(**each) for each in said["signatures"])
        return cls(Standing(said["standing"]), signatures, str(said["detail"]))

    def told(self) -> str:
        """Say it in one line, for people."""
        words = MEANINGS[self.standing][0]
        if self.standing is Standing.SIGNED:
            # No list of revoked certificates and no OCSP answer is fetched or read (decision 0024).
            return f"signed by {self.signers}, intact, trusted (revocation not checked)"
        if self.signatures:
            return f"{words} ({self.signers})"
        return f"{words}: {self.detail}" if self.detail else words

    @property
    def signers(self) -> str:
        """The names in the certificates."""
        return ", ".join(dict.fromkeys(each.signer for each in self.signatures))
