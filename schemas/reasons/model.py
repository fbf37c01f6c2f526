"""What one reason is."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Who has to act."""

    SENDER = "sender"  # who sent the message, made the request or ran the command
    AXIS = "axis"
    NETWORK = "network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One stable code, and what is said of it: whole sentences, in English and in Vietnamese (NFC).

    `title` says what happened, `remedy` what to do. `retry`: the very same bytes may succeed later. `rivals`: what
    other systems of exchange call it (schemas.reasons.rivals).
    """

    code: str
    title: str
    title_vi: str
    remedy: str
    remedy_vi: str
    fault: Fault = Fault.SENDER
    retry: bool = False
    rivals: tuple[str, ...] = ()
