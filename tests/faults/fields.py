"""A field that fixtures can hold open."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator

import pytest

from axis.faults.field import Field
from axis.faults.scenario import Shape
from axis.local.programs import find_postgres, find_rabbitmq
from tests.services import ROOT_VARIABLE, open_folder

RATE = 8.0  # envelopes a second: at 20 they take half of two processors, which have other tests to run


@contextlib.asynccontextmanager
async def held_open(shape: Shape) -> AsyncIterator[Field]:
    """Open a field in a task of its own: set-up and tear-down of a fixture are two tasks, and one has to do both."""
    if find_rabbitmq() is None or find_postgres() is None:
        pytest.skip("no RabbitMQ and PostgreSQL programs on this machine to start nodes of our own with")
    root = open_folder(os.environ[ROOT_VARIABLE])
    opened, closing = asyncio.get_running_loop().create_future(), asyncio.Event()

    async def hold() -> None:
        async with Field.open(shape, seed=1, folder=open_folder(f"{root}/faults-{secrets.token_hex(6)}")) as made:
            made.traffic.rate = RATE
            opened.set_result(made)
            await closing.wait()

    holding = asyncio.ensure_future(hold())
    await asyncio.wait([opened, holding], return_when=asyncio.FIRST_COMPLETED)
    if not holding.done():
        yield opened.result()
    closing.set()
    await holding
