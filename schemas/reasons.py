"""The stable reason codes of the axis: whose fault it is, whether the same bytes may be sent again, what to do.

A code never changes its meaning; a new case gets a new code. Receipts, quarantine, HTTP errors, logs and the
command line all use these. `…/…`: the first part says which part of the message was at fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Who has to act."""

    SENDER = "sender"
    AXIS = "axis"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Reason:
    """One stable code. `retry`: the very same bytes may succeed later."""

    code: str
    title: str
    remedy: str
    fault: Fault = Fault.SENDER
    retry: bool = False


_ALL = (
    # The message as such
    Reason(
        "message/properties",
        "An AMQP property is missing or wrong",
        "Set type, content_type, message_id and user_id as AsyncAPI says.",
    ),
    Reason(
        "message/type",
        "The message type is not taken here",
        "Publish documents to axis.submit and statuses to axis.status.",
    ),
    Reason(
        "message/too-large",
        "The body is over the limit",
        "Keep an envelope under 256 KiB and a status under 16 KiB; files go to the blob store.",
    ),
    Reason("message/bad-utf8", "The body is not UTF-8", "Encode the JSON as UTF-8."),
    Reason("message/not-json", "The body is not JSON", "Send one JSON object."),
    Reason(
        "message/duplicate-key", "A JSON object has the same key twice", "Name every key once (RFC 8259 section 4)."
    ),
    Reason("message/schema", "The body does not fit its schema", "See the path in `detail` and schemas/generated."),
    Reason("message/id-mismatch", "message_id is not the id in the body", "Set message_id to the body's id."),
    Reason(
        "message/poison",
        "The message could not be processed and was set aside alone",
        "The operator of the axis looks into it.",
        Fault.AXIS,
    ),
    Reason(
        "message/dead-lettered", "The broker gave the message up", "The operator of the axis looks into it.", Fault.AXIS
    ),
    # The envelope
    Reason("envelope/no-recipients", "The envelope names no recipient", "Name at least one recipient."),
    Reason("envelope/too-many-recipients", "The envelope names more than 5,000 recipients", "Send several envelopes."),
    Reason(
        "envelope/attachment-name",
        "An attachment's name is not a plain file name",
        "Use a name without path, control characters or a leading dot.",
    ),
    Reason(
        "envelope/id-reused",
        "The id was used before for other bytes or by another sender",
        "Make a new id for a new message.",
    ),
    Reason(
        "envelope/unknown-concerned",
        "The envelope acted on is not known",
        "Name in `concerns` the id of an envelope that you sent; wait for its receipt first.",
        retry=True,
    ),
    Reason(
        "envelope/id-time",
        "The time in the id is too far from now",
        "Make the id when you send, and set your clock by the axis.",
    ),
    # Who says it
    Reason("signature/missing", "There is no axis-signature header", "Sign the exact body bytes (detached JWS)."),
    Reason(
        "signature/malformed",
        "The signature is not a detached JWS",
        "See RFC 7515 appendix F and RFC 7797 (b64=false).",
    ),
    Reason(
        "signature/algorithm",
        "The algorithm is not allowed",
        "Use EdDSA, ES256, PS256 or RS256 with the key you enrolled.",
    ),
    Reason(
        "signature/invalid",
        "The signature does not fit the bytes and the key",
        "Sign the bytes that you send, with the key of the certificate named.",
    ),
    Reason("certificate/unknown", "No certificate with this thumbprint is enrolled", "Enrol it: axis key enrol."),
    Reason("certificate/not-yet-valid", "The certificate is not valid yet", "Use a certificate that is valid now."),
    Reason("certificate/expired", "The certificate has expired", "Enrol a new certificate."),
    Reason("certificate/revoked", "The certificate was revoked", "Enrol a new certificate."),
    Reason(
        "certificate/malformed",
        "The certificate or key cannot be used",
        "Use an X.509 certificate with Ed25519, P-256 or RSA of 2048 bits or more.",
    ),
    Reason(
        "abuse/account",
        "The account does not hold the sender's code",
        "Publish under the account of the sender's own mailbox.",
    ),
    Reason(
        "abuse/sender",
        "The sender's code is closed or was never registered",
        "Send under a code that is in force: axis agency show.",
    ),
    Reason(
        "abuse/concerned",
        "The envelope acted on was sent by somebody else",
        "Recall, update and replace only what you sent.",
    ),
    Reason(
        "abuse/signer",
        "The signer's certificate is not for the sender's code",
        "Sign with a certificate enrolled for the sender or an organisation above it.",
    ),
    Reason(
        "abuse/routing-key",
        "The routing key is not the sender's",
        "Publish with <lane>.<sender> (documents) or <reporter> (statuses).",
    ),
    Reason(
        "abuse/routing-headers",
        "CC and BCC headers are not allowed",
        "Publish without CC and BCC; the axis does the fan-out.",
    ),
    Reason(
        "lane/mismatch", "The lane is not the one the priority demands", "Use urgent for every priority but normal."
    ),
    # Where it goes
    Reason("recipient/unknown", "The code is not in the directory", "Check the code: axis explain."),
    Reason(
        "recipient/not-registered",
        "The unit is not registered below its organisation",
        "Address the organisation, or have the unit registered.",
    ),
    Reason(
        "recipient/not-yet-valid", "The organisation is not in force yet", "Send when it is, or to its predecessor."
    ),
    Reason(
        "recipient/closed",
        "The organisation is closed and documents are not forwarded",
        "Address the successor named in `detail`.",
    ),
    Reason(
        "recipient/no-mailbox",
        "Neither the organisation nor one above it has a mailbox",
        "The organisation has to connect first.",
    ),
    Reason(
        "mailbox/not-ready",
        "The mailbox's queues are not there yet",
        "Nothing to do: the axis holds the delivery and releases it by itself.",
        Fault.AXIS,
    ),
    Reason(
        "mailbox/not-taking",
        "The broker did not take the document for the mailbox",
        "Nothing to do: the axis holds the delivery and releases it by itself.",
        Fault.AXIS,
    ),
    Reason(
        "mailbox/full",
        "Too many documents wait in the mailbox",
        "The recipient has to take its documents; the axis holds further ones and releases them in order.",
        Fault.AXIS,
    ),
    Reason(
        "mailbox/behind",
        "Earlier documents for the mailbox are held",
        "Nothing to do: the axis releases them in order.",
        Fault.AXIS,
    ),
    # What goes along
    Reason(
        "blob/missing",
        "An attachment is not in the blob store",
        "Upload it first, then send the same envelope again.",
        retry=True,
    ),
    Reason("blob/size", "An attachment's size is not the stored one", "State the size of the file you uploaded."),
    Reason(
        "blob/digest",
        "The bytes do not have the digest they were announced with",
        "Upload the bytes whose SHA-256 is in the address.",
    ),
    Reason("blob/too-large", "The file is over the limit", "See the limit in `detail`."),
    Reason(
        "blob/not-found",
        "There is no such blob, or it is not yours to read",
        "Only the sender and the recipients of an envelope may read it.",
    ),
    Reason("token/missing", "There is no bearer token", "Send Authorization: Bearer <token>."),
    Reason(
        "token/invalid",
        "The token is malformed, not for this request, or its time is over",
        "Make a fresh token for each request.",
    ),
    # Statuses
    Reason("status/unknown-envelope", "No such envelope is known", "Name the id of an envelope that you received."),
    Reason(
        "status/not-recipient",
        "The reporter is not a recipient of the envelope",
        "Report for your own code, or name a unit below in `recipient`.",
    ),
    Reason("status/not-sender", "Only the sender of the document may take it back", "Send 13 under the sender's code."),
    Reason(
        "status/id-time",
        "The time in the id is too far from now",
        "Make the id when you report, and set your clock by the axis.",
    ),
    Reason("status/id-reused", "The id was used before for other bytes", "Make a new id for a new status."),
    # The axis itself
    Reason(
        "axis/unavailable",
        "A part of the axis is not reachable",
        "Try again; the operator is told.",
        Fault.NETWORK,
        retry=True,
    ),
    Reason("axis/internal", "The axis failed", "The operator of the axis looks into it.", Fault.AXIS, retry=True),
)

REASONS: Mapping[str, Reason] = {reason.code: reason for reason in _ALL}
