"""The addresses of the desk."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from axis.gateway.desk.answering import Transfers
from axis.gateway.desk.desk import Desk
from axis.gateway.desk.lgsp import Lgsp
from axis.gateway.desk.vxp import Vxp
from axis.gateway.metrics import Metrics
from axis.web.limits import Limits

Endpoint = Callable[[Request], Awaitable[Response]]


def desk_routes(
    desk: Desk, limits: Limits, metrics: Metrics, guarded: Callable[[Endpoint], Endpoint]
) -> tuple[Route, ...]:
    """Return the routes; `guarded` turns what an endpoint does not answer itself into an answer."""
    transfers = Transfers(desk, limits, metrics)
    metrics.agencies.labels("connected").set_function(lambda: sum(desk.agencies.states.values()))
    metrics.agencies.labels("away").set_function(lambda: sum(not each for each in desk.agencies.states.values()))
    return (
        Route("/vxp/{operation}", guarded(Vxp(desk, transfers).__call__), methods=["POST"]),
        Route("/lgsp/v1/{operation}", guarded(Lgsp(desk, transfers).__call__), methods=["GET", "POST"]),
    )
