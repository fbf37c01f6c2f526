"""What requests of both profiles say, read strictly; and times as they are written for partners."""

import datetime as dt
from collections.abc import Callable, Mapping

from axis.core.partners import WAITING, Incoming, Kind, Plane, Wanted
from axis.core.workdays import VIETNAM_TIME
from axis.errors import Refused
from axis.gateway.desk.limits import DeskLimits

_DAYS = ("%Y/%m/%d", "%Y-%m-%d", "%d/%m/%Y")
_MOMENTS = tuple(f"{day} %H:%M:%S" for day in _DAYS)
_LAST_PAGE = 1000
_NAMED = 50


def written(moment: dt.datetime) -> str:
    """Write a time as packages do: in Vietnam (QĐ 28/2018 article 14.4), and no zone is named."""
    return moment.astimezone(VIETNAM_TIME).strftime("%Y/%m/%d %H:%M:%S")


def addressed(package: Incoming, write: Callable[[str], str]) -> str:
    """Name the recipients of a package in a list; the package itself names them all, and there may be thousands."""
    return ",".join(write(each) for each in package.recipients[:_NAMED])


def refuse_unwritable(said: Mapping[str, str]) -> None:
    """Raise Refused partner/form for text that the store cannot hold: NUL, and halves of surrogate pairs."""
    for name, value in said.items():
        text = name + value
        if "\x00" in text or any("\ud800" <= each <= "\udfff" for each in text):
            raise Refused("partner/form", f"{ascii(name)[:60]} holds a character that is none")


def kind_of(text: str | None) -> Kind:
    """Read `messagetype`."""
    try:
        return Kind((text or "").lower())
    except ValueError as error:
        raise Refused("partner/parameter", f"messagetype is edoc or status, not {(text or '')[:40]!r}") from error


def wanted_of(asked: Mapping[str, str], limits: DeskLimits) -> Wanted:
    """Read which packages are asked for; names are in small letters."""
    return Wanted(
        kind=kind_of(asked.get("messagetype")),
        states=_states(asked.get("status")),
        recipient=asked.get("to") or None,
        since=_moment(asked.get("fromdate"), "fromDate", end=False),
        until=_moment(asked.get("todate"), "toDate", end=True),
        page=page_of(asked),
        size=size_of(asked, limits),
    )


def page_of(asked: Mapping[str, str]) -> int:
    """Read `pageIndex`: 1 is the first page, and so is 0."""
    return max(_number(asked.get("pageindex"), "pageIndex", default=1, most=_LAST_PAGE) - 1, 0)


def size_of(asked: Mapping[str, str], limits: DeskLimits) -> int:
    """Read `pageSize`; more than the largest page is that page."""
    size = _number(asked.get("pagesize"), "pageSize", default=limits.page, most=10**6)
    return min(size or limits.page, limits.largest_page)


def _states(text: str | None) -> frozenset[Plane]:
    if not text:
        return WAITING
    try:
        return frozenset({Plane(text.lower())})
    except ValueError as error:
        raise Refused("partner/parameter", f"status is initial, processing, done or fail, not {text[:40]!r}") from error


def _number(text: str | None, name: str, *, default: int, most: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdecimal()) or int(text[:9]) > most or len(text) > 9:  # noqa: PLR2004 - digits
        raise Refused("partner/parameter", f"{name} is a number up to {most}, not {text[:40]!r}")
    return int(text)


def _moment(text: str | None, name: str, *, end: bool) -> dt.datetime | None:
    """Read a day or a moment; a day at the end of a span is meant whole."""
    if not text:
        return None
    for form in (*_DAYS, *_MOMENTS):
        try:
            found = dt.datetime.strptime(text.strip(), form).replace(tzinfo=VIETNAM_TIME)
        except ValueError:
            continue
        try:
            step = dt.timedelta(days=1) if form in _DAYS else dt.timedelta(seconds=1)
            return (found + step if end else found).astimezone(dt.UTC)
        except OverflowError as error:
            raise Refused("partner/parameter", f"{name} {text[:40]!r} is out of range") from error
    raise Refused("partner/parameter", f"{name} is yyyy/MM/dd, not {text[:40]!r}")
