"""Nothing goes unencrypted to another machine unless that is said aloud; secrets come from files; certificates fit."""

import datetime as dt
import os
import ssl
from pathlib import Path

import pytest

from axis.broker.address import Address
from axis.client import AgencySettings, TlsFiles, write_profile
from axis.errors import Misconfigured
from axis.settings import Settings
from axis.tls import Credentials, check_account, is_loopback, server_context, told
from axis.trust import Authority
from axis.trust.authority import Issued
from schemas import REASONS
from tests.handshakes import shake
from tests.tls_peers import old_version
from tests.unit.client.doubles import identity

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
SAFE = {
    "AXIS_AMQP_URL": "amqps://axis:canary@broker.gov.vn/axis",
    "AXIS_RABBITMQ_API_URL": "https://axis:canary@broker.gov.vn",
    "AXIS_DATABASE_URL": "postgresql://axis:canary@db.gov.vn/axis?sslmode=verify-full",
}
UNSAFE = {
    "AXIS_AMQP_URL": [
        "amqp://a:canary@broker.gov.vn/",
        "amqp://a:canary@127.0.0.1,broker.gov.vn/",
        "amqp://a:canary@10.0.0.5/",
    ],
    "AXIS_WORKER_AMQP_URL": ["amqp://w:canary@broker.gov.vn/axis"],
    "AXIS_RABBITMQ_API_URL": ["http://a:canary@broker.gov.vn:15672"],
    "AXIS_TRACES_URL": ["http://a:canary@collector.gov.vn:4318/v1/traces"],
    "AXIS_DATABASE_URL": [
        "postgresql://a:canary@db.gov.vn/axis",
        "postgresql://a:canary@db.gov.vn/axis?sslmode=require",
        "postgresql://a:canary@db.gov.vn/axis?sslmode=verify-ca",
        "postgresql://a:canary@localhost,db.gov.vn/axis",
        "postgresql://a:canary@/axis?host=db.gov.vn",
        "postgresql:///axis?service=production",
    ],
    "AXIS_ROUTER_DATABASE_URL": ["postgresql://axis_router:canary@db.gov.vn/axis?sslmode=prefer"],
    "AXIS_GATEWAY_URL": ["http://gateway.gov.vn"],
    "AXIS_BLOBS_URL": ["s3://axis/blobs?endpoint=http://minio.gov.vn:9000"],
    "AXIS_GATEWAY_HOST": ["0.0.0.0"],  # noqa: S104 - that it is refused is the point
    "AXIS_CONSOLE_HOST": ["10.0.0.5"],
    "AXIS_CONSOLE_URL": ["http://console.gov.vn"],
    "AXIS_CONSOLE_OIDC": ['{"issuer": "http://id.gov.vn", "client_id": "axis", "roles": {"g=x": "viewer"}}'],
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith(("AXIS_", "PG")) and not name.startswith("AXIS_TEST")]:
        monkeypatch.delenv(name)
    for name, value in SAFE.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in UNSAFE.items() for value in values])
def test_what_would_go_in_the_clear_to_another_machine_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured) as caught:
        Settings.load(home)
    assert caught.value.code == "tls/plain"
    assert name in caught.value.detail
    assert "canary" not in caught.value.detail
    monkeypatch.setenv("AXIS_ALLOW_PLAINTEXT", "1")
    assert [each.partition(":")[0] for each in Settings.load(home).plaintext] == [name]


def test_everything_wrong_is_said_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, values in UNSAFE.items():
        monkeypatch.setenv(name, values[0])
    with pytest.raises(Misconfigured) as caught:
        Settings.load(home)
    assert all(name in caught.value.detail for name in UNSAFE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AXIS_AMQP_URL", "amqp://a:b@localhost:1,127.0.0.9,[::1]:5672/"),
        ("AXIS_DATABASE_URL", "postgresql://a:b@127.0.0.1:5432/axis"),
        ("AXIS_DATABASE_URL", "postgresql:///axis?host=/var/run/postgresql"),
        ("AXIS_RABBITMQ_API_URL", "http://a:b@[::1]:15672"),
        ("AXIS_GATEWAY_HOST", "::1"),
    ],
)
def test_this_machine_is_no_network(home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert Settings.load(home).plaintext == []


def test_a_name_server_does_not_make_a_host_this_machine() -> None:
    assert [
        host for host in ("localhost", "axis.localhost", "127.1.2.3", "::1", "[::1]") if not is_loopback(host)
    ] == []
    assert [
        host
        for host in ("", "localhost.gov.vn", "192.0.2.1", "127.0.0.1.gov.vn", "::", "10.0.0.1")
        if is_loopback(host)
    ] == []


def test_secrets_come_from_files(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name, value in SAFE.items():
        monkeypatch.delenv(name)
        (secrets / name.lower()).write_text(value + "\n", encoding="utf-8")
    monkeypatch.setenv("AXIS_SECRETS_DIR", str(secrets))
    settings = Settings.load(home)
    assert settings.amqp_url.get_secret_value() == SAFE["AXIS_AMQP_URL"]
    assert "canary" not in repr(settings)
    monkeypatch.setenv("AXIS_DATABASE_URL", "postgresql://a@localhost/other")
    assert Settings.load(home).database_of("router") == "postgresql://a@localhost/other"
    monkeypatch.setenv("AXIS_SECRETS_DIR", str(tmp_path / "none"))
    with pytest.raises(Misconfigured, match="AXIS_SECRETS_DIR"):
        Settings.load(home)


def test_what_listens_everywhere_says_where_browsers_find_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AXIS_CONSOLE_HOST", "0.0.0.0")  # noqa: S104 - what it needs is the point
    monkeypatch.setenv("AXIS_ALLOW_PLAINTEXT", "1")
    with pytest.raises(Misconfigured, match="AXIS_CONSOLE_URL"):
        Settings.load(home)
    monkeypatch.setenv("AXIS_CONSOLE_URL", "https://console.gov.vn")
    assert Settings.load(home).console_url == "https://console.gov.vn"


def test_a_service_has_its_own_role_or_the_owners(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AXIS_TRACKER_DATABASE_URL", "postgresql://axis_tracker@localhost/axis")
    settings = Settings.load(home)
    assert settings.database_of("tracker") == "postgresql://axis_tracker@localhost/axis"
    assert settings.operator_database == SAFE["AXIS_DATABASE_URL"]


@pytest.fixture
def client(tmp_path: Path) -> Issued:
    return Authority.create(tmp_path / "pki", NOW).issue("client", "axis_router", now=NOW)


def test_a_certificate_of_another_role_is_noticed(home: Path, monkeypatch: pytest.MonkeyPatch, client: Issued) -> None:
    url = f"localhost/axis?sslmode=verify-full&sslcert={client.certificate}&sslkey={client.key}"
    monkeypatch.setenv("AXIS_ROUTER_DATABASE_URL", f"postgresql://axis_router:secret@{url}")
    Settings.load(home)
    monkeypatch.setenv("AXIS_TRACKER_DATABASE_URL", f"postgresql://axis_tracker:secret@{url}")
    with pytest.raises(Misconfigured) as caught:
        Settings.load(home)
    assert caught.value.code == "tls/account"
    check_account(client.certificate, "axis_router")


@pytest.mark.parametrize(
    "given",
    [
        {"AXIS_GATEWAY_CERTIFICATE": "/some/certificate.pem"},
        {"AXIS_CONSOLE_KEY": "/some/key.pem"},
        {"AXIS_GATEWAY_CLIENT_CA": "/some/ca.pem"},
        {
            "AXIS_GATEWAY_CERTIFICATE": "/some/certificate.pem",
            "AXIS_GATEWAY_KEY": "/some/key.pem",
            "AXIS_GATEWAY_CLIENT_CRL": "/some/crl.pem",
        },
    ],
)
def test_half_of_what_tls_takes_is_none(home: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured) as caught:
        Settings.load(home)
    assert caught.value.code == "tls/files"


def test_files_that_cannot_be_used_are_named(tmp_path: Path, client: Issued) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    other = Authority.open(tmp_path / "pki", NOW).issue("client", "other", now=NOW)
    for wrong in (
        Credentials(tmp_path / "none.pem"),
        Credentials(broken),
        Credentials(client.ca, broken, client.key),
        Credentials(client.ca, client.certificate, other.key),
    ):
        with pytest.raises(Misconfigured) as caught:
            wrong.context()
        assert caught.value.code == "tls/files"
    with pytest.raises(Misconfigured):
        server_context(broken, client.key, None)
    with pytest.raises(Misconfigured):
        check_account(broken, "axis_router")


def test_both_sides_of_ours_refuse_tls_1_1(tmp_path: Path, client: Issued) -> None:
    server = Authority.open(tmp_path / "pki", NOW).issue("server", "gateway", hosts=("gateway.example",), now=NOW)
    ours, theirs = Credentials(client.ca).context(), server_context(server.certificate, server.key, None)
    shake(theirs, ours, "gateway.example")
    for one, other in (
        (old_version(server_context(server.certificate, server.key, None)), Credentials(client.ca).context()),
        (server_context(server.certificate, server.key, None), old_version(Credentials(client.ca).context())),
    ):
        with pytest.raises(ssl.SSLError) as caught:
            shake(one, other, "gateway.example")
        refused = told(caught.value, "gateway")
        assert refused is not None
        assert refused.code == "tls/version"


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        # As OpenSSL 3.0 names what the other side said, and as 3.2 and later do.
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "tls/client-missing"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "tls/client-missing"),
        ("SSL/TLS_ALERT_CERTIFICATE_EXPIRED", "tls/client-expired"),
        ("SSLV3_ALERT_CERTIFICATE_REVOKED", "tls/client-revoked"),
        ("TLSV1_ALERT_UNKNOWN_CA", "tls/client-authority"),
        ("SSL/TLS_ALERT_UNSUPPORTED_CERTIFICATE", "tls/client-refused"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "tls/version"),
        ("WRONG_VERSION_NUMBER", "tls/plain"),
        ("TLSV1_ALERT_INTERNAL_ERROR", "tls/refused"),
    ],
)
def test_what_the_other_side_said_has_a_code(reason: str, code: str) -> None:
    said = ssl.SSLError(1, reason)
    said.reason = reason
    wrapped = RuntimeError("a library's own")
    wrapped.__cause__ = said
    refused = told(wrapped, "broker.gov.vn:5671")
    assert refused is not None
    assert (refused.code, "broker.gov.vn:5671" in refused.detail) == (code, True)
    assert told(ConnectionResetError(), "broker.gov.vn") is None


def test_an_error_that_python_has_no_name_for_is_known_by_its_sentence() -> None:
    said = ssl.SSLError(1, "[SSL] legacy sigalg disallowed or unsupported (_ssl.c:992)")
    gone = ssl.SSLEOFError(8, "EOF occurred in violation of protocol (_ssl.c:992)")
    said.reason = gone.reason = None  # type: ignore[assignment]  # as it is where Python has no name
    refused = told(said, "axis.gov.vn")
    assert refused is not None
    assert refused.code == "tls/version"
    assert told(gone, "axis.gov.vn") is None


def test_every_refusal_says_what_to_do() -> None:
    reasons = {code: reason for code, reason in REASONS.items() if code.startswith("tls/")}
    assert len(reasons) >= 12
    assert all(reason.title and reason.remedy for reason in reasons.values())


# An agency's profile


def profile(
    folder: Path, amqp_url: str, gateway_url: str, *, tls: TlsFiles | None = None, allowed: bool = False
) -> None:
    own = identity("H37")
    write_profile(
        folder,
        code="H37",
        amqp_url=amqp_url,
        gateway_url=gateway_url,
        key=own.key_pem,
        certificate=own.certificate_pem,
        axis_certificate=own.certificate_pem,
        tls=tls,
        allow_plaintext=allowed,
    )


@pytest.mark.parametrize(
    ("amqp_url", "gateway_url"),
    [
        ("amqp://H37:canary@broker.gov.vn/axis", "https://gateway.gov.vn"),
        ("amqps://H37:canary@broker.gov.vn/axis", "http://gateway.gov.vn"),
    ],
)
def test_an_agency_says_nothing_in_the_clear(tmp_path: Path, amqp_url: str, gateway_url: str) -> None:
    profile(tmp_path, amqp_url, gateway_url)
    with pytest.raises(Misconfigured) as caught:
        AgencySettings.load(tmp_path)
    assert caught.value.code == "tls/plain"
    assert "canary" not in str(caught.value)
    profile(tmp_path, amqp_url, gateway_url, allowed=True)
    assert AgencySettings.load(tmp_path).code == "H37"


def test_a_profile_that_was_moved_finds_its_own_files(tmp_path: Path) -> None:
    issued = Authority.create(tmp_path / "pki", NOW).issue("client", "H37", now=NOW)
    tls = TlsFiles(issued.ca.read_bytes(), issued.key.read_bytes(), issued.certificate.read_bytes())
    profile(tmp_path / "old", "amqps://H37@broker.gov.vn/axis?auth=external", "https://gateway.gov.vn", tls=tls)
    (tmp_path / "old").rename(tmp_path / "đã chuyển")
    settings = AgencySettings.load(tmp_path / "đã chuyển")
    assert settings.tls.context().verify_mode is ssl.CERT_REQUIRED
    address = Address.parse(settings.amqp_url.get_secret_value())
    assert (address.mechanism, address.user) == ("EXTERNAL", "H37")
    assert address.credentials is not None
    assert address.credentials.certificate == tmp_path / "đã chuyển" / "tls.certificate.pem"
    assert address.context() is not None


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("AXIS_EVIDENCE_HOSTS", "ca.noibo.gov.vn", ["evidence_hosts", "JSON"]),
        ("AXIS_QUOTA", "canary", ["quota", "JSON"]),
        ("AXIS_QUOTA", '{"connections": -1}', ["AXIS_QUOTA connections: input should"]),
        ("AXIS_KEY", "Canary:/X", ["AXIS_KEY: "]),
    ],
)
def test_a_setting_that_is_wrong_is_named(
    name: str, value: str, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for safe, url in SAFE.items():
        monkeypatch.setenv(safe, url)
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured) as caught:
        Settings.load(tmp_path)
    assert all(each in caught.value.detail for each in told), caught.value.detail
