"""Who takes part: agencies with keys, mailboxes and broker accounts, and the axis's own key."""

import base64
import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from axis.broker import ManagementApi, vhost_of
from axis.client.gateway import Gateway
from axis.core.topology import WorkerUser, desired, difference
from axis.errors import Unavailable
from axis.store import Store
from axis.trust import DemonstrationCA, SigningKey, enrol, new_key
from schemas import Certificate, Mailbox, Organisation

CODES = ("G22", "H37", "H29", "H17", "H53", "B08")
UNIT = "H37.05"  # has no mailbox: what is for it goes to H37's
UNKNOWN = "Z98"  # nobody: what is for it is refused, and the others get theirs
WORKER = "axis-worker"
AXIS_CODE = "W00"

_LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_SALT = b"axis"
_ENROLLED_BEFORE = dt.timedelta(days=40)


@dataclass(frozen=True, slots=True)
class Member:
    """An agency: its code, its key, and the certificate that everybody can look up."""

    code: str
    key: SigningKey = field(repr=False)
    certificate: Certificate = field(repr=False)


class Lookup(Gateway):
    """The gateway as far as certificates go, without one: agencies that send no files need nothing else of it."""

    def __init__(self, member: Member, certificates: Sequence[Certificate]) -> None:
        super().__init__("http://127.0.0.1:9", code=member.code, key=member.key, now=utc_now, deadline=10.0)
        self._certificates = {each.thumbprint: each for each in certificates}

    async def certificate(self, thumbprint: str) -> Certificate | None:
        """Look it up."""
        return self._certificates.get(thumbprint)


def utc_now() -> dt.datetime:
    """Tell the time."""
    return dt.datetime.now(dt.UTC)


def password_of(user: str) -> str:
    """Return an account's password: nobody else can reach this broker."""
    return f"secret-{user}"


def account_url(amqp_url: str, user: str) -> str:
    """Write the AMQP address of an account."""
    parts = urlsplit(amqp_url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{password_of(user)}@{place}"))


async def enrol_all(store: Store, folder: Path) -> dict[str, Member]:
    """Make keys, directory records and mailboxes, and the axis's own key in `folder`/axis-key; return the agencies."""
    # Long enough ago for whoever's clock is wrong by as much as an id may be old.
    now = utc_now() - _ENROLLED_BEFORE
    authority = DemonstrationCA.open_or_create(folder / "ca", now)
    await store.directory.put_organisations(
        [Organisation(code=code, name=f"Cơ quan {code}", valid_from=_LONG_AGO) for code in (*CODES, UNIT)]
    )
    members = {}
    for code in CODES:
        await store.directory.put_mailbox(Mailbox(code=code, valid_from=_LONG_AGO, password_hash=_hash(code)))
        key = new_key("ed25519")
        certificate = authority.issue(code, key, name=code, now=now)
        record = enrol(certificate, code, "agency", now, allow_demonstration=True)
        await store.directory.put_certificate(record)
        members[code] = Member(code, SigningKey.from_pem(key, certificate), record)
    key = new_key("p256")
    certificate = authority.issue(AXIS_CODE, key, name="axis", now=now)
    own = folder / "axis-key"
    own.mkdir()
    (own / "key.pem").write_bytes(key)
    (own / "certificate.pem").write_bytes(certificate)
    await store.directory.put_certificate(enrol(certificate, AXIS_CODE, "axis", now, allow_demonstration=True))
    return members


async def apply_topology(store: Store, amqp_url: str, api_url: str) -> None:
    """Bring the broker to what the directory demands."""
    _, mailboxes, _ = await store.directory.load()
    wanted = desired(mailboxes, worker_user=WorkerUser(WORKER, _hash(WORKER)), at=utc_now())
    async with ManagementApi(api_url, vhost_of(amqp_url)) as api:
        await api.apply(difference(wanted, await api.actual()), lambda _: None)
        if left := difference(wanted, await api.actual()):
            raise Unavailable(f"the broker's objects are not as they have to be: {[each.text for each in left]}")


def _hash(user: str) -> str:
    digest = hashlib.sha256(_SALT + password_of(user).encode()).digest()
    return base64.b64encode(_SALT + digest).decode("ascii")
