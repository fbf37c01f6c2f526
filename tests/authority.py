"""An authority as the axis meets them: root, intermediate, certificates, revocation lists, OCSP answers."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from axis.trust import thumbprint
from axis.trust.chains import Authorities
from axis.trust.keys import load_key
from tests.builders import NOW

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | mldsa.MLDSA65PrivateKey

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
UBND = "UBND tỉnh Lạng Sơn"


def key_of(kind: str) -> Key:
    match kind:
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case "ml-dsa-65":
            return mldsa.MLDSA65PrivateKey.generate()
        case "p256":
            return ec.generate_private_key(ec.SECP256R1())
        case "p384":
            return ec.generate_private_key(ec.SECP384R1())
        case _:
            return rsa.generate_private_key(public_exponent=65_537, key_size=int(kind.removeprefix("rsa")))


def pem_of(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def subject(**attributes: str) -> x509.Name:
    """Write a subject; the names are those of NameOID."""
    return x509.Name([x509.NameAttribute(getattr(NameOID, name.upper()), value) for name, value in attributes.items()])


@dataclass(slots=True)
class Party:
    """A key with its certificate."""

    key: Key
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def thumbprint(self) -> str:
        return thumbprint(self.der)


@dataclass(slots=True)
class TestAuthority:
    """Root and intermediate of the kinds given; `at` is its clock, `pss` has them sign by RSA-PSS.

    `crl_url` and `ocsp_url` stand in what it issues; None: it names nobody to ask.
    """

    __test__ = False

    kinds: tuple[str, str] = ("p256", "p256")
    at: dt.datetime = NOW
    pss: bool = False
    crl_url: str | None = "http://crl.test/below.crl"
    ocsp_url: str | None = None
    root_crl_url: str | None = "http://crl.test/root.crl"
    title: str = "Ban Cơ yếu Chính phủ (thử)"
    numbers: dict[str, int] = field(default_factory=dict)
    root: Party = field(init=False)
    below: Party = field(init=False)

    def __post_init__(self) -> None:
        root, below = map(key_of, self.kinds)
        name = subject(common_name=f"{self.title} Root")
        self.root = Party(root, self._sign(name, root, None, ca=True, urls=(None, None)))
        under = subject(common_name=f"{self.title} G2")
        self.below = Party(below, self._sign(under, below, self.root, ca=True, urls=(self.root_crl_url, None)))

    @property
    def authorities(self) -> Authorities:
        return Authorities((self.root.der,), (self.below.der,))

    def put_into(self, folder: Path) -> None:
        """Have a machine trust it."""
        for part, party in (("roots", self.root), ("intermediates", self.below)):
            (folder / part).mkdir(parents=True, exist_ok=True)
            (folder / part / f"{self.title[:3]}.pem").write_bytes(party.pem)

    def issue(
        self,
        kind: str = "p256",
        name: x509.Name | None = None,
        *,
        key: Key | None = None,
        code: str = "H37",
        **how: Any,
    ) -> Party:
        """Issue a certificate for signing documents."""
        key = key or key_of(kind)
        named = name or subject(common_name=UBND, organization_name=UBND, serial_number=code)
        urls = how.pop("urls", (self.crl_url, self.ocsp_url))
        return Party(key, self._sign(named, key, how.pop("issuer", self.below), ca=False, urls=urls, **how))

    def certify(self, key_pem: bytes, code: str = "H37", **how: Any) -> Party:
        """Certify a key that its owner keeps."""
        return self.issue(key=load_key(key_pem), code=code, **how)

    def crl(
        self,
        issuer: Party | None = None,
        revoked: Mapping[int, dt.datetime] | None = None,
        *,
        at: dt.datetime | None = None,
        days: float = 1.0,
        number: int | None = None,
        invalid_since: dt.datetime | None = None,
        reason: x509.ReasonFlags = x509.ReasonFlags.key_compromise,
        signed_by: Key | None = None,
    ) -> bytes:
        """Sign a revocation list: serial number -> since when."""
        issuer, made = issuer or self.below, at or self.at - HOUR
        name = issuer.certificate.subject.rfc4514_string()
        self.numbers[name] = number if number is not None else self.numbers.get(name, 0) + 1
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.certificate.subject)
            .last_update(made)
            .next_update(made + dt.timedelta(days=days))
            .add_extension(x509.CRLNumber(self.numbers[name]), critical=False)
        )
        for serial, since in (revoked or {}).items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
            if invalid_since is not None:
                entry = entry.add_extension(x509.InvalidityDate(invalid_since.replace(tzinfo=None)), critical=False)
            builder = builder.add_revoked_certificate(entry.build())
        signer = signed_by or issuer.key
        return builder.sign(signer, _hash(signer), **self._padding(signer)).public_bytes(Encoding.DER)

    def ocsp(
        self,
        about: Party,
        *,
        at: dt.datetime | None = None,
        hours: float = 12.0,
        revoked_at: dt.datetime | None = None,
        responder: Party | None = None,
    ) -> bytes:
        """Sign an OCSP answer about a certificate, by its issuer or by a responder."""
        made = at or self.at - HOUR
        signer = responder or self.below
        status = ocsp.OCSPCertStatus.GOOD if revoked_at is None else ocsp.OCSPCertStatus.REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response(
            about.certificate,
            self.below.certificate,
            SHA1(),  # noqa: S303 - it only names the certificate
            status,
            made,
            made + dt.timedelta(hours=hours),
            revoked_at,
            None if revoked_at is None else x509.ReasonFlags.key_compromise,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
        if responder is not None:
            builder = builder.certificates([responder.certificate])
        return builder.sign(signer.key, _hash(signer.key)).public_bytes(Encoding.DER)

    def responder(self, *, appointed: bool = True, issuer: Party | None = None) -> Party:
        """Make an OCSP responder of its own key, appointed by the authority or not."""
        usages = [ExtendedKeyUsageOID.OCSP_SIGNING if appointed else ExtendedKeyUsageOID.EMAIL_PROTECTION]
        extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.ExtendedKeyUsage(usages), False)]
        if appointed:
            extensions.append((x509.OCSPNoCheck(), False))
        return self.issue(
            name=subject(common_name="OCSP"), urls=(None, None), extensions=extensions, issuer=issuer or self.below
        )

    def _sign(
        self,
        name: x509.Name,
        key: Key,
        issuer: Party | None,
        *,
        ca: bool,
        urls: tuple[str | None, str | None],
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    ) -> x509.Certificate:
        signer = key if issuer is None else issuer.key
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name if issuer is None else issuer.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since or self.at - 30 * DAY)
            .not_valid_after(until or self.at + 300 * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(_usage(ca=ca), critical=True)
        )
        if urls[0] is not None:
            point = x509.DistributionPoint([x509.UniformResourceIdentifier(urls[0])], None, None, None)
            builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
        if urls[1] is not None:
            access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(urls[1]))
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(signer, _hash(signer), **self._padding(signer))

    def _padding(self, signer: Key) -> dict[str, Any]:
        if not (self.pss and isinstance(signer, rsa.RSAPrivateKey)):
            return {}
        return {"rsa_padding": padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)}


def _hash(key: Key) -> SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey | mldsa.MLDSA65PrivateKey) else SHA256()


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=not ca,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
