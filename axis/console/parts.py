"""What of a list a reader may see: the users of an agency what the agency API shows that agency (axis.core.seeing)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from axis.console.desk import Desk
from axis.console.reader import Reader
from axis.core.operators import Role
from axis.core.seeing import is_shown, own_records
from axis.store import Entry, EntryDelivery


async def own_entries(desk: Desk, reader: Reader, entries: Sequence[Entry]) -> list[Entry]:
    """Leave away what its recipient never had; of what it received, only its own deliveries count as open.

    How the others stand is the sender's to know, be it as a number.
    """
    if reader.role is not Role.AGENCY or reader.code is None:
        return list(entries)
    account = reader.code
    mine = await desk.store.seen.own(account, [each.id for each in entries if each.account != account])
    shown = []
    for each in entries:
        if each.account == account:
            shown.append(each)
        elif records := own_records(each, mine.get(each.id, ()), account):
            shown.append(replace(each, open=sum(not record.ended for record in records)))
    return shown


def own_deliveries(reader: Reader, deliveries: Iterable[EntryDelivery]) -> list[EntryDelivery]:
    """Leave away what its recipient never had."""
    return [
        each
        for each in deliveries
        if reader.may_see(each.entry.account) or is_shown(each.transport, arrived=each.arrived_at is not None)
    ]
