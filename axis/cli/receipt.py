"""`axis receipt`: what the axis signed, and the proof that it cannot be taken back."""

import asyncio
import hashlib
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Any

import typer

from axis.blobs import LOG_FOLDER, Objects
from axis.cli.console import JsonOption, local_time, print_json, say, speaks_vietnamese
from axis.cli.documents import OUTCOMES, print_receipt
from axis.cli.profiles import ProfileOption, load_profile
from axis.cli.trusting import AgencyOption, CertificateOption, LogKeyOption, RootOption, trusted
from axis.cli.writing import write_file
from axis.client import Agency
from axis.client.logs import Proven, verify_proof, write_proof
from axis.core.reading import parse_receipt
from axis.core.records import NoticeRow
from axis.errors import NotFound, Refused
from axis.proving import LogReader
from axis.settings import Settings
from axis.store import Store
from axis.web.proofs import prove
from schemas import Outcome

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Receipts, and the proof that they stand.")

_Identifier = Annotated[
    str, typer.Argument(metavar="ID", help="Of the envelope; the operator may give the receipt's.", show_default=False)
]
_EnvelopeOption = Annotated[
    Path | None,
    typer.Option(
        "--envelope",
        metavar="FILE",
        help="Check that the receipt is about this envelope (envelope.json as `axis inbox --save` keeps it, its "
        "signature in envelope.jws beside it).",
        show_default=False,
    ),
]

_PROVEN = {
    False: (
        "the axis signed this receipt ({signer}) at {at}: it took {what} {message} of {account}, {outcome}",
        "it is entry {index} of the log “{origin}”, under its signed checkpoint of {size} entries",
    ),
    True: (
        "trục liên thông đã ký biên nhận này ({signer}) lúc {at}: nhận {what} {message} của {account}, {outcome}",
        "biên nhận là mục số {index} trong nhật ký “{origin}”, thuộc điểm chốt đã ký gồm {size} mục",
    ),
}
_KINDS_VI = {"document": "văn bản", "status": "trạng thái", "unknown": "gói tin"}
_STAMPED = {
    False: "a timestamp authority saw that checkpoint at {at}",
    True: "tổ chức cấp dấu thời gian xác nhận điểm chốt đó lúc {at}",
}
_ABOUT = {
    False: "its digests are those of {file}, and of its signature",
    True: "giá trị băm trùng với {file} và chữ ký của tệp đó",
}
_NOT_PROVEN = {
    False: (
        "not proven: that a recipient has read it (its statuses say that)",
        "not proven: that everybody is shown the same log (compare checkpoints: axis log check)",
        "not proven: the time, but by the axis's own word (--tsa-root)",
    ),
    True: (
        "chưa chứng minh: bên nhận đã đọc văn bản (trạng thái của bên nhận cho biết điều đó)",
        "chưa chứng minh: mọi người đều thấy cùng một nhật ký (so sánh các điểm chốt: axis log check)",
        "chưa chứng minh: thời gian, ngoài lời của chính trục liên thông (--tsa-root)",
    ),
}


@app.callback()
def _group() -> None:
    """Receipts, and the proof that they stand."""


@app.command()
def show(
    identifier: _Identifier, *, agency: AgencyOption = None, profile: ProfileOption = None, as_json: JsonOption = False
) -> None:
    """Show the receipt for an envelope: as the agency that sent it, or as the operator from the store.

    For example:

      axis receipt show 01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11 --as G22

    Exit code 66 when there is none; 69: gateway, broker or database away.
    """
    if agency is not None:
        receipt = asyncio.run(_of_agency(agency, profile, identifier))
        place = None
    else:
        row, place = asyncio.run(_of_store(identifier))
        receipt = parse_receipt(row.body)
    if as_json:
        print_json({"receipt": receipt, "log_index": place})
        return
    say(f"receipt {receipt.id} for {receipt.message_type} {receipt.message_id or ''}: {OUTCOMES[receipt.outcome]}")
    say(f"signed {local_time(receipt.at)} for {receipt.account}, sha256 {receipt.message_sha256}")
    if agency is None:
        say(f"entry {place} of the log" if place is not None else "not in the log yet: the notary takes it in seconds")
    print_receipt(receipt)


@app.command()
def proof(
    identifier: _Identifier,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write it; default: ID.proof.json.")
    ] = None,
    agency: AgencyOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a receipt with the proof that it is in the log: a file that can be verified for ever, offline.

    For example:

      axis receipt proof 01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11 --as G22

    Exit code 66 when there is no receipt, or it is not in the log yet: that takes seconds.
    """
    content = asyncio.run(
        _proof_of_agency(agency, profile, identifier) if agency is not None else _proof_of_store(identifier)
    )
    path = out or Path(f"{identifier}.proof.json")
    write_file(path, content.decode())
    if as_json:
        print_json({"file": path})
    else:
        say(f"{path}: verify it with `axis receipt verify {path}`")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As `axis receipt proof` wrote it.", show_default=False)],
    *,
    agency: AgencyOption = None,
    profile: ProfileOption = None,
    axis_certificate: CertificateOption = None,
    log_key: LogKeyOption = None,
    tsa_root: RootOption = None,
    envelope: _EnvelopeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a receipt and its proof with public keys alone: nobody is asked, nothing is fetched.

    Says in plain words (in Vietnamese where the locale is) what is proven and what is not.

    For example:

      axis receipt verify 01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11.proof.json --as G22

      axis receipt verify g22.proof.json --axis-certificate axis.pem --log-key log.vkey --tsa-root tsa.pem

    Exit code 0: proven; 65: not, with a code and why; 78: a public key is missing.
    """
    if not file.is_file():
        raise NotFound(f"no such file: {file}", code="file/not-found")
    found = verify_proof(file.read_bytes(), trusted(axis_certificate, log_key, tsa_root, agency, profile))
    if envelope is not None:
        _check_envelope(found, envelope)
    if as_json:
        print_json(_plain(found, envelope))
    else:
        _tell(found, envelope)


def _tell(found: Proven, envelope: Path | None) -> None:
    vietnamese, receipt = speaks_vietnamese(), found.receipt
    words = {
        "signer": found.signer.thumbprint,
        "at": local_time(receipt.at),
        "what": _KINDS_VI[receipt.message_type] if vietnamese else receipt.message_type,
        "message": receipt.message_id or "–",
        "account": receipt.account,
        "outcome": _outcome(receipt.outcome, vietnamese=vietnamese),
        "index": found.index,
        "origin": found.checkpoint.origin,
        "size": found.checkpoint.size,
    }
    mark = "đã chứng minh" if vietnamese else "proven"
    for sentence in _PROVEN[vietnamese]:
        say(f"{mark}: {sentence.format(**words)}")
    if envelope is not None:
        say(f"{mark}: {_ABOUT[vietnamese].format(file=envelope)}")
    if found.stamped_at is not None:
        say(f"{mark}: {_STAMPED[vietnamese].format(at=local_time(found.stamped_at))}")
    for sentence in _NOT_PROVEN[vietnamese][: 2 if found.stamped_at is not None else 3]:
        say(sentence)
    print_receipt(receipt)


def _outcome(outcome: Outcome, *, vietnamese: bool) -> str:
    if not vietnamese:
        return OUTCOMES[outcome]
    return {
        Outcome.ACCEPTED: "mọi bên nhận đều được chuyển",
        Outcome.PARTIAL: "chỉ chuyển được cho một số bên nhận",
        Outcome.REFUSED: "bị từ chối, không bên nhận nào được chuyển",
    }[outcome]


def _check_envelope(found: Proven, envelope: Path) -> None:
    signature = envelope.with_suffix(".jws")
    for path in (envelope, signature):
        if not path.is_file():
            raise NotFound(f"no such file: {path}", code="file/not-found")
    told = (found.receipt.message_sha256, found.receipt.signature_sha256)
    is_so = (_sha256(envelope.read_bytes()), _sha256(signature.read_bytes().strip()))
    # Receipts of the first days name no signature.
    if told[0] != is_so[0] or told[1] not in {None, is_so[1]}:
        raise Refused("log/inclusion", f"the receipt is true, but about another message than {envelope}")


def _plain(found: Proven, envelope: Path | None) -> dict[str, Any]:
    return {
        "receipt": found.receipt,
        "signer": {"organisation": found.signer.organisation, "thumbprint": found.signer.thumbprint},
        "log": {"origin": found.checkpoint.origin, "index": found.index, "size": found.checkpoint.size},
        "envelope": envelope,
        "stamped_at": found.stamped_at,
    }


async def _of_agency(agency: str, profile: Path | None, identifier: str) -> Any:
    async with Agency.connect(load_profile(agency, profile)) as connected:
        return await connected.receipt(identifier)


async def _proof_of_agency(agency: str, profile: Path | None, identifier: str) -> bytes:
    async with Agency.connect(load_profile(agency, profile)) as connected:
        return await connected.proof(identifier)


async def _of_store(identifier: str) -> tuple[NoticeRow, int | None]:
    async with _store(Settings.load()) as store:
        row = await _row(store, identifier)
        return row, await store.log.position_of(row.id)


async def _proof_of_store(identifier: str) -> bytes:
    settings = Settings.load()
    async with _store(settings) as store:
        row = await _row(store, identifier)
        reader = LogReader(Objects.open(settings.blobs, LOG_FOLDER))
        log, timestamp = await prove(store.log, reader, row.id)
    return write_proof(row.body, row.signature, log, timestamp)


async def _row(store: Store, identifier: str) -> NoticeRow:
    row = await store.log.receipt(identifier)
    if row is None:
        raise NotFound(f"there is no receipt {identifier}, and none for such an envelope")
    return row


def _store(settings: Settings) -> AbstractAsyncContextManager[Store]:
    return Store.connect(settings.operator_database, name="axis receipt", connections=1)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
