"""The AsyncAPI 3.0 document: channels, operations, headers, security, examples, and how to sign."""

from typing import Any

from schemas import examples, wire
from schemas.guide import DESCRIPTION
from schemas.reasons import WIRE


def asyncapi(version: str) -> dict[str, Any]:
    """Build the document; bodies refer to the JSON Schema files beside it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "The axis: exchange of signed electronic documents",
            "version": version,
            "description": DESCRIPTION,
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
                "title_vi": reason.title_vi,
                "remedy": reason.remedy,
                "remedy_vi": reason.remedy_vi,
                "fault": reason.fault.value,
                "retry_same_bytes": reason.retry,
                "elsewhere": list(reason.rivals),
            }
            for reason in WIRE.values()
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
    answered = {
        "reply": {
            "channel": {"$ref": "#/channels/notices"},
            "messages": [{"$ref": "#/channels/notices/messages/receipt"}],
        }
    }
    taking = {"bindings": {"amqp": {"ack": True, "bindingVersion": "0.3.0"}}}
    return {
        "sendDocument": operation("send", "submit", "Send a document", "document", **publishing, **answered),
        "reportStatus": operation("send", "status", "Report what was done with a document", "status", **publishing),
        "receiveDocument": operation("receive", "mailbox", "Take a document from the mailbox", "delivered", **taking),
        "receiveNotice": operation("receive", "notices", "Take a receipt or a status", "receipt", "status", **taking),
    }


def _messages() -> dict[str, Any]:
    signature = examples.signature_example()[wire.SIGNATURE_HEADER]
    document = {
        "contentType": wire.ENVELOPE_MEDIA_TYPE,
        "payload": _schema("envelope"),
        "correlationId": {"description": "message_id = the envelope's id.", "location": "$message.payload#/id"},
        "traits": [{"$ref": "#/components/messageTraits/signed"}],
        "bindings": _properties(wire.TYPE_DOCUMENT),
        "examples": [{"name": "urgent", "headers": {wire.SIGNATURE_HEADER: signature}, "payload": examples.ENVELOPE}],
    }
    return {
        "document": {
            "name": "document",
            "title": "An envelope, as submitted",
            "summary": "type `document`, message_id = id, user_id = account, delivery_mode 2; at most 256 KiB.",
            **document,
        },
        "delivered": {
            "name": "document",
            "title": "An envelope, as delivered",
            "summary": "The very bytes and signature that the sender submitted; user_id is absent.",
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
            "bindings": _properties(wire.TYPE_STATUS),
            "examples": [
                {"name": "accepted", "payload": examples.STATUS},
                {"name": "destroyed", "payload": examples.DESTROYED},
            ],
        },
        "receipt": {
            "name": "receipt",
            "title": "What the axis did with a message",
            "summary": "AMQP type `receipt`, signed by the axis.",
            "contentType": wire.RECEIPT_MEDIA_TYPE,
            "payload": _schema("receipt"),
            "correlationId": {"description": "The message answered.", "location": "$message.payload#/message_id"},
            "traits": [{"$ref": "#/components/messageTraits/signed"}],
            "bindings": _properties(wire.TYPE_RECEIPT),
            "examples": [{"name": "partial", "payload": examples.RECEIPT}],
        },
    }


def _headers() -> dict[str, Any]:
    return {
        "type": "object",
        "required": [wire.SIGNATURE_HEADER],
        "properties": {
            wire.SIGNATURE_HEADER: {"type": "string", "description": "Detached JWS over the exact body bytes."},
            wire.SECOND_SIGNATURE_HEADER: {
                "type": "string",
                "description": "A second detached JWS over the same bytes, ML-DSA-65; who does not know it leaves it.",
            },
            wire.ROUTES_HEADER: {
                "type": "string",
                "description": "Only on delivered documents: JSON object of mailbox -> positions in recipients.",
                "examples": ['{"H37":[1]}'],
            },
            wire.REPLAY_HEADER: {
                "type": "string",
                "description": "Only on documents in a replay queue: JSON object of what replay it is, begun by whom, "
                "when the copy was made and when the document was accepted. Not signed.",
                "examples": ['{"replay":"…","at":"…","by":"…","accepted_at":"…"}'],
            },
            wire.TRACE_HEADER: {
                "type": "string",
                "description": "W3C Trace Context, version 00; optional, not signed, and ignored where it is not of "
                "the form. What is delivered carries the trace id that was submitted and a span of the axis.",
                "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
            },
        },
    }


def _properties(type_: str) -> dict[str, Any]:
    return {"amqp": {"messageType": type_, "bindingVersion": "0.3.0"}}


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
