"""The contract for other languages says what the models say."""

import base64
import copy
import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc import jws as joserfc
from joserfc.jwk import OKPKey
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from axis.trust import Keyring, SigningKey, enrol, issue_token, verify_token
from axis.trust.certificates import load_pem
from axis.trust.holders import FileKey
from schemas import Envelope, Organisation, Receipt, Status, Wire, examples, generate
from schemas.asyncapi import asyncapi
from schemas.openapi import openapi
from schemas.reasons import HTTP, WIRE
from schemas.reasons.http import STATUS
from tests.builders import NOW

BODIES: tuple[tuple[str, type[Wire], dict[str, Any]], ...] = (
    ("envelope", Envelope, examples.ENVELOPE),
    ("status", Status, examples.STATUS),
    ("receipt", Receipt, examples.RECEIPT),
    ("organisation", Organisation, examples.ORGANISATION),
)


def changed(body: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    """Copy a body with one place changed; `path` uses dots, numbers index lists."""
    copied = copy.deepcopy(dict(body))
    place: Any = copied
    *parents, last = path.split(".")
    for part in parents:
        place = place[int(part)] if part.isdigit() else place[part]
    place[int(last) if last.isdigit() else last] = value
    return copied


def test_the_generated_files_are_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_file_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(generate, "VERSION", "9.9.9")
    assert generate.main(["--check"]) == 1
    assert "axis.asyncapi.json" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "model", "body"), BODIES)
def test_the_examples_are_good_by_schema_and_by_model(name: str, model: type[Wire], body: dict[str, Any]) -> None:
    schema = generate.json_schema(name)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(body)
    model.model_validate_json(json.dumps(body))


BAD_ENVELOPES: tuple[tuple[str, object], ...] = (
    ("schema", "axis.envelope/2"),
    ("id", "01995F1C-7A3E-7C21-9F5E-3B7D9C0A4E11"),
    ("id", "01995f1c-7a3e-4c21-9f5e-3b7d9c0a4e11"),
    ("id", 7),
    ("sender", "g22"),
    ("sender", "000.00.00.G22"),
    ("sender", "G22."),
    ("recipients", []),
    ("recipients", ["H37", "H37"]),
    ("recipients", [f"H37.{n}" for n in range(5_001)]),
    ("recipients", "H37"),
    ("action", "destroy"),
    ("document", {}),
    ("document.subject", ""),
    ("document.subject", "a\u0000b"),
    ("document.pages", "2"),
    ("document.pages", -1),
    ("document.priority", "khẩn"),
    ("document.surprise", True),
    ("attachments.0.sha256", "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08"),
    ("attachments.0.size", 1.5),
    ("attachments.0.name", "../../etc/passwd"),
    ("attachments.0.name", ".hidden"),
    ("surprise", 1),
)


@pytest.mark.parametrize(("path", "value"), BAD_ENVELOPES)
def test_what_the_model_refuses_the_schema_refuses(path: str, value: object) -> None:
    body = changed(examples.ENVELOPE, path, value)
    with pytest.raises(ValidationError):
        Envelope.model_validate_json(json.dumps(body))
    assert not Draft202012Validator(generate.json_schema("envelope")).is_valid(body)


@pytest.mark.parametrize(
    ("path", "value"), [("code", "07"), ("reporter", None), ("at", 5), ("staff.name", 5), ("x", 1)]
)
def test_bad_statuses(path: str, value: object) -> None:
    body = changed(examples.STATUS, path, value)
    with pytest.raises(ValidationError):
        Status.model_validate_json(json.dumps(body))
    assert not Draft202012Validator(generate.json_schema("status")).is_valid(body)


@pytest.mark.parametrize("moment", ["2026-11-24T15:00:00", "2026-11-24", 1_764_000_000, "yesterday"])
def test_a_time_needs_its_offset(moment: object) -> None:
    with pytest.raises(ValidationError):
        Envelope.model_validate_json(json.dumps(changed(examples.ENVELOPE, "sent_at", moment)))


def test_the_worked_signature_verifies_as_the_text_says() -> None:
    example = examples.signature_example()
    segment, empty, signature = example["axis-signature"].split(".")
    assert (empty, segment) == ("", example["protected_segment"])
    assert example["signing_input"] == segment + "." + example["body"]
    raw = base64.urlsafe_b64decode(signature + "==")
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(example["public_key_hex"]))
    key.verify(raw, example["signing_input"].encode())


def test_every_reason_is_listed_with_its_remedy() -> None:
    listed = {reason["code"]: reason for reason in asyncapi("1")["x-reasons"]}
    assert listed.keys() == WIRE.keys()
    texts = ("title", "title_vi", "remedy", "remedy_vi")
    assert all(reason[text] for reason in listed.values() for text in texts)


def test_the_worked_signature_is_taken_by_the_axis() -> None:
    example = examples.signature_example()
    der = base64.b64decode(example["certificate_der_base64"])
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"
    record = enrol(pem, "G22", "agency", NOW)
    assert record.thumbprint == example["thumbprint"]
    signer = Keyring([record]).verify(example["body"].encode(), example["axis-signature"], NOW)
    assert signer.organisation == "G22"
    token = examples.token_example()
    method, _, path = token["request"].partition(" ")
    assert verify_token(token["token"], Keyring([record]), method=method, path=path, now=NOW) == "G22"
    key = SigningKey(
        FileKey(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(example["private_key_hex"]))), load_pem(pem)
    )
    assert key.sign(example["body"].encode()) == example["axis-signature"]
    assert issue_token(key, code="G22", method=method, path=path, now=NOW) == token["token"]


def test_the_worked_examples_are_taken_by_another_implementation() -> None:
    example, token = examples.signature_example(), examples.token_example()
    oracle = OKPKey.import_key(example["private_key_jwk"])
    with warnings.catch_warnings():
        # RFC 9864 renames EdDSA to Ed25519; the name on our wire is the older one, which every library knows.
        warnings.simplefilter("ignore")
        registry = joserfc.JWSRegistry(algorithms=["EdDSA"], strict_check_header=False)
        payload = example["body"].encode()
        joserfc.deserialize_compact(example["axis-signature"], oracle, payload=payload, registry=registry)
        found = joserfc.deserialize_compact(token["token"], oracle, registry=registry)
    assert found.payload == token["claims"].encode()
    assert example["body_sha256"] == examples.RECEIPT["message_sha256"]


def test_the_gateways_own_codes_are_listed() -> None:
    listed = openapi("1")["x-http-codes"]
    assert {code: (entry["status"], entry["title"]) for code, entry in listed.items()} == {
        code: (status, HTTP[code].title) for code, status in STATUS.items()
    }


def test_a_stale_page_of_reasons_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "REASONS_PAGE", tmp_path / "reasons.md")
    assert generate.main(["--check"]) == 1
    assert "docs/reasons.md" in capsys.readouterr().err
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "$ref":
                yield item
            else:
                yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


@pytest.mark.parametrize("name", sorted(generate.files()))
def test_every_reference_leads_somewhere(name: str) -> None:
    built = generate.files()
    document = json.loads(built[name])
    for reference in references(document):
        file, _, pointer = reference.partition("#")
        place: Any = json.loads(built[file.removeprefix("./")]) if file else document
        for part in filter(None, pointer.split("/")):
            place = place[part]
        assert place


def test_operations_use_messages_of_their_channel() -> None:
    document = asyncapi("1")
    for operation in document["operations"].values():
        channel = operation["channel"]["$ref"].removeprefix("#/channels/")
        reply = operation.get("reply", {"channel": operation["channel"], "messages": []})
        answers = reply["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{answers}/messages/") for message in reply["messages"])
        for message in operation["messages"]:
            name = message["$ref"].removeprefix(f"#/channels/{channel}/messages/")
            assert name in document["channels"][channel]["messages"]
