"""The cache of certificates: many at once."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from axis.client.certificates import read_certificate
from axis.client.witness import Witness
from axis.core.ids import new_id
from axis.errors import Refused
from axis.trust import enrol
from schemas import examples
from tests.builders import NOW
from tests.unit.client.doubles import World

THREADS, TIMES = 8, 50


def test_threads_that_keep_the_same_certificate_at_once_do_not_disturb_each_other(world: World, tmp_path: Path) -> None:
    witness = Witness(source=world.shelf, cache=tmp_path, axis_certificate=world.axis.certificate_pem)
    record = enrol(world.axis.certificate_pem, "W00", "axis", NOW, allow_demonstration=True)
    together = threading.Barrier(THREADS)

    def keep(_: int) -> None:
        together.wait()
        for _ in range(TIMES):
            witness._keep(record)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(keep, range(THREADS)))
    (kept,) = tmp_path.iterdir()
    assert read_certificate(kept.read_bytes()) == record.certificate


def test_an_id_beyond_the_calendar_is_refused_and_ends_nobody(world: World) -> None:
    """Nothing checks ids between the broker and the inbox: found by fuzzing."""
    witness = Witness(source=world.shelf, cache=None, axis_certificate=world.axis.certificate_pem)
    body = json.dumps({**examples.RECEIPT, "id": "ffffffff-ffff-7c21-9f5e-3b7d9c0a4e11"}).encode()
    with pytest.raises(Refused) as caught:
        witness.receipt(body, world.axis.key.sign(body), account="G22")
    assert caught.value.code == "message/schema"
    assert "beyond the calendar" in caught.value.detail


@pytest.mark.parametrize("more", ['"outcome":"accepted"', '"\\u006futcome":"accepted"'])
def test_a_receipt_that_says_a_thing_twice_is_refused_though_the_axis_signed_it(world: World, more: str) -> None:
    """Found by fuzzing: two readers of one proof would have seen two outcomes."""
    witness = Witness(source=world.shelf, cache=None, axis_certificate=world.axis.certificate_pem)
    body = f"{json.dumps({**examples.RECEIPT, 'id': new_id(NOW)})[:-1]},{more}}}".encode()
    with pytest.raises(Refused) as caught:
        witness.receipt(body, world.axis.key.sign(body), account="G22")
    assert caught.value.code == "message/duplicate-key"
