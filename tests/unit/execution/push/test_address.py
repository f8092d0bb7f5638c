"""No tenant makes execution speak to a private network, however the address is written."""

from __future__ import annotations

import pytest

from services.execution.push.domain.address import is_public, read_endpoint
from services.execution.push.errors import BadEndpoint

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.7", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1",
    "2002:7f00:1::", "2002:a00:1::1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "", "localhost", "2130706433",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_of_the_internet_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_taken(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example/x", "scheme"),
        ("ftp://hooks.example/x", "scheme"),
        ("file:///etc/passwd", "host"),
        ("https://", "host"),
        ("https:///x", "host"),
        ("https://user:word@hooks.example/x", "user"),
        ("https://127.0.0.1@hooks.example/x", "user"),
        ("https://hooks.example/x#part", "fragment"),
        ("https://hooks.example:99999/x", "port"),
        ("https://hooks.example:0/x", "port"),
        ("https://hooks.example/a b", "characters"),
        ("https://hooks.example/a\r\nHost: inside", "characters"),
        ("https://hooks.example\\@inside/x", "characters"),
        ("https://مثال.example/x", "characters"),
        (f"https://hooks.example/{'x' * 2000}", "too_long"),
        ("http://127.0.0.1/x", "scheme"),
    ],
)
def test_an_address_that_can_mislead_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(BadEndpoint) as error:
        read_endpoint(url, frozenset())
    assert error.value.why == why
    assert error.value.ar
    assert error.value.code == "endpoint_invalid"


def test_plain_http_is_for_hosts_that_the_operator_named_alone() -> None:
    found = read_endpoint("http://siem.inside:8088/in?x=1", {"siem.inside"})
    assert (found.host, found.port, found.inside) == ("siem.inside", 8088, True)
    with pytest.raises(BadEndpoint):
        read_endpoint("http://other.inside/in", {"siem.inside"})
    outside = read_endpoint("https://HOOKS.example./x?y=z", {"siem.inside"})
    assert (outside.host, outside.port, outside.inside) == ("hooks.example", 443, False)
