"""`axis partner`: a document system is added with its secret and the gateway's own profiles, shown, and ended."""

import asyncio
import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import pytest

from axis.cli import onboarding
from axis.client import AgencySettings
from axis.core.ids import new_id
from axis.core.partners import Application, Incoming, Kind, Plane
from axis.gateway.desk import Secrets, desk_folder
from axis.store import FakeStore
from axis.trust import DemonstrationCA, new_key
from tests.builders import mailbox, organisation
from tests.unit.cli.conftest import Run

NOW = dt.datetime.now(dt.UTC)
SYSTEM = "00.37.W00"


@pytest.fixture
def home(store: FakeStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    async def fill() -> None:
        await store.directory.put_organisations([organisation(code) for code in ("H37", "H37.05", "H53", "G22")])
        for code in ("H37", "H53"):
            await store.directory.put_mailbox(mailbox(code))

    async def nothing(*_: object, **__: object) -> int:
        return 0

    asyncio.run(fill())
    monkeypatch.setattr(onboarding, "apply_topology", nothing)
    monkeypatch.setenv("AXIS_GATEWAY_URL", "http://127.0.0.1:1")
    place = tmp_path / ".axis"
    (place / "axis-key").mkdir(parents=True)
    authority = DemonstrationCA.open_or_create(place / "demonstration-ca", NOW)
    certificate = authority.issue("W00", new_key("p256"), name="axis", now=NOW)
    (place / "axis-key" / "certificate.pem").write_bytes(certificate)
    return place


def add(run: Run, *serves: str, system: str = SYSTEM, more: tuple[str, ...] = ()) -> Any:
    codes = [part for code in serves for part in ("--serves", code)]
    return run("partner", "add", system, "--profile", "vxp", *codes, "--demonstration-key", *more)


def connect(run: Run, *codes: str) -> None:
    for code in codes:
        assert run("agency", "add", code, "--demonstration-key", "--new-password").code == 0


def test_a_partner_gets_a_secret_once_and_the_gateway_a_profile(run: Run, store: FakeStore, home: Path) -> None:
    connect(run, "H37")
    added = add(run, "000.00.00.H37", "H37.05", more=("--json",)).json
    assert (added["system"], added["codes"]) == (SYSTEM, {"H37": "H37", "H37.05": "H37"})
    assert Secrets(home).of(SYSTEM, NOW) == (added["secret"].encode(),)
    profile = AgencySettings.load(desk_folder(home, "H37"))
    own = AgencySettings.load(home / "agencies" / "H37")
    assert profile.amqp_url == own.amqp_url  # one account, two keys
    assert profile.key.thumbprint != own.key.thumbprint
    roles = {each.thumbprint: each.role for each in asyncio.run(store.directory.load())[2]}
    assert (roles[profile.key.thumbprint], roles[own.key.thumbprint]) == ("gateway", "agency")
    again = add(run, "H37", more=("--json", "--strict", "--clock-minutes", "5")).json
    assert (again["secret"], again["codes"]) == (None, {"H37": "H37"})
    (partner,) = asyncio.run(store.partners.partners())
    assert (partner.strict, partner.clock_minutes) == (True, 5)
    actions = [action for _, action, subject, _ in store.audits if subject == SYSTEM]
    assert actions == ["partner.add", "partner.change"]
    assert added["secret"] not in str(store.audits)
    assert "its secret is the one it has" in add(run, "H37").out


def test_codes_that_cannot_be_served(run: Run, store: FakeStore, home: Path) -> None:
    connect(run, "H37", "H53")
    for codes, code in (
        (("H37.05",), "partner/no-mailbox"),
        (("G22",), "partner/no-mailbox"),
        (("nothing",), "code/malformed"),
    ):
        refused = add(run, *codes)
        assert (refused.code, code in refused.err) == (65, True)
    assert "partner/system-id" in add(run, "H37", system="../etc").err
    assert add(run, "H37").code == 0
    assert "partner/code-taken" in add(run, "H37", "H53", system="other").err
    assert run("partner", "add", "x", "--profile", "soap", "--serves", "H53").code == 2
    assert run("partner", "add", "x", "--profile", "vxp", "--serves", "H53", "--certificate", "H53").code == 2
    missing = run("partner", "add", "x", "--profile", "vxp", "--serves", "H53", "--certificate", "H53=nowhere.pem")
    assert "file/unreadable" in missing.err


def test_a_secret_is_replaced_and_a_partner_ends(run: Run, store: FakeStore, home: Path) -> None:
    connect(run, "H37")
    first = add(run, "H37", more=("--json",)).json["secret"]
    second = run("partner", "rotate", SYSTEM, "--json").json["secret"]
    assert Secrets(home).of(SYSTEM, dt.datetime.now(dt.UTC)) == (second.encode(), first.encode())
    assert "has ended" in run("partner", "rotate", SYSTEM, "--overlap", "0").out
    assert len(Secrets(home).of(SYSTEM, dt.datetime.now(dt.UTC))) == 1
    assert run("partner", "remove", SYSTEM).code == 0
    assert not Secrets(home).has(SYSTEM)
    shown = run("partner", "list", "--json").json["partners"]
    assert [(each["system"], each["codes"], each["ended_at"] is None) for each in shown] == [(SYSTEM, {}, False)]
    for command in ("rotate", "remove", "show"):
        unknown = run("partner", command, "nobody")
        assert (unknown.code, "partner/unknown" in unknown.err) == (66, True)


def test_operators_see_what_failed_and_what_is_wished(run: Run, store: FakeStore, home: Path) -> None:
    assert "no partners" in run("partner", "list").out
    connect(run, "H37")
    add(run, "H37")
    wish = Application(new_id(NOW), SYSTEM, "register", "H37.09", {"name": "Sở Y tế"}, b"f" * 32, NOW)

    async def fill() -> None:
        package = Incoming(
            doc_id=new_id(NOW),
            system_id=SYSTEM,
            agency="H37",
            message_id=new_id(NOW),
            kind=Kind.EDOC,
            sender="G22",
            recipients=("H37",),
            document_id="G22,2026/11/24,1/VPCP",
            subject="Về việc",
            notation="1/VPCP",
            sha256=hashlib.sha256(b"x").hexdigest(),
            size=1,
            created_at=NOW,
            updated_at=NOW,
        )
        await store.partners.receive(package)
        await store.partners.move(SYSTEM, package.doc_id, Plane.FAIL, "Không giải mã được", NOW)
        await store.partners.apply(wish)

    asyncio.run(fill())
    shown = run("partner", "show", SYSTEM, "--json").json
    assert [each["why"] for each in shown["failed"]] == ["Không giải mã được"]
    assert [(each["wish"], each["code"]) for each in shown["wishes"]] == [("register", "H37.09")]
    told = run("partner", "show", SYSTEM).out
    assert "Sở Y tế" in told
    assert SYSTEM in run("partner", "list").out
    assert run("partner", "close", wish.id).code == 0
    assert run("partner", "close", wish.id).code == 66
