"""The signatures inside a PDF: who, when, intact, trusted; and nothing that a PDF does harms who looks."""

import base64
import datetime as dt
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign.timestamps import DummyTimeStamper

from axis.signatures import child, pdf
from axis.signatures.pdf import look_at
from axis.signatures.trust import Trust
from axis.signatures.verdict import PdfSignature, Standing, Verdict
from axis.trust.chains import Authorities
from tests.authority import DAY, Party, TestAuthority, subject
from tests.builders import NOW
from tests.pdf_signing import changed_after, plain_pdf, sign_pdf

AUTHORITY = TestAuthority()
TRUST = Trust(AUTHORITY.authorities)
AGENCY = AUTHORITY.issue("rsa2048")
PERSON = AUTHORITY.issue("p256", subject(common_name="Trần Văn Thử"))
PLAIN = plain_pdf()
SIGNED = sign_pdf(PLAIN, PERSON)


def said(trust: Trust = TRUST, at: dt.datetime = NOW) -> dict[str, Any]:
    return {
        "at": at.isoformat(),
        "roots": [base64.b64encode(each).decode() for each in trust.roots],
        "intermediates": [base64.b64encode(each).decode() for each in trust.intermediates],
    }


def judged(data: bytes, folder: Path, trust: Trust = TRUST, at: dt.datetime = NOW) -> Verdict:
    path = folder / "a.pdf"
    path.write_bytes(data)
    return child.main(path, said(trust, at))


def test_the_person_and_the_agency_signed(tmp_path: Path) -> None:
    """NĐ 30/2020 article 5: both make an original."""
    found = judged(sign_pdf(SIGNED, AGENCY, field="Ky2"), tmp_path)
    assert found.standing is Standing.SIGNED
    person, agency = found.signatures
    assert (person.signer, person.certificate) == ("Trần Văn Thử", PERSON.thumbprint)
    assert (agency.signer, agency.certificate) == ("UBND tỉnh Lạng Sơn", AGENCY.thumbprint)
    assert person.signed_at is not None
    assert (person.intact, person.trusted, person.stamped, person.detail) == (True, True, False, "")
    assert found.told() == "signed by Trần Văn Thử, UBND tỉnh Lạng Sơn, intact, trusted (revocation not checked)"


def test_without_a_signature(tmp_path: Path) -> None:
    assert judged(PLAIN, tmp_path) == Verdict(Standing.NOT_SIGNED)


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (changed_after(SIGNED), "changed after it was signed"),
        (SIGNED.replace(b"Cong van", b"Cong vaN"), "the bytes are not those that were signed"),
    ],
)
def test_what_was_changed_is_broken(data: bytes, detail: str, tmp_path: Path) -> None:
    found = judged(data, tmp_path)
    assert (found.standing, found.signatures[0].intact, found.signatures[0].detail) == (Standing.BROKEN, False, detail)
    assert found.told() == "signed, but broken (Trần Văn Thử)"


def test_one_bad_signature_spoils_the_file(tmp_path: Path) -> None:
    stranger = TestAuthority(title="Nhà khác").issue("p256", subject(common_name="Người lạ"))
    found = judged(sign_pdf(SIGNED, stranger, field="Ky2"), tmp_path)
    assert found.standing is Standing.NOT_TRUSTED
    assert [(each.signer, each.trusted) for each in found.signatures] == [("Trần Văn Thử", True), ("Người lạ", False)]
    assert all(each.intact for each in found.signatures)


def test_nobody_is_trusted_by_default(tmp_path: Path) -> None:
    assert judged(SIGNED, tmp_path, Trust()).standing is Standing.NOT_TRUSTED


def test_the_chain_may_come_along(tmp_path: Path) -> None:
    roots = Trust(Authorities(TRUST.roots))
    assert judged(SIGNED, tmp_path, roots).standing is Standing.NOT_TRUSTED
    assert judged(sign_pdf(PLAIN, PERSON, chain=[AUTHORITY.below]), tmp_path, roots).standing is Standing.SIGNED


def test_a_certificate_counts_at_its_time(tmp_path: Path) -> None:
    later = NOW + 400 * DAY
    assert judged(SIGNED, tmp_path, at=later).standing is Standing.NOT_TRUSTED
    usage = [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)]
    party = AUTHORITY.issue("rsa2048", subject(common_name="TSA"), extensions=usage, until=NOW + 1_000 * DAY)
    stamped = sign_pdf(PLAIN, PERSON, stamper=stamper(party))
    found = judged(stamped, tmp_path, at=NOW)
    assert (found.standing, found.signatures[0].stamped) == (Standing.SIGNED, True)
    assert found.signatures[0].signed_at == NOW.isoformat()


def stamper(party: Party) -> DummyTimeStamper:
    key = party.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return DummyTimeStamper(
        asn1.Certificate.load(party.der), asn1_keys.PrivateKeyInfo.load(key), fixed_dt=NOW, include_nonce=False
    )


def test_a_trusted_timestamp_outlives_the_certificate(tmp_path: Path) -> None:
    lasting = TestAuthority(at=NOW)
    usage = [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)]
    tsa = lasting.issue("rsa2048", subject(common_name="TSA"), extensions=usage)
    short = lasting.issue("p256", subject(common_name="Ngắn hạn"), until=NOW + DAY)
    trust = Trust(lasting.authorities)
    at = NOW + 30 * DAY
    assert judged(sign_pdf(PLAIN, short), tmp_path, trust, at).standing is Standing.NOT_TRUSTED
    found = judged(sign_pdf(PLAIN, short, stamper=stamper(tsa)), tmp_path, trust, at)
    assert (found.standing, found.signatures[0].stamped) == (Standing.SIGNED, True)


def test_an_encrypted_pdf_is_not_looked_at(tmp_path: Path) -> None:
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(SIGNED)))
    writer.encrypt("owner", "user")
    out = io.BytesIO()
    writer.write(out)
    found = judged(out.getvalue(), tmp_path)
    assert found == Verdict(Standing.NOT_LOOKED_AT, detail="the PDF is encrypted")
    assert found.told() == "not looked at yet: the PDF is encrypted"


def test_too_many_signatures_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "MAX_SIGNATURES", 1)
    found = judged(sign_pdf(SIGNED, AGENCY, field="Ky2"), tmp_path)
    assert found.standing is Standing.NOT_LOOKED_AT


def test_whatever_the_bytes_are_there_is_a_verdict(tmp_path: Path) -> None:
    chance = random.Random(28)  # noqa: S311 - replayed from its seed
    for _ in range(60):
        data = bytearray(SIGNED)
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    del data[at : at + chance.randrange(200)]
                case _:
                    data[at:at] = data[: chance.randrange(200)]
        assert judged(bytes(data), tmp_path).standing in set(Standing) - {Standing.NOT_A_PDF, Standing.SEALED}


def test_a_verdict_comes_back_from_json() -> None:
    found = Verdict(Standing.BROKEN, (PdfSignature("A", "b", "c", detail="đ"),), "e")
    assert Verdict.from_json(json.loads(json.dumps(found.as_json()))) == found


# In a process of its own


async def test_only_what_has_signatures_costs_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere")
    path = tmp_path / "a"
    for data, standing in (
        (b"", Standing.NOT_A_PDF),
        (b"PK\x03\x04", Standing.NOT_A_PDF),
        (PLAIN, Standing.NOT_SIGNED),
        (b"%PDF-1.7 and no end", Standing.NOT_SIGNED),
    ):
        path.write_bytes(data)
        assert (await look_at(path, trust=TRUST, at=NOW)).standing is standing
    monkeypatch.setattr(pdf, "MAX_BYTES", 10)
    path.write_bytes(SIGNED)
    found = await look_at(path, trust=TRUST, at=NOW)
    assert (found.standing, "over the limit" in found.detail) == (Standing.NOT_LOOKED_AT, True)


@pytest.mark.parametrize("before", range(1024 * 1024 - 12, 1024 * 1024 + 1, 3))
def test_the_mark_is_seen_across_pieces(before: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes((b"%PDF-" + b"x" * (before - 5) + b"/ByteRange[").ljust(before + 20))
    assert pdf._without_a_process(tmp_path / "a") is None


async def test_the_process_answers(tmp_path: Path) -> None:
    path = tmp_path / "tệp có dấu.pdf"
    path.write_bytes(SIGNED)
    found = await look_at(path, trust=TRUST, at=NOW, seconds=60)
    assert (found.standing, found.signers) == (Standing.SIGNED, "Trần Văn Thử")


async def test_a_file_saved_where_somebody_works_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("asn1crypto.py", "pyhanko.py", "json.py", "sitecustomize.py"):
        (tmp_path / name).write_text(f"open({str(tmp_path / 'run')!r}, 'w').close()")
    (tmp_path / "a.pdf").write_bytes(SIGNED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    found = await look_at(Path("a.pdf"), trust=TRUST, at=NOW, seconds=60)
    assert found.standing is Standing.SIGNED
    assert not (tmp_path / "run").exists()


async def test_the_process_is_told_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\nenv > {tmp_path / 'told'}\npwd >> {tmp_path / 'told'}\n")
    program.chmod(0o700)
    (tmp_path / "a.pdf").write_bytes(SIGNED)
    monkeypatch.setattr("sys.executable", str(program))
    monkeypatch.setenv("AXIS_DATABASE", "postgresql://secret")
    monkeypatch.setenv("PYTHONPATH", "/nowhere::lib")
    monkeypatch.chdir(tmp_path)
    await look_at(tmp_path / "a.pdf", trust=TRUST, at=NOW, seconds=60)
    told = (tmp_path / "told").read_text()
    assert "secret" not in told
    assert f"PYTHONPATH=/nowhere:{tmp_path / 'lib'}\n" in told
    assert told.endswith("\n/\n")


async def test_what_takes_too_long_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(SIGNED)
    found = await look_at(path, trust=TRUST, at=NOW, seconds=0)
    assert (found.standing, found.detail) == (Standing.NOT_LOOKED_AT, "looking at it took more than 0 s")


@pytest.mark.parametrize(("program", "detail"), [("false", "more than it may"), ("true", "ended in nothing")])
async def test_a_process_that_ends_badly_proves_nothing(
    program: str, detail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(SIGNED)
    monkeypatch.setattr("sys.executable", program)
    found = await look_at(path, trust=TRUST, at=NOW)
    assert found.standing is Standing.NOT_LOOKED_AT
    assert detail in found.detail
