"""Every answer is one that agency.openapi.json describes, and every address is in it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route

from axis.core.webhooks import call_for, name_of
from axis.gateway import Limits
from axis.gateway.api import api_routes
from schemas.agency_openapi import agency_openapi
from tests.builders import NOW
from tests.unit.gateway.api.office import Office, office

DOCUMENT = agency_openapi("1")
URL = "https://x.gov.vn/hook"


@pytest.fixture
async def axis(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as opened:
        yield opened


def validator(template: str, method: str, status: int) -> Draft202012Validator | None:
    response = DOCUMENT["paths"][template][method.lower()]["responses"][str(status)]
    for content in response.get("content", {}).values():
        return Draft202012Validator({**content["schema"], "components": DOCUMENT["components"]})
    return None


def test_every_address_is_described(axis: Office) -> None:
    served = {(each.path, method) for each in routes(axis) for method in each.methods or () if method != "HEAD"}
    described = {
        (path, verb.upper()) for path, verbs in DOCUMENT["paths"].items() for verb in verbs if verb != "parameters"
    }
    assert served == described


def routes(axis: Office) -> list[Route]:
    return api_routes(axis.api, Limits(), lambda endpoint: endpoint)


async def test_every_answer_is_as_described(axis: Office) -> None:
    envelope = await axis.send()
    await axis.report(envelope, "K99", "02", "sai thẩm quyền")
    await axis.report(envelope, "H37", "03")
    name = name_of(URL)
    put = {"json": {"url": URL, "events": ["status"]}}
    asked: list[tuple[str, str, str, dict[str, Any]]] = [
        ("PUT", "/v1/webhooks/{name}", f"/v1/webhooks/{name}", put),
        ("PUT", "/v1/webhooks/{name}", f"/v1/webhooks/{'0' * 64}", put),
        ("GET", "/v1/webhooks", "/v1/webhooks", {}),
        ("POST", "/v1/webhooks/{name}/retry", f"/v1/webhooks/{name}/retry", {}),
        ("DELETE", "/v1/webhooks/{name}", f"/v1/webhooks/{name}", {}),
        ("DELETE", "/v1/webhooks/{name}", f"/v1/webhooks/{name}", {}),
        ("GET", "/v1/documents", "/v1/documents", {}),
        ("GET", "/v1/documents", "/v1/documents?limit=x", {}),
        ("GET", "/v1/documents/{envelope}", f"/v1/documents/{envelope}", {}),
        ("GET", "/v1/changes", "/v1/changes", {}),
        ("GET", "/v1/changes", "/v1/changes?after=99999", {}),
        ("GET", "/v1/statuses", "/v1/statuses", {}),
        ("GET", "/v1/agencies", "/v1/agencies", {}),
    ]
    for code in ("G22", "H37", "Z01"):
        for method, template, path, more in asked:
            answer = await axis.ask(code, path, method, **more)
            if (described := validator(template, method, answer.status_code)) is not None:
                described.validate(answer.json())
            else:
                assert answer.content == b""
            if path == f"/v1/webhooks/{name}" and method == "PUT":
                (webhook,) = await axis.store.webhooks.webhooks(code)
                made = call_for(webhook, [], missed=True, identifier=webhook.id, at=NOW)
                assert made is not None
                await axis.store.webhooks.advance(webhook.id, 1, made.failed("it answers 500", NOW))
