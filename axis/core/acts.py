"""Acts of administration as the log names them: by the digest of all that was noted about one."""

import datetime as dt
import hashlib
from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True)
class Act:
    """A row of the audit table. `detail` is JSON as the database keeps it; `nonce` makes the digest unguessable."""

    id: int
    at: dt.datetime
    actor: str
    action: str
    subject: str
    detail: str
    nonce: str

    @property
    def data(self) -> bytes:
        """The exact bytes of which the log has the SHA-256: JSON, members in this order, the time in UTC."""
        members = {
            "id": self.id,
            "at": self.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            "actor": self.actor,
            "action": self.action,
            "subject": self.subject,
            "detail": self.detail,
            "nonce": self.nonce,
        }
        return orjson.dumps(members)

    @property
    def sha256(self) -> str:
        """Their digest, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()
