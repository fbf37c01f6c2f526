"""Which of the server's answers mean "later", by SQLSTATE: all others are about the data, and come again."""

import asyncpg
import pytest

from axis.errors import Unavailable
from axis.store.reaching import reaching

LATER = {
    "08006": "connection lost",
    "25006": "read-only server",
    "25P03": "idle in transaction for too long",
    "3F000": "no schema",
    "40001": "not serialisable",
    "40P01": "deadlock",
    "42501": "a GRANT is missing",
    "42703": "a column is missing",
    "42P01": "a table is missing",
    "53100": "disk full",
    "53200": "out of memory",
    "53300": "too many connections",
    "55P03": "locked",
    "57014": "cancelled",
    "57P01": "shut down by an operator",
    "57P02": "another session crashed",
    "57P03": "starting up",
    "58030": "the disk fails",
    "XX001": "data damaged",
    "XX002": "index damaged",
}
DATA = {
    "22021": "not UTF-8",
    "22P05": "a character that cannot be stored",
    "23502": "NULL",
    "23503": "no such row",
    "23505": "twice",
    "54000": "too long for an index",
    "XX000": "anything",
}


def answer(sqlstate: str) -> Exception:
    error: Exception = asyncpg.PostgresError.new({"C": sqlstate, "M": "said"})
    return error


@pytest.mark.parametrize("sqlstate", LATER)
def test_what_passes_is_unavailable_and_says_what_was_answered(sqlstate: str) -> None:
    error = answer(sqlstate)
    with pytest.raises(Unavailable, match=r"the database did not answer.*said") as told, reaching("answer"):
        raise error
    assert told.value.__cause__ is error


@pytest.mark.parametrize("sqlstate", DATA)
def test_what_is_about_the_data_stays_what_it_is(sqlstate: str) -> None:
    error = answer(sqlstate)
    with pytest.raises(type(error)), reaching("answer"):
        raise error


def test_a_table_that_is_missing_is_the_fault_of_what_makes_tables() -> None:
    with pytest.raises(asyncpg.UndefinedTableError), reaching("migrate", schema_is_ours=True):
        raise answer("42P01")
