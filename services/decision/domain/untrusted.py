"""Fields of leads are written by strangers: data, never instructions (OWASP LLM01, prompt injection).

What may reach a text that people read is cut down to letters that a name consists of. A field that tries to give
instructions, carries a template or a link is withheld whole, with a finding; nobody tries to mend it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

from services.decision.domain.text import fold
from services.decision.domain.vocabulary import load

MAX_NAME = 80
MAX_COMPANY = 120
MAX_LABEL = 80
MAX_NOTES = 4000

_SPACES = re.compile(r"\s+")
_NAME = re.compile(r"[^\W\d_]+(?:[ .'’\-ـ][^\W\d_]*)*\.?")
_HARMLESS_IN_NOTES = frozenset({"url", "formula"})
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Cleaned:
    """`text` is None when nothing usable was there; `findings` say why a field was withheld."""

    text: str | None
    findings: tuple[str, ...] = ()


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    vocabulary = load("untrusted")
    named = {f"instructions_{name}": pattern for name, pattern in vocabulary["instructions"].items()}
    named |= {name: vocabulary[name] for name in ("template", "formula", "url")}
    return tuple((name, re.compile(pattern, re.IGNORECASE | re.DOTALL)) for name, pattern in named.items())


def visible(text: str) -> str:
    """The text without control, format and private-use characters, blanks joined, composed (NFKC)."""
    if text.isascii() and text.isprintable():
        return _SPACES.sub(" ", text).strip()
    kept = text
    if not text.isprintable():
        kept = "".join(" " if c in "\n\r\t" else "" if unicodedata.category(c) in _HIDDEN else c for c in text)
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", kept)).strip()


def findings(text: str, *, harmless: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Names of the patterns that a text shows, other than `harmless` ones: instructions, templates, formulas, links."""
    folded = fold(visible(text))
    return tuple(name for name, pattern in _patterns() if name not in harmless and pattern.search(folded))


@lru_cache(maxsize=65536)
def person_name(text: str | None) -> Cleaned:
    """A person's name: letters, blanks, points, hyphens and apostrophes only, at most 80 characters and 6 words."""
    shown = visible(text or "")
    if not shown:
        return Cleaned(None)
    if found := findings(shown):
        return Cleaned(None, found)
    if len(shown) > MAX_NAME or len(shown.split()) > 6 or not _NAME.fullmatch(shown):
        return Cleaned(None, ("not_a_name",))
    return Cleaned(shown)


@lru_cache(maxsize=65536)
def company_name(text: str | None) -> Cleaned:
    """A company's name: printable, one line, at most 120 characters, free of brackets that templates use."""
    return _line(text, MAX_COMPANY)


@lru_cache(maxsize=65536)
def label(text: str | None) -> Cleaned:
    """A short piece of free text such as a job title or an event's name."""
    return _line(text, MAX_LABEL)


def notes(text: str | None) -> Cleaned:
    """Notes for reading signals out of them. They are never quoted, so links and figures may stay; instructions may not."""
    shown = "\n".join(filter(None, (visible(line) for line in (text or "")[:MAX_NOTES].splitlines())))
    found = findings(shown, harmless=_HARMLESS_IN_NOTES) if shown else ()
    return Cleaned(None if found or not shown else shown, found)


def _line(text: str | None, longest: int) -> Cleaned:
    shown = visible(text or "")
    if not shown or not any(c.isalnum() for c in shown):
        return Cleaned(None)
    if found := findings(shown):
        return Cleaned(None, found)
    if len(shown) > longest or set(shown) & set("{}<>[]|`\\"):
        return Cleaned(None, ("not_a_label",))
    return Cleaned(shown)
