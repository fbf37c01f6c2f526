"""A private RabbitMQ node: its files, and the processes that make it."""

import os
import signal
from pathlib import Path

from axis.local import ports
from axis.local.certified import NodeFiles, copied
from axis.local.layout import give
from axis.local.process import Probe, ProcessSpec
from axis.local.programs import Rabbitmq
from axis.local.record import USER, VHOST, Record

PLUGINS = ("rabbitmq_management", "rabbitmq_prometheus")
TLS_PLUGINS = ("rabbitmq_auth_mechanism_ssl",)
STOP_SECONDS = 30.0


def prepare(found: Rabbitmq, record: Record, user: str | None) -> tuple[ProcessSpec, ProcessSpec]:
    """Write the node's files and return its processes: epmd, then the broker.

    Its own epmd, on its own port, because the first Erlang on a machine starts a shared one that outlives it.
    """
    base = Path(record.data) / "rabbitmq"
    for part in (base, base / "home", base / "conf.d"):
        give(part, None)
    cookie = base / "home" / ".erlang.cookie"
    cookie.unlink(missing_ok=True)
    cookie.write_text(record.cookie, encoding="ascii")
    cookie.chmod(0o400)
    files = copied(record, "rabbitmq", base) if record.pki else None
    (base / "rabbitmq.conf").write_text(_configuration(record, files), encoding="utf-8")
    (base / "rabbitmq.conf").chmod(0o600)
    (base / "advanced.config").write_text("[].\n" if files is None else _revocation(files), encoding="utf-8")
    plugins = (*PLUGINS, *(() if files is None else TLS_PLUGINS))
    (base / "enabled_plugins").write_text(f"[{','.join(plugins)}].\n", encoding="ascii")
    (base / "rabbitmq-env.conf").write_text("", encoding="ascii")
    give(base, user)
    env = _environment(record, base)
    epmd_port = str(record.ports["epmd"])
    epmd = ProcessSpec(
        name="epmd",
        argv=(str(found.epmd), "-port", epmd_port, "-address", ports.LOOPBACK),
        env=env,
        cwd=str(base),
        ready=Probe.tcp(record.ports["epmd"]),
        user=user,
        stop_seconds=5.0,
    )
    broker = ProcessSpec(
        name="rabbitmq",
        argv=(str(found.server),),
        env=env,
        cwd=str(base),
        # The listeners for AMQP open last, after the plugins' own.
        ready=Probe.tcp(record.ports["amqp"]),
        user=user,
        stop_signal=signal.SIGTERM if record.durable else signal.SIGKILL,
        stop_seconds=STOP_SECONDS,
    )
    return epmd, broker


def _configuration(record: Record, files: NodeFiles | None) -> str:
    lines = [
        *(_plain(record) if files is None else _encrypted(record, files)),
        f"prometheus.tcp.ip = {ports.LOOPBACK}",
        f"prometheus.tcp.port = {record.ports['prometheus']}",
        f"default_vhost = {VHOST}",
        f"default_user = {USER}",
        f"default_pass = {record.broker_password}",
        "log.file = false",
        "log.console = true",
        "log.console.level = info",
        "disk_free_limit.absolute = 50MB",
        # Four envelopes of the largest size: the default lets 128 MiB pass, which every consumer has to hold in memory.
        f"max_message_size = {1024 * 1024}",
        # A laptop's share. The write-ahead log of quorum queues is held in memory too and defaults to 512 MiB.
        "vm_memory_high_watermark.absolute = 1GB",
        f"raft.wal_max_size_bytes = {64 * 1024 * 1024}",
    ]
    if not record.durable:
        # Tests look at counts; five seconds is a long time for them.
        lines.append("collect_statistics_interval = 500")
    return "\n".join([*lines, ""])


def _plain(record: Record) -> list[str]:
    return [
        f"listeners.tcp.1 = {ports.LOOPBACK}:{record.ports['amqp']}",
        f"management.tcp.ip = {ports.LOOPBACK}",
        f"management.tcp.port = {record.ports['management']}",
    ]


def _encrypted(record: Record, files: NodeFiles) -> list[str]:
    """Let nobody in without TLS and a certificate; whom it names is who logs in."""
    return [
        "listeners.tcp = none",
        f"listeners.ssl.1 = {ports.LOOPBACK}:{record.ports['amqp']}",
        # What is sent as user and password is not even looked at.
        "auth_mechanisms.1 = EXTERNAL",
        "ssl_cert_login_from = common_name",
        f"management.ssl.ip = {ports.LOOPBACK}",
        f"management.ssl.port = {record.ports['management']}",
        *_tls("management.ssl", files),
    ]


def _revocation(files: NodeFiles) -> str:
    """Write the TLS of the listener as Erlang terms: rabbitmq.conf has no word for revocation lists.

    They are read for each connection, from files named by their issuer's hash, so a new list needs no restart. A list
    that is too old locks everybody out: otherwise whoever was revoked would come in once it has ended.
    """
    return f"""[{{rabbit, [{{ssl_options, [
  {{cacertfile, {_text(files.ca)}}},
  {{certfile, {_text(files.certificate)}}},
  {{keyfile, {_text(files.key)}}},
  {{verify, verify_peer}}, {{fail_if_no_peer_cert, true}}, {{depth, 2}},
  {{versions, ['tlsv1.3', 'tlsv1.2']}},
  {{crl_check, peer}},
  {{crl_cache, {{ssl_crl_hash_dir, {{internal, [{{dir, {_text(files.crl_folder)}}}]}}}}}}
]}}]}}].
"""


def _text(path: Path) -> str:
    """Write a path as an Erlang string."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _tls(prefix: str, files: NodeFiles) -> list[str]:
    return [
        f"{prefix}.cacertfile = {files.ca}",
        f"{prefix}.certfile = {files.certificate}",
        f"{prefix}.keyfile = {files.key}",
        f"{prefix}.verify = verify_peer",
        f"{prefix}.fail_if_no_peer_cert = true",
        f"{prefix}.depth = 2",  # an intermediate between the root and the client
        f"{prefix}.versions.1 = tlsv1.3",
        f"{prefix}.versions.2 = tlsv1.2",
    ]


def _environment(record: Record, base: Path) -> dict[str, str]:
    """Name every file, so that nothing of /etc/rabbitmq or of the caller's RABBITMQ_… variables is read."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(base / "home"),
        # Erlang takes file names as UTF-8 only under such a locale; a clone may lie under an accented folder.
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(record.ports["epmd"]),
        "ERL_EPMD_ADDRESS": ports.LOOPBACK,
        "RABBITMQ_NODENAME": record.node_name,
        "RABBITMQ_DIST_PORT": str(record.ports["distribution"]),
        "RABBITMQ_MNESIA_BASE": str(base / "data"),
        "RABBITMQ_LOG_BASE": str(base / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONFIG_FILE": str(base / "rabbitmq.conf"),
        "RABBITMQ_CONFIG_FILES": str(base / "conf.d"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(base / "advanced.config"),
        "RABBITMQ_CONF_ENV_FILE": str(base / "rabbitmq-env.conf"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(base / "generated"),
        "RABBITMQ_PLUGINS_EXPAND_DIR": str(base / "plugins-expand"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(base / "enabled_plugins"),
        "RABBITMQ_PID_FILE": str(base / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
        # Makes the script become the server instead of waiting for it: the keeper then holds the server's own pid.
        "RUNNING_UNDER_SYSTEMD": "true",
    }
