"""What can be wrong with a package: errors that end the reading, deviations that do not."""

from dataclasses import dataclass

from axis.errors import Malformed
from schemas.reasons import edxml

# The stable codes of EdxmlError.
CODES = frozenset(reason.code for reason in edxml.REASONS)

# The stable codes of Deviation. A code never changes its meaning; a new case gets a new code.
DEVIATIONS = {
    "bom": "a byte order mark before the declaration",
    "root-name": "the envelope itself is the root element",
    "namespace": "elements in no namespace, or in another one",
    "name-case": "a name in other capitals",
    "business-spelling": "Business instead of the official Bussiness",
    "organ-in-charge": "OrganInCharge instead of OrganizationInCharge",
    "manifest-name": "Manifest instead of edXMLManifest",
    "unknown-element": "an element we have no place for; its text is in `extras`",
    "text-normalised": "invisible or decomposed characters were cleaned",
    "value-unreadable": "text where a number or yes/no belongs; it is in `extras`",
    "date-format": "a date or time in another form than the official one",
    "date-impossible": "a day or time that does not exist; kept as text",
    "date-unreadable": "no date or time at all; kept as text",
    "document-id-form": "DocumentId is not <code>,<date>,<number>/<notation>",
    "document-id-date": "DocumentId and PromulgationDate name different days",
    "recipient-repeated": "one organisation twice among the receivers",
    "priority-unknown": "a Priority outside 0 to 4; handled as normal",
    "business-type-unknown": "a BussinessDocType outside 0 to 3; handled as a new document",
    "status-unknown": "a StatusCode that is none of the nine",
    "response-empty": "a ResponseFor without any content, left out",
    "signature-placeholder": "an XML signature that cannot be verified by its very shape",
    "content-id": "ContentId without `cid:`",
    "attachment-unlisted": "an attachment that the manifest does not list",
    "attachment-absent": "a file that the manifest lists and the package does not hold",
    "attachment-name-missing": "an attachment without a name",
    "attachment-not-zip": "ContentType says ZIP, the bytes are none; kept as they are",
    "attachment-zip-entries": "a ZIP of more or less than one entry; kept as a ZIP",
    "attachment-zip-unreadable": "a ZIP that is broken, encrypted or of an unknown kind; kept as a ZIP",
}


class EdxmlError(Malformed):
    """Report a package that cannot be read, and where (1-based line and column; None when there is no place)."""

    code = "edxml/not-well-formed"

    def __str__(self) -> str:
        place = "" if self.line is None else f" (line {self.line}, column {self.column})"
        return f"{self.code}: {self.detail}{place}"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One tolerated departure from the format: a stable `code`, a sentence, and where it was seen (1-based)."""

    code: str
    message: str
    line: int | None = None
    column: int | None = None
