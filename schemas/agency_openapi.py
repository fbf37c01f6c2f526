"""The OpenAPI 3.1 document of the agency API: an agency's documents, its changes, the directory, its webhooks."""

from typing import Any

from schemas import openapi as gateway
from schemas.base import CODE_PATTERN, SHA256_PATTERN, UUID7_PATTERN

_TEXT: dict[str, Any] = {"type": "string"}
_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_CODE: dict[str, Any] = {"type": "string", "pattern": CODE_PATTERN}
_ID: dict[str, Any] = {"type": "string", "pattern": UUID7_PATTERN}
_TRANSPORT: dict[str, Any] = {"enum": ["accepted", "held", "routed", "taken", "withdrawn", "undeliverable"]}
_KIND: dict[str, Any] = {
    "enum": ["accepted", "delivered", "held", "undeliverable", "withdrawn", "status", "conversation", "late"]
}


def agency_openapi(version: str) -> dict[str, Any]:
    """Build the document; tokens and problems are those of the gateway."""
    shared = gateway.openapi(version)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The axis: agency API",
            "version": version,
            "description": "What an agency's own system may ask about its own documents. The token is the gateway's, "
            "signed by the agency's own key; its `htu` is the path without query. See docs/integrators/api.md.",
            "license": shared["info"]["license"],
        },
        "servers": shared["servers"],
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": shared["components"]["securitySchemes"],
            "schemas": {"Problem": shared["components"]["schemas"]["Problem"], **_schemas()},
        },
    }


def _paths() -> dict[str, Any]:
    pages = [_query("limit", {"type": "integer", "minimum": 1, "maximum": 100})]
    after = _query("after", {"type": "string", "pattern": "^([0-9]{1,19}|latest)$"})
    pruned = {"410": _problem("api/cursor-pruned.")}
    found = [
        _query("words", {"type": "string", "maxLength": 500}),
        _query("number", {"type": "string", "maxLength": 500}),
        _query("sender", _CODE),
        _query("recipient", _CODE),
        _query("since", _TIME),
        _query("until", _TIME),
        _query("state", _TRANSPORT),
        _query("status", {"type": "string", "maxLength": 500}),
        _query("side", {"enum": ["sent", "received"]}),
        _query("before", _ID),
        *pages,
    ]
    long = {"type": "integer", "minimum": 1, "maximum": 200}
    directory = [
        _query("at", _TIME),
        _query("below", _CODE),
        _query("after", _CODE),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000}),
    ]
    named = [gateway.parameter("name", SHA256_PATTERN, "SHA-256 of the url, lower-case hexadecimal.")]
    unknown = {"404": _problem("webhook/unknown.")}
    wanted = _object({"url": {"type": "string", "maxLength": 500}}, events={"type": "array", "items": _KIND})
    return {
        "/v1/documents": {"get": _get("findDocuments", "Find own documents", "Documents", found)},
        "/v1/documents/{envelope}": {
            "parameters": [gateway.parameter("envelope", UUID7_PATTERN, "Its envelope id.")],
            "get": _get(
                "getDocument", "What became of one", "Document", [], {"404": _problem("api/unknown-document.")}
            ),
        },
        "/v1/changes": {
            "get": _get(
                "getChanges",
                "What changed behind a number; waits for it",
                "Changes",
                [after, _query("wait", {"type": "integer", "minimum": 0, "maximum": 30}), _query("limit", long)],
                pruned,
            )
        },
        "/v1/statuses": {
            "get": _get(
                "getStatuses", "The statuses behind a number", "Statuses", [after, _query("limit", long)], pruned
            )
        },
        "/v1/agencies": {
            "get": _get(
                "getAgencies",
                "The directory as of a date",
                "Agencies",
                directory,
                {"304": {"description": "As it was."}},
            )
        },
        "/v1/webhooks": {"get": _get("getWebhooks", "Own webhooks", "Webhooks", [])},
        "/v1/webhooks/{name}": {
            "parameters": named,
            "put": {
                **_get("putWebhook", "Be called; safe to repeat", "Webhook", [], unknown),
                "requestBody": {"required": True, "content": {"application/json": {"schema": wanted}}},
            },
            "delete": {
                **_get("deleteWebhook", "Be called no more", None, [], {**unknown, "204": {"description": "Done."}}),
            },
        },
        "/v1/webhooks/{name}/retry": {
            "parameters": named,
            "post": _get("retryWebhook", "Have calls made again that were put aside", "Retried", [], unknown),
        },
    }


def _get(
    name: str,
    summary: str,
    schema: str | None,
    parameters: list[dict[str, Any]],
    more: dict[str, Any] | None = None,
) -> dict[str, Any]:
    ok = {} if schema is None else {"200": gateway.answer(summary, "application/json", schema)}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": {
            **ok,
            "400": _problem("http/query, webhook/address, webhook/malformed."),
            "401": _problem("token/…, signature/…, certificate/…, abuse/signer."),
            "403": _problem("api/not-own."),
            "409": _problem("webhook/too-many."),
            "429": _problem("limit/requests: ask again after Retry-After."),
            "503": _problem("axis/unavailable, http/busy: ask again after Retry-After."),
            **(more or {}),
        },
    }


def _schemas() -> dict[str, Any]:
    delivery = _object(
        {"recipient": _CODE, "transport": _TRANSPORT, "since": _TIME},
        **dict.fromkeys(("business", "mailbox", "waiting_for", "reason", "detail"), _TEXT),
        **dict.fromkeys(("delivered_at", "arrived_at", "accepted_at", "finished_at"), _TIME),
        **dict.fromkeys(("arrive_by", "accept_by", "finish_by"), _TIME),
    )
    head: dict[str, Any] = {"envelope": _ID, "side": {"enum": ["sent", "received"]}, "sender": _CODE, "action": _TEXT}
    head |= {"lane": _TEXT, "subject": _TEXT, "document_id": _TEXT, "sent_at": _TIME, "accepted_at": _TIME}
    texts = dict.fromkeys(("number", "notation", "issued_on", "kind", "priority", "due_on", "concerns"), _TEXT)
    entry = _object(head | {"recipients": _COUNT}, **texts, open=_COUNT, deliveries=_list(delivery))
    said = dict.fromkeys(("id", "reporter", "effect", "reason"), _TEXT)
    status = _object({"code": _TEXT, "received_at": _TIME}, **said, at=_TIME, recipients=_list(_CODE))
    item = _object({"seq": _COUNT, "kind": _KIND, "envelope": _ID, "at": _TIME}, recipient=_CODE, code=_TEXT)
    heard = _object(
        {"seq": _COUNT, "envelope": _ID, "received_at": _TIME}, **said, at=_TIME, recipient=_CODE, code=_TEXT
    )
    on = {"next": _COUNT, "more": {"type": "boolean"}}
    agency = _object(
        {"code": _CODE, "name": _TEXT, "valid_from": _TIME},
        valid_to=_TIME,
        **dict.fromkeys(("code102", "successor", "mailbox"), _TEXT),
    )
    call = _object(
        {"id": _ID, "state": {"enum": ["waiting", "dead"]}, "events": _COUNT, "attempts": _COUNT, "due_at": _TIME},
        tried_at=_TIME,
        told=_TEXT,
    )
    webhook = {"name": _TEXT, "url": _TEXT, "events": _list(_KIND), "after": _COUNT, "added_at": _TIME}
    webhook |= {"added_by": {"enum": ["agency", "operator"]}, "waiting": _COUNT, "dead": _COUNT, "calls": _list(call)}
    follows = {"type": ["string", "null"]}
    return {
        "Documents": _object({"documents": _list(entry), "next": follows}),
        "Document": _object(
            head
            | {"sha256": _TEXT, "addressed": _list(_CODE), "deliveries": _list(delivery), "statuses": _list(status)}
            | {"conversations": _list({"type": "object"})},
            concerns=_TEXT,
        ),
        "Changes": _object({"changes": _list(item), **on}),
        "Statuses": _object({"statuses": _list(heard), **on}),
        "Agencies": _object({"agencies": _list(agency), "next": follows}),
        "Webhook": _object(webhook),
        "Webhooks": _object({"webhooks": _list(_object(webhook))}),
        "Retried": _object({"requeued": _COUNT}),
    }


def _object(needed: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [*needed],
        "properties": {**needed, **more},
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _problem(description: str) -> dict[str, Any]:
    return gateway.answer(description, "application/problem+json", "Problem")
