"""The certificates of private nodes that speak TLS: of the clone's own authority, copied to where a node reads them."""

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

from axis.local.layout import folder, hand_over
from axis.local.ports import LOOPBACK
from axis.local.record import USER, Record
from axis.trust import Authority

PKI = "pki"
HOSTS = ("localhost", LOOPBACK)
_RENEW_BEFORE = dt.timedelta(days=30)
# Nobody makes it anew while the nodes run, and one that is too old would lock everybody out.
_CRL_DAYS = 366


@dataclass(frozen=True, slots=True)
class NodeFiles:
    """What a node is started with."""

    ca: Path
    certificate: Path
    key: Path
    crl: Path
    crl_folder: Path


def ensure_authority(root: Path) -> str:
    """Make the clone's authority and the certificates of its nodes and its administrator; return the folder."""
    place, now = folder(root) / PKI, dt.datetime.now(dt.UTC).replace(microsecond=0)
    authority = Authority.open_or_create(place, now, title="Axis on this machine")
    for name in ("rabbitmq", "postgres", "gateway", "console"):
        authority.ensure("server", name, hosts=HOSTS, now=now, renew_before=_RENEW_BEFORE)
    authority.ensure("client", USER, now=now, renew_before=_RENEW_BEFORE)
    authority.write_crl(now, _CRL_DAYS)
    for path in (place, *place.rglob("*")):
        hand_over(path)
    return str(place)


def copied(record: Record, node: str, base: Path) -> NodeFiles:
    """Copy a node's files to where its user can read them; the caller gives them to that user."""
    issued, own = Path(record.pki) / "issued" / "server" / node, base / "tls"
    own.mkdir(mode=0o700, exist_ok=True)
    files = NodeFiles(own / "ca.pem", own / "certificate.pem", own / "key.pem", own / "crl.pem", own / "crl")
    files.crl_folder.mkdir(mode=0o700, exist_ok=True)
    lists = [(path, files.crl_folder / path.name) for path in sorted((Path(record.pki) / "crl").iterdir())]
    for source, target in (
        (issued / "ca.pem", files.ca),
        (issued / "certificate.pem", files.certificate),
        (issued / "key.pem", files.key),
        (Path(record.pki) / "crl.pem", files.crl),
        *lists,
    ):
        target.unlink(missing_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o600)
    return files
