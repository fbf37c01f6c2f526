"""Who may ask, how often, and what the answers about the directory and about wishes are."""

import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest

from axis.blobs import Blobs
from axis.core.partners import Profile
from axis.errors import Misconfigured, Refused
from axis.gateway import Enrolled, create_app
from axis.gateway.desk import Secrets
from axis.gateway.desk.asking import wanted_of, written
from axis.gateway.desk.limits import DeskLimits
from axis.gateway.desk.signing import read_signed, read_text
from tests.unit.client.doubles import NOW
from tests.unit.gateway.desk.harness import REST, SYSTEM, Rig, package, rig
from tests.vxp_client import BOUNDARY, multipart


async def test_who_is_not_known_or_has_another_secret_learns_nothing(desk: Rig) -> None:
    await desk.add()
    rest = await desk.add(Profile.LGSP, REST, codes={})
    strangers = (desk.vxp(secret="wrong"), desk.vxp(system_id="nobody"), desk.vxp(system_id=REST, secret=rest))
    answers = [await client.call("countReceiveEdoc") for client in strangers]
    assert all(each == answers[0] for each in answers)
    assert (answers[0]["status"], answers[0]["ErrorCode"], answers[0]["code"]) == ("FAIL", "15", "partner/credentials")
    for headers in ({}, {"X-SystemId": REST}, {"X-SystemId": SYSTEM, "X-SecretKey": rest}):
        answer = (await desk.http.get("/lgsp/v1/syncReceivedEdocList", headers=headers)).json()
        assert (answer["errorCode"], answer["success"]) == (15, False)


async def test_a_rotated_secret_counts_for_a_while(desk: Rig) -> None:
    old = await desk.add()
    new = desk.secrets.make(SYSTEM, NOW, overlap=dt.timedelta(hours=1))
    for secret in (old, new):
        assert (await desk.vxp(secret=secret).call("countReceiveEdoc"))["status"] == "OK"
    desk.world.clock.time = NOW + dt.timedelta(hours=2)
    assert (await desk.vxp(secret=old).call("countReceiveEdoc"))["code"] == "partner/credentials"
    assert (await desk.vxp(secret=new).call("countReceiveEdoc"))["status"] == "OK"
    (file,) = (desk.folder / "desk" / "secrets").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_secret_that_others_can_read_is_none(desk: Rig) -> None:
    await desk.add()
    (file,) = (desk.folder / "desk" / "secrets").iterdir()
    file.chmod(0o644)
    assert (await desk.vxp().call("countReceiveEdoc"))["code"] == "partner/credentials"
    with pytest.raises(Misconfigured) as refused:
        desk.secrets.of(SYSTEM, NOW)
    assert refused.value.code == "partner/secret"
    assert desk.secret not in str(refused.value)
    file.write_bytes(b"\xff\xfe")
    file.chmod(0o600)
    with pytest.raises(Misconfigured):
        desk.secrets.of(SYSTEM, NOW)


async def test_provided_secrets_go_first_and_are_not_ours_to_change(desk: Rig) -> None:
    provided = desk.folder / "provided"
    provided.mkdir()
    (provided / f"axis_partner_{SYSTEM}").write_text("given\n", encoding="utf-8")
    secrets = Secrets(desk.folder, provided)
    assert secrets.of(SYSTEM, NOW) == (b"given",)
    assert secrets.has(SYSTEM)
    with pytest.raises(Misconfigured):
        secrets.make(SYSTEM, NOW)


async def test_a_client_made_long_ago_is_taken_unless_the_partners_clock_is_looked_at(desk: Rig) -> None:
    await desk.add()
    old = desk.vxp(made=NOW - dt.timedelta(days=400))
    assert (await old.call("countReceiveEdoc"))["status"] == "OK"
    await desk.add(clock_minutes=10)
    old.secret = desk.secret
    assert (await old.call("countReceiveEdoc"))["code"] == "partner/clock"
    assert (await desk.vxp(made=NOW - dt.timedelta(minutes=9)).call("countReceiveEdoc"))["status"] == "OK"
    assert (await desk.vxp(made=NOW + dt.timedelta(minutes=11)).call("countReceiveEdoc"))["code"] == "partner/clock"
    for stamp in ("yesterday", "99992026T080000+0000"):
        client = desk.vxp()
        headers = client.headers({"timestamp": stamp})
        assert (await client.post("countReceiveEdoc", headers)).json()["code"] == "partner/headers"


async def test_an_operation_there_is_not(desk: Rig) -> None:
    secret = await desk.add()
    assert (await desk.vxp().call("dropEverything"))["code"] == "partner/operation"
    assert (await desk.http.get("/vxp/getEdoc")).status_code == 405
    secret = await desk.add(Profile.LGSP, REST, codes={})
    headers = {"X-SystemId": REST, "X-SecretKey": secret}
    assert (await desk.http.post("/lgsp/v1/getEdoc", headers=headers)).json()["code"] == "partner/operation"


async def test_the_directory_is_listed_in_both_forms(desk: Rig) -> None:
    await desk.add()
    rows = {row["id"]: row for row in (await desk.vxp().call("getAgenciesList"))["data"]}
    assert rows["H37.05"] == {
        "id": "H37.05",
        "pid": "H37",
        "name": "Sở Tư pháp",
        "mail": "",
        "code": "000.00.05.H37",
        "oldCode": "000.00.05.H37",
    }
    rows = (await desk.vxp().call("getAgenciesListQD20", level="2"))["data"]
    assert [(row["code"], row["code102"]) for row in rows] == [("H37.05", "000.00.05.H37")]
    assert (await desk.vxp().call("getAgenciesListQD20", level="all"))["code"] == "partner/parameter"
    units = {row["id"]: row for row in (await desk.vxp().call("getSynchronizeUnit"))["data"]}
    assert units["H37.05"]["isAgency"] is True
    assert units["G22"]["isAgency"] is False
    assert units["G22"]["deleted"] is False
    assert set(units["G22"]) == {
        "id", "pid", "code", "name", "mail", "centerCode", "version", "deleted", "modifyDate", "isAgency",
    }  # fmt: skip


async def test_wishes_wait_for_an_operator_and_are_not_replayed(desk: Rig) -> None:
    await desk.add()
    client = desk.vxp()
    body = json.dumps({"id": "1", "pcode": "000.00.00.H37", "code": "000.00.09.H37", "name": "Sở Y tế"}).encode()
    for _ in range(2):
        answer = await client.call("registerAgency", body)
        assert (answer["status"], answer["ErrorCode"]) == ("OK", "0")
        assert "pending" in answer["ErrorDesc"]
    (wish,) = await desk.store.partners.applications()
    assert (wish.wish, wish.code, wish.detail["name"]) == ("register", "H37.09", "Sở Y tế")
    await desk.store.partners.close_application(wish.id, NOW)
    assert (await client.call("registerAgency", body))["code"] == "partner/replayed"
    again = desk.vxp(made=NOW + dt.timedelta(minutes=1))
    assert (await again.call("registerAgency", body))["status"] == "OK"
    known = json.dumps({"code": "H37.05"}).encode()
    assert "pending" not in (await client.call("registerAgency", known))["ErrorDesc"]
    assert (await client.call("registerAgency", b"{}"))["code"] == "partner/parameter"
    assert (await client.call("registerAgency", b"[1]"))["code"] == "partner/form"
    assert (await client.call("registerAgency", b'{"code":'))["code"] == "partner/form"
    assert (await client.call("registerAgency", b'"' + b"x" * 70_000))["code"] == "partner/too-large"
    assert (await client.call("deleteAgency", AgencyCode="000.00.05.H37"))["status"] == "OK"
    assert (await client.call("deleteAgency"))["code"] == "partner/parameter"
    assert [each.wish for each in await desk.store.partners.applications()] == ["register", "delete"]


async def test_text_that_no_store_can_hold_is_refused(desk: Rig) -> None:
    await desk.add()
    for bad in ("\\u0000", "\\ud800"):
        for body in (f'{{"code": "H37.07", "name": "a{bad}"}}', f'{{"code": "H37.07", "a{bad}": "b"}}'):
            assert (await desk.vxp().call("registerAgency", body.encode()))["code"] == "partner/form"
    assert await desk.store.partners.applications() == []
    secret = await desk.add(Profile.LGSP, REST, codes={"H53": "H53"})
    headers = {"X-SystemId": REST, "X-SecretKey": secret}
    said = b'{"docId": "x", "status": "done", "description": "a\\u0000"}'
    answer = await desk.http.post("/lgsp/v1/updateStatus", headers=headers, content=said)
    assert answer.json()["code"] == "partner/form"
    answer = await desk.http.get("/lgsp/v1/syncReceivedEdocList?messageType=edoc&to=a%00", headers=headers)
    assert answer.json()["code"] == "partner/form"


async def test_a_fault_of_ours_is_told_in_the_profiles_own_form(desk: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(*_: object) -> Any:
        raise RuntimeError("a fault of ours")

    await desk.add()
    monkeypatch.setattr(desk.store.partners, "counted", failing)
    response = await desk.vxp().post("countReceiveEdoc", desk.vxp().headers({}))
    assert response.status_code == 500
    assert (response.json()["status"], response.json()["code"]) == ("FAIL", "axis/internal")
    assert "fault of ours" not in response.text


async def test_a_level_of_many_digits_is_refused(desk: Rig) -> None:
    await desk.add()
    for level in ("1" * 5000, "001", "11", "0"):
        assert (await desk.vxp().call("getAgenciesListQD20", level=level))["code"] == "partner/parameter"


async def test_forms_that_are_none(desk: Rig) -> None:
    await desk.add()
    client = desk.vxp()
    sent = package()
    form = {b"Content-Type": f"multipart/form-data; boundary={BOUNDARY}".encode()}

    async def send(body: bytes, headers: Any = None, **named: Any) -> Any:
        said = {"messagetype": "edoc", "hash-file": hashlib.sha256(sent).hexdigest(), **named}
        return (
            await client.post("sendEdoc", client.headers(said) | (form if headers is None else headers), body)
        ).json()

    good = multipart("file_doc", sent)
    assert (await send(good, {}))["code"] == "partner/form"
    assert (await send(good[:-20]))["code"] == "partner/form"
    assert (await send(b"nothing of the kind"))["code"] == "partner/form"
    assert (await send(multipart("other", sent)))["code"] == "partner/form"
    twice = good[: -len(f"--{BOUNDARY}--\r\n")] + good
    assert (await send(twice))["code"] == "partner/form"
    many = multipart("file_doc", sent, {f"field{number}": "x" for number in range(20)})
    assert (await send(many))["code"] == "partner/form"
    assert (await send(multipart("file_doc", sent, {"field": "x" * 5000})))["code"] == "partner/form"
    assert (await send(good.replace(b"Content-Type: app", b"Content-Transfer-Encoding: base64\r\nX: ")))[
        "code"
    ] == "partner/form"
    assert (await send(good + b"x"))["code"] == "partner/form"
    assert (await send(good + b"\r\n" + bytes(10)))["code"] == "partner/form"
    nameless = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="same"\r\n\r\n\r\n'.encode()
    assert (await send(nameless * 20 + good))["code"] == "partner/form"  # one name, many parts
    assert (await send(good, **{"hash-file": "0" * 64}))["code"] == "partner/hash-file"
    assert (await send(good, **{"hash-file": ""}))["code"] == "partner/headers"
    assert (await send(good, servicetype="eMail"))["code"] == "partner/parameter"
    assert not list((desk.folder / "desk" / "spool").iterdir())


async def test_what_is_too_large_is_refused_before_and_while_it_is_read(tmp_path: Any) -> None:
    async with rig(tmp_path, DeskLimits(package_bytes=1000, json_bytes=500)) as desk:
        await desk.add()
        client = desk.vxp()
        answer = await client.send(b"x" * 2000)
        assert (answer["code"], answer["ErrorCode"]) == ("partner/too-large", "10")
        answer = await client.send(b"x" * 1001)
        assert answer["code"] == "partner/too-large"
        assert not list((desk.folder / "desk" / "spool").iterdir())


def headers_of(text: str, names: str, **sent: str) -> list[tuple[bytes, bytes]]:
    digest = hmac.new(b"s", text.encode(), hashlib.sha256).hexdigest()
    proof = {"sign-header": text, "sign-header-key": names, "hash-header": digest}
    return [(f"XroadVnpt-{name}".encode(), value.encode()) for name, value in {**sent, **proof}.items()]


BASE = '"systemid":"a","timestamp":"24112026T080000+0000"'
SENT = {"systemid": "a", "timestamp": "24112026T080000+0000"}


def test_names_may_be_written_with_the_prefix_or_without() -> None:
    for prefix in ("", "XroadVnpt-", "xroadvnpt-"):
        text = "{" + BASE.replace('"systemid', f'"{prefix}systemid') + "}"
        signed = read_signed(headers_of(text, "systemid;timestamp", **SENT))
        assert signed.parameters == SENT
        signed.verify([b"other", b"s"])
        with pytest.raises(Refused):
            signed.verify([b"other"])
        with pytest.raises(Refused):
            signed.verify([])


def test_vietnamese_values_are_signed_as_the_bytes_that_came() -> None:
    text = "{" + BASE + ',"description":"Không đọc được"}'
    signed = read_signed(headers_of(text, "systemid;timestamp;description", description="Không đọc được", **SENT))
    assert signed.parameters["description"] == "Không đọc được"
    signed.verify([b"s"])


@pytest.mark.parametrize(
    ("text", "names", "sent"),
    [
        ("{" + BASE + "}", "systemid", SENT),
        ("{" + BASE + ',"docid":"1"}', "systemid;timestamp;docid", SENT),
        ("{" + BASE + ',"docid":"1"}', "systemid;timestamp;docid", {**SENT, "docid": "2"}),
        ("{" + BASE + ',"docid":1,"docId":1}', "systemid;timestamp;docid", {**SENT, "docid": "1"}),
        ('{"systemid":"a"}', "systemid", SENT),
        ('{"systemid":"","timestamp":"x"}', "systemid;timestamp", {"systemid": "", "timestamp": "x"}),
        ("[" + BASE + "]", "systemid;timestamp", SENT),
        ("{" + BASE + ",}", "systemid;timestamp", SENT),
        ("{" + BASE + '}"a":"b"}', "systemid;timestamp;a", {**SENT, "a": "b"}),
        ("{" + BASE + ',"a":{"b":1}}', "systemid;timestamp;a", {**SENT, "a": "x"}),
        ("{" + BASE + ',"a":"\\q"}', "systemid;timestamp;a", {**SENT, "a": "q"}),
        ("", "", SENT),
    ],
)
def test_headers_that_were_not_signed_as_sent(text: str, names: str, sent: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        read_signed(headers_of(text, names, **sent))
    assert refused.value.code == "partner/headers"


def test_what_was_not_signed_is_no_parameter_and_what_is_missing_is_said() -> None:
    signed = read_signed(headers_of("{" + BASE + "}", "systemid;timestamp", docid="1", **SENT))
    assert "docid" not in signed.parameters
    with pytest.raises(Refused, match="sign-header"):
        read_signed([(b"XroadVnpt-systemid", b"a")])
    twice = [*headers_of("{" + BASE + "}", "systemid;timestamp", **SENT), (b"xroadvnpt-systemid", b"b")]
    with pytest.raises(Refused, match="twice"):
        read_signed(twice)


def test_a_text_is_read_in_time_that_grows_with_its_length() -> None:
    with pytest.raises(Refused):
        read_text("{" + '"a' * 8000 + "}")
    with pytest.raises(Refused):
        read_text('{"a":' + "b" * 16000 + '"}')


@pytest.mark.parametrize(
    "asked",
    [
        {"messagetype": "letter"},
        {},
        {"messagetype": "edoc", "status": "lost"},
        {"messagetype": "edoc", "pagesize": "-1"},
        {"messagetype": "edoc", "pagesize": "٣"},
        {"messagetype": "edoc", "pageindex": "9" * 400},
        {"messagetype": "edoc", "fromdate": "2026-13-01"},
        {"messagetype": "edoc", "todate": "31/12/9999"},
    ],
)
def test_parameters_without_such_a_value(asked: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        wanted_of(asked, DeskLimits())
    assert refused.value.code == "partner/parameter"


def test_days_are_vietnams_and_the_last_one_is_whole() -> None:
    asked = {"messagetype": "edoc", "fromdate": "2026/11/24", "todate": "24/11/2026"}
    wanted = wanted_of(asked, DeskLimits())
    assert wanted.since == dt.datetime(2026, 11, 23, 17, tzinfo=dt.UTC)
    assert wanted.until == dt.datetime(2026, 11, 24, 17, tzinfo=dt.UTC)
    assert written(dt.datetime(2026, 11, 23, 17, tzinfo=dt.UTC)) == "2026/11/24 00:00:00"
    moment = wanted_of({"messagetype": "edoc", "fromdate": "2026-11-24 08:30:00"}, DeskLimits())
    assert moment.since == dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC)


async def test_health_says_how_many_agencies_are_connected(desk: Rig) -> None:
    await desk.add()
    assert (await desk.http.get("/v1/health")).json()["desk"] == {"agencies": 1, "connected": 0}
    await desk.connected()
    assert (await desk.http.get("/v1/health")).json()["desk"] == {"agencies": 1, "connected": 1}
    metrics = (await desk.http.get("/metrics")).text
    assert 'axis_gateway_agencies{state="connected"} 1.0' in metrics
    await desk.vxp().call("countReceiveEdoc")
    await desk.vxp().call("x" * 200)
    metrics = (await desk.http.get("/metrics")).text
    assert 'route="vxp countReceiveEdoc"' in metrics
    assert "xxx" not in metrics


async def test_no_secret_is_ever_logged(desk: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    await desk.add()
    await desk.connected()
    await desk.vxp().send(package())
    await desk.vxp(secret="wrong-secret").call("countReceiveEdoc")
    told = capsys.readouterr()
    for secret in (desk.secret, "wrong-secret"):
        assert secret not in told.out + told.err


async def test_the_desk_alone_offers_nothing_else(desk: Rig) -> None:
    await desk.add()
    app = create_app(
        blobs=Blobs.open("memory://"),
        store=desk.store,
        enrolled=Enrolled(),
        now=desk.world.clock,
        desk=desk.desk,
        desk_only=True,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://desk") as http:
        assert (await desk.vxp(http=http).call("countReceiveEdoc"))["status"] == "OK"
        assert (await http.get("/v1/health/live")).status_code == 200
        for path in ("/v1/limits", f"/v1/blobs/{'0' * 64}", "/v1/sealing-keys"):
            assert (await http.get(path)).status_code == 404
