"""The AsyncAPI 3.0 document: channels, operations, headers, security, examples, and how to sign."""

from typing import Any

from schemas import examples, wire
from schemas.reasons import REASONS

_SIGNING = """\
Every envelope and status carries a detached JWS (RFC 7515 appendix F, RFC 7797 with b64=false) in the message header
`axis-signature`, made over the exact bytes of the body:

1. Write the body as UTF-8 JSON. These bytes are what is signed and what is sent; nobody re-serialises them.
2. Protected header, JSON without spaces, exactly these members:
   {"alg":A,"b64":false,"crit":["b64"],"x5t#S256":T}
   A is EdDSA (Ed25519), ES256 (P-256; the signature is the 64 bytes r||s, not DER), PS256 or RS256 (RSA of 2048 bits
   or more). T is the base64url of the SHA-256 of the enrolled DER certificate.
3. segment = BASE64URL(header); all base64url is without padding.
4. signature = sign(ASCII(segment) + "." + body).
5. axis-signature: segment + ".." + BASE64URL(signature).

`x-signature-example` has every intermediate value for an Ed25519 key, which any library must reproduce. To verify a
delivered document or a forwarded status, fetch the certificate by its thumbprint from the gateway
(GET /v1/certificates/{thumbprint}) and check that its organisation is the sender (reporter) or above it. Receipts are
signed by the axis; pin its certificate, which came with your profile."""

_DESCRIPTION = f"""\
Agencies exchange signed electronic documents over RabbitMQ (AMQP 0-9-1). An agency has one account named by its code,
publishes under its own code (or a unit's below it) and reads its own three queues; everything else the broker refuses.

Publish persistent (delivery_mode 2), mandatory, with publisher confirms, with `user_id` set to the account. A confirm
means the message is on disk; the receipt says what the axis made of it. If a confirm is lost, publish the same bytes
again: the id makes it the same message, and the receipt comes again.

Consume with manual acks; ack when the document is safe with you. The same envelope can come twice: drop repeats by id.
A mailbox serves every recipient that is its own code, and those that the header `{wire.ROUTES_HEADER}` names: a JSON
object of mailbox -> positions (from 0) in the envelope's `recipients`.

Files do not travel in messages: upload them to the gateway first (gateway.openapi.json), name them by SHA-256.

{_SIGNING}"""


def asyncapi(version: str) -> dict[str, Any]:
    """Build the document; bodies refer to the JSON Schema files beside it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "The axis: exchange of signed electronic documents",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": wire.ENVELOPE_MEDIA_TYPE,
        "servers": {
            "broker": {
                "host": "{host}:{port}",
                "protocol": "amqps",
                "protocolVersion": "0-9-1",
                "pathname": "/axis",
                "description": "The broker; your profile names it. Plain amqp only on loopback.",
                "variables": {"host": {"default": "localhost"}, "port": {"default": "5671"}},
                "security": [{"$ref": "#/components/securitySchemes/account"}],
            }
        },
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "messages": _messages(),
            "messageTraits": {"signed": {"headers": _headers()}},
            "parameters": {
                "lane": {"description": "urgent for every priority but normal.", "enum": ["urgent", "normal"]},
                "code": {"description": "An identifier code in canonical form, such as H37.05."},
            },
            "securitySchemes": {
                "account": {
                    "type": "userPassword",
                    "description": "Account = the mailbox's code. `user_id` of each message must be the same.",
                }
            },
        },
        "x-signature-example": examples.signature_example(),
        "x-reasons": [
            {
                "code": reason.code,
                "title": reason.title,
                "remedy": reason.remedy,
                "fault": reason.fault.value,
                "retry_same_bytes": reason.retry,
            }
            for reason in REASONS.values()
        ],
    }


def _channels() -> dict[str, Any]:
    both = {"lane": {"$ref": "#/components/parameters/lane"}, "code": {"$ref": "#/components/parameters/code"}}
    code = {"code": {"$ref": "#/components/parameters/code"}}
    return {
        "submit": {
            "address": "{lane}.{code}",
            "title": "Submit documents",
            "description": "Routing key <lane>.<sender code>; the lane follows from the document's priority.",
            "messages": {"document": {"$ref": "#/components/messages/document"}},
            "parameters": both,
            "bindings": _exchange(wire.SUBMIT_EXCHANGE),
        },
        "status": {
            "address": "{code}",
            "title": "Report statuses",
            "description": "Routing key: the reporter's code.",
            "messages": {"status": {"$ref": "#/components/messages/status"}},
            "parameters": code,
            "bindings": _exchange(wire.STATUS_EXCHANGE),
        },
        "mailbox": {
            "address": "mailbox.{lane}.{code}",
            "title": "Documents for a mailbox",
            "messages": {"delivered": {"$ref": "#/components/messages/delivered"}},
            "parameters": both,
            "bindings": _queue("mailbox.{lane}.{code}"),
        },
        "notices": {
            "address": "notices.{code}",
            "title": "Receipts, and statuses of documents sent",
            "messages": {
                "receipt": {"$ref": "#/components/messages/receipt"},
                "status": {"$ref": "#/components/messages/status"},
            },
            "parameters": code,
            "bindings": _queue("notices.{code}"),
        },
    }


def _operations() -> dict[str, Any]:
    def operation(action: str, channel: str, summary: str, *messages: str, **more: Any) -> dict[str, Any]:
        return {
            "action": action,
            "channel": {"$ref": f"#/channels/{channel}"},
            "summary": summary,
            "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"} for message in messages],
            **more,
        }

    publishing = {"bindings": {"amqp": {"deliveryMode": 2, "mandatory": True, "ack": True, "bindingVersion": "0.3.0"}}}
    return {
        "sendDocument": operation("send", "submit", "Send a document", "document", **publishing),
        "reportStatus": operation("send", "status", "Report what was done with a document", "status", **publishing),
        "receiveDocument": operation("receive", "mailbox", "Take a document from the mailbox", "delivered"),
        "receiveNotice": operation("receive", "notices", "Take a receipt or a status", "receipt", "status"),
    }


def _messages() -> dict[str, Any]:
    signature = examples.signature_example()[wire.SIGNATURE_HEADER]
    document = {
        "contentType": wire.ENVELOPE_MEDIA_TYPE,
        "payload": _schema("envelope"),
        "correlationId": {"description": "message_id = the envelope's id.", "location": "$message.payload#/id"},
        "traits": [{"$ref": "#/components/messageTraits/signed"}],
        "examples": [{"name": "urgent", "headers": {wire.SIGNATURE_HEADER: signature}, "payload": examples.ENVELOPE}],
    }
    return {
        "document": {
            "name": "document",
            "title": "An envelope, as submitted",
            "summary": "AMQP type `document`, message_id = id, user_id = account; at most 256 KiB.",
            **document,
        },
        "delivered": {
            "name": "document",
            "title": "An envelope, as delivered",
            "summary": "The very bytes and signature that the sender submitted.",
            **document,
        },
        "status": {
            "name": "status",
            "title": "What a recipient did",
            "summary": "AMQP type `status`, message_id = id; at most 16 KiB. Forwarded to the sender byte for byte.",
            "contentType": wire.STATUS_MEDIA_TYPE,
            "payload": _schema("status"),
            "correlationId": {"description": "The envelope it is about.", "location": "$message.payload#/envelope"},
            "traits": [{"$ref": "#/components/messageTraits/signed"}],
            "examples": [{"name": "accepted", "payload": examples.STATUS}],
        },
        "receipt": {
            "name": "receipt",
            "title": "What the axis did with a message",
            "summary": "AMQP type `receipt`, signed by the axis.",
            "contentType": wire.RECEIPT_MEDIA_TYPE,
            "payload": _schema("receipt"),
            "correlationId": {"description": "The message answered.", "location": "$message.payload#/message_id"},
            "traits": [{"$ref": "#/components/messageTraits/signed"}],
            "examples": [{"name": "partial", "payload": examples.RECEIPT}],
        },
    }


def _headers() -> dict[str, Any]:
    return {
        "type": "object",
        "required": [wire.SIGNATURE_HEADER],
        "properties": {
            wire.SIGNATURE_HEADER: {"type": "string", "description": "Detached JWS over the exact body bytes."},
            wire.ROUTES_HEADER: {
                "type": "string",
                "description": "Only on delivered documents: JSON object of mailbox -> positions in recipients.",
                "examples": ['{"H37":[1]}'],
            },
        },
    }


def _schema(name: str) -> dict[str, Any]:
    return {
        "schemaFormat": "application/schema+json;version=draft-2020-12",
        "schema": {"$ref": f"./{name}.schema.json"},
    }


def _exchange(name: str) -> dict[str, Any]:
    exchange = {"name": name, "type": "topic", "durable": True, "autoDelete": False, "vhost": "axis"}
    return {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}}


def _queue(name: str) -> dict[str, Any]:
    queue = {"name": name, "durable": True, "exclusive": False, "autoDelete": False, "vhost": "axis"}
    return {"amqp": {"is": "queue", "queue": queue, "bindingVersion": "0.3.0"}}
