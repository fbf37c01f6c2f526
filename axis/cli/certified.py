"""Client certificates for accounts and roles, where an authority of this machine issues them (`axis pki`)."""

import datetime as dt
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlunsplit

from axis.broker import split_address
from axis.cli import moments
from axis.client import TlsFiles
from axis.local.certified import PKI
from axis.settings import Settings
from axis.trust import Authority
from axis.trust.authority import Issued

_RENEW_BEFORE = dt.timedelta(days=30)
_FILES = ("cafile", "certfile", "keyfile")


def certificate_for(settings: Settings, account: str) -> Issued | None:
    """Return the client certificate of an account, issued or renewed if need be; None without an authority here."""
    folder = settings.home / PKI
    if not (folder / "ca.pem").is_file():
        return None
    now = moments.now()
    return Authority.open(folder, now).ensure("client", account, now=now, renew_before=_RENEW_BEFORE)


def under_certificate(settings: Settings, amqp_url: str, account: str) -> str:
    """Put the account's own certificate into a broker's address that logs in by certificate."""
    issued = certificate_for(settings, account) if is_external(amqp_url) else None
    if issued is None:
        return amqp_url
    files = {"cafile": str(issued.ca), "certfile": str(issued.certificate), "keyfile": str(issued.key)}
    return _with_options(amqp_url, files)


def for_profile(settings: Settings, amqp_url: str, code: str) -> tuple[str, TlsFiles | None]:
    """Return the broker's address without this machine's files, and what belongs into the agency's profile.

    Without an authority here the agency brings its own certificate, and gets whom to trust.
    """
    options = dict(parse_qsl(split_address(amqp_url)[0].query))
    bare = _with_options(amqp_url, {})
    if not amqp_url.startswith("amqps:"):
        return bare, None
    issued = certificate_for(settings, code) if is_external(amqp_url) else None
    if issued is not None:
        return bare, TlsFiles(issued.ca.read_bytes(), issued.key.read_bytes(), issued.certificate.read_bytes())
    return bare, TlsFiles(Path(options["cafile"]).read_bytes()) if "cafile" in options else None


def is_external(amqp_url: str) -> bool:
    """Say whether an address logs in by certificate."""
    return dict(parse_qsl(split_address(amqp_url)[0].query)).get("auth") == "external"


def _with_options(amqp_url: str, files: dict[str, str]) -> str:
    parts, hosts = split_address(amqp_url)
    options = {name: value for name, value in parse_qsl(parts.query) if name not in _FILES} | files
    netloc = parts.netloc.removesuffix("host") + hosts
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode(options, safe="/")))
