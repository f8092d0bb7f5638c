"""What DNS says of a sending domain is judged as the standards say, and never better."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dev.commands.common import BadInput
from dev.mail_domains import Found, ascii_name, look

KEY = "v=DKIM1; k=rsa; p=MIIB"
GOOD = {"a.example": ["v=spf1 include:x -all", "other"], "s1._domainkey.a.example": [KEY], "_dmarc.a.example": ["v=DMARC1; p=reject"]}  # fmt: skip


def seen(records: dict[str, list[str]], domain: str = "a.example") -> Found:
    def texts(name: str) -> Sequence[str]:
        return records.get(name, [])

    return look(domain, "s1", texts)


def verdict(records: dict[str, list[str]], domain: str = "a.example") -> tuple[str, str, str]:
    found = seen(records, domain)
    return found.spf, found.dkim, found.dmarc


def test_a_domain_with_all_three_is_good_and_its_records_are_the_evidence() -> None:
    assert verdict(GOOD) == ("pass", "aligned", "reject")
    assert seen(GOOD).evidence == ("v=spf1 include:x -all", KEY, "_dmarc.a.example: v=DMARC1; p=reject")


@pytest.mark.parametrize(
    ("records", "spf"),
    [
        ([], "none"),
        (["v=spf1 ~all"], "pass"),
        (["V=SPF1 redirect=_spf.b.example"], "pass"),
        (["v=spf1 +all"], "fail"),
        (["v=spf1 include:x"], "fail"),
        (["v=spf1 ?all"], "fail"),
        (["v=spf1 -all", "v=spf1 -all"], "fail"),  # RFC 7208 section 3.2
    ],
)
def test_spf_that_lets_everybody_in_proves_nothing(records: list[str], spf: str) -> None:
    assert verdict({**GOOD, "a.example": records})[0] == spf


@pytest.mark.parametrize(
    ("record", "dkim"), [("v=DKIM1; p=", "none"), ("p=AAAA", "aligned"), ("v=DKIM1; k=rsa", "none")]
)
def test_a_revoked_key_is_none(record: str, dkim: str) -> None:
    assert verdict({**GOOD, "s1._domainkey.a.example": [record]})[1] == dkim


@pytest.mark.parametrize(
    ("records", "dmarc"),
    [
        ([], "none"), (["v=DMARC1; p=none"], "monitor"), (["v=DMARC1; p=quarantine; pct=50"], "quarantine"), (["v=DMARC1"], "monitor"),
        (["v=DMARC1; p=reject", "v=DMARC1; p=none"], "none"),
    ],
)  # fmt: skip
def test_dmarc_says_what_receivers_are_asked_to_do(records: list[str], dmarc: str) -> None:
    assert verdict({**GOOD, "_dmarc.a.example": records})[2] == dmarc


@pytest.mark.parametrize(
    ("above", "dmarc"),
    [
        ("v=DMARC1; p=reject; sp=none", "monitor"),
        ("v=DMARC1; p=none; sp=reject", "reject"),
        ("v=DMARC1; p=reject", "reject"),
    ],
)
def test_a_subdomain_follows_what_the_domain_above_says_of_subdomains(above: str, dmarc: str) -> None:
    assert verdict({"_dmarc.a.example": [above]}, "mail.a.example")[2] == dmarc


@pytest.mark.parametrize(
    "wrong", ["", "a", "a b.example", "-a.example", "a..example", "http://a.example", "x" * 300 + ".example"]
)
def test_what_is_no_domain_is_refused(wrong: str) -> None:
    with pytest.raises(BadInput):
        ascii_name(wrong)


def test_an_arabic_domain_is_read_as_dns_has_it() -> None:
    assert ascii_name("موقع.السعودية.") == "xn--4gbrim.xn--mgberp4a5d4ar"
