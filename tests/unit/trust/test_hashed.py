"""The names of revocation lists, against what `openssl crl -hash` and `openssl x509 -subject_hash` say."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from axis.trust import Authority
from axis.trust.hashed import file_names, name_hash

NOW = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({NameOID.COMMON_NAME: "Axis root", NameOID.ORGANIZATION_NAME: "DEMONSTRATION - NOT FOR REAL USE"}, "3930931e"),
        (
            {
                NameOID.COUNTRY_NAME: "VN",
                NameOID.ORGANIZATION_NAME: "Ban  Cơ yếu Chính phủ",
                NameOID.COMMON_NAME: "Đơn VỊ Thử Nghiệm ",
            },
            "dfa9b8a7",
        ),
    ],
)
def test_the_hash_is_that_of_openssl(parts: dict[x509.ObjectIdentifier, str], expected: str) -> None:
    name = x509.Name([x509.NameAttribute(kind, text) for kind, text in parts.items()])
    assert name_hash(name) == expected


def test_two_lists_of_one_issuer_have_two_names(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path, NOW)
    (one, *_) = x509.load_pem_x509_crl(authority.crl.read_bytes()), None
    assert [name for name, _ in file_names([one, one])] == ["3930931e.r0", "3930931e.r1"]


def test_an_authority_keeps_its_lists_under_these_names_too(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path, NOW)
    authority.issue("client", "H37", now=NOW)
    authority.revoke("H37", NOW)
    lists = [x509.load_pem_x509_crl(path.read_bytes()) for path in sorted(authority.crl_folder.iterdir())]
    assert sorted(len(list(each)) for each in lists) == [0, 1]
