"""Where addresses that somebody else has chosen may lead."""

import asyncio
import ipaddress
from typing import Any

import httpx
import pytest

from axis.outside import Forbidden, Outside, is_outside, request_to

PRIVATE = [ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00:1::/32")]


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),  # the same in other letters
        ("fd00:1::5", True),
        ("10.2.2.3", False),
        ("::ffff:10.2.2.3", False),
        ("fd00:2::5", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.100.100.200", False),
        ("168.63.129.16", False),
        ("192.0.0.192", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
        ("fe80::1", False),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound to it
        ("64:ff9b::a01:203", False),  # by NAT64 it would be 10.1.2.3: nobody names a network that way
        ("2002:a01:203::", False),
        ("2001:0:808:808::", False),
        ("192.0.0.8", False),  # some versions of Python say that it is the public's
        ("192.88.99.1", False),
        ("3fff::1", False),
    ],
)
def test_the_public_network_and_what_is_named_may_be_reached(address: str, allowed: bool) -> None:
    assert Outside(networks=PRIVATE).allows("x.vn", ipaddress.ip_address(address)) is allowed


async def test_one_address_inside_among_those_outside_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", ("8.8.8.8", 443)), (2, 1, 6, "", ("10.2.0.1", 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    with pytest.raises(Forbidden, match=r"x\.vn is 10\.2\.0\.1") as caught:
        await Outside(networks=PRIVATE).address(httpx.URL("https://x.vn/"))
    assert str(caught.value.inside) == "10.2.0.1"


async def test_a_request_goes_to_the_address_and_tells_the_name() -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        url = httpx.URL("https://x.vn:8443/hook?n=1")
        request = request_to(client, ipaddress.ip_address("8.8.8.8"), "POST", url, content=b"{}", headers={"a": "b"})
    assert str(request.url) == "https://8.8.8.8:8443/hook?n=1"
    assert request.headers["host"] == "x.vn:8443"
    assert request.extensions["sni_hostname"] == "x.vn"
    assert not is_outside(ipaddress.ip_address("::1"))
