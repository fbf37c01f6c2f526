"""What the management API answers when others change the broker too."""

import functools

import httpx
import pytest

from axis.broker.management import ManagementApi
from axis.core.broker_objects import User
from axis.core.difference import Change, Verb
from axis.errors import Unavailable

EXISTS = httpx.Response(400, json={"error": "bad_request", "reason": ["user_already_exists", "H26"]})
CHANGED = httpx.Response(204)


@pytest.mark.parametrize(
    ("answers", "refused"), [((EXISTS, CHANGED), False), ((CHANGED,), False), ((EXISTS, EXISTS), True)]
)
async def test_an_account_that_somebody_else_makes_at_the_same_moment_is_changed(
    monkeypatch: pytest.MonkeyPatch, answers: tuple[httpx.Response, ...], refused: bool
) -> None:
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        return left.pop(0) if "/users/" in request.url.path else CHANGED

    client = functools.partial(httpx.AsyncClient, transport=httpx.MockTransport(answer))
    monkeypatch.setattr(httpx, "AsyncClient", client)
    change = Change(Verb.CREATE, "user", "H26", "create user H26", User("H26", "hash"))
    async with ManagementApi("http://axis:secret@broker", "axis") as api:
        if refused:
            with pytest.raises(Unavailable, match="user_already_exists"):
                await api.apply([change], lambda _: None)
        else:
            await api.apply([change], lambda _: None)
    assert left == []
