"""`axis edxml write`: a package out of files and what is said of them."""

import datetime as dt
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Annotated, Any, BinaryIO, cast

import orjson
import typer
from pydantic import ValidationError

from axis.cli.console import print_json, say
from axis.client.building import File
from axis.core.codes import canonical
from axis.core.ids import new_id
from axis.core.reading import parse_envelope
from axis.edxml import CodeForm, file_names, from_envelope, naming_from, write_document
from axis.errors import Malformed, Misconfigured, NotFound, Refused
from schemas import Action, Document, Priority


def write(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Its files, the document itself first.", show_default=False)
    ] = None,
    *,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The package to make; never overwrites.", show_default=False)
    ],
    sender: Annotated[str, typer.Option("--from", metavar="CODE", help="Who sends it.", show_default=False)],
    to: Annotated[list[str], typer.Option(metavar="CODE", help="A recipient; repeat it.", show_default=False)],
    document: Annotated[
        Path | None,
        typer.Option(metavar="JSON", help="What is said of it, as `document` of an envelope.", show_default=False),
    ] = None,
    document_id: Annotated[str | None, typer.Option(help="Left out: made of the others.", show_default=False)] = None,
    number: Annotated[str | None, typer.Option(help="Số.", show_default=False)] = None,
    notation: Annotated[str | None, typer.Option(help="Ký hiệu.", show_default=False)] = None,
    subject: Annotated[str | None, typer.Option(help="Trích yếu.", show_default=False)] = None,
    kind: Annotated[str | None, typer.Option(help="Loại văn bản.", show_default=False)] = None,
    place: Annotated[str | None, typer.Option(help="Nơi ban hành.", show_default=False)] = None,
    issued_on: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Ngày ban hành.", show_default=False)
    ] = None,
    signer: Annotated[str | None, typer.Option(help="Người ký.", show_default=False)] = None,
    priority: Annotated[Priority | None, typer.Option(help="Độ khẩn.", show_default=False)] = None,
    reason: Annotated[str | None, typer.Option(help="Lý do.", show_default=False)] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE=NAME", help="What an organisation is called; repeat it.", show_default=False),
    ] = None,
    form: Annotated[CodeForm, typer.Option(help="In which form codes are written.")] = CodeForm.QCVN102,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")] = False,
) -> None:
    """Make an edXML package of a new document.

    What is said of it comes from --document, from the options, or both; options go before.

    For example:

      axis edxml write 7816.pdf --out 7816.edxml --from G22 --to H37 --number 7816 --notation VPCP --subject "V/v …"

      axis edxml write 7816.pdf --out 7816.edxml --from G22 --to H37 --document 7816.json --name "G22=VPCP"

    Exit code 0: made; 65: something said does not fit; 66: there is no such file; 78: it cannot be written.
    """
    said = _said(document)
    given = {
        "document_id": document_id,
        "number": number,
        "notation": notation,
        "subject": subject,
        "kind": kind,
        "place": place,
        "issued_on": issued_on,
        "signer": {"name": signer} if signer else None,
        "priority": priority and priority.value,
    }
    said |= {key: value for key, value in given.items() if value is not None}
    sources = files or []
    for each in sources:
        if not each.is_file():
            raise NotFound(f"no such file: {each}", code="file/not-found")
    speaker = canonical(sender, tolerant=True)
    digests = [_digest(each) for each in sources]
    envelope = _envelope(speaker, [canonical(code, tolerant=True) for code in to], said, reason, sources, digests)
    names = dict(_named(each) for each in name or [])
    contents = {digest: source for source, (digest, _) in zip(sources, digests, strict=True)}
    package = from_envelope(envelope, cast("dict[str, Any]", contents), naming=naming_from(names, form=form))
    _write(out, lambda target: write_document(package, target))
    if as_json:
        print_json({"package": str(out), "document_id": package.document_id.text, "files": file_names(package)})
    else:
        say(f"{out}: {package.document_id.text}, {len(package.attachments)} files")


def _said(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(f"no such file: {path}", code="file/not-found") from error
    except (OSError, ValueError) as error:
        raise Malformed(f"{path}: {error}", code="file/unreadable") from error
    if not isinstance(said, dict):
        raise Malformed(f"{path}: not a JSON object", code="file/unreadable")
    return said


def _digest(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for piece in File.of(path).chunks(1 << 20):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _envelope(  # noqa: PLR0917 - what an envelope has
    sender: str,
    recipients: list[str],
    said: dict[str, Any],
    reason: str | None,
    files: list[Path],
    digests: list[tuple[str, int]],
) -> Any:
    now = dt.datetime.now(dt.UTC)
    number = "/".join(part for part in (said.get("number"), said.get("notation")) if part)
    issued = str(said.get("issued_on") or f"{now:%Y-%m-%d}").replace("-", "/")
    said.setdefault("document_id", f"{sender},{issued},{number or new_id(now)}")
    said.setdefault("subject", files[0].stem if files else number or said["document_id"])
    try:
        document = Document.model_validate_json(orjson.dumps(said))
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise Refused("message/schema", told) from error
    return parse_envelope(
        orjson.dumps(
            {
                "schema": "axis.envelope/1",
                "id": new_id(now),
                "sender": sender,
                "recipients": list(dict.fromkeys(recipients)),
                "action": Action.NEW,
                **({"reason": reason} if reason else {}),
                "sent_at": now.isoformat(),
                "document": document.model_dump(mode="json", exclude_none=True),
                "attachments": [
                    File.of(path).attachment(number, sha256=digest, size=size)
                    for number, (path, (digest, size)) in enumerate(zip(files, digests, strict=True))
                ],
            }
        )
    )


def _named(text: str) -> tuple[str, str]:
    code, equals, name = text.partition("=")
    if not equals or not name.strip():
        raise typer.BadParameter(f"“{text}” is not CODE=NAME")
    return canonical(code, tolerant=True), name.strip()


def _write(out: Path, make: Any) -> None:
    """Make a file whole or not at all."""
    try:
        handle, part = tempfile.mkstemp(dir=out.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                make(cast("BinaryIO", file))
            os.link(part, out)
        finally:
            Path(part).unlink(missing_ok=True)
    except FileExistsError as error:
        raise Malformed(f"{out} is there already", code="file/exists") from error
    except OSError as error:
        raise Misconfigured(f"{out}: {error.strerror}", code="file/not-created") from error
