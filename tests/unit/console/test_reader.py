"""What a reader may see, and who is believed to ask."""

from dataclasses import dataclass

import pytest
from starlette.requests import Request

from axis.console.access.sessions import address_key, address_of
from axis.console.reader import Language, Reader
from axis.core.operators import Operator, Role


@dataclass(frozen=True)
class Sought:
    words: str | None = None
    account: str | None = None


def reader(role: Role, code: str | None = None) -> Reader:
    return Reader("lan", "Lan", role, code, Language.VIETNAMESE, "csrf")


def test_an_agency_user_looks_for_what_is_its_agencys_whatever_was_asked() -> None:
    own = reader(Role.AGENCY, "H37")
    assert own.sought(Sought("x")) == Sought("x", "H37")
    assert own.sought(Sought("x", "G22")) == Sought("x", "H37")
    assert (own.may_see("G22", "H37"), own.may_see("G22", None), own.may_see()) == (True, False, False)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.ADMINISTRATOR])
def test_staff_sees_everything(role: Role) -> None:
    assert reader(role).sought(Sought("x", "G22")) == Sought("x", "G22")
    assert reader(role).may_see("G22")


def test_only_an_agency_user_has_an_agency() -> None:
    for role, code in ((Role.AGENCY, None), (Role.VIEWER, "H37")):
        with pytest.raises(ValueError, match="has a code"):
            Operator("lan", "Lan", role, code)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "told"),
    [
        ((), "203.0.113.9", "192.0.2.7"),
        (("192.0.2.7",), "10.0.0.1, 203.0.113.9", "203.0.113.9"),
        (("192.0.2.7",), "2001:db8::1", "2001:db8::1"),
        (("192.0.2.7",), "<script>", "192.0.2.7"),
        (("192.0.2.7",), None, "192.0.2.7"),
        (("192.0.2.8",), "203.0.113.9", "192.0.2.7"),
    ],
)
def test_only_a_proxy_of_ours_is_believed(proxies: tuple[str, ...], forwarded: str | None, told: str) -> None:
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    request = Request({"type": "http", "client": ("192.0.2.7", 1), "headers": headers})
    assert address_of(request, proxies) == told


def test_a_network_of_ipv6_is_one_address() -> None:
    assert address_key("2001:db8:1:2:3::4") == address_key("2001:db8:1:2::9") == "address:2001:db8:1:2::/64"
    assert address_key("192.0.2.7") == "address:192.0.2.7"
    assert address_key("unknown") == "address:unknown"
