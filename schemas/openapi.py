"""The OpenAPI 3.1 document of the gateway: files by digest, certificates by thumbprint, and the log of receipts."""

from typing import Any

from schemas import examples
from schemas.base import CODE_PATTERN, SHA256_PATTERN, THUMBPRINT_PATTERN, UUID7_PATTERN
from schemas.reasons import HTTP
from schemas.reasons.http import STATUS

_BEARER = """\
A compact JWS (RFC 7515) made anew for each request with the agency's enrolled key:
header {"alg":A,"typ":"axis-token","x5t#S256":T} as for signatures, without b64 and crit;
claims {"iss":code,"aud":"axis-gateway","iat":now,"exp":now+60,"htm":method,"htu":path}, exactly these; times in whole
seconds, at most 120 apart; `htu` the path of the request as sent, without query. `code` is the account. Such a token is
good for nothing but its one request. `x-token-example` has every intermediate value for the Ed25519 key of the
signature example."""


def openapi(version: str) -> dict[str, Any]:
    """Build the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The axis: gateway",
            "version": version,
            "description": "Files do not travel in messages. Upload each before the envelope that names it; recipients "
            "download it by its digest. Who may not read a blob is told that there is none.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The gateway's address in your profile."}],
        "security": [{"token": []}],
        # Beside the codes of x-reasons in axis.asyncapi.json, those that only HTTP can cause.
        "x-http-codes": {
            code: {
                "status": status,
                "title": HTTP[code].title,
                "title_vi": HTTP[code].title_vi,
                "remedy": HTTP[code].remedy,
                "remedy_vi": HTTP[code].remedy_vi,
            }
            for code, status in STATUS.items()
        },
        "paths": {
            "/v1/blobs/{sha256}": _blobs(),
            "/v1/limits": _limits(),
            "/v1/certificates/{thumbprint}": _certificates(),
            "/v1/sealing-keys": _sealing_keys(),
            "/v1/receipts/{receipt}/proof": _proofs(),
            "/log/{file}": _log(),
        },
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWS",
                    "description": _BEARER,
                    "x-token-example": examples.token_example(),
                }
            },
            "schemas": {
                "Problem": {
                    "type": "object",
                    "description": "RFC 9457; `code` is one of the stable codes (x-reasons in axis.asyncapi.json, or "
                    "x-http-codes here). It is also in the header `axis-code`.",
                    "required": ["code", "title"],
                    "properties": {
                        name: {"type": "string"}
                        for name in ("code", "title", "title_vi", "detail", "remedy", "remedy_vi")
                    }
                    | {"status": {"type": "integer"}, "retry": {"type": "boolean"}},
                },
                "LogProof": {
                    "type": "object",
                    "required": ["log", "timestamp"],
                    "properties": {"log": {"type": "string"}, "timestamp": {"type": ["string", "null"]}},
                },
                "Stored": {
                    "type": "object",
                    "required": ["sha256", "size"],
                    "properties": {"sha256": {"type": "string"}, "size": {"type": "integer"}},
                },
            },
        },
    }


def _blobs() -> dict[str, Any]:
    return {
        "parameters": [parameter("sha256", SHA256_PATTERN, "SHA-256 of the bytes, lower-case hexadecimal.")],
        "put": {
            "operationId": "putBlob",
            "summary": "Store a file; safe to repeat",
            "description": "The bytes as they are, no form, no Content-Range. Announce a large one with "
            "`Expect: 100-continue`: a refusal then comes before the bytes.",
            "requestBody": {"required": True, "content": {"application/octet-stream": {}}},
            "responses": {
                "201": answer("Stored, on disk, and recorded as yours.", "application/json", "Stored"),
                "400": _problem("blob/digest: the bytes do not have the digest in the address; http/content-range."),
                "401": _unproven(),
                "408": _problem("http/slow."),
                "413": _problem("blob/too-large: the limit is in `detail`; refused before the upload."),
                "429": _problem("limit/…: more than your share; try again after Retry-After."),
                "503": _problem("axis/unavailable, http/busy: try again after Retry-After."),
            },
        },
        "head": {
            "operationId": "hasBlob",
            "summary": "Ask whether a file is there for you",
            "responses": {
                "200": {"description": "It is; Content-Length is its size."},
                "401": {"description": "The code is in the header axis-code."},
                "404": {"description": "No."},
            },
        },
        "get": {
            "operationId": "getBlob",
            "summary": "Download a file",
            "description": "A single byte range may be asked for to go on where a download broke off. Check the digest "
            "of what you have: a connection that ends early was cut because the bytes turned out to be wrong.",
            "responses": {
                "200": {"description": "The bytes.", "content": {"application/octet-stream": {}}},
                "206": {"description": "The range asked for.", "content": {"application/octet-stream": {}}},
                "307": {"description": "The bytes are at Location, for a short time; ask there without the token."},
                "401": _unproven(),
                "404": _problem("blob/not-found: not there, or not yours to read."),
                "416": _problem("http/range: outside the file."),
                "503": _problem("axis/unavailable, http/busy: try again after Retry-After."),
            },
        },
    }


def _limits() -> dict[str, Any]:
    names = ("blob_bytes", "uploads_per_day", "upload_bytes_per_day")
    told = {"type": "object", "required": [*names], "properties": {n: {"type": ["integer", "null"]} for n in names}}
    ok = {"description": "What you may bring; null: no limit.", "content": {"application/json": {"schema": told}}}
    return {
        "get": {
            "operationId": "getLimits",
            "summary": "Ask how large a file may be, and how much a day",
            "responses": {"200": ok, "401": _unproven()},
        }
    }


def _certificates() -> dict[str, Any]:
    ok: dict[str, Any] = {
        "description": "The certificate, and for whom it is enrolled.",
        "content": {"application/json": {"schema": {"$ref": "./certificate.schema.json"}}},
    }
    return {
        "parameters": [parameter("thumbprint", THUMBPRINT_PATTERN, "x5t#S256 of a signature.")],
        "get": {
            "operationId": "getCertificate",
            "summary": "Fetch a certificate to verify a signature with",
            "responses": {"200": ok, "401": _unproven(), "404": _problem("certificate/unknown")},
        },
    }


def _sealing_keys() -> dict[str, Any]:
    way: dict[str, Any] = {
        "type": "object",
        "required": ["recipient"],
        "properties": {
            "recipient": {"type": "string"},
            "mailbox": {"type": "string", "description": "Where its documents go now; a key is wrapped for it."},
            "via": {"type": "array", "items": {"type": "string"}},
            "code": {"type": "string", "description": "Why its documents go nowhere."},
            "detail": {"type": "string"},
        },
    }
    sealing: dict[str, Any] = {
        "type": "object",
        "required": ["recipients", "certificates"],
        "properties": {
            "recipients": {"type": "array", "items": way},
            "certificates": {
                "type": "array",
                "description": "Every valid one of role sealing of these mailboxes: take the one that began last.",
                "items": {"$ref": "./certificate.schema.json"},
            },
        },
    }
    recipients = {"type": "array", "minItems": 1, "maxItems": 200, "items": {"type": "string", "pattern": CODE_PATTERN}}
    return {
        "parameters": [
            {
                "name": "to",
                "in": "query",
                "required": True,
                "description": "The recipients, each as to=CODE. The token's `htu` is the path alone.",
                "schema": recipients,
            }
        ],
        "get": {
            "operationId": "getSealingKeys",
            "summary": "Ask for which certificates a document to these recipients is sealed",
            "responses": {
                "200": {
                    "description": "Where each leads now, and the certificates.",
                    "content": {"application/json": {"schema": sealing}},
                },
                "400": _problem("http/query."),
                "401": _unproven(),
            },
        },
    }


def _proofs() -> dict[str, Any]:
    return {
        "parameters": [parameter("receipt", UUID7_PATTERN, "Id of a receipt.")],
        "get": {
            "operationId": "getProof",
            "summary": "Fetch the proof that a receipt is in the log",
            "description": "Put it, with the receipt's exact text and its signature, into one file as "
            "proof.schema.json has it: that can be verified for ever, offline.",
            "responses": {
                "200": answer("The proof, and a timestamp where there is one.", "application/json", "LogProof"),
                "401": _unproven(),
                "404": _problem("log/not-logged: not yet, or no such receipt."),
                "503": _problem("axis/unavailable, http/busy: try again after Retry-After."),
            },
        },
    }


def _log() -> dict[str, Any]:
    return {
        "parameters": [parameter("file", "^(checkpoint|timestamp/.+|tile/.+)$", "A file of c2sp.org/tlog-tiles.")],
        "get": {
            "operationId": "getLogFile",
            "summary": "Read the log of receipts",
            "description": "Without a token: an entry is {schema, kind, id, sha256, signature_sha256}, digests of a "
            "receipt and of its signature, nothing of its content. `timestamp/<size>` (TimeStampResp of RFC 3161) is "
            "beside the files that c2sp.org/tlog-tiles has.",
            "security": [],
            "responses": {
                "200": {"description": "The file.", "content": {"application/octet-stream": {}, "text/plain": {}}},
                "404": _problem("log/not-found"),
                "503": _problem("axis/unavailable, http/busy: try again after Retry-After."),
            },
        },
    }


def parameter(name: str, pattern: str, description: str) -> dict[str, Any]:
    """Describe a part of the path."""
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def answer(description: str, media_type: str, schema: str) -> dict[str, Any]:
    """Describe an answer with a body of one of the schemas."""
    content = {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _unproven() -> dict[str, Any]:
    return _problem("token/…, signature/…, certificate/…, abuse/signer.")


def _problem(description: str) -> dict[str, Any]:
    return answer(description, "application/problem+json", "Problem")
