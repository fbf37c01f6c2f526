"""The wire contract of the axis: everything an integrator in any language has to know.

`schemas.generate` writes it as JSON Schema and AsyncAPI 3.0 into `schemas/generated`.
"""

from schemas.base import Code, MessageId, Sha256, Thumbprint, Wire
from schemas.contents import SealContents
from schemas.directory import Certificate, CertificateRole, Mailbox, Organisation, Quota, UnknownBelow
from schemas.envelope import (
    MAX_ENVELOPE_BYTES,
    MAX_RECIPIENTS,
    Action,
    Attachment,
    AttachmentRole,
    Document,
    Envelope,
    Priority,
    Reply,
    Signer,
    Steering,
    TraceStep,
)
from schemas.proof import Proof
from schemas.reasons import REASONS, Fault, Reason
from schemas.receipt import Outcome, Receipt, RecipientOutcome, RecipientReceipt
from schemas.sealing import MAX_KEYS_BYTES, SEAL_SCHEME, Sealed, SealKeys
from schemas.status import MAX_STATUS_BYTES, Destroyed, Staff, Status, StatusCode

__all__ = [
    "MAX_ENVELOPE_BYTES",
    "MAX_KEYS_BYTES",
    "MAX_RECIPIENTS",
    "MAX_STATUS_BYTES",
    "REASONS",
    "SEAL_SCHEME",
    "Action",
    "Attachment",
    "AttachmentRole",
    "Certificate",
    "CertificateRole",
    "Code",
    "Destroyed",
    "Document",
    "Envelope",
    "Fault",
    "Mailbox",
    "MessageId",
    "Organisation",
    "Outcome",
    "Priority",
    "Proof",
    "Quota",
    "Reason",
    "Receipt",
    "RecipientOutcome",
    "RecipientReceipt",
    "Reply",
    "SealContents",
    "SealKeys",
    "Sealed",
    "Sha256",
    "Signer",
    "Staff",
    "Status",
    "StatusCode",
    "Steering",
    "Thumbprint",
    "TraceStep",
    "UnknownBelow",
    "Wire",
]
