"""`axis certificate` on a fake store and with a real authority, whose answers come from memory."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from axis.core.enrolment import Enrolment
from axis.core.ids import new_id
from axis.evidence import NotFetched
from axis.store import FakeStore
from axis.trust import DemonstrationCA, new_key
from tests.authority import DAY, UBND, Party, TestAuthority, subject
from tests.unit.cli.conftest import Run
from tests.unit.store.rows import accepted, status_row

CRL, ROOT_CRL = "http://crl.test/below.crl", "http://crl.test/root.crl"
Answers = dict[str, bytes]


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


@pytest.fixture
def issuing(tmp_path: Path) -> TestAuthority:
    """An authority that this machine trusts."""
    authority = TestAuthority(at=now())
    authority.put_into(tmp_path / ".axis" / "trust")
    return authority


@pytest.fixture
def answers(issuing: TestAuthority, monkeypatch: pytest.MonkeyPatch) -> Answers:
    """What the addresses in certificates answer; the test may change it."""
    given = {ROOT_CRL: issuing.crl(issuing.root), CRL: issuing.crl()}

    async def fetch(url: str, body: bytes | None) -> bytes:
        if url not in given:
            raise NotFetched(f"{url}: away")
        return given[url]

    @contextlib.asynccontextmanager
    async def fetching(*_: object) -> AsyncIterator[Any]:
        yield fetch

    for module in ("axis.cli.admitting", "axis.cli.certificate.looking"):
        monkeypatch.setattr(f"{module}.fetching", fetching)
    return given


def written(tmp_path: Path, party: Party, name: str = "h37.pem") -> str:
    path = tmp_path / name
    path.write_bytes(party.pem)
    return str(path)


def demonstration(tmp_path: Path, code: str = "H37") -> str:
    authority = DemonstrationCA.open_or_create(tmp_path / "ca", now())
    path = tmp_path / f"{code}.demo.pem"
    path.write_bytes(authority.issue(code, new_key("p256"), name=UBND, now=now()))
    return str(path)


def record(store: FakeStore, thumbprint: str) -> Enrolment:
    _, _, enrolled = asyncio.run(store.directory.load())
    return next(each for each in enrolled if each.thumbprint == thumbprint)


def audited(store: FakeStore) -> list[str]:
    return [action for _, action, _, _ in store.audits]


def test_from_request_to_enrolment(
    run: Run, store: FakeStore, issuing: TestAuthority, answers: Answers, tmp_path: Path
) -> None:
    key, csr = tmp_path / "h37.key.pem", tmp_path / "h37.csr.pem"
    assert run("key", "new", "--out", str(key)).code == 0
    asked = run("certificate", "request", str(key), "--for", "000.00.00.H37", "--name", UBND, "--out", str(csr))
    assert asked.code == 0
    party = issuing.certify(key.read_bytes(), name=x509.load_pem_x509_csr(csr.read_bytes()).subject)
    ran = run("certificate", "enrol", written(tmp_path, party), "--for", "000.00.00.H37", "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["organisation"], ran.json["matched"]) == ("H37", "serialNumber")
    assert ran.json["anchor"] == issuing.root.thumbprint
    assert record(store, party.thumbprint).evidence is not None
    assert audited(store) == ["certificate.enrol"]
    (listed,) = run("certificate", "list", "--for", "H37", "--json").json["certificates"]
    assert (listed["state"], listed["standing"]) == ("valid", "fresh")
    told = run("certificate", "check", party.thumbprint)
    assert "not revoked: fresh" in told.out
    assert CRL in told.out
    assert run("certificate", "check", party.thumbprint, "--json").json["answers"][0]["kind"] == "crl"


def test_what_would_be_refused_is_refused_without_a_trace(
    run: Run, store: FakeStore, issuing: TestAuthority, answers: Answers, tmp_path: Path
) -> None:
    revoked = issuing.issue()
    answers[CRL] = issuing.crl(revoked={revoked.certificate.serial_number: now() - DAY})
    cases = {
        "certificate/untrusted": TestAuthority(at=now()).issue(),
        "certificate/organisation": issuing.issue(name=subject(common_name=UBND)),
        "certificate/revoked": revoked,
        "certificate/expired": issuing.issue(until=now() - DAY),
    }
    for code, party in cases.items():
        for command in ("check", "enrol"):
            ran = run("certificate", command, written(tmp_path, party), "--for", "H37", "--json")
            assert (ran.code, ran.json["error"]["code"]) == (65, code)
            assert ran.json["error"]["remedy"]
    assert run("certificate", "list", "--json").json == {"certificates": []}
    assert audited(store) == []


def test_an_operators_word_is_kept_with_his_reason(
    run: Run, store: FakeStore, issuing: TestAuthority, answers: Answers, tmp_path: Path
) -> None:
    party = issuing.issue(name=subject(common_name=UBND))
    why = "công văn 12/VP ngày 24/11/2026"
    path = written(tmp_path, party)
    assert run("certificate", "enrol", path, "--for", "H37", "--confirm-organisation", why).code == 0
    assert why in (record(store, party.thumbprint).matched or "")
    (_, _, _, detail) = store.audits[0]
    assert why in str(detail["matched"])


def test_an_authority_that_is_away_is_said_so(
    run: Run, store: FakeStore, issuing: TestAuthority, answers: Answers, tmp_path: Path
) -> None:
    answers.clear()
    party = issuing.issue()
    ran = run("certificate", "enrol", written(tmp_path, party), "--for", "H37")
    assert ran.code == 0
    assert f"{CRL}: away" in ran.out
    assert record(store, party.thumbprint).trusted_until is not None
    refreshed = run("certificate", "refresh", "--json")
    assert (refreshed.code, list(refreshed.json["unproven"])) == (1, [party.thumbprint])
    answers |= {ROOT_CRL: issuing.crl(issuing.root), CRL: issuing.crl()}
    refreshed = run("certificate", "refresh")
    assert refreshed.code == 0
    assert "1 are shown not to be revoked" in refreshed.out


def test_a_demonstration_certificate_is_taken_only_where_it_is_allowed(
    run: Run, store: FakeStore, tmp_path: Path
) -> None:
    path = demonstration(tmp_path)
    ran = run("certificate", "enrol", path, "--for", "H37", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (65, "certificate/malformed")
    ran = run("certificate", "enrol", path, "--for", "000.00.00.H37", "--demonstration", "--json")
    assert (ran.code, ran.json["organisation"], ran.json["role"]) == (0, "H37", "agency")
    assert "valid" in run("certificate", "list").out


def test_the_axis_own_certificate_is_enrolled_by_hand_where_it_is_a_real_one(
    run: Run, store: FakeStore, tmp_path: Path
) -> None:
    pem = DemonstrationCA.open_or_create(tmp_path / "ca", now()).issue(
        "W00", new_key("p256"), name="Trục", now=now(), days=30
    )
    (tmp_path / "axis.pem").write_bytes(pem)
    named = ("certificate", "enrol", str(tmp_path / "axis.pem"), "--for", "W00", "--axis")
    assert run(*named, "--demonstration", "--json").json["role"] == "axis"
    assert run(*named, "--gateway").code == 2


def test_an_absent_file_and_a_bad_code_are_said_so(run: Run, store: FakeStore, tmp_path: Path) -> None:
    assert run("certificate", "enrol", str(tmp_path / "none.pem"), "--for", "H37").code == 66
    assert run("certificate", "enrol", demonstration(tmp_path), "--for", "nobody").code == 65
    assert run("certificate", "check", demonstration(tmp_path)).code == 2
    for command in ("check", "revoke", "retire", "suspects"):
        assert run("certificate", command, "A" * 43).code == 66


def test_a_successor_overlaps_and_the_old_one_ends_by_itself(
    run: Run, store: FakeStore, issuing: TestAuthority, answers: Answers, tmp_path: Path
) -> None:
    old, new = issuing.issue(), issuing.issue()
    assert run("certificate", "enrol", written(tmp_path, old), "--for", "H37").code == 0
    alone = run("certificate", "retire", old.thumbprint, "--json")
    assert (alone.code, alone.json["error"]["code"]) == (65, "certificate/last")
    ran = run("certificate", "succeed", written(tmp_path, new), old.thumbprint, "--overlap-days", "14", "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["predecessor"], ran.json["organisation"]) == (old.thumbprint, "H37")
    ends = record(store, old.thumbprint).retired_at
    assert ends is not None
    assert abs(ends - now() - 14 * DAY) < dt.timedelta(minutes=1)
    assert [each["state"] for each in run("certificate", "list", "--json").json["certificates"]] == ["valid", "valid"]
    again = run("certificate", "succeed", written(tmp_path, old), old.thumbprint, "--json")
    assert (again.code, again.json["error"]["code"]) == (65, "certificate/successor")
    assert run("certificate", "retire", old.thumbprint).code == 0
    assert record(store, old.thumbprint).state(now() + dt.timedelta(seconds=1)).value == "retired"
    late = run("certificate", "succeed", written(tmp_path, issuing.issue()), old.thumbprint, "--json")
    assert (late.code, late.json["error"]["code"]) == (65, "certificate/successor")
    assert run("certificate", "retire", old.thumbprint, "--undo").code == 0
    assert record(store, old.thumbprint).retired_at is None
    assert audited(store)[1:] == ["certificate.succeed", "certificate.retire", "certificate.retire"]


def test_a_second_key_stands_beside_the_first_and_does_not_succeed_it(
    run: Run, store: FakeStore, issuing: TestAuthority, answers: Answers, tmp_path: Path
) -> None:
    first, second, next_one = issuing.issue(), issuing.issue("ml-dsa-65"), issuing.issue("ml-dsa-65")
    for party in (first, second):
        assert run("certificate", "enrol", written(tmp_path, party), "--for", "H37").code == 0
    ran = run("certificate", "succeed", written(tmp_path, next_one), first.thumbprint, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (65, "certificate/successor")
    assert record(store, first.thumbprint).retired_at is None
    told = run("certificate", "suspects", second.thumbprint, "--since", "2026-01-01")
    assert "H37 said stands by its first key" in told.out
    # Without the first one the organisation signs nothing, however many others it has.
    last = run("certificate", "retire", first.thumbprint, "--json")
    assert (last.code, last.json["error"]["code"]) == (65, "certificate/last")
    assert run("certificate", "succeed", written(tmp_path, next_one), second.thumbprint).code == 0
    assert record(store, second.thumbprint).retired_at is not None
    revoked = run("certificate", "revoke", next_one.thumbprint, "--why", "mất thẻ", "--json")
    assert revoked.code == 0, revoked.err


def test_the_last_one_is_retired_only_on_purpose(
    run: Run, store: FakeStore, issuing: TestAuthority, answers: Answers, tmp_path: Path
) -> None:
    party = issuing.issue()
    run("certificate", "enrol", written(tmp_path, party), "--for", "H37")
    assert run("certificate", "retire", party.thumbprint, "--last", "--at", "2030-01-01").code == 0
    assert run("certificate", "retire", party.thumbprint, "--at", "2030-01-01", "--undo").code == 2


def test_a_revocation_lists_what_has_to_be_looked_at_again(
    run: Run, store: FakeStore, issuing: TestAuthority, answers: Answers, tmp_path: Path
) -> None:
    party = issuing.issue()
    run("certificate", "enrol", written(tmp_path, party), "--for", "H37")
    assert run("certificate", "suspects", party.thumbprint).code == 2  # not revoked, and no --since
    evidence = record(store, party.thumbprint).evidence
    by_key: dict[str, Any] = {"thumbprint": party.thumbprint, "evidence": evidence}
    before = accepted(id=new_id(now() - 5 * DAY), accepted_at=now() - 5 * DAY, **by_key)
    after = accepted(id=new_id(now() - 2 * DAY), accepted_at=now() - 2 * DAY, **by_key)
    other = accepted(id=new_id(now() - 2 * DAY), accepted_at=now() - 2 * DAY)
    report = status_row(after.envelope.id, id=new_id(now() - DAY), thumbprint=party.thumbprint, received_at=now() - DAY)

    async def store_them() -> None:
        async with store.transaction() as tx:
            await tx.accept([before, after, other])
            await tx.statuses([report], {})

    asyncio.run(store_them())
    since = (now() - 3 * DAY).isoformat()
    ran = run("certificate", "revoke", party.thumbprint, "--since", since, "--why", "mất thiết bị", "--json")
    assert ran.code == 0
    assert record(store, party.thumbprint).revocation == "mất thiết bị"
    found = run("certificate", "suspects", party.thumbprint, "--json").json
    assert [each["id"] for each in found["suspects"]] == [after.envelope.id, report.id]
    envelope, status = found["suspects"]
    assert (envelope["after_revocation"], envelope["evidence"]["standing"]) == (False, "fresh")
    assert status["envelope"] == after.envelope.id
    everything = run("certificate", "suspects", party.thumbprint, "--since", (now() - 9 * DAY).isoformat())
    assert before.envelope.id in everything.out
    assert other.envelope.id not in everything.out
    assert "2 envelopes and 1 statuses" in everything.out
    assert run("certificate", "revoke", party.thumbprint, "--since", "2100-01-01").code == 2


def test_every_command_has_help_with_an_example(run: Run, store: FakeStore) -> None:
    for command in ("request", "enrol", "succeed", "list", "check", "refresh", "retire", "revoke", "suspects"):
        ran = run("certificate", command, "--help")
        assert ran.code == 0
        assert f"axis certificate {command}" in ran.out


def test_a_request_replaces_no_file(run: Run, store: FakeStore, tmp_path: Path) -> None:
    key = tmp_path / "h37.key.pem"
    key.write_bytes(new_key("p256"))
    before = key.read_bytes()
    for out in (key, tmp_path / "nowhere" / "h37.csr.pem"):
        ran = run("certificate", "request", str(key), "--for", "H37", "--name", "UBND", "--out", str(out))
        assert (ran.code, "file/not-created" in ran.err) == (73, True)
    assert key.read_bytes() == before


def test_a_file_that_cannot_be_read_is_said(
    run: Run, store: FakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "h37.key.pem"
    key.write_bytes(b"x")

    def denied(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    ran = run("certificate", "request", str(key), "--for", "H37", "--name", "UBND", "--out", str(tmp_path / "out"))
    assert (ran.code, "file/unreadable" in ran.err) == (65, True)


@pytest.mark.parametrize("command", ["check", "retire", "revoke", "suspects"])
@pytest.mark.usefixtures("store", "answers")
def test_a_thumbprint_may_begin_with_a_hyphen(run: Run, command: str) -> None:
    thumbprint = "-Bh" + "a" * 40  # -h is an option
    ran = run("certificate", command, thumbprint, "--json")
    assert ran.code == 66
    assert thumbprint in ran.out + ran.err


def test_an_option_that_there_is_not_is_told(run: Run) -> None:
    assert run("certificate", "retire", "a" * 43, "--undoo").code == 2
