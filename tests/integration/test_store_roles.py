"""Roles on a real PostgreSQL: what each may do to each table, and nothing else."""

import asyncio
import base64
import datetime as dt
import re
import uuid
from collections.abc import Iterator, Mapping

import asyncpg
import pytest

from axis import local
from axis.core.ids import new_id
from axis.core.registered import FeedItem, News, Sought
from axis.core.watching import Cause, Finding, QueueCount, Unmarked, look
from axis.core.webhooks import Call, Webhook
from axis.errors import Misconfigured, Unavailable
from axis.store import Store, ensure_roles, renew_rights
from axis.store.grants import FUNCTIONS, TABLES
from axis.store.roles import scram
from axis.store.watching import _COPIES
from tests import services as real
from tests.services import as_role
from tests.unit.store.registering import keep
from tests.unit.store.rows import accepted

DIRECTORY = ("organisation", "mailbox", "certificate")
TRAFFIC = ("envelope", "delivery", "attachment", "notice", "status_event")

# Written down once more, coarsely, so that a slip in the table of grants is seen: who writes what at all.
WRITERS: Mapping[str, frozenset[str]] = {
    "organisation": frozenset({"axis_operator"}),
    "mailbox": frozenset({"axis_operator"}),
    "certificate": frozenset({"axis_operator", "axis_relay"}),
    "revocation_answer": frozenset({"axis_operator", "axis_relay"}),
    "certificate_evidence": frozenset({"axis_operator", "axis_relay"}),
    "certificate_warning": frozenset({"axis_operator", "axis_relay"}),
    "operator": frozenset({"axis_operator", "axis_console"}),
    "operator_session": frozenset({"axis_operator", "axis_console"}),
    "login_attempt": frozenset({"axis_operator", "axis_console"}),
    "audit": frozenset({"axis_operator", "axis_console", "axis_gateway", "axis_relay", "axis_auditor"}),
    "blob": frozenset({"axis_gateway"}),
    "blob_upload": frozenset({"axis_gateway"}),
    "blob_unwanted": frozenset({"axis_router", "axis_tracker", "axis_relay", "axis_gateway"}),
    "envelope": frozenset({"axis_router", "axis_tracker", "axis_relay", "axis_auditor"}),
    "delivery": frozenset({"axis_router", "axis_tracker", "axis_relay"}),
    "attachment": frozenset({"axis_router"}),
    "notice": frozenset({"axis_router", "axis_tracker", "axis_relay", "axis_auditor"}),
    "status_event": frozenset({"axis_tracker"}),
    "conversation": frozenset({"axis_router", "axis_tracker"}),
    "waiting": frozenset({"axis_router", "axis_operator", "axis_console"}),
    "quarantine": frozenset({"axis_router", "axis_tracker", "axis_relay", "axis_operator", "axis_console"}),
    "quarantine_departure": frozenset({"axis_operator", "axis_console"}),
    "suspect": frozenset({"axis_router", "axis_tracker", "axis_relay"}),
    "quota_level": frozenset({"axis_router", "axis_tracker", "axis_gateway"}),
    "paper_signature": frozenset({"axis_papers"}),
    "log_entry": frozenset({"axis_notary"}),
    "log_checkpoint": frozenset({"axis_notary"}),
    "touched": frozenset({"axis_registrar"}),
    "register_document": frozenset({"axis_registrar"}),
    "register_delivery": frozenset({"axis_registrar"}),
    "register_due": frozenset({"axis_registrar"}),
    "register_flow": frozenset({"axis_registrar"}),
    "register_state": frozenset({"axis_registrar"}),
    "tally": frozenset({"axis_registrar"}),
    "feed": frozenset({"axis_registrar"}),
    "workday_override": frozenset({"axis_operator"}),
    "webhook": frozenset({"axis_gateway", "axis_operator", "axis_herald"}),
    "webhook_call": frozenset({"axis_gateway", "axis_operator", "axis_herald", "axis_console"}),
    "partner": frozenset({"axis_operator"}),
    "partner_code": frozenset({"axis_operator"}),
    "partner_incoming": frozenset({"axis_gateway", "axis_operator"}),
    "partner_outgoing": frozenset({"axis_gateway"}),
    "partner_application": frozenset({"axis_gateway", "axis_operator"}),
    "mailbox_look": frozenset({"axis_auditor"}),
    "mailbox_watch": frozenset({"axis_auditor"}),
    "finding": frozenset({"axis_auditor"}),
    "replay": frozenset({"axis_operator"}),
    "axis_migration": frozenset(),
    "delivery_state": frozenset(),
}

COLUMNS = """
SELECT role, class.relname AS table, attname AS column, verb
FROM unnest($1::text[]) AS role, unnest($2::text[]) AS verb,
     pg_class AS class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                       JOIN pg_attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped
WHERE nspname = 'public' AND relkind IN ('r', 'p', 'v') AND has_column_privilege(role, class.oid, attname, verb)
"""
WHOLE = """
SELECT role, class.relname AS table, verb
FROM unnest($1::text[]) AS role, unnest($2::text[]) AS verb,
     pg_class AS class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = 'public' AND relkind IN ('r', 'p', 'v', 'S') AND has_table_privilege(role, class.oid, verb)
"""


@pytest.fixture(scope="module")
def database(services: local.Services, migrated_template: str) -> Iterator[str]:
    """One for all tests here: what they try leaves nothing behind. Rights on a database are not cloned with it."""
    with real.fresh_database(services, migrated_template) as dsn:
        asyncio.run(ensure_roles(dsn))
        yield dsn


async def all_columns(link: asyncpg.Connection) -> dict[str, set[str]]:
    rows = await link.fetch(
        "SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid "
        "WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped"
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["relname"], set()).add(row["attname"])
    return found


async def test_every_role_has_exactly_the_rights_of_the_table(database: str) -> None:
    link = await asyncpg.connect(database)
    columns = await all_columns(link)
    wanted = set()
    for role, tables in TABLES.items():
        for table, grants in tables.items():
            for grant in grants:
                verb, _, named = grant.partition(" ")
                chosen = {name.strip() for name in named.strip("()").split(",")} if named else columns[table]
                assert chosen <= columns[table], (role, table, grant)
                wanted |= {(role, table, column, verb) for column in chosen if verb != "DELETE"}
    found = await link.fetch(COLUMNS, list(TABLES), ["SELECT", "INSERT", "UPDATE", "REFERENCES"])
    assert {tuple(row) for row in found} == wanted
    whole = {tuple(row) for row in await link.fetch(WHOLE, list(TABLES), ["DELETE", "TRUNCATE", "TRIGGER"])}
    deleting = {
        (role, table, "DELETE")
        for role, tables in TABLES.items()
        for table, verbs in tables.items()
        if "DELETE" in verbs
    }
    assert whole == deleting
    await link.close()


async def test_every_table_has_been_thought_of(database: str) -> None:
    """A migration that adds a table says in grants.py who may use it."""
    link = await asyncpg.connect(database)
    rows = await link.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "AND relkind IN ('r', 'p', 'v') AND NOT relispartition"
    )
    await link.close()
    assert {row["relname"] for row in rows} == WRITERS.keys()
    writing = {
        table: {
            role
            for role, tables in TABLES.items()
            if any(not verb.startswith("SELECT") for verb in tables.get(table, ()))
        }
        for table in WRITERS
    }
    assert writing == WRITERS


@pytest.mark.parametrize("role", sorted(set(TABLES) - {"axis_operator"}))
@pytest.mark.parametrize("table", DIRECTORY)
async def test_only_the_operator_writes_the_directory(database: str, role: str, table: str) -> None:
    for statement in ("DELETE FROM {}", "INSERT INTO {} DEFAULT VALUES"):
        await forbidden(database, role, statement.format(table))


async def test_nobody_takes_a_revocation_back(database: str) -> None:
    at = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    owner = await asyncpg.connect(database)
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute(
        "INSERT INTO certificate (thumbprint, organisation, role, subject, not_before, not_after, der, revoked_at, "
        "invalid_since) VALUES ('y99', 'Y99', 'agency', 'CN=Y99', $1, 'infinity', '', $1, $1)",
        at,
    )
    for role in ("axis_relay", "axis_operator"):
        await owner.execute(f"SET LOCAL ROLE {role}")
        for change in (
            "revoked_at = NULL",
            "invalid_since = NULL",
            "revoked_at = revoked_at + interval '1 s'",
            "invalid_since = 'infinity'",
        ):
            with pytest.raises(asyncpg.RestrictViolationError, match="not taken back"):
                async with owner.transaction():
                    await owner.execute(f"UPDATE certificate SET {change}")  # noqa: S608 - one of those above
        # In doubt since earlier, and how long what it has suffices: these may change.
        earlier = "invalid_since = invalid_since - interval '1 day'"
        await owner.execute(f"UPDATE certificate SET {earlier}, trusted_until = now()")  # noqa: S608
    await transaction.rollback()
    await owner.close()


@pytest.mark.parametrize("role", ["axis_operator", "axis_console", "axis_gateway"])
@pytest.mark.parametrize("table", TRAFFIC)
async def test_no_person_and_no_gateway_writes_traffic(database: str, role: str, table: str) -> None:
    for statement in ("DELETE FROM {}", "INSERT INTO {} DEFAULT VALUES"):
        await forbidden(database, role, statement.format(table))


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        # What was signed stays as it was signed.
        *((role, "UPDATE envelope SET body = 'x'") for role in TABLES),
        *((role, "UPDATE notice SET body = 'x'") for role in TABLES),
        *((role, "UPDATE status_event SET code = '06'") for role in TABLES),
        *((role, "UPDATE audit SET actor = 'x'") for role in TABLES),
        *((role, "TRUNCATE audit") for role in TABLES),
        *((role, "CREATE TABLE own (a int)") for role in TABLES),
        *((role, "CREATE TEMP TABLE own (a int)") for role in TABLES),
        *((role, "ALTER TABLE envelope DISABLE TRIGGER ALL") for role in TABLES),
        *((role, "SELECT axis_ensure_partitions('envelope', 'id', '2020-01-01', 1)") for role in TABLES),
        *(
            (role, "SELECT axis_keep_partitions('envelope', '2020-01-01', 1)")
            for role in TABLES
            if role != "axis_relay"
        ),
        *((role, "SELECT pg_read_file('/etc/passwd')") for role in TABLES),
        *((role, "SELECT rolpassword FROM pg_authid") for role in TABLES),
        *((role, "SELECT body FROM envelope_default") for role in TABLES),
        ("axis_tracker", "UPDATE delivery SET mailbox = 'G22'"),
        ("axis_tracker", "INSERT INTO delivery DEFAULT VALUES"),
        ("axis_router", "UPDATE delivery SET last_status = '06'"),
        ("axis_router", "INSERT INTO blob DEFAULT VALUES"),
        ("axis_relay", "INSERT INTO envelope DEFAULT VALUES"),
        ("axis_gateway", "SELECT body FROM quarantine"),
        ("axis_gateway", "SELECT body FROM status_event"),
        ("axis_auditor", "SELECT body FROM envelope"),
        ("axis_auditor", "SELECT subject FROM envelope"),
        ("axis_auditor", "UPDATE envelope SET published_at = now()"),
        ("axis_auditor", "UPDATE delivery SET published_at = now()"),
        ("axis_auditor", "DELETE FROM finding"),
        ("axis_registrar", "UPDATE envelope SET published_at = now()"),
        ("axis_registrar", "INSERT INTO touched (envelope_id) VALUES (gen_random_uuid())"),
        ("axis_registrar", "SELECT content FROM partner_incoming"),
        ("axis_registrar", "TRUNCATE tally"),
        ("axis_router", "INSERT INTO touched (envelope_id) VALUES (gen_random_uuid())"),
        *((role, "SELECT password_hash FROM mailbox") for role in ("axis_console", "axis_notary", "axis_auditor")),
        *((role, "UPDATE mailbox SET password_hash = 'x'") for role in TABLES if role != "axis_operator"),
    ],
)
async def test_what_a_stolen_role_does_not_open(database: str, role: str, statement: str) -> None:
    await forbidden(database, role, statement)


async def forbidden(database: str, role: str, statement: str) -> None:
    link = await asyncpg.connect(as_role(database, role))
    try:
        assert await link.fetchval("SELECT current_user") == role
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await link.execute(statement)
    finally:
        await link.close()


async def test_the_relay_makes_the_months_of_these_tables_and_nothing_else(database: str) -> None:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=200)
    async with Store.connect(as_role(database, "axis_relay")) as store:
        assert len(await store.ensure_partitions(later)) >= 5
    link = await asyncpg.connect(as_role(database, "axis_relay"))
    for arguments in ("'organisation', '2020-01-01', 1", "'envelope', '2020-01-01', 1000", "NULL, '2020-01-01', 1"):
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await link.execute(f"SELECT axis_keep_partitions({arguments})")
    await link.close()


async def test_gateway_and_herald_do_the_webhooks_with_the_rights_they_have(database: str) -> None:
    at = dt.datetime.now(dt.UTC)
    webhook = Webhook(new_id(at), "Y97", "https://y97.gov.vn/", (), 0, at, "Y97")
    call = Call(new_id(at), webhook.id, (), missed=True, since=at, due_at=at)
    async with Store.connect(as_role(database, "axis_gateway")) as store:
        assert await store.webhooks.put(webhook, 1) == await store.webhooks.put(webhook, 1) == webhook
        _, end = await store.register.feed_span()
        assert await store.register.search(Sought(account="Y97", words="không có")) == ()
        assert await store.track(new_id(at)) == ()
        item = FeedItem(end, "Y97", News.STATUS, new_id(at), "Y97", "01", at)
        assert (await store.seen.own("Y97", [new_id(at)]), await store.seen.said([item])) == ({}, {})
        await store.audit("Y97", "webhook.put", webhook.id)
    async with Store.connect(as_role(database, "axis_herald")) as store:
        await store.register.feed_span()
        await store.register.feed("Y97", 0, 1)
        await store.webhooks.advance(webhook.id, 1, call)
        assert webhook.id in [each.id for each in await store.webhooks.claim(at, at, 100, again=False)]
        assert await store.webhooks.next_call(webhook.id) == call
        await store.webhooks.settle(call.failed("no", at), done=False)
        await store.webhooks.give_back(webhook.id, at)
        await store.webhooks.count()
        await store.webhooks.prune(at)
    async with Store.connect(as_role(database, "axis_operator")) as store:
        assert await store.webhooks.requeue(webhook.id, at) == 1
        assert len(await store.webhooks.calls([webhook.id])) == 1
        assert await store.webhooks.remove(webhook.id)


async def test_the_auditor_works_with_the_rights_it_has(database: str) -> None:
    at = dt.datetime.now(dt.UTC)
    finding = Finding(Cause.NO_CONSUMER, "mailbox.normal.Y98", at, "Y98")
    async with Store.connect(as_role(database, "axis_auditor"), connections=1) as store:
        await store.watches.seen([look(None, QueueCount("mailbox.normal.Y98", 1, 0, 0), at)], ["gone"], at)
        assert [each.mailbox for each in await store.watches.watches(["Y98"])] == ["Y98"]
        assert await store.watches.mailboxes(at) == []
        assert await store.watches.held(at) == []
        assert (await store.watches.unmarked(at), await store.watches.hasten(at, 1)) == (Unmarked(), 0)
        assert await store.watches.copies(None, at, at) == (None, {})
        assert await store.watches.report([finding], at) == ([finding], [])
        await store.watches.heal([finding], at)
        assert await store.watches.report([], at) == ([], [])
        await store.audit("auditor", "auditor.hasten", "relay", {"count": 0})
    link = await asyncpg.connect(as_role(database, "axis_auditor"))
    nobody = uuid.UUID(int=0)
    assert await link.fetch(_COPIES, [nobody], nobody, nobody, at, at, at) == []
    await link.close()


async def test_rights_given_by_hand_are_taken_back(database: str) -> None:
    link = await asyncpg.connect(database)
    await link.execute("GRANT DELETE ON envelope TO axis_console; GRANT UPDATE (subject) ON envelope TO axis_tracker")
    await ensure_roles(database)
    for role in ("axis_console", "axis_tracker"):
        assert not await link.fetchval("SELECT has_table_privilege($1, 'envelope', 'DELETE')", role)
        assert not await link.fetchval("SELECT has_column_privilege($1, 'envelope', 'subject', 'UPDATE')", role)
    await link.close()


async def test_who_may_not_make_roles_is_told_whom_to_ask(database: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        await ensure_roles(as_role(database, "axis_operator"))
    assert caught.value.code == "database/roles"
    assert "CREATEROLE" in caught.value.detail


def test_what_is_kept_of_a_password_is_what_postgresql_keeps() -> None:
    # The example of RFC 7677 section 3: user, pencil, its salt, 4096 rounds.
    told = scram("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    assert re.fullmatch(r"SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}", told)
    assert told.partition("$4096:")[2].partition("$")[2].startswith("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=")
    assert set(FUNCTIONS) < set(TABLES)


async def test_after_a_migration_the_roles_have_their_rights_to_what_is_new(database: str) -> None:
    asked = "SELECT has_table_privilege('axis_router', 'envelope', 'SELECT')"
    link = await asyncpg.connect(database)
    try:
        await link.execute("REVOKE SELECT ON envelope FROM axis_router")  # as a table that has just been made
        assert not await link.fetchval(asked)
        assert await renew_rights(database)
        assert await link.fetchval(asked)
    finally:
        await link.close()


async def test_the_registrar_works_with_the_rights_it_has(database: str) -> None:
    document = accepted(sender="Y97", account="Y97")
    async with Store.connect(as_role(database, "axis_router"), connections=1) as store, store.transaction() as tx:
        await tx.accept([document])  # what it touches is written by the owner's trigger
    async with Store.connect(as_role(database, "axis_registrar"), connections=1) as store:
        await keep(store)
        assert [each.id for each in await store.register.search(Sought(sender="Y97"))] == [document.envelope.id]
        assert await store.register.lag() == (0, None)
        await store.workdays.overrides()
        await store.register.tell_late(dt.datetime.now(dt.UTC))
        await store.register.prune(dt.datetime.now(dt.UTC) - dt.timedelta(days=1))
        with pytest.raises(Unavailable, match="permission denied"):
            await store.register.rebuild()
    async with Store.connect(as_role(database, "axis_console"), connections=1) as store:
        assert len(await store.register.deliveries(Sought(account="Y97"))) == 1
        assert (await store.register.feed_span())[1] >= 1
