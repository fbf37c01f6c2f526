"""What counts as reached, for the account of reasons at the end of a run (tests/reached.py)."""

import pytest

from axis.core.codes import canonical
from axis.core.decisions import Desk
from axis.errors import AxisError, Malformed, Refused
from schemas.reasons import REASONS
from tests import reached
from tests.builders import NOW, document_submission


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An account of this test's own; codes seen before do not count."""
    fresh: dict[str, str] = {}
    monkeypatch.setattr(reached, "_SEEN", fresh)
    return fresh


def test_what_the_product_raises_is_seen_with_the_test(seen: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        canonical("no code")
    assert list(seen) == ["code/malformed"]
    assert seen["code/malformed"].endswith("test_what_the_product_raises_is_seen_with_the_test")


def test_what_a_test_raises_is_not(seen: dict[str, str]) -> None:
    for error in (Refused("blob/missing"), AxisError("x"), Malformed("x", code="file/unreadable")):
        assert error.code in REASONS
    assert not seen


def test_what_is_only_handed_on_is_not(seen: dict[str, str]) -> None:
    desk = Desk(now=lambda: NOW, sign=lambda _: "signed", has_mailbox=lambda *_: True)
    assert desk.refuse(document_submission(), Refused("blob/missing"), source="q").reason == "blob/missing"
    assert not seen


def test_the_log_names_every_reason() -> None:
    lines = dict(line.split("\t") for line in reached.log({"blob/missing": "a::b"}).splitlines())
    assert lines.keys() == REASONS.keys()
    assert (lines["blob/missing"], lines["blob/size"]) == ("a::b", "-")
    assert reached.unreached({}) == sorted(REASONS)
    assert reached.unreached(dict.fromkeys(REASONS, "a")) == []
