"""What the console shows of itself: pages by their route, never an address or a name."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from axis.console.metrics import Counted, Metrics


async def _document(request: Request) -> Response:
    if request.path_params["id"] == "broken":
        raise RuntimeError("a fault of ours")
    return PlainTextResponse("here")


async def test_requests_are_counted_by_route_and_nothing_of_an_address_is_a_label() -> None:
    metrics = Metrics(lambda: 7)
    app = Counted(Starlette(routes=[Route("/documents/{id}", _document)]), metrics)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as browser:
        for name in ("H37", "7816"):
            await browser.get(f"/documents/{name}?q=secret")
        await browser.get("/wp-login.php")
        await browser.request("BREW", "/documents/1")
        with pytest.raises(RuntimeError):
            await browser.get("/documents/broken")
    counted = {
        tuple(sample.labels.values()): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name in {"axis_console_requests_total", "axis_console_streams"}
    }
    assert counted == {
        ("/documents/{id}", "GET", "200"): 2,
        ("/documents/{id}", "GET", "500"): 1,
        ("/documents/{id}", "other", "405"): 1,
        ("other", "GET", "404"): 1,
        (): 7,
    }
