"""Read and write edXML packages (QCVN 102:2016), and turn them into envelopes and statuses.

package = read(file)                       # EdxmlDocument or EdxmlStatus; EdxmlError says what is wrong, and where
report = check(file, Profile.STRICT)       # everything that is wrong at once, in Vietnamese and English
envelope = to_envelope(package, id=…, sent_at=…, to_canonical=…)
package = from_envelope(envelope, {sha256: path, …}, naming=naming_from(names))
data = build_document(EdxmlDocument(…, attachments=(attach("7816.pdf", data),)))
write_document(package, file)              # big attachments piece by piece
"""

from axis.edxml.checking import Finding, Profile, Report, Severity, check
from axis.edxml.convert import to_envelope, to_status
from axis.edxml.deviations import DEVIATIONS, Deviation
from axis.edxml.errors import CODES, EdxmlError
from axis.edxml.filenames import file_names
from axis.edxml.limits import DEFAULT_LIMITS, Limits
from axis.edxml.model import (
    Attachment,
    Business,
    DocumentType,
    EdxmlDocument,
    EdxmlStatus,
    Extra,
    Organisation,
    OtherInfo,
    ReceiverChange,
    Replacement,
    Response,
    SignatureState,
    Signer,
    Staff,
    Trace,
)
from axis.edxml.outgoing import CodeForm, Naming, from_envelope, from_status, naming_from
from axis.edxml.packing import attach
from axis.edxml.reader import read
from axis.edxml.sources import Content
from axis.edxml.values import VIETNAM_TIME, Day, DocumentId, IdForm, Instant
from axis.edxml.writer import build_document, build_status, write_document

__all__ = [
    "CODES",
    "DEFAULT_LIMITS",
    "DEVIATIONS",
    "VIETNAM_TIME",
    "Attachment",
    "Business",
    "CodeForm",
    "Content",
    "Day",
    "Deviation",
    "DocumentId",
    "DocumentType",
    "EdxmlDocument",
    "EdxmlError",
    "EdxmlStatus",
    "Extra",
    "Finding",
    "IdForm",
    "Instant",
    "Limits",
    "Naming",
    "Organisation",
    "OtherInfo",
    "Profile",
    "ReceiverChange",
    "Replacement",
    "Report",
    "Response",
    "Severity",
    "SignatureState",
    "Signer",
    "Staff",
    "Trace",
    "attach",
    "build_document",
    "build_status",
    "check",
    "file_names",
    "from_envelope",
    "from_status",
    "naming_from",
    "read",
    "to_envelope",
    "to_status",
    "write_document",
]
