import base64
import hashlib
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from axis.cli.accounts import (
    account_in,
    ensure_worker_account,
    fits,
    new_password,
    password_hash,
    with_account,
    worker_user,
)
from axis.errors import Misconfigured
from axis.settings import Settings


def settings(home: Path, worker: str | None = None) -> Settings:
    return Settings(
        home=home,
        amqp_url=SecretStr("amqp://admin:secret@broker:5672/axis"),
        rabbitmq_api_url=SecretStr("http://broker"),
        database_url=SecretStr("postgresql://db"),
        worker_amqp_url=None if worker is None else SecretStr(worker),
    )


def address_of(known: Settings) -> str:
    assert known.worker_amqp_url is not None
    return known.worker_amqp_url.get_secret_value()


def test_the_hash_is_rabbitmqs() -> None:
    # The example of RabbitMQ's documentation ("Passwords", computing a salted hash): salt 908D C60A, password test12.
    salt = bytes.fromhex("908DC60A")
    assert password_hash("test12", salt) == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
    assert base64.b64decode(password_hash("x", salt)) == salt + hashlib.sha256(salt + b"x").digest()


def test_a_password_fits_its_own_hash_only() -> None:
    password = new_password()
    assert fits(password, password_hash(password))
    assert password_hash(password) != password_hash(password)
    assert not fits(password, password_hash(new_password()))


def test_a_cluster_keeps_its_nodes() -> None:
    address = with_account("amqp://admin:secret@one:5673,two,[::1]:5674,[::2]/axis", "H37", "p@ss")
    assert address == "amqp://H37:p%40ss@one:5673,two,[::1]:5674,[::2]/axis"
    assert account_in(address) == ("H37", "p@ss")


def test_an_address_takes_any_account() -> None:
    address = with_account("amqp://admin:secret@[::1]:5672/%2Faxis?heartbeat=5", "H37.05", "a/b:c@d")
    assert address.endswith("@[::1]:5672/%2Faxis?heartbeat=5")
    assert account_in(address) == ("H37.05", "a/b:c@d")


def test_the_workers_account_is_chosen_once_and_kept_secret(tmp_path: Path) -> None:
    first = ensure_worker_account(settings(tmp_path))
    file = tmp_path / "stack.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert account_in(address_of(first))[0] == "axis-worker"
    assert ensure_worker_account(settings(tmp_path)) == first
    assert ensure_worker_account(first) == first
    assert worker_user(first) == worker_user(first)


def test_it_follows_the_broker_and_keeps_its_password_and_what_else_is_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "stack.env"
    file.write_text("# comment\nAXIS_GATEWAY_PORT=1234\nAXIS_WORKER_AMQP_URL=amqp://axis-worker:kept@old:1/axis\n")
    found = ensure_worker_account(settings(tmp_path, "amqp://axis-worker:kept@old:1/axis"))
    assert address_of(found) == "amqp://axis-worker:kept@broker:5672/axis"
    assert file.read_text().splitlines() == [
        "# comment",
        "AXIS_GATEWAY_PORT=1234",
        "AXIS_WORKER_AMQP_URL=amqp://axis-worker:kept@broker:5672/axis",
    ]


def test_an_address_from_outside_is_left_alone(tmp_path: Path) -> None:
    given = settings(tmp_path, "amqp://w:p@elsewhere/axis")
    assert ensure_worker_account(given) == given
    assert not (tmp_path / "stack.env").exists()


def test_the_account_that_sets_up_the_broker_is_not_cut_down_to_a_workers(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="account that sets up the broker"):
        worker_user(settings(tmp_path, "amqp://admin:secret@broker:5672/axis"))
