"""Settings, read once at the edge of each process and passed down; nothing below reads the environment.

Every field can be set as `AXIS_<FIELD>` in the environment; `axis local up` and `axis up` write what they started
into `.axis/axis.env` and `.axis/stack.env`, which are read where a variable is not set. Where neither says it, a file
`axis_<field>` in the folder AXIS_SECRETS_DIR does: there a secret is in no environment that a child or a crash report
would take along.
"""

import os
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self, get_args
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from axis.broker import address
from axis.core.deadlines import Targets
from axis.core.evidence import EVERYBODY, GracePolicy
from axis.core.identity import Provider
from axis.core.lanes import LANES
from axis.core.messages import Lane
from axis.core.workdays import read_hours
from axis.errors import Misconfigured
from axis.outside import Destinations
from axis.store import hosts
from axis.tls import ALLOW_VARIABLE, Credentials, is_loopback
from axis.trust.locations import read_location
from schemas import Code, Quota

HOME_VARIABLE = "AXIS_HOME"
SECRETS_VARIABLE = "AXIS_SECRETS_DIR"
Service = Literal[
    "router", "tracker", "relay", "notary", "papers", "auditor", "registrar", "herald", "gateway", "operator", "console"
]
_DATABASES = ("database_url", *(f"{service}_database_url" for service in get_args(Service)))
ENV_FILES = ("axis.env", "stack.env")  # written by `axis local up` (nodes) and by `axis up` (the axis's own processes)


def _hours(text: str) -> str:
    try:
        read_hours(text)
    except Misconfigured as error:
        raise ValueError(error.detail) from error
    return text


class Settings(BaseSettings):
    """What a process of the axis needs to know about the machine it runs on."""

    model_config = SettingsConfigDict(env_prefix="AXIS_", frozen=True, extra="ignore", env_file_encoding="utf-8")

    home: Path = Field(Path(".axis"), description="Folder of data, keys and logs on this machine.")
    amqp_url: SecretStr = Field(
        description="amqp[s]://user:password@host:port[,host:port…]/vhost; an account that may set up the vhost. "
        "With a certificate: amqps://user@host:port/vhost?auth=external&cafile=…&certfile=…&keyfile=…"
    )
    rabbitmq_api_url: SecretStr = Field(
        description="Management API: http[s]://user:password@host:port, with ?cafile=…&certfile=…&keyfile=… over TLS"
    )
    database_url: SecretStr = Field(
        description="postgresql://user:password@host:port/database; host:port,host:port for one that fails over; "
        "over a network with ?sslmode=verify-full&sslrootcert=…"
    )
    worker_amqp_url: SecretStr | None = Field(None, description="The workers' own account; default: amqp_url.")
    router_database_url: SecretStr | None = Field(None, description="As the role axis_router; default: database_url.")
    tracker_database_url: SecretStr | None = Field(None, description="As axis_tracker; default: database_url.")
    relay_database_url: SecretStr | None = Field(None, description="As axis_relay; default: database_url.")
    notary_database_url: SecretStr | None = Field(None, description="As axis_notary; default: database_url.")
    papers_database_url: SecretStr | None = Field(None, description="As axis_papers; default: database_url.")
    auditor_database_url: SecretStr | None = Field(None, description="As axis_auditor; default: database_url.")
    registrar_database_url: SecretStr | None = Field(None, description="As axis_registrar; default: database_url.")
    herald_database_url: SecretStr | None = Field(None, description="As axis_herald; default: database_url.")
    gateway_database_url: SecretStr | None = Field(None, description="As axis_gateway; default: database_url.")
    operator_database_url: SecretStr | None = Field(
        None, description="As axis_operator, what the commands use; default: database_url."
    )
    console_database_url: SecretStr | None = Field(None, description="As axis_console; default: database_url.")
    allow_plaintext: bool = Field(
        default=False,
        description="Let passwords and documents go unencrypted to other machines: a network safe by itself.",
    )
    blobs_url: str | None = Field(None, description="file:///path, s3://bucket/prefix, …; default: <home>/blobs.")
    blobs_redirect_seconds: int = Field(
        0,
        ge=0,
        le=3600,
        description="Send downloads to the object store itself, by an address that counts for so long; 0: the gateway "
        "hands out the bytes. Agencies have to reach and trust the store.",
    )
    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(0, ge=0, le=65_535, description="0: any free port.")
    gateway_url: str | None = Field(None, description="Where agencies reach the gateway.")
    gateway_certificate: Path | None = Field(None, description="PEM, with the chain behind it: the gateway speaks TLS.")
    gateway_key: Path | None = Field(None, description="The private key of gateway_certificate, PEM.")
    gateway_client_ca: Path | None = Field(
        None, description="Only who has a client certificate of this authority reaches the gateway, each as itself."
    )
    gateway_client_crl: Path | None = Field(
        None, description="Revocation lists (PEM) of that authority and those below it; read again when they change."
    )
    console_host: str = "127.0.0.1"
    console_port: int = Field(0, ge=0, le=65_535, description="0: any free port.")
    console_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#@\s]+/?$",
        description="Where browsers reach the console, if not at its own host and port: the address of a proxy.",
    )
    console_certificate: Path | None = Field(None, description="PEM, with the chain behind it: the console speaks TLS.")
    console_key: Path | None = Field(None, description="The private key of console_certificate, PEM.")
    console_proxies: tuple[str, ...] = Field(
        (), description="Addresses of proxies, as a JSON list: the last in their X-Forwarded-For is who asks."
    )
    console_oidc: Provider | None = Field(
        None,
        description='Log people in at an OpenID provider too, as JSON: {"issuer": "https://…", "client_id": "axis", '
        '"roles": {"groups=axis-ops": "operator", "groups=h37": "agency:H37"}}.',
    )
    console_oidc_secret: SecretStr | None = Field(None, description="The console's secret there; default: none.")
    console_oidc_ca: Path | None = Field(None, description="Whom to trust as that provider; default: the system.")
    tls_ca: Path | None = Field(None, description="Whom this machine trusts as the gateway; default: the system.")
    tls_certificate: Path | None = Field(None, description="This machine's own client certificate for the gateway.")
    tls_key: Path | None = Field(None, description="The private key of tls_certificate, PEM.")
    partner_secrets: Path | None = Field(
        None,
        description="Folder of files axis_partner_<system id>, the secrets of document systems; default: the folder "
        "AXIS_SECRETS_DIR. One without a file there has its own in <home>/desk/secrets.",
    )
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(0, ge=0, le=65_535, description="0: any free port.")
    key_folder: Path | None = Field(
        None, description="The axis's own key.pem and certificate.pem; default <home>/axis-key."
    )
    key: str | None = Field(
        None, description="Where the axis's own private key lives: file:/path, or pkcs11: (RFC 7512); default: key.pem."
    )
    trust_folder: Path | None = Field(
        None,
        description="roots/*.pem and intermediates/*.pem: the authorities whose certificates are taken; "
        "default <home>/trust.",
    )
    evidence_minutes: float = Field(
        60.0, ge=0, description="How often the relay asks whether certificates are revoked; 0: somebody else does."
    )
    evidence_grace_hours: dict[str, Annotated[float, Field(ge=0)]] = Field(
        {EVERYBODY: 72.0},
        description="How long signatures are taken after the evidence for a certificate has ended to be good, as JSON "
        'by code and for all below it, “*” for everybody else: {"*": 72, "G22": 168}.',
    )
    evidence_hosts: tuple[str, ...] = Field(
        (), description="Hosts inside the network that lists and OCSP answers may be fetched from, as a JSON list."
    )
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        (),
        description='Networks inside ours that webhooks may lead to, as a JSON list: ["10.20.0.0/16"]. '
        "Nothing else inside is called.",
    )
    webhook_ports: tuple[Annotated[int, Field(gt=0, le=65_535)], ...] = Field(
        (443, 8443), min_length=1, description="The ports that webhooks may be on, as a JSON list."
    )
    webhook_ca: Path | None = Field(None, description="Whom webhooks' servers are certified by; default: the system.")
    hybrid_required: frozenset[Code] = Field(
        frozenset(),
        description="Codes, as a JSON list: these and all below sign with ML-DSA-65 as well, or are refused.",
    )
    max_blob_bytes: int = Field(2 * 1024**3, gt=0)
    id_past_days: int = Field(31, gt=0, description="How old the time in an id may be.")
    partner_keep_days: int = Field(
        730,
        gt=0,
        description="How long the gateway keeps what document systems have sent and are done with; never less than "
        "AXIS_ID_PAST_DAYS, so that a repeat is known for what it is.",
    )
    id_future_minutes: int = Field(60, gt=0, le=120, description="How far ahead the time in an id may be.")
    batch_size: int = Field(256, gt=0, le=2_000)
    batch_linger_ms: float = Field(3.0, ge=0)
    lanes: tuple[Lane, ...] = Field(
        LANES,
        min_length=1,
        description='The lanes a router takes from, as a JSON list; a router for ["urgent"] alone is never busy.',
    )
    mailbox_limit: int = Field(
        50_000, gt=0, description="With so many documents waiting in one queue of a mailbox, further ones are held."
    )
    quota: Quota = Field(
        Quota(), description='Limits of agencies that have none of their own, as JSON: {"messages_per_minute": 6000}.'
    )
    targets: Targets = Field(
        Targets(),
        description="How many minutes documents have to arrive and to be accepted, as JSON (urgent: by the clock, "
        'normal: of working time): {"arrival": {"urgent": 15, "normal": 240}, "acceptance": {"urgent": 60, "normal": '
        '480}, "kinds": {"Giấy mời": {"acceptance": {"urgent": 30, "normal": 120}}}}.',
    )
    working_hours: Annotated[str, AfterValidator(_hours)] = Field(
        "08:00-12:00,13:30-17:30", description="Working hours of every working day, Vietnam time."
    )
    relay_seconds: float = Field(30.0, gt=0, description="What is unmarked for longer is published again.")
    watch_seconds: float = Field(15.0, gt=0, description="How often the auditor looks at all queues.")
    stuck_minutes: float = Field(
        15.0, gt=0, description="What waits for so long, and nothing of it moves, is stuck: the auditor says so."
    )
    stuck_seconds: float = Field(
        15.0, gt=0, description="A worker whose loop does not turn for so much processor time ends itself."
    )
    log_origin: str = Field(
        "axis.local/log",
        pattern=r"^[^\s+]+$",
        description="Name of the log of receipts, the same for ever; best its address.",
    )
    log_seconds: float = Field(5.0, gt=0, description="How often the notary looks for receipts to put into the log.")
    register_seconds: float = Field(0.5, gt=0, description="How often the registrar looks for what has changed.")
    feed_days: int = Field(31, gt=0, description="How long what changed can be followed (agency API, webhooks).")
    tsa_url: str | None = Field(None, description="Timestamp authority (RFC 3161) for checkpoints; default: none.")
    tsa_seconds: float = Field(60.0, gt=0, description="At most one timestamp in so long.")
    traces_url: str | None = Field(
        None,
        pattern="^https?://",
        description="Where spans are sent (OTLP over HTTP, …/v1/traces), with the extra `traces`; default: nowhere.",
    )
    traces_ratio: float = Field(
        1.0, ge=0, le=1, description="Of so many traces everything is recorded, of others nothing."
    )
    log_format: str | None = Field(None, pattern="^(json|console)$", description="Default: json unless on a terminal.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")

    @field_validator("key")
    @classmethod
    def _check_key(cls, location: str | None) -> str | None:
        try:
            return location if location is None or read_location(location) else None
        except Misconfigured as error:
            raise ValueError(error.detail) from error

    @classmethod
    def load(cls, home: Path | None = None) -> Self:
        """Read the environment, `<home>/axis.env` and the secrets; raise Misconfigured naming every wrong setting.

        Raises Misconfigured `tls/plain` for what would go unencrypted to another machine, unless that is allowed.
        """
        folder = home or Path(os.environ.get(HOME_VARIABLE, ".axis"))
        secrets = os.environ.get(SECRETS_VARIABLE)
        if secrets is not None and not Path(secrets).is_dir():
            raise Misconfigured(f"{SECRETS_VARIABLE}: {secrets} is no folder")
        try:
            settings = cls(
                _env_file=[folder / name for name in ENV_FILES], _secrets_dir=secrets, home=folder.absolute()
            )
        except ValidationError as error:
            raise Misconfigured(
                "; ".join(_wrong(each["loc"], each["msg"]) for each in error.errors())
                + f" (set them in the environment, or run `axis local up`, which writes {folder}/axis.env)"
            ) from error
        except SettingsError as error:
            # Its words name the field and the source, not the value, which may be a secret.
            raise Misconfigured(
                f"{error}: lists and objects are written as JSON, for example "
                "AXIS_EVIDENCE_HOSTS='[\"ca.gov.vn\"]' or AXIS_QUOTA='{\"messages_per_minute\": 6000}'"
            ) from error
        settings._check()
        if settings.partner_keep_days < settings.id_past_days:
            raise Misconfigured(
                f"AXIS_PARTNER_KEEP_DAYS is {settings.partner_keep_days}: at least AXIS_ID_PAST_DAYS, "
                f"which is {settings.id_past_days}"
            )
        if settings.partner_secrets is None and secrets is not None:
            settings = settings.model_copy(update={"partner_secrets": Path(secrets)})
        return settings

    @property
    def plaintext(self) -> list[str]:
        """Say, setting by setting, what goes over a network without TLS."""
        return [f"AXIS_{name.upper()}: {told}" for name, told in self._unencrypted()]

    def database_of(self, service: Service) -> str:
        """Return the database's address under the role of a service."""
        own: SecretStr | None = getattr(self, f"{service}_database_url")
        return (own or self.database_url).get_secret_value()

    @property
    def operator_database(self) -> str:
        """The database's address for commands."""
        return self.database_of("operator")

    @property
    def tls(self) -> Credentials:
        """This machine as a client of the gateway."""
        return Credentials(self.tls_ca, self.tls_certificate, self.tls_key)

    def _check(self) -> None:
        if (found := self.plaintext) and not self.allow_plaintext:
            raise Misconfigured(
                f"{'; '.join(found)}: nothing goes unencrypted to another machine unless {ALLOW_VARIABLE}=1",
                code="tls/plain",
            )
        if (self.gateway_certificate is None) != (self.gateway_key is None):
            raise Misconfigured("AXIS_GATEWAY_CERTIFICATE and AXIS_GATEWAY_KEY belong together", code="tls/files")
        if (self.console_certificate is None) != (self.console_key is None):
            raise Misconfigured("AXIS_CONSOLE_CERTIFICATE and AXIS_CONSOLE_KEY belong together", code="tls/files")
        if self.console_url is None and self.console_host in {"0.0.0.0", "::"}:  # noqa: S104 - it is asked about
            raise Misconfigured(f"AXIS_CONSOLE_URL: where do browsers reach what listens at {self.console_host}?")
        if self.gateway_client_ca is not None and self.gateway_certificate is None:
            raise Misconfigured("AXIS_GATEWAY_CLIENT_CA needs AXIS_GATEWAY_CERTIFICATE", code="tls/files")
        if self.gateway_client_crl is not None and self.gateway_client_ca is None:
            raise Misconfigured("AXIS_GATEWAY_CLIENT_CRL needs AXIS_GATEWAY_CLIENT_CA", code="tls/files")
        for name in _DATABASES:
            if (url := getattr(self, name)) is not None:
                hosts.check_role(url.get_secret_value())

    def _unencrypted(self) -> Iterator[tuple[str, str]]:
        for name in ("amqp_url", "worker_amqp_url"):
            if (url := getattr(self, name)) is not None and (unsafe := address.unsafe_hosts(url.get_secret_value())):
                yield name, f"amqp:// to {', '.join(unsafe)}"
        for name in _DATABASES:
            if (url := getattr(self, name)) is not None and (unsafe := hosts.unsafe_hosts(url.get_secret_value())):
                yield name, f"no sslmode=verify-full to {', '.join(unsafe)}"
        for name, page in (
            ("rabbitmq_api_url", self.rabbitmq_api_url.get_secret_value()),
            ("gateway_url", self.gateway_url or ""),
            ("console_url", self.console_url or ""),
            ("traces_url", self.traces_url or ""),
            ("console_oidc", self.console_oidc.issuer if self.console_oidc else ""),
            *(("blobs_url", page) for page in parse_qs(urlsplit(self.blobs_url or "").query).get("endpoint", ())),
        ):
            parts = urlsplit(page)
            if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
                yield name, f"http:// to {parts.hostname}"
        if self.gateway_certificate is None and not is_loopback(self.gateway_host):
            yield "gateway_host", f"the gateway would answer at {self.gateway_host} without gateway_certificate"
        if self.console_certificate is None and not is_loopback(self.console_host):
            yield "console_host", f"the console would answer at {self.console_host} without console_certificate"

    @property
    def console_address(self) -> str:
        """Where the console itself answers, whatever proxy stands before it; its port has to be set."""
        host = f"[{self.console_host}]" if ":" in self.console_host else self.console_host
        return f"{'http' if self.console_certificate is None else 'https'}://{host}:{self.console_port}"

    @property
    def blobs(self) -> str:
        """The blob store's URL."""
        return self.blobs_url or (self.home.absolute() / "blobs").as_uri()

    @property
    def axis_key(self) -> Path:
        """Folder of the axis's own key and certificate."""
        return self.key_folder or self.home / "axis-key"

    @property
    def trusted(self) -> Path:
        """Folder of the authorities that are trusted."""
        return self.trust_folder or self.home / "trust"

    @property
    def destinations(self) -> Destinations:
        """Which addresses of agencies' own systems are called."""
        return Destinations(self.webhook_networks, self.webhook_ports)

    @property
    def grace(self) -> GracePolicy:
        """How long evidence counts after its end."""
        return GracePolicy(self.evidence_grace_hours)

    @property
    def worker_url(self) -> str:
        """The AMQP URL for the workers."""
        return (self.worker_amqp_url or self.amqp_url).get_secret_value()


def _wrong(place: tuple[int | str, ...], told: str) -> str:
    name, *behind = map(str, place)
    path = f" {'.'.join(behind)}" if behind else ""
    return f"AXIS_{name.upper()}{path}: {told[:1].lower()}{told[1:]}"
