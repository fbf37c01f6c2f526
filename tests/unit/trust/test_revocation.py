"""What shows that a certificate is not revoked, and all that does not: one attack a test."""

import dataclasses
import datetime as dt
from dataclasses import dataclass

import pytest
from cryptography import x509

from axis.core.evidence import Evidence
from axis.errors import Refused
from axis.trust.chains import find_chain
from axis.trust.revocation import Judged, Revoked, judge, questions
from tests.authority import DAY, HOUR, Party, TestAuthority, key_of
from tests.builders import NOW

CRL, ROOT_CRL, OCSP = "http://crl.test/below.crl", "http://crl.test/root.crl", "http://ocsp.test/"


@dataclass(frozen=True)
class Stamped:
    this_update: dt.datetime
    number: int | None


async def judged(
    issuing: TestAuthority,
    party: Party,
    received: dict[str, bytes],
    newest: dict[str, Stamped] | None = None,
    at: dt.datetime = NOW,
) -> Judged:
    chain = await find_chain(party.der, issuing.authorities, at)
    return await judge(chain, issuing.authorities, received, newest or {}, at)


async def unproven(
    issuing: TestAuthority,
    party: Party,
    received: dict[str, bytes],
    newest: dict[str, Stamped] | None = None,
    at: dt.datetime = NOW,
) -> str:
    with pytest.raises(Refused) as caught:
        await judged(issuing, party, received, newest, at)
    assert (type(caught.value), caught.value.code) == (Refused, "certificate/unproven")
    return caught.value.detail


def lists(issuing: TestAuthority, below: bytes | None = None) -> dict[str, bytes]:
    return {ROOT_CRL: issuing.crl(issuing.root), CRL: issuing.crl() if below is None else below}


def ocsp_source(party: Party) -> str:
    return f"{OCSP} {party.thumbprint}"


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384", "ed25519"])
async def test_lists_that_do_not_name_it_are_evidence(kind: str) -> None:
    issuing = TestAuthority((kind, kind))
    party = issuing.issue()
    older = issuing.crl(issuing.root, at=NOW - 5 * HOUR, days=0.5)
    found = await judged(issuing, party, {ROOT_CRL: older, CRL: issuing.crl()})
    evidence: Evidence = found.evidence
    assert (evidence.thumbprint, found.faults) == (party.thumbprint, ())
    assert [answer.source for answer in evidence.answers] == [ROOT_CRL, CRL]
    # As old as the oldest answer, as good as the one that ends first.
    assert (evidence.as_of, evidence.good_until) == (NOW - 5 * HOUR, NOW + 7 * HOUR)


async def test_a_certificate_says_whom_to_ask() -> None:
    issuing = TestAuthority(crl_url=CRL, ocsp_url=OCSP)
    party = issuing.issue()
    chain = await find_chain(party.der, issuing.authorities, NOW)
    above, own = questions(chain)
    assert [(each.kind, each.source) for each in above] == [("crl", ROOT_CRL)]
    assert [(each.kind, each.source) for each in own] == [("crl", CRL), ("ocsp", ocsp_source(party))]
    assert own[1].body


async def test_addresses_that_are_not_http_are_not_asked() -> None:
    issuing = TestAuthority(crl_url="ldap://ca.gov.vn/cn=crl", ocsp_url="file:///etc/passwd")
    chain = await find_chain(issuing.issue().der, issuing.authorities, NOW)
    assert questions(chain)[-1] == []


async def test_a_listed_certificate_is_revoked_since_the_list_says() -> None:
    issuing = TestAuthority()
    party = issuing.issue()
    since, doubt = NOW - 3 * DAY, NOW - 9 * DAY
    crl = issuing.crl(revoked={party.certificate.serial_number: since}, invalid_since=doubt)
    with pytest.raises(Revoked) as caught:
        await judged(issuing, party, lists(issuing, crl))
    error = caught.value
    assert (error.code, error.at, error.invalid_since) == ("certificate/revoked", since, doubt)
    assert "compromised key" in error.detail


async def test_without_a_date_of_invalidity_the_doubt_begins_with_the_revocation() -> None:
    issuing = TestAuthority()
    party = issuing.issue()
    with pytest.raises(Revoked) as caught:
        await judged(issuing, party, lists(issuing, issuing.crl(revoked={party.certificate.serial_number: NOW - DAY})))
    assert caught.value.invalid_since == NOW - DAY


async def test_a_revoked_authority_takes_all_below_with_it() -> None:
    issuing = TestAuthority()
    party = issuing.issue()
    root = issuing.crl(issuing.root, {issuing.below.certificate.serial_number: NOW - DAY})
    with pytest.raises(Revoked):
        await judged(issuing, party, {ROOT_CRL: root, CRL: issuing.crl()})


async def test_another_ones_serial_number_is_not_its_own() -> None:
    issuing = TestAuthority()
    other, party = issuing.issue(), issuing.issue()
    crl = issuing.crl(revoked={other.certificate.serial_number: NOW - DAY})
    assert (await judged(issuing, party, lists(issuing, crl))).evidence.thumbprint == party.thumbprint


@pytest.mark.parametrize("kind", ["p256", "rsa2048", "ed25519"])
async def test_a_list_signed_by_somebody_else_does_not_count(kind: str) -> None:
    """Of another kind of key too: the algorithm is the forger's choice, the key is not."""
    issuing = TestAuthority()
    party = issuing.issue()
    forged = issuing.crl(signed_by=key_of(kind))
    assert "could not be verified" in await unproven(issuing, party, lists(issuing, forged))
    # Nor does it revoke.
    forged = issuing.crl(revoked={party.certificate.serial_number: NOW - DAY}, signed_by=key_of(kind))
    assert await unproven(issuing, party, lists(issuing, forged))


async def test_the_roots_list_is_not_the_intermediates() -> None:
    issuing = TestAuthority()
    assert await unproven(issuing, issuing.issue(), lists(issuing, issuing.crl(issuing.root)))


async def test_a_list_of_another_authority_of_the_same_name_does_not_count() -> None:
    issuing, forger = TestAuthority(), TestAuthority()
    assert await unproven(issuing, issuing.issue(), lists(issuing, forger.crl()))


async def test_a_list_whose_time_is_over_does_not_count() -> None:
    issuing = TestAuthority()
    told = await unproven(issuing, issuing.issue(), lists(issuing, issuing.crl(at=NOW - 9 * DAY)))
    assert "not recent enough" in told


async def test_a_list_from_the_future_does_not_count() -> None:
    issuing = TestAuthority()
    assert "too recent" in await unproven(issuing, issuing.issue(), lists(issuing, issuing.crl(at=NOW + HOUR)))


async def test_a_clock_that_is_a_little_ahead_is_borne() -> None:
    issuing = TestAuthority()
    assert await judged(issuing, issuing.issue(), lists(issuing, issuing.crl(at=NOW + dt.timedelta(seconds=30))))


async def test_a_list_that_goes_back_in_time_does_not_count() -> None:
    """It is well signed and still good: whoever plays it again hides what was revoked since."""
    issuing = TestAuthority()
    party = issuing.issue()
    received = lists(issuing, issuing.crl(at=NOW - 2 * HOUR, number=7))
    assert await judged(issuing, party, received, {CRL: Stamped(NOW - 2 * HOUR, 7)})
    assert "was there before" in await unproven(issuing, party, received, {CRL: Stamped(NOW - HOUR, 7)})
    assert "its number is 7" in await unproven(issuing, party, received, {CRL: Stamped(NOW - 3 * HOUR, 8)})


@pytest.mark.parametrize("body", [b"", b"0", b"<html>302</html>", b"\x30\x82\xff\xff", b"\x30" * 5000])
async def test_what_is_no_list_does_not_count(body: bytes) -> None:
    issuing = TestAuthority(ocsp_url=OCSP)
    party = issuing.issue()
    received = {ROOT_CRL: issuing.crl(issuing.root), CRL: body, ocsp_source(party): body}
    assert CRL in await unproven(issuing, party, received)


async def test_a_list_cut_short_anywhere_is_no_evidence() -> None:
    issuing = TestAuthority()
    party = issuing.issue()
    whole = issuing.crl()
    for length in range(0, len(whole), 7):
        await unproven(issuing, party, lists(issuing, whole[:length]))


async def test_a_list_with_any_signed_byte_changed_is_no_evidence() -> None:
    issuing = TestAuthority()
    party = issuing.issue()
    whole = issuing.crl()
    signed = x509.load_der_x509_crl(whole).tbs_certlist_bytes
    begin = whole.index(signed)
    for place in range(begin, begin + len(signed), 3):
        changed = bytearray(whole)
        changed[place] ^= 0x01
        await unproven(issuing, party, lists(issuing, bytes(changed)))


async def test_nobody_answers() -> None:
    issuing = TestAuthority()
    assert "has answered" in await unproven(issuing, issuing.issue(), {})
    assert await unproven(issuing, issuing.issue(), {CRL: issuing.crl()})  # of the intermediate nobody says anything


async def test_an_ocsp_answer_of_the_issuer_is_evidence() -> None:
    issuing = TestAuthority(crl_url=None, ocsp_url=OCSP)
    party = issuing.issue()
    received = {ROOT_CRL: issuing.crl(issuing.root), ocsp_source(party): issuing.ocsp(party)}
    found = await judged(issuing, party, received)
    assert [answer.kind for answer in found.evidence.answers] == ["crl", "ocsp"]
    assert found.evidence.good_until == NOW + 11 * HOUR


async def test_an_appointed_responder_is_believed_and_others_are_not() -> None:
    issuing = TestAuthority(crl_url=None, ocsp_url=OCSP)
    party = issuing.issue()
    rest = {ROOT_CRL: issuing.crl(issuing.root)}
    appointed = issuing.ocsp(party, responder=issuing.responder())
    assert await judged(issuing, party, {**rest, ocsp_source(party): appointed})
    for impostor in (
        issuing.responder(appointed=False),  # a certificate of the same authority, for something else
        issuing.issue(),  # an agency
        TestAuthority().responder(),  # appointed by somebody else of the same name
    ):
        answer = issuing.ocsp(party, responder=impostor)
        assert await unproven(issuing, party, {**rest, ocsp_source(party): answer})


async def test_an_ocsp_answer_about_another_certificate_does_not_count() -> None:
    issuing = TestAuthority(crl_url=None, ocsp_url=OCSP)
    other, party = issuing.issue(), issuing.issue()
    received = {ROOT_CRL: issuing.crl(issuing.root), ocsp_source(party): issuing.ocsp(other)}
    assert await unproven(issuing, party, received)


async def test_an_ocsp_answer_played_again_does_not_count() -> None:
    issuing = TestAuthority(crl_url=None, ocsp_url=OCSP)
    party = issuing.issue()
    rest = {ROOT_CRL: issuing.crl(issuing.root)}
    old = issuing.ocsp(party, at=NOW - 2 * HOUR)
    newest = {ocsp_source(party): Stamped(NOW - HOUR, None)}
    assert "was there before" in await unproven(issuing, party, {**rest, ocsp_source(party): old}, newest)
    over = issuing.ocsp(party, at=NOW - 20 * HOUR)
    assert "not recent enough" in await unproven(issuing, party, {**rest, ocsp_source(party): over})


async def test_an_ocsp_answer_revokes() -> None:
    issuing = TestAuthority(crl_url=None, ocsp_url=OCSP)
    party = issuing.issue()
    received = {ROOT_CRL: issuing.crl(issuing.root), ocsp_source(party): issuing.ocsp(party, revoked_at=NOW - DAY)}
    with pytest.raises(Revoked) as caught:
        await judged(issuing, party, received)
    assert caught.value.at == NOW - DAY


async def test_one_good_answer_is_enough_and_one_revocation_too() -> None:
    issuing = TestAuthority(ocsp_url=OCSP)
    party = issuing.issue()
    received = lists(issuing)
    found = await judged(issuing, party, {**received, ocsp_source(party): b"broken"})
    assert found.evidence.answers[-1].kind == "crl"
    assert [OCSP in fault for fault in found.faults] == [True]
    with pytest.raises(Revoked):
        await judged(issuing, party, {**received, ocsp_source(party): issuing.ocsp(party, revoked_at=NOW - DAY)})


async def test_the_newest_of_several_answers_is_the_evidence() -> None:
    issuing = TestAuthority(ocsp_url=OCSP)
    party = issuing.issue()
    received = lists(issuing) | {ocsp_source(party): issuing.ocsp(party, at=NOW - dt.timedelta(minutes=5))}
    assert (await judged(issuing, party, received)).evidence.answers[-1].kind == "ocsp"


async def test_a_removed_authority_proves_nothing_any_more() -> None:
    issuing = TestAuthority()
    party = issuing.issue()
    with pytest.raises(Refused) as caught:
        await find_chain(party.der, dataclasses.replace(issuing.authorities, intermediates=()), NOW)
    assert caught.value.code == "certificate/untrusted"
