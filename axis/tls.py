"""TLS as every part of the axis speaks it: contexts, what is safe without it, and refusals with a code.

Certificates of servers are always checked, by authority and by name; there is no switch for it. TLS 1.2 is the oldest
taken (RFC 9325 section 3.1.1), 1.3 is preferred where both sides have it.
"""

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.x509.oid import NameOID

from axis.errors import Misconfigured, Unavailable

ALLOW_VARIABLE = "AXIS_ALLOW_PLAINTEXT"

# X509_V_ERR_… of OpenSSL's x509_vfy.h
_NOT_YET_VALID, _EXPIRED = 9, 10
_WRONG_NAME = frozenset({62, 64})  # host, address
# How OpenSSL names what the other side said (3.0 and 3.2 begin them differently), in the order they are looked for.
_ALERTS = (
    ("CERTIFICATE_REQUIRED", "tls/client-missing"),
    ("CERTIFICATE_EXPIRED", "tls/client-expired"),
    ("CERTIFICATE_REVOKED", "tls/client-revoked"),
    ("UNKNOWN_CA", "tls/client-authority"),
    ("BAD_CERTIFICATE", "tls/client-refused"),
    ("CERTIFICATE_UNKNOWN", "tls/client-refused"),
    ("UNSUPPORTED_CERTIFICATE", "tls/client-refused"),
    ("ACCESS_DENIED", "tls/client-refused"),
    ("PROTOCOL_VERSION", "tls/version"),
    ("UNSUPPORTED_PROTOCOL", "tls/version"),
    ("NO_PROTOCOLS_AVAILABLE", "tls/version"),
    ("LEGACY_SIGALG", "tls/version"),  # TLS 1.1 signs with SHA-1
    # Up to TLS 1.2 this is also what a server says that wants a certificate and got none.
    ("HANDSHAKE_FAILURE", "tls/client-missing"),
    ("WRONG_VERSION_NUMBER", "tls/plain"),
    ("HTTP_REQUEST", "tls/plain"),
    ("RECORD_LAYER_FAILURE", "tls/plain"),
)


class TlsRefused(Unavailable):
    """Report that one side did not take the other's certificate or protocol; nothing was said over the connection.

    Tried again like everything unavailable: certificates are renewed while programs run.
    """

    code = "tls/refused"
    exit_code = 78


@dataclass(frozen=True, slots=True)
class Credentials:
    """Files to prove oneself with and to know others by, PEM; None: no client certificate, the system's authorities."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Self:
        """Take the files that an address names as `cafile`, `certfile` and `keyfile`."""
        ca, certificate, key = (
            Path(options[name]) if name in options else None for name in ("cafile", "certfile", "keyfile")
        )
        return cls(ca, certificate, key)

    def context(self) -> ssl.SSLContext:
        """Make the client's side, from the files as they are now; raise Misconfigured `tls/files`."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ValueError) as error:
            raise _unreadable(error, self.ca, self.certificate, self.key) from error
        return context


def server_context(
    certificate: Path, key: Path, client_ca: Path | None, client_crl: Path | None = None
) -> ssl.SSLContext:
    """Make a server's side; with `client_ca` only who has a certificate of it comes in. Raises Misconfigured.

    With `client_crl` (PEM, a list of each authority of the chain) nobody comes in who is revoked, and nobody at all
    once a list is past its end: whoever was revoked would come in again otherwise.
    """
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        if client_crl is not None:
            context.load_verify_locations(client_crl)
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN
    except (OSError, ValueError) as error:
        raise _unreadable(error, certificate, key, client_ca, client_crl) from error
    return context


def common_name(certificate: Path) -> str:
    """Return whom a certificate (PEM, the first in the file) is for; raise Misconfigured `tls/files`."""
    try:
        names = x509.load_pem_x509_certificate(certificate.read_bytes()).subject
        (found,) = names.get_attributes_for_oid(NameOID.COMMON_NAME)
    except (OSError, ValueError) as error:
        raise _unreadable(error, certificate) from error
    return str(found.value)


def check_account(certificate: Path, account: str) -> None:
    """Raise Misconfigured `tls/account` when the certificate is somebody else's.

    The broker goes by the certificate alone: what is said under the wrong one would be said in another's name.
    """
    name = common_name(certificate)
    if name != account:
        raise Misconfigured(f"{certificate} is the certificate of {name}, the account is {account}", code="tls/account")


def told(error: BaseException | None, where: str) -> TlsRefused | None:
    """Turn what TLS raised over a connection to `where` into a code; None when it was about something else.

    Libraries wrap it several times over, so what an error came from is looked at too.
    """
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return TlsRefused(f"{where}: {error.verify_message}", code=_verdict(error.verify_code))
        if isinstance(error, ssl.SSLError):
            # A Python that was built for an older OpenSSL has the sentence only, not the name of the reason.
            reason = error.reason or str(error.strerror).upper().replace(" ", "_")
            code = next((code for mark, code in _ALERTS if mark in reason), None)
            if code is not None or error.reason is not None:
                return TlsRefused(f"{where}: {reason.replace('_', ' ').lower()}", code=code or TlsRefused.code)
        error = error.__cause__ or error.__context__
    return None


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine whatever a name server says."""
    bare = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        # RFC 6761 section 6.3: names under localhost are resolved to loopback without asking anybody.
        return bare == "localhost" or bare.endswith(".localhost")


def _verdict(code: int) -> str:
    if code in (_EXPIRED, _NOT_YET_VALID):
        return "tls/server-expired"
    if code in _WRONG_NAME:
        return "tls/server-name"
    return "tls/server-authority"


def _unreadable(error: BaseException, *files: Path | None) -> Misconfigured:
    named = ", ".join(str(each) for each in files if each is not None)
    return Misconfigured(f"cannot be used for TLS: {named}: {error}", code="tls/files")
