"""A pass over the certificates, on a store in memory: proof, revocation, outage and healing."""

import datetime as dt
from dataclasses import dataclass, field

import pytest

from axis.core.enrolment import Enrolment, State
from axis.core.evidence import GracePolicy, Standing
from axis.errors import Refused
from axis.evidence import Admission, NotFetched, Refresher
from axis.store import FakeStore
from axis.trust import Keyring, SigningKey
from axis.trust.chains import Authorities
from axis.trust.enrolling import Confirmation
from tests.authority import DAY, HOUR, Party, TestAuthority, pem_of
from tests.builders import NOW

CRL, ROOT_CRL, OCSP = "http://crl.test/below.crl", "http://crl.test/root.crl", "http://ocsp.test/"


@dataclass
class World:
    """An axis with one authority, whose answers the test chooses; `time` is the clock of both."""

    issuing: TestAuthority = field(default_factory=TestAuthority)
    store: FakeStore = field(default_factory=FakeStore)
    answers: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    grace: dict[str, float] = field(default_factory=lambda: {"*": 72.0})
    time: dt.datetime = NOW
    trusted: Authorities | None = None

    async def fetch(self, url: str, body: bytes | None) -> bytes:
        self.asked.append(url)
        if url not in self.answers:
            raise NotFetched(f"{url}: away")
        return self.answers[url]

    def publish(self, **below: object) -> None:
        """Have the authority publish its lists now."""
        at = self.time - dt.timedelta(minutes=1)
        self.answers[ROOT_CRL] = self.issuing.crl(self.issuing.root, at=at)
        self.answers[CRL] = self.issuing.crl(at=at, **below)  # type: ignore[arg-type]

    async def enrol(self, party: Party, code: str = "H37") -> Enrolment:
        desk = Admission(self.store, self.issuing.authorities, self.fetch, GracePolicy(self.grace))
        admitted = await desk.admit(party.pem, code, "agency", self.time, confirmed=Confirmation())
        await desk.keep(admitted)
        return await self.record(party)

    async def record(self, party: Party) -> Enrolment:
        _, _, enrolled = await self.store.directory.load()
        return next(each for each in enrolled if each.thumbprint == party.thumbprint)

    async def sweep(self) -> dict[str, object]:
        refresher = Refresher(
            store=self.store,
            authorities=lambda: self.trusted or self.issuing.authorities,
            fetch=self.fetch,
            policy=GracePolicy(self.grace),
            now=lambda: self.time,
            actor="relay",
        )
        swept = await refresher.sweep()
        return {
            "proved": swept.proved,
            "revoked": swept.revoked,
            "unproven": sorted(swept.unproven),
            "not_asked": swept.not_asked,
        }

    async def taken(self, party: Party) -> str:
        """Say how a signature made now is answered: taken, or the reason."""
        key = SigningKey.from_pem(pem_of(party.key), party.pem)
        _, _, enrolled = await self.store.directory.load()
        try:
            Keyring(enrolled).verify(b"{}", key.sign(b"{}"), self.time)
        except Refused as error:
            return error.code
        return "taken"


@pytest.fixture
def world() -> World:
    return World()


async def test_enrolment_brings_evidence_with_it(world: World) -> None:
    world.publish()
    party = world.issuing.issue()
    record = await world.enrol(party)
    assert record.evidence is not None
    proof = (await world.store.proofs.proofs([record.evidence]))[record.evidence]
    assert proof.standing(NOW) is Standing.FRESH
    assert record.trusted_until == proof.good_until + dt.timedelta(hours=72)
    assert [answer.body for answer in await world.store.proofs.answers(record.evidence)] == [
        world.answers[CRL],
        world.answers[ROOT_CRL],
    ]


async def test_a_revoked_certificate_is_not_enrolled(world: World) -> None:
    party = world.issuing.issue()
    world.publish(revoked={party.certificate.serial_number: NOW - DAY})
    with pytest.raises(Refused) as caught:
        await world.enrol(party)
    assert caught.value.code == "certificate/revoked"
    assert (await world.store.directory.load())[2] == []


async def test_an_authority_that_is_away_keeps_nobody_out_for_as_long_as_the_grace(world: World) -> None:
    party = world.issuing.issue()
    record = await world.enrol(party)
    assert (record.evidence, record.trusted_until) == (None, NOW + dt.timedelta(hours=72))
    assert await world.taken(party) == "taken"
    world.time = NOW + dt.timedelta(hours=72)
    assert (await world.sweep())["unproven"] == [party.thumbprint]
    assert await world.taken(party) == "certificate/unproven"
    world.publish()
    assert (await world.sweep())["proved"] == [party.thumbprint]
    assert await world.taken(party) == "taken"


async def test_each_list_is_fetched_once_for_all(world: World) -> None:
    parties = [world.issuing.issue(code=code) for code in ("H37", "H38", "H39")]
    for party, code in zip(parties, ("H37", "H38", "H39"), strict=True):
        await world.enrol(party, code)
    world.publish()
    world.asked.clear()
    assert sorted((await world.sweep())["proved"]) == sorted(each.thumbprint for each in parties)  # type: ignore[call-overload]
    assert sorted(world.asked) == [CRL, ROOT_CRL]


async def test_the_same_answers_again_change_nothing(world: World) -> None:
    world.publish()
    party = world.issuing.issue()
    before = await world.enrol(party)
    await world.sweep()
    assert await world.record(party) == before


async def test_an_outage_degrades_by_the_policy_and_heals(world: World) -> None:
    world.publish()
    world.grace = {"*": 24.0, "H37": 48.0}
    ours, theirs = world.issuing.issue(), world.issuing.issue(code="H38")
    await world.enrol(ours)
    await world.enrol(theirs, "H38")
    world.answers.clear()
    good_until = NOW + DAY - dt.timedelta(minutes=1)
    world.time = good_until + 24 * HOUR - dt.timedelta(seconds=1)
    await world.sweep()
    assert [await world.taken(each) for each in (ours, theirs)] == ["taken", "taken"]
    world.time = good_until + 24 * HOUR
    await world.sweep()
    assert [await world.taken(each) for each in (ours, theirs)] == ["taken", "certificate/unproven"]
    world.time = good_until + 48 * HOUR
    assert [await world.taken(each) for each in (ours, theirs)] == ["certificate/unproven", "certificate/unproven"]
    world.publish()
    await world.sweep()
    assert [await world.taken(each) for each in (ours, theirs)] == ["taken", "taken"]


async def test_a_policy_that_has_changed_counts_for_evidence_of_before(world: World) -> None:
    world.publish()
    party = world.issuing.issue()
    await world.enrol(party)
    world.answers.clear()
    world.time = NOW + 2 * DAY
    world.grace = {"*": 0.0}
    await world.sweep()
    assert await world.taken(party) == "certificate/unproven"
    world.grace = {"*": 72.0}
    await world.sweep()
    assert await world.taken(party) == "taken"


async def test_a_revocation_is_effective_since_it_says_and_is_audited(world: World) -> None:
    world.publish()
    party = world.issuing.issue()
    await world.enrol(party)
    world.time = NOW + HOUR
    world.publish(revoked={party.certificate.serial_number: NOW - DAY}, invalid_since=NOW - 5 * DAY)
    assert (await world.sweep())["revoked"] == [party.thumbprint]
    record = await world.record(party)
    assert (record.revoked_at, record.invalid_since) == (NOW - DAY, NOW - 5 * DAY)
    assert record.state(world.time) is State.REVOKED
    assert await world.taken(party) == "certificate/revoked"
    assert [each[:3] for each in world.store.audits] == [("relay", "certificate.revoke", party.thumbprint)]
    world.publish()  # a list that has forgotten it
    await world.sweep()
    assert await world.taken(party) == "certificate/revoked"
    assert len(world.store.audits) == 1


async def test_a_list_played_again_does_not_hide_a_revocation(world: World) -> None:
    world.publish()
    old = dict(world.answers)
    first, second = world.issuing.issue(), world.issuing.issue()
    await world.enrol(first)
    await world.enrol(second)
    world.time = NOW + HOUR
    world.publish(revoked={first.certificate.serial_number: NOW})
    await world.sweep()
    world.answers = old
    assert await world.sweep() == {"proved": [], "revoked": [], "unproven": [second.thumbprint], "not_asked": []}
    assert await world.taken(first) == "certificate/revoked"


async def test_a_forged_list_revokes_nobody(world: World) -> None:
    world.publish()
    party = world.issuing.issue()
    await world.enrol(party)
    forger = TestAuthority()
    world.answers[CRL] = forger.crl(revoked={party.certificate.serial_number: NOW - DAY})
    assert (await world.sweep())["unproven"] == [party.thumbprint]
    assert await world.taken(party) == "taken"


async def test_nobody_is_asked_about_a_certificate_that_names_nobody(world: World) -> None:
    world.publish()
    party = world.issuing.issue(urls=(None, None))
    record = await world.enrol(party)
    assert (record.evidence, record.trusted_until) == (None, None)
    assert (await world.sweep())["not_asked"] == [party.thumbprint]
    assert await world.taken(party) == "taken"
    # Yet a revoked authority above it takes it along.
    world.answers[ROOT_CRL] = world.issuing.crl(
        world.issuing.root, {world.issuing.below.certificate.serial_number: NOW - DAY}, at=NOW
    )
    assert (await world.sweep())["revoked"] == [party.thumbprint]


@pytest.mark.parametrize("urls", [None, (None, None)], ids=["evidence", "names nobody"])
async def test_a_root_that_is_trusted_no_more_proves_nothing_and_the_grace_runs(
    world: World, urls: tuple[None, None] | None
) -> None:
    world.publish()
    party = world.issuing.issue() if urls is None else world.issuing.issue(urls=urls)
    await world.enrol(party)
    world.trusted = Authorities()
    assert (await world.sweep())["unproven"] == [party.thumbprint]
    assert await world.taken(party) == "taken"
    world.time = NOW + DAY  # the grace is not given anew
    await world.sweep()
    world.time = NOW + 4 * DAY
    assert (await world.sweep())["unproven"] == [party.thumbprint]
    assert await world.taken(party) == "certificate/unproven"
    world.trusted = None
    world.publish()
    await world.sweep()
    assert await world.taken(party) == "taken"


async def test_an_enrolment_that_is_cut_off_still_leaves_a_certificate_that_ends(world: World) -> None:
    world.publish()
    party = world.issuing.issue()

    async def killed(*_: object) -> None:
        raise ConnectionError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.store.proofs, "keep", killed)
        with pytest.raises(ConnectionError):
            await world.enrol(party)
    record = await world.record(party)
    assert (record.evidence, record.trusted_until) == (None, NOW + 4 * DAY - dt.timedelta(minutes=1))
    world.time = NOW + 4 * DAY
    assert await world.taken(party) == "certificate/unproven"


async def test_an_answer_made_while_asking_is_not_too_recent(world: World) -> None:
    world.publish()
    party = world.issuing.issue()
    await world.enrol(party)
    fetch = world.fetch

    async def slow(url: str, body: bytes | None) -> bytes:
        if world.time < NOW + 2 * HOUR:
            world.time = NOW + 2 * HOUR
            world.publish()
        return await fetch(url, body)

    world.fetch = slow  # type: ignore[method-assign]
    assert (await world.sweep())["proved"] == [party.thumbprint]


async def test_a_retired_one_is_asked_about_and_what_has_ended_is_not(world: World) -> None:
    world.publish()
    party = world.issuing.issue()
    await world.enrol(party)
    await world.store.directory.retire(party.thumbprint, NOW)
    assert (await world.sweep())["proved"] == [party.thumbprint]
    world.time = NOW + HOUR
    world.publish(revoked={party.certificate.serial_number: NOW}, invalid_since=NOW - DAY)
    assert (await world.sweep())["revoked"] == [party.thumbprint]
    assert (await world.record(party)).invalid_since == NOW - DAY
    world.asked.clear()
    assert await world.sweep() == {"proved": [], "revoked": [], "unproven": [], "not_asked": []}
    assert world.asked == []


async def test_ocsp_is_asked_about_each_certificate(world: World) -> None:
    world.issuing.crl_url, world.issuing.ocsp_url = None, OCSP
    world.publish()
    party = world.issuing.issue()
    world.answers[OCSP] = world.issuing.ocsp(party)
    record = await world.enrol(party)
    assert record.evidence is not None
    kinds = [answer.kind for answer in await world.store.proofs.answers(record.evidence)]
    assert sorted(kinds) == ["crl", "ocsp"]
