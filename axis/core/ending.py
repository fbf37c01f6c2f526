"""Which certificates end soon, and who has not been warned of it yet."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from axis.core.enrolment import Enrolment, State

WARN_DAYS = (60, 30, 7)  # before the end


@dataclass(frozen=True, slots=True)
class Ending:
    """A certificate that ends within `days`, the last of its organisation and role that lasts so long."""

    certificate: Enrolment
    days: int


def ending(
    certificates: Sequence[Enrolment], at: dt.datetime, *, is_second: Callable[[Enrolment], bool]
) -> list[Ending]:
    """List the certificates that end soon and have no successor, each with the least of 60, 30, 7 days that is left.

    A successor is another valid certificate of the same organisation and role that lasts beyond the first warning, for
    signatures in the same place: neither key of a hybrid replaces the other. `is_second`: whether it makes the second.
    """
    counted = [each for each in certificates if each.state(at) in {State.VALID, State.UNPROVEN}]
    found = []
    for certificate in counted:
        left = _end(certificate) - at
        days = min((each for each in WARN_DAYS if left <= dt.timedelta(days=each)), default=None)
        if days is not None and not any(
            _succeeds(each, certificate, at) and is_second(each) == is_second(certificate) for each in counted
        ):
            found.append(Ending(certificate, days))
    return sorted(found, key=lambda each: (_end(each.certificate), each.certificate.thumbprint))


def due(
    certificates: Sequence[Enrolment],
    warned: Mapping[str, Mapping[int, object]],
    at: dt.datetime,
    *,
    is_second: Callable[[Enrolment], bool],
) -> list[Ending]:
    """List what has to be warned of now: nobody was told for so few days before the end."""
    return [
        each
        for each in ending(certificates, at, is_second=is_second)
        if not any(days <= each.days for days in warned.get(each.certificate.thumbprint, ()))
    ]


def _succeeds(other: Enrolment, certificate: Enrolment, at: dt.datetime) -> bool:
    same = (other.organisation, other.role) == (certificate.organisation, certificate.role)
    return same and other.thumbprint != certificate.thumbprint and _end(other) - at > dt.timedelta(days=WARN_DAYS[0])


def _end(certificate: Enrolment) -> dt.datetime:
    return min(each for each in (certificate.not_after, certificate.retired_at) if each is not None)
