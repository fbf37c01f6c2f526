"""The agency API: what an agency's own system may ask about its own documents, and where it wants to be called.

    GET    /v1/documents                   its documents, sent and received, the newest first
    GET    /v1/documents/{envelope}        what became of one
    GET    /v1/statuses?after=             the statuses on its documents, in order
    GET    /v1/changes?after=&wait=        everything that changed for it, in order; waits for the next
    GET    /v1/agencies?at=                the directory as of a date
    PUT    /v1/webhooks/{name}             be called about changes; the name is the SHA-256 of the address
    DELETE /v1/webhooks/{name}
    POST   /v1/webhooks/{name}/retry       have calls made again that were put aside
    GET    /v1/webhooks

Every request carries a token as for blobs, here only by the agency's own key. What an agency is not to see is answered
as if it were not there.
"""

from axis.gateway.api.agency import AgencyApi
from axis.gateway.api.routes import api_routes

__all__ = ["AgencyApi", "api_routes"]
