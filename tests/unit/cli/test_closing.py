"""What is asked before a mailbox is closed; the closing itself is played in tests/integration/test_cli.py."""

import pytest

from axis.cli.closing import _ask
from axis.errors import Malformed
from tests.unit.cli.conftest import Run


def test_documents_that_wait_are_named() -> None:
    with pytest.raises(Malformed, match="3 messages wait in the queues of H37") as caught:
        _ask("H37", "H37", 3)
    assert caught.value.code == "agency/waiting"


def test_nobody_who_would_get_its_documents_is_named() -> None:
    with pytest.raises(Malformed, match="nobody above H37 has a mailbox") as caught:
        _ask("H37", None, 0)
    assert caught.value.code == "agency/last"
    _ask("H37.05", "H37", 0)


def test_a_reason_is_needed(run: Run) -> None:
    assert run("agency", "close", "H37", "--why", " ").code == 2
