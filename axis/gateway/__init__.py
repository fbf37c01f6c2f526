"""The HTTP gateway: the one door through which agencies reach attachments.

    PUT  /v1/blobs/{sha256}               store the body under its SHA-256
    HEAD /v1/blobs/{sha256}               is it there, for me?
    GET  /v1/blobs/{sha256}               the bytes; one Range is honoured
    GET  /v1/limits                       how large a blob may be, and how much a day
    GET  /v1/certificates/{thumbprint}    an enrolled certificate, to check a sender's signature with
    GET  /v1/health, /v1/health/live      readiness and liveness; no token
    GET  /metrics                         for Prometheus; no token, so a public proxy must not forward it

Every other request carries `Authorization: Bearer <token>`: a token made for this method and path by the agency's
own key (axis.trust.issue_token), valid for a minute; while it is, it may be used again for the same request.
Errors are application/problem+json with a stable `code`, which is also in the header `axis-code` (HEAD has no body).

A whole download is checked against its digest on the way, and breaks off short of its Content-Length if it does not
fit. A part (206) cannot be checked: who resumes a download checks the joined bytes. Uploads cannot be resumed. A client
that announces a large body should send `Expect: 100-continue`: a refusal then comes before the bytes.
"""

from axis.gateway.app import create_app
from axis.gateway.enrolled import Enrolled
from axis.web.limits import Limits

__all__ = ["Enrolled", "Limits", "create_app"]
