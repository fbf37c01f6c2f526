"""The TLS authority of tests and trial sites: what its certificates open, and what they do not."""

import datetime as dt
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from axis.errors import Malformed, Misconfigured, NotFound, Refused
from axis.trust import Authority, enrol
from axis.trust.authority import Issued
from tests.handshakes import client_side, server_side, shake

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
DAY = dt.timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.create(tmp_path / "pki", NOW)


@pytest.fixture
def broker(authority: Authority) -> Issued:
    return authority.issue("server", "broker", hosts=("broker.example", "127.0.0.1"), now=NOW)


def mutual(authority: Authority, broker: Issued, client: Issued, host: str = "broker.example") -> x509.Certificate:
    """Shake hands; return the client's certificate as the server sees it."""
    served, _ = shake(
        server_side(broker.certificate, broker.key, client_ca=authority.ca),
        client_side(authority.ca, client.certificate, client.key),
        host,
    )
    der = served.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)


@pytest.mark.parametrize("host", ["broker.example", "127.0.0.1"])
def test_server_and_client_prove_themselves_to_each_other(authority: Authority, broker: Issued, host: str) -> None:
    seen = mutual(authority, broker, authority.issue("client", "H37.05", now=NOW), host)
    assert [each.value for each in seen.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["H37.05"]


def test_another_name_is_not_the_servers(authority: Authority, broker: Issued) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        mutual(authority, broker, authority.issue("client", "H37", now=NOW), "other.example")


def test_a_clients_certificate_is_no_servers(authority: Authority) -> None:
    client = authority.issue("client", "broker.example", hosts=("broker.example",), now=NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="unsuitable certificate purpose"):
        shake(server_side(client.certificate, client.key), client_side(authority.ca), "broker.example")


def test_another_authority_is_not_believed(authority: Authority, broker: Issued, tmp_path: Path) -> None:
    other = Authority.create(tmp_path / "other", NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match=r"unable to get local issuer|self-signed"):
        shake(server_side(broker.certificate, broker.key), client_side(other.ca), "broker.example")


def test_what_has_ended_opens_nothing(authority: Authority) -> None:
    ended = authority.issue("server", "old", hosts=("broker.example",), now=NOW - 100 * DAY, days=90)
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
        shake(server_side(ended.certificate, ended.key), client_side(authority.ca), "broker.example")


def test_a_revoked_one_is_refused_by_who_reads_the_list_and_its_successor_is_not(
    authority: Authority, broker: Issued
) -> None:
    client = authority.issue("client", "H37", now=NOW)
    stolen = client.key.read_bytes()
    (revoked,) = authority.revoke("H37", NOW)
    assert (revoked.serial, revoked.revoked_at) == (client.entry.serial, NOW)
    assert authority.revoke("H37", NOW) == ()
    server = server_side(broker.certificate, broker.key, client_ca=authority.ca)
    server.load_verify_locations(authority.crl)
    server.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate revoked"):
        shake(server, client_side(authority.ca, client.certificate, client.key), "broker.example")
    client = authority.issue("client", "H37", now=NOW)
    assert client.key.read_bytes() != stolen
    shake(server, client_side(authority.ca, client.certificate, client.key), "broker.example")


def test_a_successor_keeps_key_and_hosts_so_that_one_file_is_replaced(authority: Authority, broker: Issued) -> None:
    key, certificate = broker.key.read_bytes(), broker.certificate.read_bytes()
    successor = authority.issue("server", "broker", now=NOW + 80 * DAY)
    assert (successor.entry.hosts, successor.certificate) == (broker.entry.hosts, broker.certificate)
    assert broker.key.read_bytes() == key
    assert broker.certificate.read_bytes() != certificate
    assert [entry.revoked_at for entry in authority.register] == [None, None]


def test_ensuring_issues_only_when_it_has_to(authority: Authority) -> None:
    def ensured(now: dt.datetime, host: str = "one.example") -> str:
        return authority.ensure("server", "gateway", hosts=(host,), now=now, renew_before=7 * DAY).entry.serial

    first = ensured(NOW)
    assert ensured(NOW + 80 * DAY) == first
    assert ensured(NOW + 84 * DAY) != first
    assert ensured(NOW, "two.example") != ensured(NOW + 85 * DAY)
    authority.revoke("gateway", NOW)
    assert ensured(NOW) not in {entry.serial for entry in authority.register if entry.revoked_at}


def test_a_leaf_never_outlives_its_authority(authority: Authority) -> None:
    late = authority.issue("client", "H37", now=NOW + 700 * DAY, days=398)
    assert late.entry.not_after < NOW + 733 * DAY


def test_no_certificate_of_it_signs_documents(authority: Authority) -> None:
    client = authority.issue("client", "H37", now=NOW)
    leaf = client.certificate.read_bytes().partition(b"-----END CERTIFICATE-----\n")
    with pytest.raises(Refused) as caught:
        enrol(leaf[0] + leaf[1], "H37", "agency", NOW)
    assert caught.value.code == "certificate/malformed"
    assert "demonstration" in caught.value.detail


def test_keys_are_their_owners_alone(authority: Authority, broker: Issued, tmp_path: Path) -> None:
    keys = sorted((tmp_path / "pki").rglob("*key.pem"))
    assert len(keys) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a..b", "H37 05", "Sở", "x" * 65])
def test_a_name_that_a_path_or_an_account_could_misread_is_refused(authority: Authority, name: str) -> None:
    with pytest.raises(Malformed) as caught:
        authority.issue("client", name, now=NOW)
    assert caught.value.code == "pki/name"


@pytest.mark.parametrize("hosts", [(), ("máy-chủ.gov.vn",)])
def test_a_server_has_hosts_that_a_certificate_can_hold(authority: Authority, hosts: tuple[str, ...]) -> None:
    with pytest.raises(Malformed) as caught:
        authority.issue("server", "broker", hosts=hosts, now=NOW)
    assert caught.value.code == "pki/host"
    assert authority.register == ()


def test_there_is_one_authority_in_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Authority.open(tmp_path, NOW)
    made = Authority.create(tmp_path, NOW, title="Trục liên thông thử nghiệm")
    with pytest.raises(Misconfigured) as caught:
        Authority.create(tmp_path, NOW)
    assert caught.value.code == "pki/exists"
    before = made.ca.read_bytes()
    assert Authority.open(tmp_path, NOW).ca.read_bytes() == before
    (tmp_path / "ca.pem").write_text("nonsense")
    with pytest.raises(Misconfigured):
        Authority.open(tmp_path, NOW)
