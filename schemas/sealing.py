"""Sealed documents: what the envelope says in the open, and the wrapped keys that it names."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Code, Sha256, Thumbprint, Wire

SEAL_SCHEME = "axis.seal/1"
MAX_KEYS_BYTES = 8 * 1024**2  # 5,000 mailboxes, each with an RSA key of 4096 bits, and room
MAX_MAILBOXES = 5_000
# BASE64URL of {"enc":"A256GCM","typ":"axis-seal"}: these bytes and no others, so that nobody re-serialises them.
PROTECTED = "eyJlbmMiOiJBMjU2R0NNIiwidHlwIjoiYXhpcy1zZWFsIn0"
SEALED_MEDIA_TYPE = "application/vnd.axis.sealed"

_BASE64URL = r"^[A-Za-z0-9_-]+$"
Coordinate = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class KeysBlob(Wire):
    """Where the wrapped keys are: a blob like the files, under its SHA-256."""

    sha256: Sha256
    size: Annotated[int, Field(ge=1, le=MAX_KEYS_BYTES, description="Bytes.")]


class Sealed(Wire):
    """Says that every attachment is ciphertext, and who can open it; see docs/sealing.md."""

    scheme: Literal["axis.seal/1"]
    keys: Annotated[KeysBlob, Field(description="The JWE (seal-keys.schema.json) that holds the content key.")]
    mailboxes: Annotated[
        list[Code],
        Field(
            min_length=1,
            max_length=MAX_MAILBOXES,
            json_schema_extra={"uniqueItems": True},
            description="The mailboxes a key was wrapped for. A recipient that leads to another one is refused.",
        ),
    ]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.mailboxes)) != len(self.mailboxes):
            raise ValueError("a mailbox is named twice")
        return self


class EphemeralKey(Wire):
    """The sender's half of one ECDH (RFC 7518 section 4.6.1.1)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: Coordinate
    y: Coordinate


class EcdhHeader(Wire):
    """For a certificate with a P-256 key."""

    alg: Literal["ECDH-ES+A256KW"]
    x5t: Thumbprint = Field(alias="x5t#S256")
    epk: EphemeralKey


class RsaHeader(Wire):
    """For a certificate with an RSA key."""

    alg: Literal["RSA-OAEP-256"]
    x5t: Thumbprint = Field(alias="x5t#S256")


class WrappedKey(Wire):
    """The JWE's key, for one certificate."""

    header: Annotated[EcdhHeader | RsaHeader, Field(discriminator="alg")]
    encrypted_key: Annotated[str, Field(max_length=2048, pattern=_BASE64URL)]


class SealKeys(Wire):
    """A JWE in general JSON serialisation (RFC 7516 section 7.2.1); what it opens to is `seal-contents`."""

    protected: Annotated[
        Literal["eyJlbmMiOiJBMjU2R0NNIiwidHlwIjoiYXhpcy1zZWFsIn0"],
        Field(description='BASE64URL of {"enc":"A256GCM","typ":"axis-seal"}, these bytes.'),
    ]
    recipients: Annotated[list[WrappedKey], Field(min_length=1, max_length=MAX_MAILBOXES)]
    iv: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16}$")]
    ciphertext: Annotated[str, Field(max_length=MAX_KEYS_BYTES, pattern=_BASE64URL)]
    tag: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$")]
