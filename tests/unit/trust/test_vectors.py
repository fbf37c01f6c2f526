"""Captured signatures, one file for each attack: every one has the verdict that its file names."""

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from axis.errors import Refused
from axis.trust import Keyring
from schemas import REASONS, Certificate

FOLDER = Path(__file__).parents[2] / "vectors" / "signatures"
CASES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "certificates")


def read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


@pytest.fixture(scope="module")
def ring() -> Keyring:
    records = read("certificates")
    ring = Keyring(
        Certificate(
            thumbprint=record["thumbprint"],
            organisation=record["organisation"],
            subject="test vector",
            not_before=dt.datetime.fromisoformat(record["not_before"]),
            not_after=dt.datetime.fromisoformat(record["not_after"]),
            revoked_at=moment(record["revoked_at"]),
            der=base64.b64decode(record["der_base64"]),
        )
        for record in records
    )
    assert len(ring) == len(records)
    return ring


def test_there_are_cases() -> None:
    assert len(CASES) > 60


@pytest.mark.parametrize("name", CASES)
def test_a_captured_signature_has_its_verdict(name: str, ring: Keyring) -> None:
    case = read(name)
    body, at = case["body"].encode(), dt.datetime.fromisoformat(case["at"])
    if case["expected"] is None:
        assert ring.verify(body, case["signature"], at).organisation == "H37"
        return
    with pytest.raises(Refused) as caught:
        ring.verify(body, case["signature"], at)
    assert (caught.value.code, case["expected"] in REASONS) == (case["expected"], True), case["why"]
    assert caught.value.detail.isprintable()
