"""One field for all short scenarios that need nothing special of it: starting a broker takes longer than playing."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from axis.faults.field import Field
from axis.faults.scenario import Shape
from axis.local.programs import find_postgres, find_rabbitmq
from tests.services import ROOT_VARIABLE, open_folder

SHAPE = Shape(routers=2, trackers=2)
RATE = 20.0  # envelopes a second: the machine has other tests to run


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def field() -> AsyncIterator[Field]:
    """A field of two routers, two trackers and a relay, with traffic flowing."""
    if find_rabbitmq() is None or find_postgres() is None:
        pytest.skip("no RabbitMQ and PostgreSQL programs on this machine to start nodes of our own with")
    root = open_folder(os.environ[ROOT_VARIABLE])
    opened, closing = asyncio.get_running_loop().create_future(), asyncio.Event()

    async def hold() -> None:
        # Set-up and tear-down of a fixture are two tasks; what is opened has to be closed by the one that opened it.
        async with Field.open(SHAPE, seed=1, folder=open_folder(f"{root}/faults-{secrets.token_hex(6)}")) as made:
            made.traffic.rate = RATE
            opened.set_result(made)
            await closing.wait()

    holding = asyncio.ensure_future(hold())
    await asyncio.wait([opened, holding], return_when=asyncio.FIRST_COMPLETED)
    if not holding.done():
        yield opened.result()
    closing.set()
    await holding
