"""`axis calendar`: which days are worked, for deadlines."""

import asyncio
import datetime as dt
import getpass
from typing import Annotated

import typer

from axis.catalogue.workdays import holiday_names, workdays
from axis.cli.console import JsonOption, print_json, print_table, say, speaks_vietnamese
from axis.cli.moments import day, now
from axis.core.workdays import Calendar, Override, read_hours, vietnam_day
from axis.errors import NotFound
from axis.settings import Settings
from axis.store import Store

app = typer.Typer(
    help="Which days are worked: the holidays of Vietnam, and what is said here.", no_args_is_help=True, name="calendar"
)

Day = Annotated[str, typer.Argument(metavar="DAY", help="2026-08-22 or 22/08/2026.", show_default=False)]


@app.command("list")
def list_days(
    *,
    year: Annotated[int | None, typer.Option(min=2019, max=2100, help="Default: this one.", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """List the days of a year that are not what their weekday says: off, or worked at a weekend, and why.

    For example:

      axis calendar list

      axis calendar list --year 2027 --json
    """
    settings = Settings.load()
    wanted = vietnam_day(now()).year if year is None else year
    overrides = asyncio.run(_overrides(settings))
    calendar = workdays(overrides, wanted, read_hours(settings.working_hours))
    said = {each.day: each for each in overrides}
    names = holiday_names(wanted, vietnamese=speaks_vietnamese())
    rows = [
        (each, calendar.is_working(each), said[each].why if each in said else names.get(each.isoformat()), each in said)
        for each in _days(wanted)
        if each in said or calendar.is_working(each) != _is_weekday(each)
    ]
    if as_json:
        days = [{"day": each.isoformat(), "working": w, "why": why, "set_here": here} for each, w, why, here in rows]
        print_json({"year": wanted, "working_hours": settings.working_hours, "days": days})
        return
    print_table(
        ("day", "weekday", "is", "why", "said by"),
        [
            (
                f"{each:%d/%m/%Y}",
                _WEEKDAYS[each.weekday()],
                "worked" if working else "off",
                why,
                "axis calendar set" if here else "holidays",
            )
            for each, working, why, here in rows
        ],
    )
    say(f"other days: Monday to Friday, {settings.working_hours}, Vietnam time")


@app.command("set")
def set_day(
    which: Day,
    *,
    worked: Annotated[bool, typer.Option("--worked/--off", help="What the day is.", show_default=False)],
    why: Annotated[str, typer.Option(help="By what decision, for whoever asks later.", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Say that a day is worked, or off, whatever the holidays say. Deadlines are counted anew with the next change.

    For example:

      axis calendar set 2027-02-05 --off --why "Thông báo 150/TB-VPCP"

      axis calendar set 22/08/2026 --worked --why "làm bù cho 31/08/2026"
    """
    wanted = _day(which)
    if not why.strip():
        raise typer.BadParameter("--why says by what decision")
    override = Override(wanted, worked, why.strip())
    calendar = asyncio.run(_change(Settings.load(), override))
    _tell(wanted, calendar, as_json=as_json)


@app.command("unset")
def unset_day(which: Day, *, as_json: JsonOption = False) -> None:
    """Take back what was said of a day: it is again what the holidays say.

    For example:

      axis calendar unset 2027-02-05
    """
    wanted = _day(which)
    calendar = asyncio.run(_change(Settings.load(), wanted))
    _tell(wanted, calendar, as_json=as_json)


_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


async def _overrides(settings: Settings) -> tuple[Override, ...]:
    async with Store.connect(settings.operator_database, name="axis cli") as store:
        return await store.workdays.overrides()


async def _change(settings: Settings, change: Override | dt.date) -> Calendar:
    """Write or remove an override; raises NotFound when there is none to remove."""
    async with Store.connect(settings.operator_database, name="axis cli") as store:
        before = {each.day: each for each in await store.workdays.overrides()}
        wanted = change.day if isinstance(change, Override) else change
        old = before.pop(wanted, None)
        if isinstance(change, Override):
            # Checked before it is written: a calendar without working days would stop every deadline.
            calendar = workdays([*before.values(), change], wanted.year, read_hours(settings.working_hours))
            calendar.working_day(wanted)
            await store.workdays.put(change)
        elif old is None:
            raise NotFound(f"nothing was said of {wanted:%d/%m/%Y}: `axis calendar list`")
        else:
            calendar = workdays(before.values(), wanted.year, read_hours(settings.working_hours))
            await store.workdays.remove(wanted)
        await store.audit(
            getpass.getuser(),
            "calendar.set" if isinstance(change, Override) else "calendar.unset",
            wanted.isoformat(),
            {"before": _told(old), "after": _told(change if isinstance(change, Override) else None)},
        )
    return calendar


def _told(override: Override | None) -> dict[str, object] | None:
    return None if override is None else {"working": override.working, "why": override.why}


def _tell(wanted: dt.date, calendar: Calendar, *, as_json: bool) -> None:
    working = calendar.is_working(wanted)
    if as_json:
        print_json({"day": wanted.isoformat(), "working": working})
        return
    say(f"{wanted:%d/%m/%Y}, a {_WEEKDAYS[wanted.weekday()]}, is {'worked' if working else 'off'}")
    say("deadlines are counted anew: at once in `axis track`, in lists when `axis register rebuild` has run")


def _day(text: str) -> dt.date:
    read = day(text)
    if read is None:
        raise typer.BadParameter("name a day")
    return read


def _days(year: int) -> list[dt.date]:
    first = dt.date(year, 1, 1)
    return [first + dt.timedelta(days=number) for number in range((dt.date(year + 1, 1, 1) - first).days)]


def _is_weekday(each: dt.date) -> bool:
    return Calendar().is_working(each)
