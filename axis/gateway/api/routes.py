"""The addresses of the agency API."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from axis.gateway.api.agencies import Agencies
from axis.gateway.api.agency import AgencyApi
from axis.gateway.api.changes import Changes
from axis.gateway.api.documents import Documents
from axis.gateway.api.webhooks import Webhooks
from axis.web.limits import Limits

Endpoint = Callable[[Request], Awaitable[Response]]


def api_routes(api: AgencyApi, limits: Limits, guarded: Callable[[Endpoint], Endpoint]) -> list[Route]:
    """Build the routes; `guarded` turns an endpoint's errors into answers."""
    documents, changes = Documents(api), Changes(api)
    webhooks = Webhooks(api, limits)
    return [
        Route("/v1/documents", guarded(documents.page), methods=["GET"]),
        Route("/v1/documents/{envelope}", guarded(documents.one), methods=["GET"]),
        Route("/v1/statuses", guarded(changes.statuses), methods=["GET"]),
        Route("/v1/changes", guarded(changes.changes), methods=["GET"]),
        Route("/v1/agencies", guarded(Agencies(api).page), methods=["GET"]),
        Route("/v1/webhooks", guarded(webhooks.page), methods=["GET"]),
        Route("/v1/webhooks/{name}", guarded(webhooks.put), methods=["PUT"]),
        Route("/v1/webhooks/{name}", guarded(webhooks.remove), methods=["DELETE"]),
        Route("/v1/webhooks/{name}/retry", guarded(webhooks.retry), methods=["POST"]),
    ]
