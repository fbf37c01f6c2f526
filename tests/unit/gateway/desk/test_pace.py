"""How often a partner may ask, what costs more, and what is counted of a request."""

import hashlib
import json
from typing import Any

from structlog.testing import capture_logs

from axis.core.partners import Profile
from tests.unit.gateway.desk.harness import REST, Rig, package
from tests.vxp_client import multipart


async def test_who_asks_too_often_is_told_when_to_come_back(desk: Rig) -> None:
    await desk.add()
    client = desk.vxp()
    for _ in range(desk.limits.burst):
        assert (await client.call("countReceiveEdoc"))["status"] == "OK"
    response = await client.post("countReceiveEdoc", client.headers({}))
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")
    assert response.json()["code"] == "partner/too-often"
    desk.clock.seconds += 1.0
    assert (await client.call("countReceiveEdoc"))["status"] == "OK"
    assert (await client.call("getAgenciesList"))["code"] == "partner/too-often"  # the whole directory costs more
    desk.clock.seconds += 2.0
    assert (await client.call("getAgenciesList"))["status"] == "OK"
    # Whoever has no secret uses up nobody's share.
    desk.clock.seconds += 60.0
    for _ in range(desk.limits.burst * 2):
        await desk.vxp(secret="wrong").call("countReceiveEdoc")
    assert (await client.call("countReceiveEdoc"))["status"] == "OK"


async def test_late_and_narrowed_pages_cost_more(desk: Rig) -> None:
    await desk.add()
    client = desk.vxp()

    async def codes(**asked: Any) -> list[str | None]:
        desk.clock.seconds += 1000  # the bucket is full again
        return [(await client.call("getReceivedEdocList", messagetype="edoc", **asked)).get("code") for _ in range(25)]

    assert set(await codes()) == {None}
    assert "partner/too-often" in await codes(to="000.00.00.H37")
    for span in ({"fromDate": "2026/11/24"}, {"toDate": "2026/11/24"}):
        assert (await codes(**span))[-1] == "partner/too-often"
    late = await codes(pageIndex="1000")
    assert (late[0], late[-1]) == (None, "partner/too-often")
    assert await codes(pageIndex="1001") == ["partner/parameter"] * 25


async def test_every_list_is_charged_for_what_is_read_through(desk: Rig) -> None:
    secret = await desk.add(Profile.LGSP, REST, codes={})
    headers = {"X-SystemId": REST, "X-SecretKey": secret}
    asked = {"messageType": "edoc", "fromDate": "2026/11/24", "toDate": "2026/11/24"}
    lists = [await desk.http.get("/lgsp/v1/syncReceivedEdocList", headers=headers, params=asked) for _ in range(21)]
    assert [each.status_code for each in lists[19:]] == [200, 429]  # three requests each, of sixty
    await desk.add()
    late = [await desk.vxp().call("getSentEdocList", messagetype="edoc", pageIndex="1000") for _ in range(3)]
    assert [each.get("code") for each in late] == [None, "partner/too-often", "partner/too-often"]


async def test_what_came_is_counted_byte_for_byte(desk: Rig) -> None:
    await desk.add()
    await desk.connected()
    wish = json.dumps({"code": "H37.09"}).encode()
    with capture_logs() as logged:
        await desk.vxp().call("registerAgency", wish)
        await desk.vxp().send(package(), **{"hash-file": hashlib.sha256(package()).hexdigest()})
    received = {each["route"]: each["received"] for each in logged if each["event"] == "request"}
    assert received == {"vxp registerAgency": len(wish), "vxp sendEdoc": len(multipart("file_doc", package()))}
