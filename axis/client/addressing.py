"""Whom a document is sealed for: the certificate of each mailbox that its recipients lead to.

Which mailbox a recipient leads to, and which certificates are that mailbox's, is the word of the axis's directory,
asked over the gateway. One certificate is taken for each mailbox, the one that began last: a directory that slips in
another key so takes the document away from its recipient, who cannot open it and asks, instead of reading along
unseen. Who will not take the directory's word pins certificates in the profile's folder `recipients`: then it cannot
lead the recipient, or one below it, to another mailbox either.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from axis.client.certificates import read_certificate
from axis.core.codes import lineage
from axis.errors import Refused
from axis.trust.wrapping import Addressee, addressee
from schemas import Certificate

Pins = Mapping[str, frozenset[str]]  # mailbox -> thumbprints

_TOLD = 10  # recipients named in one refusal


class Way(BaseModel):
    """Where the documents of a recipient go now: a mailbox, or a reason."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    recipient: str
    mailbox: str | None = None
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Ways:
    """The gateway's answer about some recipients."""

    ways: tuple[Way, ...]
    certificates: tuple[Certificate, ...]

    def __add__(self, other: "Ways") -> "Ways":
        """Take both."""
        return Ways(self.ways + other.ways, self.certificates + other.certificates)


def read_ways(content: bytes) -> Ways:
    """Read the gateway's answer; raise ValueError for anything else."""
    members: dict[str, Any] = json.loads(content)
    try:
        ways = tuple(Way.model_validate(each) for each in members["recipients"])
        certificates = tuple(read_certificate(json.dumps(each).encode()) for each in members["certificates"])
    except (ValidationError, KeyError, TypeError) as error:
        raise ValueError("not an answer about recipients") from error
    return Ways(ways, certificates)


def choose(found: Ways, recipients: Sequence[str], pins: Pins, at: dt.datetime) -> dict[str, Addressee]:
    """Choose one certificate for each mailbox.

    A recipient that has no mailbox is left to the axis, which refuses it alone, as it does without sealing.

    Raises:
        Refused: seal/no-certificate naming every recipient without one; seal/certificate for what cannot be used or is
            not the pinned one; the recipient's own reason when none of them leads anywhere.
    """
    by_recipient = {way.recipient: way for way in found.ways}
    ways = [by_recipient.get(code, Way(recipient=code, code="recipient/unknown")) for code in recipients]
    _hold_to_pins(ways, pins)
    reached = {way.mailbox: way for way in ways if way.mailbox is not None}
    if not reached:
        raise Refused(ways[0].code or "recipient/unknown", ways[0].detail or "")
    without = [way for way in reached.values() if not _of(found, way.mailbox)]
    if without:
        told = ", ".join(
            way.recipient if way.mailbox == way.recipient else f"{way.recipient} (by way of {way.mailbox})"
            for way in without[:_TOLD]
        )
        more = f" and {len(without) - _TOLD} more" if len(without) > _TOLD else ""
        raise Refused("seal/no-certificate", f"none is enrolled and valid for {told}{more}")
    return {mailbox: _choose(found, mailbox, pins.get(mailbox), at) for mailbox in reached if mailbox is not None}


def _hold_to_pins(ways: Iterable[Way], pins: Pins) -> None:
    # By the recipient: pins looked up by the mailbox that the directory names would bind only an honest directory.
    for way in ways:
        pinned = next((code for code in lineage(way.recipient) if code in pins), None)
        if pinned is not None and way.mailbox not in {None, pinned}:
            raise Refused(
                "seal/certificate",
                f"{way.recipient} is said to be reached by way of {way.mailbox}, but the pinned certificates are those "
                f"of {pinned}; if that is right, pin those of {way.mailbox} for {way.recipient} instead",
            )


def _of(found: Ways, mailbox: str | None) -> list[Certificate]:
    return [each for each in found.certificates if each.organisation == mailbox]


def _choose(found: Ways, mailbox: str, pinned: Iterable[str] | None, at: dt.datetime) -> Addressee:
    offered = _of(found, mailbox)
    usable = offered if pinned is None else [each for each in offered if each.thumbprint in set(pinned)]
    if not usable:
        told = ", ".join(each.thumbprint for each in offered)
        raise Refused("seal/certificate", f"{mailbox}: offered are {told}, none of them is the pinned one")
    newest = max(usable, key=lambda each: (each.not_before, each.thumbprint))
    return addressee(newest, mailbox, at)
