"""Names on the wire that are not inside a body: exchanges, headers, types, media types."""

SUBMIT_EXCHANGE = "axis.submit"
STATUS_EXCHANGE = "axis.status"
DELIVER_EXCHANGE = "axis.deliver"
TRACK_QUEUE = "axis.track"
QUARANTINE_QUEUE = "axis.quarantine"

TYPE_DOCUMENT = "document"
TYPE_STATUS = "status"
TYPE_RECEIPT = "receipt"

ENVELOPE_MEDIA_TYPE = "application/vnd.axis.envelope+json"
STATUS_MEDIA_TYPE = "application/vnd.axis.status+json"
RECEIPT_MEDIA_TYPE = "application/vnd.axis.receipt+json"

SIGNATURE_HEADER = "axis-signature"
# A second detached JWS over the same bytes (ML-DSA-65), beside the first and never alone.
SECOND_SIGNATURE_HEADER = "axis-signature-pq"
# JSON object mailbox -> [positions in recipients, from 0] of recipients served by a mailbox that is not their own.
ROUTES_HEADER = "axis-routes"
# W3C Trace Context, version 00: optional, not signed, and no part of what a message says.
TRACE_HEADER = "traceparent"
# JSON object: this copy comes out of the store once more, see decision 0031; the axis's own word, as the routes are.
REPLAY_HEADER = "axis-replay"
