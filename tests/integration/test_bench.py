"""A tiny run of the benches: that they work, not what they measure."""

import contextlib
import json
from collections.abc import Iterator

import pytest

from axis import local
from tests.bench import catalogue
from tests.bench.running import Options
from tests.bench.world import Servers, Stage


@pytest.fixture
def stage(services: local.Services, migrated_template: str) -> Iterator[Stage]:
    with contextlib.ExitStack() as kept:
        yield Stage(services, migrated_template, Servers(None, None), "", kept)


async def test_both_sides_of_route_1_work_off_their_queues(stage: Stage) -> None:
    said: list[str] = []

    (result,) = await catalogue.BENCHES["route-1"].run(stage, Options(rounds=1, count=600), said.append)

    line = json.loads(result.as_json())
    assert line["ours"] > 0
    assert line["baseline"] > 0
    assert line["rounds"] == 1
    assert said[0].startswith("route-1 1/1: ")
