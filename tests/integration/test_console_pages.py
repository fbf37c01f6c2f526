"""Every page of the console with the rights that its role has on a real database, and no others."""

import datetime as dt
from dataclasses import replace

from axis.console import create_app
from axis.console.guarding import Origins
from axis.console.pages import PAGES
from axis.core.ids import new_id
from axis.core.registered import Sought
from axis.core.webhooks import Call, Webhook
from axis.store import Store
from tests.services import as_role
from tests.unit.console.browser import URL, Bench
from tests.unit.core.records import organisation
from tests.unit.store.registering import keep
from tests.unit.store.rows import accepted, quarantine_row

# A stream that does not end; what it shows is on the first page.
ENDLESS = frozenset({"/overview/live"})
ASKED = {
    "/documents": ("", "?late=arrival", "?words=ket", "?recipient=H37", "?as=csv"),
    "/deliveries": ("", "?late=finishing", "?transport=held", "?as=csv"),
    "/agencies": ("", "?as=csv"),
    "/quarantine": ("", "?as=csv"),
    "/findings": ("", "?healed=1"),
}
# What a database may stumble over that a store in memory does not: its wildcards, quotes, operators of searching, what
# is no text, and places to go on from that were never given.
WORDS = (
    "%25",
    "'",
    '"',
    "\\",
    "%00",
    "%ED%A0%80",
    "%EF%BF%BF",
    "%E2%80%AE",
    "a" * 500,
    "%CC%80" * 400,
    ":*%26!()%3C-%3E",
    "*",
)
PLACES = ("before=x", "before=" + "0" * 36, "before=00000000-0000-0000-0000-000000000000,%25", "before=0001-01-01,x")
HOSTILE = {
    "/documents": (*(f"?words={each}&number={each}" for each in WORDS), *(f"?{each}" for each in PLACES)),
    "/deliveries": (*(f"?reason={each}&business={each}" for each in WORDS), *(f"?{each}" for each in PLACES)),
    "/quarantine": (*(f"?reason={each}" for each in WORDS), *(f"?{each}" for each in PLACES)),
    "/audit": (*(f"?actor={each}&subject={each}" for each in WORDS), *(f"?{each}" for each in PLACES)),
}


async def test_no_page_wants_for_a_right(database: str) -> None:
    now = dt.datetime.now(dt.UTC)
    bench = Bench()
    bench.clock.moment = now
    webhook = Webhook(new_id(now), "H37", "https://h37.gov.vn/", (), 0, now, "H37")
    document = accepted(["H37"], id=new_id(now), accepted_at=now)
    async with Store.connect(database) as owner, Store.connect(as_role(database, "axis_console")) as store:
        bench.store = owner  # type: ignore[assignment]  # to make the accounts
        await bench.people()
        await owner.directory.put_organisations([organisation("H37")])
        async with owner.transaction() as tx:
            await tx.accept([document])
            await tx.quarantine([quarantine_row()])
        await keep(owner)
        assert await owner.register.count(Sought()) == 1
        await owner.webhooks.put(webhook, 1)
        await owner.webhooks.advance(
            webhook.id, 1, Call(new_id(now), webhook.id, (), missed=True, since=now, due_at=now)
        )
        kept = (await owner.quarantined())[0].id
        bench.desk = replace(bench.desk, store=store)
        group = bench.desk.groups.add([kept], at=now, by="administrator", why="thử", reason="").id
        bench.app = create_app(bench.desk, Origins.of(URL, "127.0.0.1", 1, tls=False))
        async with bench.browser("administrator") as browser:
            for page in PAGES:
                if "GET" not in page.methods or page.path in ENDLESS:
                    continue
                identifier = kept if page.path.startswith("/quarantine") else document.envelope.id
                path = page.path.replace("{id}", identifier).replace("{code}", "H37").replace("{login:path}", "viewer")
                path = path.replace("{group}", group)
                for query in ASKED.get(page.path, ("",)):
                    answer = await browser.get(path + query)
                    assert answer.status_code < 500, (path + query, answer.headers.get("axis-code"))
                    assert answer.status_code == 200 or page.path in {"/documents/{id}/proof", "/reports/rows"}, path
                for query in HOSTILE.get(page.path, ()):
                    answer = await browser.get(path + query)
                    assert answer.status_code in {200, 400, 404}, (path + query, answer.headers.get("axis-code"))
            assert (await browser.send(f"/webhooks/{webhook.id}/retry")).status_code == 303
            for act in ("requeue", "drop"):
                answer = await browser.send("/quarantine/act", id=kept, act=act, why="thử")
                assert answer.status_code < 500, act
