"""Broker accounts and the broker's objects: passwords, their salted form, and applying the topology."""

import base64
import datetime as dt
import hashlib
import secrets
from collections.abc import Callable
from typing import get_args
from urllib.parse import quote, unquote, urlunsplit

from pydantic import SecretStr

from axis.broker import ManagementApi, split_address, vhost_of
from axis.cli.certified import certificate_for, under_certificate
from axis.cli.env_file import remember, remembered
from axis.core.topology import Topology, Verb, WorkerUser, desired, difference
from axis.errors import Misconfigured
from axis.settings import Service, Settings
from axis.store import Store, ensure_roles
from axis.store.hosts import with_role

WORKER_NAME = "axis-worker"
WORKER_VARIABLE = "AXIS_WORKER_AMQP_URL"

_SALT_BYTES = 4


def new_password() -> str:
    """Make a password nobody can guess; it needs no escaping in an address."""
    return secrets.token_urlsafe(32)


def password_hash(password: str, salt: bytes | None = None) -> str:
    """Salt and hash a password as RabbitMQ does (rabbit_password_hashing_sha256): base64 of salt and SHA-256."""
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode("ascii")


def fits(password: str, salted: str) -> bool:
    """Say whether a password is the one that was hashed."""
    salt = base64.b64decode(salted)[:_SALT_BYTES]
    return secrets.compare_digest(password_hash(password, salt), salted)


def with_account(address: str, user: str, password: str) -> str:
    """Return an AMQP address with another account in it."""
    parts, hosts = split_address(address)
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{hosts}"))


def account_in(address: str) -> tuple[str, str]:
    """Return user and password of an address; the broker's defaults where it names none."""
    parts, _ = split_address(address)
    return unquote(parts.username or "guest"), unquote(parts.password or "guest")


def management(settings: Settings) -> ManagementApi:
    """Make the way to the broker's management API; use it with `async with`."""
    return ManagementApi(settings.rabbitmq_api_url.get_secret_value(), vhost_of(settings.amqp_url.get_secret_value()))


def ensure_worker_account(settings: Settings) -> Settings:
    """Choose the workers' account once and remember it in `<home>/stack.env`; return settings that have it.

    An address set from outside is left alone. Ours keeps its password and follows the broker when that moves.
    """
    ours = remembered(settings.home).get(WORKER_VARIABLE)
    given = settings.worker_amqp_url and settings.worker_amqp_url.get_secret_value()
    if given is not None and given != ours:
        return settings
    password = new_password() if ours is None else account_in(ours)[1]
    address = with_account(settings.amqp_url.get_secret_value(), WORKER_NAME, password)
    address = under_certificate(settings, address, WORKER_NAME)
    remember(settings.home, {WORKER_VARIABLE: address})
    return settings.model_copy(update={"worker_amqp_url": SecretStr(address)})


async def ensure_database_roles(settings: Settings) -> Settings:
    """Make the services' roles, their passwords remembered in `<home>/stack.env`; return settings that have them.

    An address set from outside is left alone, but its role gets its rights and its password too.
    """
    owner, known = settings.database_url.get_secret_value(), remembered(settings.home)
    addresses, passwords = {}, {}
    for service in get_args(Service):
        variable, role = f"AXIS_{service.upper()}_DATABASE_URL", f"axis_{service}"
        ours, given = known.get(variable), settings.database_of(service)
        if given not in {owner, ours}:
            addresses[service] = given
        else:
            password = new_password() if ours is None else account_in(ours)[1]
            issued = certificate_for(settings, role) if "sslcert=" in owner else None
            files = None if issued is None else (issued.certificate, issued.key)
            addresses[service] = with_role(owner, role, password, files)
            remember(settings.home, {variable: addresses[service]})
        parts, _ = split_address(addresses[service])
        if parts.username == role and parts.password is not None:
            passwords[role] = unquote(parts.password)
    await ensure_roles(owner, passwords)
    return settings.model_copy(
        update={f"{service}_database_url": SecretStr(address) for service, address in addresses.items()}
    )


def worker_user(settings: Settings) -> WorkerUser:
    """Return the workers' account as the broker has to know it.

    The salt follows from the password, so that the same settings always ask for the same thing; the password is
    random and long, which is what a random salt would have to make up for.
    """
    if settings.worker_amqp_url is None:
        raise Misconfigured(f"{WORKER_VARIABLE} is not set", code="axis/worker-account")
    name, password = account_in(settings.worker_amqp_url.get_secret_value())
    if name == account_in(settings.amqp_url.get_secret_value())[0]:
        # Its rights would be cut down to the workers', and nobody could set up the broker any more.
        raise Misconfigured(
            f"{WORKER_VARIABLE} names “{name}”, the account that sets up the broker: the workers need one of their own",
            code="axis/worker-account",
        )
    salt = hashlib.sha256(f"axis worker salt {name} {password}".encode()).digest()[:_SALT_BYTES]
    return WorkerUser(name, password_hash(password, salt))


async def wanted_topology(settings: Settings, store: Store) -> Topology:
    """Compute what the broker has to hold for the mailboxes in force now."""
    _, mailboxes, _ = await store.directory.load()
    # Where AXIS_QUOTA is not set, nobody knows what it is elsewhere: that must not take everybody's limits away.
    default = settings.quota if "quota" in settings.model_fields_set else None
    return desired(mailboxes, worker_user=worker_user(settings), at=dt.datetime.now(dt.UTC), default=default)


async def apply_topology(settings: Settings, store: Store, progress: Callable[[str], None]) -> int:
    """Bring the broker to what the directory demands; return how many changes were made. Safe to repeat."""
    wanted = await wanted_topology(ensure_worker_account(settings), store)
    async with management(settings) as api:
        changes = difference(wanted, await api.actual())
        await api.apply(changes, progress)
    return sum(change.verb is not Verb.CONFLICT for change in changes)
