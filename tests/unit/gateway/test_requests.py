"""What a request must be before anybody looks at what it wants."""

from collections.abc import AsyncIterator

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from axis.gateway.metrics import Metrics
from axis.gateway.observing import Observed
from axis.gateway.requests import Plain

LIMIT = 1_000


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async def hello(_: object) -> PlainTextResponse:
        return PlainTextResponse("hello")

    app = Starlette(
        routes=[Route("/", hello)],
        middleware=[
            Middleware(Observed, metrics=Metrics(), log=structlog.get_logger()),
            Middleware(Plain, header_bytes=LIMIT),
        ],
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as inside:
        yield inside


async def test_headers_up_to_the_limit_are_passed_on(client: httpx.AsyncClient) -> None:
    assert (await client.get("/", headers={"x": "y" * (LIMIT // 2)})).text == "hello"


async def test_headers_over_the_limit_in_one_piece(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers={"x": "y" * LIMIT})
    assert (answer.status_code, answer.headers["axis-code"]) == (431, "http/headers")
    assert answer.json()["title_vi"]


async def test_two_lengths(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers={"content-length": "1", "transfer-encoding": "chunked"})
    assert (answer.status_code, answer.headers["axis-code"]) == (400, "http/length")
