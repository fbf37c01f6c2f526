"""What is taken at enrolment: chains of every kind an authority may use, and the rule whose a certificate is."""

import dataclasses
from pathlib import Path

import pytest
from cryptography import x509

from axis.core.enrolment import Enrolment
from axis.errors import Misconfigured, Refused
from axis.trust import Keyring, SigningKey, is_second, new_key
from axis.trust.chains import Authorities
from axis.trust.enrolling import Confirmation, enrol_checked
from axis.trust.requesting import request
from tests.authority import DAY, UBND, Party, TestAuthority, key_of, pem_of, subject
from tests.builders import NOW

NOTHING = Confirmation()


async def taken(
    party: Party, authorities: Authorities, code: str = "H37", confirmed: Confirmation = NOTHING
) -> Enrolment:
    record, _ = await enrol_checked(party.pem, code, "agency", NOW, authorities=authorities, confirmed=confirmed)
    return record


async def refused(
    party: Party, authorities: Authorities, code: str = "H37", confirmed: Confirmation = NOTHING
) -> Refused:
    with pytest.raises(Refused) as caught:
        await taken(party, authorities, code, confirmed)
    return caught.value


# The government's cipher authority certifies RSA keys; others may do otherwise.
@pytest.mark.parametrize(
    ("authority", "pss"),
    [("rsa2048", False), ("rsa2048", True), ("rsa3072", False), ("rsa3072", True)]
    + [(kind, False) for kind in ("p256", "p384", "ed25519")],
)
@pytest.mark.parametrize("kind", ["rsa2048", "rsa3072", "p256", "ed25519"])
async def test_every_kind_of_key_under_every_kind_of_authority(authority: str, kind: str, *, pss: bool) -> None:
    issuing = TestAuthority((authority, authority), pss=pss)
    party = issuing.issue(kind)
    record = await taken(party, issuing.authorities)
    assert (record.thumbprint, record.anchor) == (party.thumbprint, issuing.root.thumbprint)
    assert record.matched == "serialNumber"
    # What is enrolled also signs: by PS256 and RS256 where the key is RSA's.
    signing = SigningKey.from_pem(pem_of(party.key), party.pem)
    assert Keyring([record]).verify(b"{}", signing.sign(b"{}"), NOW).organisation == "H37"


@pytest.mark.parametrize("authority", ["rsa3072", "p256", "ed25519"])
async def test_a_key_for_second_signatures_under_a_classical_authority(authority: str) -> None:
    issuing = TestAuthority((authority, authority))
    party, beside = issuing.issue("p256"), issuing.issue("ml-dsa-65")
    first, second = [await taken(each, issuing.authorities) for each in (party, beside)]
    assert (second.anchor, second.matched) == (issuing.root.thumbprint, "serialNumber")
    assert [is_second(each) for each in (first, second)] == [False, True]
    key, other = (SigningKey.from_pem(pem_of(each.key), each.pem) for each in (party, beside))
    signer = Keyring([first, second]).verify(b"{}", key.with_second(other).sign(b"{}"), NOW)
    assert (signer.thumbprint, signer.second) == (party.thumbprint, beside.thumbprint)


@pytest.mark.parametrize("kind", ["rsa1024", "p384"])
async def test_keys_that_are_too_weak_or_of_another_curve_are_refused(kind: str) -> None:
    issuing = TestAuthority()
    assert (await refused(issuing.issue(kind), issuing.authorities)).code == "certificate/malformed"


async def test_an_authority_with_a_weak_key_vouches_for_nobody() -> None:
    issuing = TestAuthority(("rsa2048", "rsa1024"))
    assert (await refused(issuing.issue(), issuing.authorities)).code == "certificate/untrusted"


async def test_only_trusted_roots_count() -> None:
    ours, theirs = TestAuthority(), TestAuthority(title="Kẻ khác")
    assert (await refused(theirs.issue(), ours.authorities)).code == "certificate/untrusted"
    nobody = await refused(ours.issue(), Authorities())
    assert nobody.code == "certificate/untrusted"
    assert "no root" in nobody.detail
    # An intermediate vouches for nothing by itself.
    assert (await refused(ours.issue(), Authorities((), (ours.below.der,)))).code == "certificate/untrusted"
    missing = await refused(ours.issue(), Authorities((ours.root.der,)))
    assert missing.code == "certificate/untrusted"


async def test_an_authority_of_the_same_name_and_another_key_is_found_out() -> None:
    real, forged = TestAuthority(), TestAuthority()
    party = forged.issue()
    assert (await refused(party, real.authorities)).code == "certificate/untrusted"
    # Also when the forged intermediate lies among those in between: the root did not sign it.
    mixed = Authorities((real.root.der,), (real.below.der, forged.below.der))
    assert (await refused(party, mixed)).code == "certificate/untrusted"


async def test_a_certificate_is_no_authority() -> None:
    issuing = TestAuthority()
    agency = issuing.issue()
    under = issuing.issue(issuer=agency)
    mixed = dataclasses.replace(issuing.authorities, intermediates=(issuing.below.der, agency.der))
    assert (await refused(under, mixed)).code == "certificate/untrusted"


async def test_nobody_vouches_for_himself() -> None:
    issuing = TestAuthority()
    key = key_of("p256")
    alone = issuing.issue(key=key, issuer=Party(key, issuing.issue(key=key).certificate))
    assert (await refused(alone, issuing.authorities)).code == "certificate/untrusted"
    # Not even where he lies in the folder of roots by mistake.
    mistaken = Authorities((*issuing.authorities.roots, alone.der), issuing.authorities.intermediates)
    assert (await refused(alone, mistaken)).code == "certificate/untrusted"


async def test_an_expired_authority_vouches_for_nobody() -> None:
    old = TestAuthority(at=NOW - 400 * DAY)
    assert (await refused(old.issue(until=NOW + DAY), old.authorities)).code == "certificate/untrusted"


async def test_a_name_constraint_of_the_authority_is_kept() -> None:
    issuing = TestAuthority()
    constraint = x509.NameConstraints([x509.DirectoryName(subject(country_name="VN"))], None)
    key = key_of("p256")
    narrow = Party(
        key,
        issuing._sign(
            subject(common_name="Hẹp"), key, issuing.root, ca=True, urls=(None, None), extensions=[(constraint, True)]
        ),
    )
    authorities = Authorities((issuing.root.der,), (narrow.der,))
    inside = issuing.issue(name=subject(country_name="VN", serial_number="H37"), issuer=narrow)
    outside = issuing.issue(name=subject(country_name="LA", serial_number="H37"), issuer=narrow)
    assert (await taken(inside, authorities)).anchor == issuing.root.thumbprint
    assert (await refused(outside, authorities)).code == "certificate/untrusted"


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ({"common_name": UBND, "organization_identifier": "H37"}, "organizationIdentifier"),
        ({"common_name": UBND, "serial_number": "000.00.00.H37"}, "serialNumber"),
        ({"common_name": UBND, "user_id": "h37"}, "UID"),
        ({"common_name": "H37"}, "commonName"),
        ({"common_name": "H37", "serial_number": "000.00.00.H37"}, "serialNumber"),
    ],
)
async def test_the_code_is_read_where_authorities_put_it(attributes: dict[str, str], found: str) -> None:
    issuing = TestAuthority()
    assert (await taken(issuing.issue(name=subject(**attributes)), issuing.authorities)).matched == found


@pytest.mark.parametrize(
    "attributes",
    [
        {"common_name": UBND, "organization_name": UBND},  # a name is no code
        {"common_name": "UBND H37"},
        {"common_name": UBND, "serial_number": "H38"},
        {"common_name": UBND, "serial_number": "H37.05"},  # a unit does not speak for its parent
        {"common_name": "H38", "serial_number": "H37"},  # two codes that do not agree
    ],
)
async def test_a_certificate_that_is_not_the_organisations_is_refused(attributes: dict[str, str]) -> None:
    issuing = TestAuthority()
    error = await refused(issuing.issue(name=subject(**attributes)), issuing.authorities)
    assert error.code == "certificate/organisation"
    assert "H37" in error.detail


async def test_of_two_serial_numbers_both_count() -> None:
    issuing = TestAuthority()
    for codes in (("H37", "H38"), ("H38", "H37")):
        name = x509.Name([x509.NameAttribute(x509.NameOID.SERIAL_NUMBER, code) for code in codes])
        assert (await refused(issuing.issue(name=name), issuing.authorities)).code == "certificate/organisation"


async def test_the_parents_certificate_is_not_the_units() -> None:
    issuing = TestAuthority()
    error = await refused(issuing.issue(code="H37"), issuing.authorities, "H37.05")
    assert error.code == "certificate/organisation"


async def test_an_operator_confirms_what_cannot_be_read_and_is_remembered() -> None:
    issuing, unknown = TestAuthority(), TestAuthority(title="Khác")
    named = issuing.issue(name=subject(common_name=UBND))
    why = "công văn 12/VP, đối chiếu 24/11/2026"
    record = await taken(named, issuing.authorities, confirmed=Confirmation(organisation=why))
    assert record.matched == f"organisation confirmed: {why}"
    assert record.anchor == issuing.root.thumbprint
    foreign = await taken(unknown.issue(), issuing.authorities, confirmed=Confirmation(issuer="gọi điện"))
    assert (foreign.anchor, foreign.matched) == (None, "issuer confirmed: gọi điện; serialNumber")
    # To confirm the one is not to confirm the other.
    assert (await refused(named, issuing.authorities, confirmed=Confirmation(issuer="x"))).code == (
        "certificate/organisation"
    )
    assert (await refused(unknown.issue(), issuing.authorities, confirmed=Confirmation(organisation="x"))).code == (
        "certificate/untrusted"
    )


async def test_what_is_confirmed_is_an_unknown_issuer_never_a_signature_that_does_not_verify() -> None:
    by_telephone = Confirmation(issuer="gọi điện")
    real, forger = TestAuthority(), TestAuthority()
    # Under the real names and a key of his own, with and without his intermediate among those in between.
    mixed = Authorities((real.root.der,), (real.below.der, forger.below.der))
    for authorities in (real.authorities, mixed):
        error = await refused(forger.issue(), authorities, confirmed=by_telephone)
        assert error.code == "certificate/untrusted"
    # Signed by his key below the genuine intermediate, whose key identifier it names.
    forged = real.issue(issuer=Party(forger.below.key, real.below.certificate))
    error = await refused(forged, real.authorities, confirmed=by_telephone)
    assert error.code == "certificate/untrusted"
    # What the authority itself does not allow is not confirmed away either.
    agency = real.issue()
    under = real.issue(issuer=agency)
    known = dataclasses.replace(real.authorities, intermediates=(real.below.der, agency.der))
    assert (await refused(under, known, confirmed=by_telephone)).code == "certificate/untrusted"


async def test_a_request_becomes_a_certificate_that_is_recognised() -> None:
    issuing = TestAuthority()
    for kind in ("ed25519", "p256", "rsa", "ml-dsa-65"):
        key = new_key(kind)
        asked = x509.load_pem_x509_csr(request(key, "H37.05", "Sở Tài chính tỉnh Lạng Sơn"))
        assert asked.is_signature_valid
        record = await taken(issuing.certify(key, name=asked.subject), issuing.authorities, "H37.05")
        assert (record.matched, "Sở Tài chính" in record.subject) == ("serialNumber", True)


def test_the_folder_of_authorities(tmp_path: Path) -> None:
    assert Authorities.load(tmp_path / "none") == Authorities()
    issuing = TestAuthority()
    issuing.put_into(tmp_path)
    (tmp_path / "roots" / "two.pem").write_bytes(TestAuthority(title="A").root.pem + TestAuthority(title="B").root.pem)
    loaded = Authorities.load(tmp_path)
    assert len(loaded.roots) == 3
    assert issuing.root.der in loaded.roots
    assert loaded.intermediates == (issuing.below.der,)
    (tmp_path / "roots" / "bad.pem").write_text("không phải chứng thư")
    with pytest.raises(Misconfigured, match=r"bad\.pem"):
        Authorities.load(tmp_path)
