"""The console as a process, on a real database and over TLS."""

import asyncio
import datetime as dt
import os
import re
import signal
import ssl
from dataclasses import replace
from pathlib import Path

import httpx

from axis.console.access.passwords import Passwords
from axis.core.operators import Operator, Role
from axis.evidence.quarantined import AT_ONCE
from axis.store import SoughtActs, Store
from axis.trust import Authority
from tests.programs import outcome, ran, started
from tests.services import role_variables
from tests.unit.workers.harness import set_aside

CONSOLE = ("-m", "axis.console")
SECONDS = 60.0
SEEN = 2
_REQUEUED = SoughtActs(action="quarantine.requeued")
PASSWORD = "mật khẩu đủ dài 1"


def settings(home: Path, dsn: str, **more: str) -> dict[str, str]:
    return os.environ | {
        "AXIS_HOME": str(home),
        "AXIS_DATABASE_URL": dsn,
        **role_variables(dsn),
        # Nothing here asks the broker; the settings ask for its address all the same.
        "AXIS_AMQP_URL": "amqp://nobody@127.0.0.1:1/",
        "AXIS_RABBITMQ_API_URL": "http://nobody@127.0.0.1:1",
        "AXIS_CONSOLE_PORT": "0",
        "AXIS_LOG_FORMAT": "json",
        **more,
    }


async def test_it_serves_under_its_own_role_and_tls_and_ends_in_order(tmp_path: Path, database: str) -> None:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    issued = Authority.create(tmp_path / "pki", now).issue("server", "console", hosts=("127.0.0.1",), now=now)
    person = Operator("lan", "Nguyễn Thị Lan", Role.OPERATOR)
    hashed = Passwords(memory_kib=8, passes=1, lanes=1).hash(PASSWORD)
    async with Store.connect(role_variables(database)["AXIS_OPERATOR_DATABASE_URL"]) as store:
        assert await store.operators.add(person, hashed, by="test")
    environment = settings(
        tmp_path,
        database,
        AXIS_CONSOLE_CERTIFICATE=str(issued.certificate),
        AXIS_CONSOLE_KEY=str(issued.key),
    )
    async with started(*CONSOLE, env=environment) as process:
        assert process.stdout is not None
        async with asyncio.timeout(SECONDS):
            line = (await process.stdout.readline()).decode()
        found = re.fullmatch(r"console: (https://127\.0\.0\.1:\d+)\n", line)
        assert found is not None
        url = found[1]
        context = ssl.create_default_context(cafile=str(issued.ca))
        async with httpx.AsyncClient(base_url=url, verify=context, trust_env=False, timeout=SECONDS) as client:
            assert (await client.get("/health")).json() == {"status": "ready", "checks": {"store": "ok"}}
            form = {"login": "lan", "password": PASSWORD, "to": "/audit"}
            entered = await client.post("/login", data=form, headers={"origin": url})
            assert (entered.status_code, entered.headers["location"]) == (303, "/audit")
            assert entered.headers["set-cookie"].startswith("__Host-axis=")
            page = await client.get("/audit")
            assert (page.status_code, "console.login" in page.text) == (200, True)
            assert page.headers["strict-transport-security"]
            ids = await ask_for_a_group(client, database)
        # The browser has gone, and the group goes on.
        async with Store.connect(role_variables(database)["AXIS_CONSOLE_DATABASE_URL"]) as store:
            assert [act.action for act in await store.operators.acts(SoughtActs("lan", "console."))] == [
                "console.login"
            ]
            # All that administrators do there is within its rights.
            assert await store.operators.add(Operator("minh", "Minh", Role.VIEWER), hashed, by="lan")
            assert await store.operators.change(replace(person, name="Lan"), by="minh") is not None
            assert await store.operators.set_password("lan", hashed, temporary=True, by="minh")
            assert await store.operators.forget(now + dt.timedelta(days=1)) == 0
        process.send_signal(signal.SIGTERM)
        code, _, errors = await outcome(process)
    assert (code, b"Traceback" in errors) == (0, False)
    # Wherever it was when the console was told to end: what left is audited and waits, the rest is in quarantine.
    async with Store.connect(database) as store:
        left = [act.subject for act in await store.operators.acts(_REQUEUED)]
        assert len(left) >= SEEN
        assert {each.id for each in await store.quarantined()} == set(ids) - set(left)
        assert sorted(each.subject for each in await store.operators.acts(replace(_REQUEUED, actor="lan"))) == sorted(
            left
        )
        waiting = await store.waiting("axis.route.normal", dt.datetime.now(dt.UTC), 50)
        assert len({each.id for each in waiting}) == len(left)


async def ask_for_a_group(client: httpx.AsyncClient, database: str) -> list[str]:
    """Have fifty messages requeued; return when some of them have left."""
    rows = [set_aside() for _ in range(AT_ONCE)]
    async with Store.connect(database) as store:
        async with store.transaction() as tx:
            await tx.quarantine(rows)
        page = await client.get("/quarantine?reason=message/poison")
        csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
        assert csrf is not None
        form = {"csrf": csrf[1], "act": "requeue", "why": "đã sửa", "id": [row.id for row in rows]}
        asked = await client.post("/quarantine/act", data=form, headers={"origin": str(client.base_url).rstrip("/")})
        assert asked.status_code == 303
        assert "/ 50 gói tin" in (await client.get(asked.headers["location"])).text
        async with asyncio.timeout(SECONDS):
            while len(await store.operators.acts(_REQUEUED)) < SEEN:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.05)
    return [row.id for row in rows]


async def test_without_a_database_it_says_so(tmp_path: Path) -> None:
    code, _, errors = await ran(*CONSOLE, env=settings(tmp_path, "postgresql://nobody@127.0.0.1:1/none"))
    assert (code, b"console: axis/unavailable" in errors) == (69, True)
    assert b"Traceback" not in errors
