"""The Arabic catalogue is complete, its placeholders agree, and its six plural forms are the right ones."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

import services.gateway.console.messages as module
from services.gateway.console.messages import messages

ROOT = Path(module.__file__).parent
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
ARABIC = re.compile(r"[\u0600-\u06ff]")


def sources() -> Iterator[tuple[str | None, str | tuple[str, str]]]:
    found = extract_from_dir(
        str(ROOT),
        method_map=[("templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")],
        options_map={"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}},
        keywords=KEYWORDS,
    )
    for _, _, message, _, context in found:
        yield context, message  # type: ignore[misc]  # a pair for plural messages


def test_every_message_of_the_pages_has_an_arabic_text() -> None:
    arabic = messages("ar")
    untranslated = []
    for context, message in sources():
        if isinstance(message, tuple):
            texts = [arabic.ngettext(*message, n) for n in (0, 1, 2, 3, 11, 100)]
        elif context:
            texts = [arabic.pgettext(context, message)]
        else:
            texts = [arabic.gettext(message)]
        untranslated += [message for text in texts if not ARABIC.search(text) and text != "، "]
    assert untranslated == []


def test_placeholders_are_the_same_in_both_languages() -> None:
    arabic = messages("ar")
    holes = re.compile(r"%\((\w+)\)s")
    wrong = [
        m
        for c, m in sources()
        if isinstance(m, str) and not c and set(holes.findall(m)) != set(holes.findall(arabic.gettext(m)))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "لا صفوف"),
        (1, "صف واحد"),
        (2, "صفّان"),
        (3, "3 صفوف"),
        (10, "10 صفوف"),
        (11, "11 صفًا"),
        (99, "99 صفًا"),
        (100, "100 صف"),
        (102, "102 صف"),
        (103, "103 صفوف"),
        (111, "111 صفًا"),
    ],
)
def test_arabic_counts_use_six_forms(count: int, text: str) -> None:
    assert messages("ar").ngettext("%(num)s row", "%(num)s rows", count) % {"num": count} == text
