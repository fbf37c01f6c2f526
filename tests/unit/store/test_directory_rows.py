"""A row of the directory that was written wrongly, by hand or by an older program, ends nobody."""

import datetime as dt

import pytest
from structlog.testing import capture_logs

from axis.store import directory
from schemas import Quota


@pytest.mark.parametrize(
    ("stored", "wrong"),
    [
        ('{"connections": 1' + 30 * "0" + "}", "connections"),
        ('{"unheard": 1}', "unheard"),
        ('{"channels": -1}', "channels"),
    ],
)
def test_limits_that_are_not_understood_are_the_default_ones(stored: str, wrong: str) -> None:
    record = {
        "code": "H37",
        "valid_from": dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
        "valid_to": None,
        "password_hash": "x",
        "quota": stored,
    }
    with capture_logs() as logs:
        assert directory._mailbox(record).quota == Quota()
    assert [(each["log_level"], each["code"], each["wrong"]) for each in logs] == [("error", "H37", [wrong])]
