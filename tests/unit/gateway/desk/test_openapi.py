"""What the OpenAPI document says of both profiles holds, for requests that nobody thought of."""

import asyncio
import hashlib
import hmac
import importlib
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig

from axis.core.partners import Profile
from axis.errors import Refused
from axis.gateway.desk import DeskLimits
from axis.gateway.desk.signing import read_signed
from axis.gateway.desk.vxp import OPERATIONS as ANSWERED
from schemas.partner_openapi import partner_openapi
from tests.unit.gateway.desk.harness import REST, rig
from tests.vxp_client import VxpClient

requests: Any = importlib.import_module("requests")  # it comes with schemathesis, and tells no types
# What is otherwise imported deep inside hypothesis, at the first example: there pytest, which rewrites the asserts of
# a plugin's modules, may come to the end of what CPython 3.11 parses ("AST constructor recursion depth mismatch").
for lazy in ("generation.body_overrides", "generation.dictionaries", "transport.asgi", "transport.wsgi"):
    importlib.import_module(f"schemathesis.{lazy}")
DOCUMENT = partner_openapi("1")
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=SchemathesisConfig())
OPERATIONS: list[Any] = [found.ok() for found in SCHEMA.get_all_operations()]  # type: ignore[union-attr]  # ours are valid


def signed(headers: dict[bytes, bytes], client: VxpClient) -> dict[bytes, bytes]:
    """Sign what schemathesis made up, as a client signs whatever it was told to send."""
    said = {name.decode()[len("XroadVnpt-") :]: value.decode("utf-8", "replace") for name, value in headers.items()}
    said.pop("hash-header", None)
    return client.headers({name: value.strip() for name, value in said.items()})


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "replace")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_answer_is_one_that_is_documented(operation: Any, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        context = rig(tmp_path, DeskLimits(requests_per_second=1e6, burst=10**6, wait_seconds=0.2))
        desk = runner.run(context.__aenter__())
        lgsp = runner.run(desk.add(Profile.LGSP, REST, codes={}))
        vxp = runner.run(desk.add())
        client = desk.vxp(secret=vxp)

        @given(case=operation.as_strategy())
        @settings(
            max_examples=15,
            database=None,
            deadline=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def check(case: Any) -> None:
            runner.run(_check(desk.http, case, client, lgsp))

        check()
        runner.run(context.__aexit__(None, None, None))


async def _check(http: httpx.AsyncClient, case: Any, client: VxpClient, secret: str) -> None:
    # As schemathesis' own client writes it; what it cannot write was never a request.
    written = requests.Request(**case.as_transport_kwargs(base_url="http://gateway")).prepare()
    url = str(written.url)
    headers = {name.encode(): _bytes(value) for name, value in written.headers.items()}
    if "/vxp/" in url:
        made_up = {name: value for name, value in headers.items() if name.lower().startswith(b"xroadvnpt-")}
        sent = {name: value for name, value in headers.items() if name not in made_up} | signed(made_up, client)
    else:
        sent = headers | {b"X-SystemId": REST.encode(), b"X-SecretKey": secret.encode()}
    response = await http.request(written.method, url, headers=sent, content=written.body)
    described = case.operation.definition.raw["responses"]
    assert str(response.status_code) in described, response.text
    kind = response.headers["content-type"].partition(";")[0]
    schema = described[str(response.status_code)]["content"][kind].get("schema")
    if schema is not None:
        jsonschema.validate(response.json(), {**schema, "components": DOCUMENT["components"]})


@given(st.binary(max_size=300), st.binary(max_size=300))
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
def test_no_header_that_is_sent_is_a_fault_of_ours(text: bytes, names: bytes) -> None:
    digest = hmac.new(b"s", text, hashlib.sha256).hexdigest().encode()
    raw = [(b"xroadvnpt-sign-header", text), (b"xroadvnpt-sign-header-key", names), (b"xroadvnpt-hash-header", digest)]
    with pytest.raises(Refused):
        read_signed(raw)


def test_every_operation_of_the_desk_is_described() -> None:
    described = {path.rpartition("/")[2] for path in DOCUMENT["paths"] if path.startswith("/vxp/")}
    assert described == set(ANSWERED)
