"""Write the contract for other languages, and docs/reasons.md; `--check` only says whether they are fresh."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.agency_openapi import agency_openapi
from schemas.asyncapi import asyncapi
from schemas.base import Wire
from schemas.contents import SealContents
from schemas.directory import Certificate, Mailbox, Organisation
from schemas.envelope import Envelope
from schemas.meanings import meanings_of
from schemas.openapi import openapi
from schemas.partner_openapi import partner_openapi
from schemas.proof import Proof
from schemas.reasons_page import reasons_page
from schemas.receipt import Receipt
from schemas.sealing import SealKeys
from schemas.status import Status

FOLDER = Path(__file__).parent / "generated"
REASONS_PAGE = Path(__file__).parents[1] / "docs" / "reasons.md"
# The version of the contract, not of the software: it rises when a body, a header or a name changes.
VERSION = "1.2.0"

_MODELS: Mapping[str, type[Wire]] = {
    "envelope": Envelope,
    "status": Status,
    "receipt": Receipt,
    "proof": Proof,
    "organisation": Organisation,
    "mailbox": Mailbox,
    "certificate": Certificate,
    "seal-keys": SealKeys,
    "seal-contents": SealContents,
}


def files() -> dict[str, str]:
    """Build every generated file of the contract: name to text, the same on every run."""
    built = {f"{name}.schema.json": _text(json_schema(name)) for name in _MODELS}
    built["axis.asyncapi.json"] = _text(asyncapi(VERSION))
    built["gateway.openapi.json"] = _text(openapi(VERSION))
    built["agency.openapi.json"] = _text(agency_openapi(VERSION))
    built["partners.openapi.json"] = _text(partner_openapi(VERSION))
    return built


def json_schema(name: str) -> dict[str, Any]:
    """Build the JSON Schema (2020-12) of one body."""
    schema = _MODELS[name].model_json_schema(by_alias=True, mode="validation")
    for title, definition in schema.get("$defs", {}).items():
        if meanings := meanings_of(title):
            definition["x-meanings"] = meanings
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:axis:{name}:1"}
    return {**head, **schema}


def main(arguments: list[str] | None = None) -> int:
    """Write or check; return 1 when a file is stale."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 naming the stale files")
    check = parser.parse_args(arguments).check
    built = files()
    stale = sorted(name for name, text in built.items() if _read(FOLDER / name) != text)
    page = reasons_page()
    page_is_stale = _read(REASONS_PAGE) != page
    unknown = sorted({path.name for path in FOLDER.glob("*")} - built.keys()) if FOLDER.exists() else []
    if check:
        for name in (*stale, *unknown):
            sys.stderr.write(f"stale: schemas/generated/{name} (run: python -m schemas.generate)\n")
        if page_is_stale:
            sys.stderr.write("stale: docs/reasons.md (run: python -m schemas.generate)\n")
        return 1 if stale or unknown or page_is_stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        (FOLDER / name).write_text(built[name], encoding="utf-8", newline="\n")
    for name in unknown:
        (FOLDER / name).unlink()
    if page_is_stale:
        REASONS_PAGE.write_text(page, encoding="utf-8", newline="\n")
    sys.stdout.write(f"schemas/generated, docs: {len(stale) + page_is_stale} of {len(built) + 1} files written\n")
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main())
