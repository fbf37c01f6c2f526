"""Addresses of brokers."""

import ssl

import pytest

from axis.broker import Link
from axis.broker.address import Address
from axis.errors import Misconfigured


def test_all_its_parts_are_read() -> None:
    address = Address.parse("amqp://H37.05:p%40ss%2F@broker.example:5673/axis%2Ftest")
    assert address.places == (("broker.example", 5673),)
    assert (address.user, address.password, address.vhost) == ("H37.05", "p@ss/", "axis/test")
    assert (address.context(), address.mechanism) == (None, "PLAIN")


def test_what_is_left_out_is_the_brokers_default() -> None:
    address = Address.parse("amqp://broker")
    assert address.places == (("broker", 5672),)
    assert (address.user, address.password, address.vhost) == ("guest", "guest", "/")
    assert Address.parse("amqp://broker/").vhost == "/"
    assert Address.parse("amqp://broker/%2F").vhost == "/"


def test_a_cluster_has_several_places() -> None:
    address = Address.parse("amqp://H37:a,b@one:5673,two,[::1]:5674,[::2]/axis")
    assert address.places == (("one", 5673), ("two", 5672), ("::1", 5674), ("::2", 5672))
    assert (address.user, address.password, address.vhost) == ("H37", "a,b", "axis")


def test_certificates_of_servers_are_always_checked() -> None:
    address = Address.parse("amqps://broker/?auth=external")
    assert address.places == (("broker", 5671),)
    assert address.mechanism == "EXTERNAL"
    context = address.context()
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    "url",
    [
        "http://user:s3cret@broker",
        "amqp:///axis",
        "amqp://user:s3cret@one,/axis",
        "amqp://user:s3cret@one,two:port/axis",
        "s3cret",
        "amqp://user:s3cret@broker:port/",
        "amqp://user:s3cret@[::1/",
        "amqps://user:s3cret@broker/?no_verify_ssl=1",
        "amqps://user:s3cret@broker/?cafile=/nowhere/ca.pem",
    ],
)
def test_what_is_no_address_is_a_setting_to_mend_and_its_password_is_not_told(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Link(url, "test")
    assert "s3cret" not in str(caught.value)


def test_a_password_is_not_shown() -> None:
    assert "s3cret" not in repr(Address.parse("amqp://user:s3cret@broker"))
