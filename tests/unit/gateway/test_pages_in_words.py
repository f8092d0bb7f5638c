"""Arabic pages hold words: no key of the machine, no id, no date in digits, outside what is shown as code."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from services.gateway.console.empties import CHOSEN, NOTHING
from tests.browser.fixture_real import NAMES, real_pages

CODE = ("code", "pre", "script", "style", "textarea", "kbd", "svg", "option", "bdi-ltr")
VOID = ("input", "br", "meta", "link", "img", "hr", "line", "path", "rect", "circle")
KEY = re.compile(
    r"\b[a-z]+(?:_[a-z0-9]+)+\b|\b(?:user|agent|system|plane|contact|lead|deal|account):[\w-]+|\b[0-9a-f]{8}-[0-9a-f]{4}-"
)
ISO = re.compile(r"(?<![\w/-])\d{4}-\d{2}(?:-\d{2})?(?![\w-])")
MEANT = re.compile(r"branch_code|phone_number_id|next_step نص")
"""Examples of what to type, in a sentence that says so, and a made-up record's own text."""


class Words(HTMLParser):
    """The texts of a page that a person reads as language: not code, and not what is isolated from left to right."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            given = dict(attrs)
            ltr = given.get("dir") == "ltr" or given.get("lang") == "en"
            self.inside.append("bdi-ltr" if ltr else tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self.inside:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and not set(self.inside) & set(CODE):
            self.texts.append(data.strip())


def words(page: str) -> list[str]:
    reader = Words()
    reader.feed(page)
    return reader.texts


@pytest.mark.parametrize("name", NAMES)
def test_an_arabic_page_says_no_key_of_the_machine(name: str) -> None:
    found = [text for text in words(real_pages("ar")[name]) if KEY.search(MEANT.sub("", text))]
    assert found == []


@pytest.mark.parametrize("name", NAMES)
def test_an_arabic_page_writes_dates_out(name: str) -> None:
    # "2026-12-01" may stand where a form says how to type one.
    found = [text for text in words(real_pages("ar")[name]) if ISO.search(text) and "مثل" not in text]
    assert found == []


def test_the_check_notices_a_key_and_passes_code() -> None:
    assert [text for text in words("<p>طلبه outreach_writer</p>") if KEY.search(text)]
    assert words('<p>البصمة <bdi dir="ltr">send_template</bdi></p><pre>to_name</pre>') == ["البصمة"]


def test_an_empty_list_says_what_comes_next() -> None:
    for key, said in {**NOTHING, "chosen": CHOSEN}.items():
        for text in (said.ar, said.en):
            assert re.search(r"[.،:] ?\S+", text[:-1]) and text.endswith("."), (key, text)
