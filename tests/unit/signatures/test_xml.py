"""XML signatures of packages: verified where they are real, and never taken for more than they cover."""

import base64
import io
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from lxml import etree

from axis.edxml import DEVIATIONS, Profile, SignatureState, build_document, check, from_envelope, read
from axis.edxml.names import NAMESPACE
from axis.signatures.trust import Trust
from axis.signatures.xml import XmlSignature, verify_package
from axis.trust.chains import Authorities
from tests.authority import DAY, Party, TestAuthority
from tests.builders import NOW
from tests.unit.edxml.test_outgoing import CONTENTS, envelope, naming
from tests.xml_signing import sign_package

REAL = Path(__file__).parents[4] / "shared" / "data" / "edxml"
PACKAGE = build_document(from_envelope(envelope(), CONTENTS, naming=naming))
AUTHORITY = TestAuthority(kinds=("rsa2048", "p256"))
TRUST = Trust(AUTHORITY.authorities)
RSA, EC = AUTHORITY.issue("rsa2048"), AUTHORITY.issue("p256")
SIGNED = sign_package(PACKAGE, EC)
ADVANCED = sign_package(PACKAGE, RSA, advanced=True)


def verify(data: bytes, trust: Trust = TRUST, **how: object) -> XmlSignature:
    found = verify_package(data, trust=trust, at=NOW, **how)  # type: ignore[arg-type] # named as they are
    assert (found.reason is None) is (found.state in {SignatureState.VALID, SignatureState.ABSENT})
    assert found.reason is None or found.reason in DEVIATIONS
    return found


def changed(data: bytes, old: str, new: str) -> bytes:
    after, count = re.subn(old, lambda _: new, data.decode(), count=1, flags=re.DOTALL)
    assert count, old
    return after.encode()


@pytest.mark.parametrize("advanced", [False, True])
@pytest.mark.parametrize("party", [RSA, EC], ids=["rsa", "ec"])
def test_a_real_signature_of_somebody_trusted_is_valid(party: Party, advanced: bool) -> None:
    data = sign_package(PACKAGE, party, advanced=advanced)
    assert read(data).signature is SignatureState.PRESENT  # type: ignore[union-attr] # a document
    found = verify(data)
    assert (found.state, found.detail) == (SignatureState.VALID, "")
    assert found.certificate == party.thumbprint
    assert found.signer is not None
    assert "UBND tỉnh Lạng Sơn" in found.signer
    assert (found.signed_at is not None) is advanced


def test_absent_and_placeholder() -> None:
    assert verify(PACKAGE) == XmlSignature(SignatureState.ABSENT)
    empty = PACKAGE.replace(b"</edXML:edXMLHeader>", b"<edXML:DigitalSignature/></edXML:edXMLHeader>")
    found = verify_package(empty, trust=TRUST, at=NOW)
    assert found.state is SignatureState.PLACEHOLDER


@pytest.mark.skipif(not REAL.is_dir(), reason="the real packages (../shared/data/edxml) are not here")
def test_real_packages_hold_placeholders() -> None:
    states = {
        path.stem: verify_package(path.read_bytes(), trust=TRUST, at=NOW).state
        for path in REAL.glob("*.edxml")
        if path.stem != "not_well_formed"
    }
    assert {state for name, state in states.items() if name.startswith("edoc")} == {SignatureState.PLACEHOLDER}
    assert {state for name, state in states.items() if name.startswith("status")} == {SignatureState.ABSENT}


@pytest.mark.parametrize("data", [SIGNED, ADVANCED], ids=["plain", "advanced"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("V/v kết nối", "V/v ngắt kết nối"),
        ("000.00.05.H37", "000.00.06.H37"),
        ("JVBER", "JVBES"),
        ("7816.pdf", "7817.pdf"),
        ("</edXML>", "<Them/></edXML>"),
    ],
)
def test_a_changed_package_is_broken(data: bytes, old: str, new: str) -> None:
    found = verify(changed(data, old, new))
    assert (found.state, found.reason) == (SignatureState.INVALID, "signature-broken")


def test_a_changed_signature_is_broken() -> None:
    value = re.search(rb"SignatureValue>([^<]+)<", SIGNED)
    assert value
    other = base64.b64encode(bytes(64)).decode()
    found = verify(SIGNED.replace(value[1], other.encode()))
    assert (found.state, found.reason) == (SignatureState.INVALID, "signature-broken")
    stranger = TestAuthority().issue("p256")
    swapped = changed(SIGNED, r"(?<=X509Certificate>)[^<]+", base64.b64encode(stranger.der).decode())
    assert verify(swapped).reason == "signature-broken"


def test_who_is_not_trusted_is_told_but_does_not_count() -> None:
    other = TestAuthority()
    data = sign_package(PACKAGE, other.issue("p256"), chain=[other.below, other.root])
    found = verify(data)
    assert (found.state, found.reason) == (SignatureState.INVALID, "signature-untrusted")
    assert found.signer is not None
    assert verify(SIGNED, Trust()).reason == "signature-untrusted"
    pinned = Trust(certificates=frozenset({found.certificate or ""}))
    assert verify(data, pinned).state is SignatureState.VALID


def test_the_chain_may_come_along() -> None:
    roots_only = Trust(Authorities(TRUST.roots))
    assert verify(SIGNED, roots_only).reason == "signature-untrusted"
    with_chain = sign_package(PACKAGE, EC, chain=[AUTHORITY.below])
    assert verify(with_chain, roots_only).state is SignatureState.VALID
    reordered = re.sub(
        rb"(<[a-z0-9:]*X509Certificate>[^<]+</[a-z0-9:]*X509Certificate>)\s*(<[a-z0-9:]*X509Certificate>[^<]+</[a-z0-9:]*X509Certificate>)",
        rb"\2\1",
        with_chain,
    )
    assert reordered != with_chain
    assert verify(reordered, roots_only).state is SignatureState.VALID


def test_a_certificate_that_is_over_does_not_count() -> None:
    over = AUTHORITY.issue("p256", until=NOW - DAY)
    assert verify(sign_package(PACKAGE, over)).reason == "signature-untrusted"


@pytest.mark.parametrize("party", [RSA, EC], ids=["rsa", "ec"])
def test_sha1_counts_only_where_it_is_allowed(party: Party) -> None:
    data = sign_package(PACKAGE, party, weak=True)
    found = verify(data)
    assert (found.state, found.reason) == (SignatureState.INVALID, "signature-weak")
    assert verify(data, allow_sha1=True).state is SignatureState.VALID
    assert verify(changed(data, "7816.pdf", "a.pdf"), allow_sha1=True).reason == "signature-broken"


def test_a_short_key_never_counts() -> None:
    short = AUTHORITY.issue("rsa1024")
    assert verify(sign_package(PACKAGE, short), allow_sha1=True).reason == "signature-weak"


# Attacks


def test_a_signature_over_a_part_is_no_signature_of_the_package() -> None:
    """The classic wrapping: the signed part stays, unread, beside what is read."""
    data = changed(SIGNED, 'URI=""', 'URI="#part"')
    data = changed(data, "<edXML:MessageHeader>", '<edXML:MessageHeader Id="part">')
    assert verify(data).reason == "signature-partial"


def test_another_package_around_a_signed_one() -> None:
    inner = SIGNED.decode().partition("?>")[2]
    outer = PACKAGE.decode().replace("</edXML:edXMLHeader>", f"<Them>{inner}</Them></edXML:edXMLHeader>")
    assert verify(outer.encode()).state is SignatureState.ABSENT
    signature = re.search(r"<Signature.*</Signature>", inner, re.DOTALL)
    assert signature
    moved = PACKAGE.decode().replace("</edXML:edXMLHeader>", f"{signature[0]}</edXML:edXMLHeader>", 1)
    moved = moved.replace("V/v kết nối", "V/v khác")
    assert verify(moved.encode()).reason == "signature-broken"


def test_two_signatures_are_not_verified() -> None:
    signature = re.search(r"<Signature.*</Signature>", SIGNED.decode(), re.DOTALL)
    assert signature
    data = SIGNED.decode().replace("</edXML:edXMLHeader>", f"{signature[0]}</edXML:edXMLHeader>").encode()
    assert verify(data).reason == "signature-unsupported"


XSLT = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><x:x xmlns:x="urn:x"/></ds:Transform>'
XPATH = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><XPath>0</XPath></ds:Transform>'
BASE64 = '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#base64"/>'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(?=<ds:Transform )", XSLT),
        ("(?=<ds:Transform )", XPATH),
        ("(?=<ds:Transform )", BASE64),
        ("<ds:Transforms>.*?</ds:Transforms>", ""),
        ("(?=<ds:Transform )", '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>' * 10),
        ('(?<=<ds:SignatureMethod Algorithm=")[^"]+', "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
        ('(?<=<ds:SignatureMethod Algorithm=")[^"]+', "http://www.w3.org/2000/09/xmldsig#dsa-sha1"),
        ('(?<=<ds:SignatureMethod Algorithm=")[^"]+', "urn:none"),
        ('(?<=<ds:CanonicalizationMethod Algorithm=")[^"]+', "urn:none"),
        ('URI=""', 'URI="http://127.0.0.1:9/"'),
        ('URI=""', 'URI="file:///etc/passwd"'),
        ('URI=""', ""),
        (
            "(?=<ds:Reference )",
            '<ds:Reference URI="#x"><ds:DigestMethod Algorithm="urn:x"/></ds:Reference>',
        ),
        ("<ds:Reference.*</ds:Reference>", ""),
        ("(?<=<KeyInfo>)", "<KeyValue><RSAKeyValue><Modulus>AQ==</Modulus></RSAKeyValue></KeyValue>"),
        ("(?=<X509Certificate>)", "<X509Certificate>AAAA</X509Certificate>" * 20),
        ("(?<=<X509Certificate>)[^<]+", "AAAA"),
        ("(?<=<ds:DigestValue>)[^<]+", ""),
        ("(?<=</SignatureValue>)", f"<Object>{'A' * 300_000}</Object>"),
    ],
)
def test_what_a_signature_must_not_ask_for(old: str, new: str) -> None:
    found = verify_package(changed(SIGNED, old, new), trust=TRUST, at=NOW, allow_sha1=True)
    assert found.state in {SignatureState.INVALID, SignatureState.PLACEHOLDER}


def test_properties_are_the_signatures_own() -> None:
    identifier = re.search(rb'SignedProperties Id="([^"]+)"', ADVANCED)
    assert identifier
    data = ADVANCED.replace(identifier[0], b'SignedProperties Id="other"')
    data = data.replace(b"<edXML:MessageHeader>", b'<edXML:MessageHeader Id="' + identifier[1] + b'">')
    assert verify(data).reason == "signature-partial"


def many_attributes(root: etree._Element) -> None:
    for number in range(100):
        root.set(f"a{number}", "")


def many_elements(root: etree._Element) -> None:
    for _ in range(25_000):
        etree.SubElement(root, f"{{{NAMESPACE}}}x")


def many_namespaces(root: etree._Element) -> None:
    for number in range(2_500):
        etree.SubElement(root, f"{{urn:{number}}}x")


@pytest.mark.parametrize("change", [many_attributes, many_elements, many_namespaces])
def test_what_makes_canonical_xml_expensive_is_refused_first(change: Callable[[etree._Element], None]) -> None:
    root = etree.fromstring(SIGNED)
    change(root)
    begun = time.process_time()
    assert verify(etree.tostring(root)).reason == "signature-unsupported"
    assert time.process_time() - begun < 10


def test_a_package_too_large_to_verify_says_so() -> None:
    found = verify_package(SIGNED, trust=TRUST, at=NOW, max_bytes=1_000)
    assert (found.state, found.reason) == (SignatureState.PRESENT, "signature-not-verified")
    assert "takes seven times as much memory" in found.detail


def test_a_big_attachment_is_verified() -> None:
    data = re.sub(rb"(?<=2016\">)JVBER[^<]*", base64.b64encode(bytes(9_000_000)), PACKAGE)
    assert verify(sign_package(data, EC)).state is SignatureState.VALID


# In the report


def test_the_report_tells_what_became_of_it() -> None:
    def codes(data: bytes, profile: Profile, trust: Trust | None) -> list[tuple[str, bool]]:
        verifier = None if trust is None else partial(verify_package, trust=trust, at=NOW)
        report = check(io.BytesIO(data), profile, verify=verifier)
        assert {each.path for each in report.findings} <= {"edXML/edXMLEnvelope/edXMLHeader/Signature"}
        return [(each.code, report.ok) for each in report.findings]

    assert codes(SIGNED, Profile.STRICT, TRUST) == []
    assert codes(SIGNED, Profile.STRICT, None) == [("signature-not-verified", True)]
    assert codes(SIGNED, Profile.STRICT, Trust()) == [("signature-untrusted", False)]
    assert codes(SIGNED, Profile.LENIENT, Trust()) == [("signature-untrusted", True)]
    broken = SIGNED.replace("V/v kết nối".encode(), "V/v nối".encode())
    assert codes(broken, Profile.STRICT, TRUST) == [("signature-broken", False)]
