"""Names for files: safe everywhere, the same always, and in one spelling."""

import json
import unicodedata

import pytest

from axis.folder.names import distinct, document_name, is_package, kept_name
from axis.folder.reports import shown
from schemas import Document, Envelope
from tests.builders import envelope_dict

ID = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"


def named(number: str | None, notation: str | None = None, document_id: str = "x") -> str:
    document = Document(document_id=document_id, subject="s", number=number, notation=notation)
    envelope = Envelope.model_validate_json(json.dumps(envelope_dict(id=ID)).encode()).model_copy(
        update={"document": document}
    )
    name = document_name(envelope)
    assert name.endswith(f"_G22_{ID}.edxml")
    return name.removesuffix(f"_G22_{ID}.edxml")


@pytest.mark.parametrize(
    ("number", "notation", "name"),
    [
        ("7816", "VPCP-TTĐT", "7816-VPCP-TTĐT"),
        ("1:2", 'a<b>"c"/d\\e|f?g*h', "1_2-a_b__c__d_e_f_g_h"),
        ("..", None, "_"),
        ("con", None, "_con"),
        ("NUL.txt", None, "_NUL.txt"),
        ("COM1", "x", "COM1-x"),
        ("\u202e1", "\u200b2", "_1-_2"),
        (". 5 .", None, "5"),
    ],
)
def test_of_an_arriving_document(number: str, notation: str | None, name: str) -> None:
    assert named(number, notation) == name


def test_in_one_spelling_and_not_too_long() -> None:
    long = "Quyết định phê duyệt " * 10
    name = named(unicodedata.normalize("NFD", long[:30]))
    assert name == unicodedata.normalize("NFC", name)
    assert name.startswith("Quyết định phê duyệt")
    assert len(f"{named('ộ' * 50)}_G22_{ID}.edxml".encode()) < 200
    assert named(None, document_id="G22,2026/11/24,7/X") == "G22,2026_11_24,7_X"


@pytest.mark.parametrize("name", ["a.edxml", "A.EDXML", "ký.edxml"])
def test_packages(name: str) -> None:
    assert is_package(name)


@pytest.mark.parametrize("name", [".a.edxml", "a.edxml.tmp", "a.edxml.PART", "a.edxml~", "a.xml", "edxml"])
def test_others(name: str) -> None:
    assert not is_package(name)


def test_of_a_file_that_is_kept() -> None:
    assert kept_name("công văn.edxml") == "công văn.edxml"
    one, other = kept_name("ộ" * 83 + ".edxml"), kept_name("ộ" * 84 + ".edxml")
    assert one != other
    assert max(len(each.encode()) for each in (one, other)) <= 200
    assert distinct(one, "0123abcd").endswith("~0123abcd.edxml")
    assert len(distinct(one, "0123abcd").encode()) <= 200
    assert shown("a\udcff\x1b[31m\u202e.edxml").isprintable()
