"""The directory as of a date, in pages, and cheap to ask for again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from axis.gateway.api import agencies
from tests.unit.gateway.api.office import Office, office


@pytest.fixture
async def axis(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as opened:
        yield opened


async def codes(axis: Office, question: str = "") -> list[str]:
    return [each["code"] for each in (await axis.got("Z01", f"/v1/agencies{question}"))["agencies"]]


async def test_it_is_of_a_date(axis: Office) -> None:
    assert await codes(axis) == ["G22", "H37", "H37.05", "H37.20", "K99"]
    assert "H22" in await codes(axis, "?at=2026-11-24T14:59:00%2B07:00")
    assert await codes(axis, "?at=1990-01-01T00:00:00Z") == []
    (unit,) = [each for each in (await axis.got("Z01", "/v1/agencies"))["agencies"] if each["code"] == "H37.20"]
    assert unit["mailbox"] == "H37"


async def test_pages_and_what_is_below_a_code(axis: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await codes(axis, "?below=H37") == ["H37", "H37.05", "H37.20"]
    assert await codes(axis, "?below=H38") == []
    monkeypatch.setattr(agencies, "_LOOKED_AT", 3)
    found, after = [], ""
    for _ in range(10):
        page = await axis.got("Z01", f"/v1/agencies?limit=2{after}")
        found += [each["code"] for each in page["agencies"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert found == ["G22", "H37", "H37.05", "H37.20", "K99"]


async def test_what_has_not_changed_is_not_sent_again(axis: Office) -> None:
    first = await axis.ask("Z01", "/v1/agencies?limit=2")
    again = await axis.ask("Z01", "/v1/agencies?limit=2", headers={"if-none-match": f'"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    other = await axis.ask("Z01", "/v1/agencies?limit=3", headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200
