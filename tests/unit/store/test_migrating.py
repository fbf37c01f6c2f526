import re

import pytest

from axis.errors import Misconfigured
from axis.store.migrating import Migration, check, packaged

ONE = Migration(1, "0001_one", "SELECT 1;")
TWO = Migration(2, "0002_two", "SELECT 2;")
FIVE = Migration(5, "0005_five", "SELECT 5;")


def applied(*migrations: Migration) -> list[dict[str, object]]:
    return [{"number": each.number, "name": each.name, "sha256": each.sha256} for each in migrations]


def test_those_in_the_package_are_numbered_without_gaps() -> None:
    migrations = packaged()
    assert [each.number for each in migrations] == list(range(1, len(migrations) + 1))
    assert all(re.fullmatch(r"\d{4}_[a-z_]+", each.name) for each in migrations)


def test_pending_is_what_was_not_applied() -> None:
    assert check([ONE, TWO], []) == (ONE, TWO)
    assert check([ONE, TWO], applied(ONE)) == (TWO,)
    assert check([ONE, TWO], applied(ONE, TWO)) == ()


def test_a_database_may_be_further_than_the_program() -> None:
    assert check([ONE], applied(ONE, TWO)) == ()


def test_a_renamed_one_is_refused() -> None:
    with pytest.raises(Misconfigured, match="0001_uno was changed"):
        check([Migration(1, "0001_uno", ONE.text)], applied(ONE))


def test_one_that_comes_too_late_is_refused() -> None:
    with pytest.raises(Misconfigured, match="0002_two is older"):
        check([ONE, TWO, FIVE], applied(ONE, FIVE))


def test_two_with_one_number_are_refused() -> None:
    with pytest.raises(Misconfigured, match="same number"):
        check([ONE, Migration(1, "0001_other", "SELECT 1;")], [])
