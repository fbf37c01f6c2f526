"""Write axis-seal.json: a sealed document with every value, for whoever implements docs/sealing.md elsewhere.

    python -m tests.vectors.sealing.capture

Wrapping takes fresh randomness, so each run writes another vector that is as good; the private keys in it are for it
alone. `streams` is the same on every run: key, salt and nonce prefix are fixed there.
"""

import base64
import datetime as dt
import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from axis.core.sealing import associated_data
from axis.trust import DemonstrationCA, encoding, enrol, new_key
from axis.trust.stream import new_content_key, seal
from axis.trust.wrapping import Addressee, addressee, wrap
from schemas.examples import ENVELOPE_ID
from schemas.sealing import SEALED_MEDIA_TYPE

HERE = Path(__file__).parent
NOW = dt.datetime(2026, 11, 24, 8, tzinfo=dt.UTC)
KEY, SALT, PREFIX = bytes(range(32)), bytes(range(100, 132)), bytes(range(200, 207))
# Around the ends of segments: nothing, one byte, the first segment almost full, full and one over, then two.
SIZES = (0, 1, 1_048_519, 1_048_520, 1_048_521, 2_097_080, 2_097_081, 2_500_000)
FILES = (("Công văn số 7816.txt", "main", "Kính gửi: các bộ, ngành, địa phương."), ("Phụ lục.txt", "appendix", ""))


def pattern(size: int) -> bytes:
    """Return bytes of which the i-th is i mod 251."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def fixed() -> Iterator[bytes]:
    """Return salt, then nonce prefix."""
    return iter((SALT, PREFIX))


def stream(size: int) -> dict[str, Any]:
    """Describe the sealed form of a pattern."""
    random = fixed()
    made = b"".join(seal([pattern(size)], KEY, associated_data(0), random=lambda _: next(random)))
    return {"size": size, "sealed_size": len(made), "sealed_sha256": hashlib.sha256(made).hexdigest()}


def recipient(authority: DemonstrationCA, code: str, kind: str) -> tuple[dict[str, Any], Addressee]:
    """Make a recipient's key and certificate."""
    pem = new_key(kind)
    certificate = authority.issue(code, pem, name="Ví dụ", now=NOW, sealing=True)
    record = enrol(certificate, code, "sealing", NOW, allow_demonstration=True)
    der = load_pem_private_key(pem, None).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return {
        "mailbox": code,
        "thumbprint": record.thumbprint,
        "certificate_der_base64": base64.b64encode(record.der).decode(),
        "private_key_pkcs8_base64": base64.b64encode(der).decode(),
    }, addressee(record, code, NOW)


def document() -> dict[str, Any]:
    """Seal a document of two files for a P-256 and an RSA certificate."""
    with tempfile.TemporaryDirectory() as folder:
        authority = DemonstrationCA.open_or_create(Path(folder), NOW)
        made = [recipient(authority, "H37", "p256"), recipient(authority, "G12", "rsa")]
    key = new_content_key()
    stored, files = [], []
    for number, (name, role, text) in enumerate(FILES):
        plain = text.encode()
        sealed = b"".join(seal([plain], key, associated_data(number)))
        stored.append(
            {
                "name": f"{number + 1}.sealed",
                "media_type": SEALED_MEDIA_TYPE,
                "size": len(sealed),
                "sha256": hashlib.sha256(sealed).hexdigest(),
                "role": role,
                "content_base64": base64.b64encode(sealed).decode(),
            }
        )
        files.append(
            {
                "name": name,
                "media_type": "text/plain",
                "size": len(plain),
                "sha256": hashlib.sha256(plain).hexdigest(),
                "role": role,
            }
        )
    contents = {
        "schema": "axis.seal/1",
        "envelope": ENVELOPE_ID,
        "sender": "G22",
        "key": encoding.encode(key),
        "files": files,
    }
    content = json.dumps(contents, ensure_ascii=False, separators=(",", ":"))
    jwe = wrap(content.encode(), [addressed for _, addressed in made]).decode()
    return {
        "recipients": [described for described, _ in made],
        "envelope": {"id": ENVELOPE_ID, "sender": "G22"},
        "attachments": stored,
        "keys_blob": jwe,
        "keys_sha256": hashlib.sha256(jwe.encode()).hexdigest(),
        "contents": content,
        "content_key_hex": key.hex(),
        "plaintexts": [text for _, _, text in FILES],
    }


def main() -> None:
    """Write the file."""
    streams = {
        "content_key_hex": KEY.hex(),
        "salt_hex": SALT.hex(),
        "nonce_prefix_hex": PREFIX.hex(),
        "associated_data": associated_data(0).decode(),
        "plaintext": "byte i is i mod 251",
        "cases": [stream(size) for size in SIZES],
    }
    text = json.dumps({"document": document(), "streams": streams}, ensure_ascii=False, indent=1)
    (HERE / "axis-seal.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
