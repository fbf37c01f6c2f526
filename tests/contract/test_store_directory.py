"""The directory, on the fake and on PostgreSQL."""

import asyncio
import datetime as dt

import asyncpg
import pytest
from structlog.testing import capture_logs

from axis.errors import NotFound, Unavailable
from axis.store import Counts, Store
from schemas import Organisation
from schemas.directory import UnknownBelow
from tests.builders import LONG_AGO, NOW, mailbox, organisation
from tests.unit.store.rows import THUMBPRINT, certificate

CHANGE = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)


async def test_history_comes_back_as_it_was_put(store: Store) -> None:
    old = organisation("H01", name="Tỉnh Hà Giang", valid_to=CHANGE, successor="H60", code102="000.00.00.H01")
    new = organisation("H01", name="Xã mới", valid_from=CHANGE, forwarding=False, unknown_below=UnknownBelow.OPEN)
    box = mailbox("H01", valid_to=CHANGE)
    await store.directory.put_organisations([new, old])
    await store.directory.put_mailbox(box)
    await store.directory.put_certificate(certificate("H01"))
    assert await store.directory.load() == ([old, new], [box], [certificate("H01")])


async def test_what_is_shown_has_no_hash_of_a_password(store: Store) -> None:
    await store.directory.put_organisations([organisation("H37"), organisation("H38")])
    for code in ("H37", "H38"):
        await store.directory.put_mailbox(mailbox(code))
    await store.directory.put_certificate(certificate("H37"))
    bare = {code: mailbox(code).model_copy(update={"password_hash": ""}) for code in ("H37", "H38")}
    assert await store.directory.shown() == (
        [organisation("H37"), organisation("H38")],
        [bare["H37"], bare["H38"]],
        [certificate("H37")],
    )
    assert await store.directory.shown({"H38"}) == ([organisation("H38")], [bare["H38"]], [])


async def test_names_are_those_of_a_day_or_else_the_last(store: Store) -> None:
    old = organisation("H01", name="Tỉnh Hà Giang", valid_to=CHANGE, successor="H60")
    new = organisation("H01", name="Xã mới", valid_from=CHANGE)
    closed = organisation("H22", name="Tỉnh cũ", valid_to=CHANGE)
    await store.directory.put_organisations([old, new, closed])
    asked = ["H01", "H22", "H99"]
    assert await store.directory.names(asked, CHANGE - dt.timedelta(days=1)) == {"H01": old.name, "H22": closed.name}
    assert await store.directory.names(asked, NOW) == {"H01": new.name, "H22": closed.name}
    assert await store.directory.names([], NOW) == {}


async def test_putting_tells_new_from_changed_from_same(store: Store) -> None:
    first = [organisation("H37"), organisation("G22")]
    assert await store.directory.put_organisations(first) == Counts(new=2, changed=0, same=0)
    renamed = organisation("G22", name="Văn phòng Chính phủ")
    put = await store.directory.put_organisations([organisation("H37"), renamed, organisation("H38")])
    assert put == Counts(new=1, changed=1, same=1)
    assert [each.name for each in (await store.directory.load())[0]] == [renamed.name, "Cơ quan H37", "Cơ quan H38"]


async def test_putting_nothing_is_fine(store: Store) -> None:
    assert await store.directory.put_organisations([]) == Counts(new=0, changed=0, same=0)


async def test_of_two_equal_periods_the_later_counts(store: Store) -> None:
    twice = [organisation("H37", name="một"), organisation("H37", name="hai")]
    assert await store.directory.put_organisations(twice) == Counts(new=1, changed=0, same=1)
    assert (await store.directory.load())[0] == [twice[1]]


async def test_only_the_codes_asked_for_are_read(store: Store) -> None:
    await store.directory.put_organisations(
        [organisation("H37"), organisation("H37", valid_from=CHANGE), organisation("H38")]
    )
    await store.directory.put_mailbox(mailbox("H38"))
    await store.directory.put_certificate(certificate("H37"))
    organisations, mailboxes, certificates = await store.directory.load_changed({"H37", "Z99"})
    assert [(each.code, each.valid_from) for each in organisations] == [("H37", LONG_AGO), ("H37", CHANGE)]
    assert mailboxes == []
    assert [each.organisation for each in certificates] == ["H37"]


async def test_a_mailbox_can_be_given_a_new_password(store: Store) -> None:
    await store.directory.put_mailbox(mailbox("H37"))
    await store.directory.put_mailbox(mailbox("H37", password_hash="other"))
    assert (await store.directory.load())[1] == [mailbox("H37", password_hash="other")]


async def test_the_earliest_revocation_stays(store: Store) -> None:
    await store.directory.put_certificate(certificate())
    await store.directory.revoke(THUMBPRINT, NOW)
    await store.directory.revoke(THUMBPRINT, NOW + dt.timedelta(days=1))
    await store.directory.put_certificate(certificate())
    assert (await store.directory.load())[2] == [certificate(revoked_at=NOW, invalid_since=NOW)]


async def test_revoking_an_unknown_certificate_says_so(store: Store) -> None:
    with pytest.raises(NotFound) as caught:
        await store.directory.revoke("X" * 43, NOW)
    assert caught.value.code == "certificate/unknown"


async def test_changes_are_told_by_code_after_a_full_read(store: Store) -> None:
    told: asyncio.Queue[set[str] | None] = asyncio.Queue()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        listening = group.create_task(store.directory.listen(told.put))
        assert await told.get() is None
        await store.directory.put_organisations([organisation("H37"), organisation("G22")])
        seen: set[str] = set()
        while seen != {"H37", "G22"}:
            seen |= await told.get() or set()
        await store.directory.put_mailbox(mailbox("H38"))
        assert await told.get() == {"H38"}
        await store.directory.put_certificate(certificate("H39"))
        assert await told.get() == {"H39"}
        await store.directory.revoke(THUMBPRINT, NOW)
        assert await told.get() == {"H39"}
        listening.cancel()


async def test_what_changes_nothing_tells_nobody(store: Store) -> None:
    await store.directory.put_organisations([organisation("H37")])
    await store.directory.put_mailbox(mailbox("H37"))
    await store.directory.put_certificate(certificate("H37"))
    told: asyncio.Queue[set[str] | None] = asyncio.Queue()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        listening = group.create_task(store.directory.listen(told.put))
        assert await told.get() is None
        await store.directory.put_organisations([organisation("H37")])
        await store.directory.put_mailbox(mailbox("H37"))
        await store.directory.put_certificate(certificate("H37"))
        await store.directory.put_organisations([organisation("Z01")])
        assert await told.get() == {"Z01"}
        listening.cancel()


async def test_a_listener_that_could_not_read_is_told_to_read_it_all(store: Store) -> None:
    told: asyncio.Queue[set[str] | None] = asyncio.Queue()
    away = True

    async def changed(codes: set[str] | None) -> None:
        nonlocal away
        if codes is not None and away:
            away = False
            raise Unavailable("the store went away while it was read")
        await told.put(codes)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        listening = group.create_task(store.directory.listen(changed))
        assert await told.get() is None
        await store.directory.put_organisations([organisation("H37")])
        assert await told.get() is None
        listening.cancel()


async def test_a_fault_of_the_listener_is_not_hidden(store: Store) -> None:
    async def changed(codes: set[str] | None) -> None:
        raise ZeroDivisionError

    async with asyncio.timeout(20):
        with pytest.raises(ZeroDivisionError):
            await store.directory.listen(changed)


async def test_many_organisations_are_put_at_once(store: Store) -> None:
    many: list[Organisation] = [organisation(f"H{n // 100:02}.{n % 100:02}") for n in range(3_000)]
    assert await store.directory.put_organisations(many) == Counts(new=3_000, changed=0, same=0)
    assert (await store.directory.load())[0] == many


async def test_a_certificate_that_is_not_understood_is_left_out(database: str) -> None:
    async with Store.connect(database) as store:
        await store.directory.put_certificate(certificate("H01"))
        link = await asyncpg.connect(database)
        try:
            await link.execute(
                "INSERT INTO certificate (thumbprint, organisation, role, subject, not_before, not_after, der)"
                " SELECT 'strange', organisation, role, subject, not_before, not_after, der FROM certificate"
            )
        finally:
            await link.close()
        with capture_logs() as told:
            assert (await store.directory.load())[2] == [certificate("H01")]
    assert [(each["thumbprint"], each["wrong"]) for each in told] == [("strange", ["thumbprint"])]
