"""Where a private key lives, as a URI: what is taken, and what is refused with a sentence."""

from pathlib import Path

import pytest

from axis.errors import Misconfigured
from axis.trust.locations import FilePlace, TokenPlace, read_location

MODULE = "module-path=/usr/lib/softhsm/libsofthsm2.so"


def test_a_file() -> None:
    assert read_location("file:/etc/axis/kh%C3%B3a.pem") == FilePlace(Path("/etc/axis/khóa.pem"))
    assert read_location("file:///etc/axis/key.pem") == FilePlace(Path("/etc/axis/key.pem"))


def test_a_token() -> None:
    where = "token=Tr%E1%BB%A5c;serial=07%ff;slot-id=3;object=axis%202026;id=%01%ab;type=private"
    place = read_location(f"pkcs11:{where}?{MODULE}&pin-source=file:/run/pin")
    assert place == TokenPlace(
        module=Path("/usr/lib/softhsm/libsofthsm2.so"),
        pin=Path("/run/pin"),
        token="Trục",
        serial=b"07\xff",
        slot=3,
        label="axis 2026",
        id=b"\x01\xab",
    )
    assert "axis 2026" in str(place)
    assert "Trục" in str(place)
    assert read_location(f"pkcs11:slot-id=0;id=%0a?{MODULE}") == TokenPlace(
        module=Path("/usr/lib/softhsm/libsofthsm2.so"), pin=None, slot=0, id=b"\x0a"
    )


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("/etc/axis/key.pem", "file:/path"),
        ("https://kms/key", "file:/path"),
        ("file:key.pem", "absolute"),
        ("file:/key.pem?pin=1", "absolute"),
        (f"pkcs11:object=k?{MODULE}", "which token"),
        (f"pkcs11:token=t?{MODULE}", "which key"),
        ("pkcs11:token=t;object=k", "module-path"),
        ("pkcs11:token=t;object=k?module-path=libsofthsm2.so", "absolute path"),
        (f"pkcs11:token=t;object=k?{MODULE}&pin-value=1234", "no pin-value"),
        (f"pkcs11:token=t;object=k?{MODULE}&pin-source=|/bin/pin", "pin-source"),
        (f"pkcs11:token=t;object=k?{MODULE}&pin-source=pin", "pin-source"),
        (f"pkcs11:token=t;object=k;type=public?{MODULE}", "type"),
        (f"pkcs11:token=t;object=k;library-version=3?{MODULE}", "not understood"),
        (f"pkcs11:token=t;object=k?{MODULE}&x-retry=1", "not understood"),
        (f"pkcs11:token=t;token=u;object=k?{MODULE}", "twice"),
        (f"pkcs11:token=;object=k?{MODULE}", "empty"),
        (f"pkcs11:token=%zz;object=k?{MODULE}", "escaped"),
        (f"pkcs11:token=%ff;object=k?{MODULE}", "UTF-8"),
        (f"pkcs11:slot-id=x;object=k?{MODULE}", "number"),
    ],
)
def test_what_is_not_understood_is_refused(uri: str, told: str) -> None:
    with pytest.raises(Misconfigured, match=told) as caught:
        read_location(uri)
    assert "1234" not in str(caught.value)
