"""The cache of certificates: many at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from axis.client.certificates import read_certificate
from axis.client.witness import Witness
from axis.trust import enrol
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
    assert read_certificate(kept.read_bytes()) == record
