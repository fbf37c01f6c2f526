"""A package acts on what its signed envelope acts on, and on nobody else's document."""

from functools import partial
from pathlib import Path

import pytest

from axis.client.originals import difference
from axis.core.codes import canonical
from axis.edxml import (
    Business,
    EdxmlDocument,
    Instant,
    Organisation,
    Replacement,
    Trace,
    build_document,
    to_envelope,
)
from axis.edxml.section import document_id_of
from schemas import Action
from tests.builders import NOW

OWN = "000.00.00.G22,2026/11/24,7/VPCP"
NEW = "000.00.00.G22,2026/11/25,8/VPCP"
LATER = "G22,2026/11/20,6/VPCP"
OTHERS = "000.00.00.G01,2026/11/24,7/BNG"
CODED = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e12"


def said(
    action: Action, header: str, *, named: str | None, replaced: tuple[str, ...], concerned: str | None, folder: Path
) -> str | None:
    """Say how a package of G22 differs from the envelope that says the same in its header."""
    sender = Organisation(organ_id="000.00.00.G22", name="Văn phòng Chính phủ")
    kinds = {Action.NEW: "0", Action.RECALL: "1", Action.UPDATE: "2", Action.REPLACE: "3"}
    package = EdxmlDocument(
        sender=sender,
        recipients=(Organisation(organ_id="000.00.00.H37", name="Lạng Sơn"),),
        document_id=document_id_of(header),
        subject="V/v thử",
        content="V/v thử",
        trace=(Trace(organ_id=sender.organ_id, at=Instant.of(NOW)),),
        business=Business(
            kind=action,
            type=kinds[action],
            reason="Nhầm",
            document_id=None if named is None else document_id_of(named),
            replacements=tuple(Replacement(document_id_of(each), ("000.00.00.H37",)) for each in replaced),
        ),
    )
    envelope = to_envelope(
        package,
        id="01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11",
        sent_at=NOW,
        to_canonical=partial(canonical, tolerant=True),
        concerns=None if action is Action.NEW else CODED,
    )
    path = folder / "package"
    path.write_bytes(build_document(package))
    return difference(path, envelope, partial(canonical, tolerant=True), concerned=concerned)


@pytest.mark.parametrize(
    ("action", "header", "named", "replaced", "concerned"),
    [
        (Action.NEW, NEW, None, (), None),
        (Action.RECALL, OWN, None, (), OWN),
        (Action.RECALL, OWN, None, (), None),
        (Action.RECALL, OTHERS, None, (), OTHERS),  # its sender's former code: the axis knows it is its own
        (Action.UPDATE, OWN, OWN, (), OWN),
        (Action.UPDATE, OWN, LATER, (), None),
        (Action.UPDATE, OWN, CODED, (), None),  # says nothing of whose it is
        (Action.REPLACE, NEW, None, (OWN,), OWN),
        (Action.REPLACE, NEW, NEW, (OWN, LATER), OWN),
    ],
)
def test_what_agrees(
    action: Action, header: str, named: str | None, replaced: tuple[str, ...], concerned: str | None, *, tmp_path: Path
) -> None:
    assert said(action, header, named=named, replaced=replaced, concerned=concerned, folder=tmp_path) is None


@pytest.mark.parametrize(
    ("action", "header", "named", "replaced", "concerned"),
    [
        (Action.RECALL, OTHERS, None, (), OWN),
        (Action.RECALL, OTHERS, None, (), None),
        (Action.RECALL, LATER, None, (), OWN),
        (Action.RECALL, OWN, OTHERS, (), None),
        (Action.UPDATE, OWN, OTHERS, (), OWN),
        (Action.UPDATE, OWN, LATER, (), OWN),
        (Action.UPDATE, OWN, "không đọc được,2026/11/24,7/X", (), None),
        (Action.REPLACE, NEW, None, (OTHERS,), OWN),
        (Action.REPLACE, NEW, None, (OTHERS,), None),
        (Action.REPLACE, NEW, None, (OWN, OTHERS), OWN),
        (Action.REPLACE, NEW, OTHERS, (OWN,), OWN),
    ],
)
def test_what_acts_on_another_document(
    action: Action, header: str, named: str | None, replaced: tuple[str, ...], concerned: str | None, *, tmp_path: Path
) -> None:
    found = said(action, header, named=named, replaced=replaced, concerned=concerned, folder=tmp_path)
    assert found == "concerned document"
