"""The OpenAPI 3.1 document of what existing document systems call at the gateway: the VXP and the LGSP interface."""

from typing import Any

from schemas.reasons import GROUPS

_PREFIX = "XroadVnpt-"
_SIGNED = """\
Every parameter is a header XroadVnpt-<name>. XroadVnpt-sign-header is the JSON text of all of them, systemid and
timestamp among them; XroadVnpt-sign-header-key their names without the prefix, joined by `;`; XroadVnpt-hash-header the
hexadecimal HMAC-SHA256 of that text under the system's secret. What is not signed is ignored."""
_TEXT: dict[str, Any] = {"type": "string"}
_TIME = {"type": "string", "description": "yyyy/MM/dd HH:mm:ss, Vietnam time."}
_STATE = {"type": "string", "enum": ["initial", "processing", "done", "fail"]}
_KIND = {"type": "string", "enum": ["edoc", "status"]}
_BASE64 = {"type": "string", "contentEncoding": "base64", "description": "The whole edXML package."}
_FILE = {"type": "string", "format": "binary"}


def partner_openapi(version: str) -> dict[str, Any]:
    """Build the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The axis: existing document systems",
            "version": version,
            "description": "The interfaces that document systems speak already. Packages are edXML (QCVN 102:2016).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The gateway's address."}],
        "x-codes": {reason.code: reason.title_vi for reason in GROUPS["Existing document systems"]},
        "paths": {**_vxp(), **_lgsp()},
        "components": {
            "securitySchemes": {
                "vxp": {"type": "apiKey", "in": "header", "name": f"{_PREFIX}hash-header", "description": _SIGNED},
                "systemId": {"type": "apiKey", "in": "header", "name": "X-SystemId"},
                "secretKey": {"type": "apiKey", "in": "header", "name": "X-SecretKey"},
            },
            "schemas": _schemas(),
        },
    }


def _schemas() -> dict[str, Any]:
    code = {"type": "string", "description": "With FAIL: one of the stable codes (docs/reasons.md)."}
    return {
        "VxpAnswer": {
            "type": "object",
            "required": ["status", "ErrorCode", "ErrorDesc"],
            "properties": {
                "status": {"enum": ["OK", "FAIL"]},
                "ErrorCode": {"type": "string", "pattern": "^[0-9]+$", "description": "0, or the connection guide's."},
                "ErrorDesc": _TEXT,
                "DocId": _TEXT,
                "data": {},
                "code": code,
            },
        },
        "LgspAnswer": {
            "type": "object",
            "required": ["success", "status", "errorCode", "errorDesc"],
            "properties": {
                "success": {"type": "boolean"},
                "status": {"enum": ["OK", "FAIL"]},
                "errorCode": {"type": "integer", "description": "0, 10, 15, 18, 19, 20, 21, 22 or 23."},
                "errorDesc": _TEXT,
                "message": _TEXT,
                "count": {"type": "integer"},
                "docId": _TEXT,
                "data": {},
                "code": code,
            },
        },
        "VxpReceived": _object(
            docId=_TEXT,
            serviceType=_TEXT,
            messageType=_KIND,
            created_time=_TIME,
            updated_time=_TIME,
            **{"from": _TEXT, "to": _TEXT, "status": _STATE, "status_desc": _TEXT},
        ),
        "VxpSent": _object(
            **dict.fromkeys(
                ("serviceType", "senderDocId", "receiverDocId", "fromCode", "toCode", "title", "notation", "sentTime"),
                _TEXT,
            ),
            **dict.fromkeys(("receivedTime", "sendStatusDesc", "receiveStatusDesc"), _TEXT),
            messageType=_KIND,
            sendStatus=_STATE,
            receiveStatus=_STATE,
        ),
        "LgspReceived": _object(
            docId=_TEXT,
            serviceType=_TEXT,
            messageType=_KIND,
            createdTime=_TIME,
            updatedTime=_TIME,
            **{"from": _TEXT, "to": _TEXT, "status": _STATE, "statusDesc": _TEXT},
        ),
        "LgspPackage": _object(docId=_TEXT, fromName=_TEXT, edocCode=_TEXT, edocAbstract=_TEXT, edxml=_BASE64)
        | {"description": "`from` is the sender's code."},
    }


def _vxp() -> dict[str, Any]:
    listed = {"servicetype": _TEXT, "messagetype": _KIND, "fromDate": _TEXT, "toDate": _TEXT, "status": _STATE}
    paged = {"pageSize": _number(), "pageIndex": _number()}
    doc = {"docId": _TEXT}
    form = {"multipart/form-data": {"schema": _object(file_doc=_FILE)}}
    wish = {"application/json": {"schema": {"type": "object", "required": ["code"], "properties": {"code": _TEXT}}}}
    rows = {"type": "array", "items": {"type": "object"}}
    return {
        f"/vxp/{name}": {
            "post": {
                "operationId": f"vxp_{name}",
                "summary": summary,
                "security": [{"vxp": []}],
                "parameters": [_header(each, schema, each in needed) for each, schema in parameters.items()],
                **({} if body is None else {"requestBody": {"required": True, "content": body}}),
                "responses": _answers("VxpAnswer", data),
            }
        }
        for name, summary, parameters, needed, body, data in (
            (
                "sendEdoc",
                "Send a package; safe to repeat",
                {"servicetype": _TEXT, "messagetype": _KIND, "from": _TEXT, "hash-file": _TEXT},
                {"messagetype", "hash-file"},
                form,
                {},
            ),
            ("getReceivedEdocList", "List what lies ready", {**listed, "to": _TEXT, **paged}, {"messagetype"}, None,
             _list("VxpReceived")),
            ("getEdoc", "Fetch a package", doc, {"docId"}, None, _BASE64),
            ("updateStatus", "Say how far a package is", {**doc, "status": _STATE, "description": _TEXT},
             {"docId", "status"}, None, {}),
            ("getSentEdocList", "List what was sent", {"messagetype": _KIND, **doc, **paged}, set(), None,
             _list("VxpSent")),
            ("countReceiveEdoc", "Count the documents that wait", {}, set(), None, {"type": "integer"}),
            ("countReceiveStatus", "Count the statuses that wait", {}, set(), None, {"type": "integer"}),
            ("getAgenciesList", "List the organisations", {}, set(), None, rows),
            ("getAgenciesListQD20", "List them by level", {"level": _number()}, set(), None, rows),
            ("getSynchronizeUnit", "List them with their changes", {}, set(), None, rows),
            ("registerAgency", "Wish a code to be served", {}, set(), wish, {}),
            ("deleteAgency", "Wish a code not to be served", {"AgencyCode": _TEXT}, {"AgencyCode"}, None, {}),
        )
    } | {"/vxp/downloadEdoc": _download()}  # fmt: skip


def _download() -> dict[str, Any]:
    answers = _answers("VxpAnswer", {})
    answers["200"]["content"]["application/xml"] = {}
    return {
        "post": {
            "operationId": "vxp_downloadEdoc",
            "summary": "Fetch a package as it is",
            "security": [{"vxp": []}],
            "parameters": [_header("docId", _TEXT, needed=True)],
            "responses": answers,
        }
    }


def _lgsp() -> dict[str, Any]:
    fields = {"type": "object", "required": ["edocFile", "messageType"]} | {
        "properties": {"edocFile": _FILE, "messageType": _KIND}
    }
    said = {"type": "object", "required": ["docId", "status"]} | {
        "properties": {"docId": _TEXT, "status": {"enum": ["processing", "done", "fail"]}, "description": _TEXT}
    }
    listed = {"messageType": _KIND, "fromDate": _TEXT, "toDate": _TEXT, "status": _STATE, "to": _TEXT}
    return {
        "/lgsp/v1/sendEdoc": {"post": _rest("sendEdoc", "Send a package; safe to repeat", {}, {
            "multipart/form-data": {"schema": fields}}, _object(docId=_TEXT))},
        "/lgsp/v1/syncReceivedEdocList": {"get": _rest("syncReceivedEdocList", "List what lies ready", {
            **listed, "pageSize": _number(), "pageIndex": _number()}, None, _list("LgspReceived"))},
        "/lgsp/v1/getEdoc": {"get": _rest("getEdoc", "Fetch a package", {"docId": _TEXT}, None, {
            "$ref": "#/components/schemas/LgspPackage"})},
        "/lgsp/v1/updateStatus": {"post": _rest("updateStatus", "Say how far a package is", {}, {
            "application/json": {"schema": said}}, {})},
    }  # fmt: skip


def _rest(
    name: str, summary: str, query: dict[str, Any], body: dict[str, Any] | None, data: dict[str, Any]
) -> dict[str, Any]:
    needed = {"messageType", "docId"}
    return {
        "operationId": f"lgsp_{name}",
        "summary": summary,
        "security": [{"systemId": [], "secretKey": []}],
        "parameters": [
            {"name": each, "in": "query", "required": each in needed, "schema": schema}
            for each, schema in query.items()
        ],
        **({} if body is None else {"requestBody": {"required": True, "content": body}}),
        "responses": _answers("LgspAnswer", data),
    }


def _answers(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Describe the answers: with OK the data are as described, with FAIL there are none."""
    base = {"$ref": f"#/components/schemas/{kind}"}
    fine: dict[str, Any] = base
    if data:
        fine = {
            "allOf": [base],
            "if": {"properties": {"status": {"const": "OK"}}},
            "then": {"required": ["data"], "properties": {"data": data}},
            "else": {"required": ["code"]},
        }
    again = {"application/json": {"schema": base}}
    return {
        "200": {"description": "OK, or FAIL with a code.", "content": {"application/json": {"schema": fine}}},
        "429": {"description": "Too often: again after Retry-After.", "content": again},
        "503": {"description": "Something is away: again after Retry-After.", "content": again},
    }


def _header(name: str, schema: dict[str, Any], needed: bool) -> dict[str, Any]:
    return {"name": f"{_PREFIX}{name}", "in": "header", "required": needed, "schema": schema}


def _list(schema: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}}


def _number() -> dict[str, Any]:
    return {"type": "integer", "minimum": 0}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": sorted(properties), "properties": properties}
