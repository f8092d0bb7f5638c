"""Reads a text and says what it found. It never changes the text, and what a text says never changes what the gate does."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

from libs.contracts.catalogue.screening import LEVELS, Kind, Level, expressions, screening
from libs.screening import intent
from libs.screening.literals import needed
from libs.screening.personal import personal
from libs.screening.text import LONGEST, disguises, fold

Direction = Literal["inbound", "outbound"]

# Regions of a document that its reader does not see.
_UNSEEN = re.compile(
    r"<[^<>]{0,400}?style\s*=\s*[\"'][^\"'<>]*(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])"
    r"|(?<!-)color\s*:\s*(?:#fff(?:fff)?\b|white\b))[^<>]*>\s*[^<>]*\w"
    r"|<[a-z]+[^<>]{0,400}?\shidden(?:[\s=>])",
    re.IGNORECASE,
)
_COMMENT = re.compile(
    r"<!--(.{0,600}?)-->|\[//\]:\s*#\s*\((.{0,600}?)\)|\[comment\]:\s*<>\s*\((.{0,600}?)\)",
    re.DOTALL | re.IGNORECASE,
)
_WORDS_IN_COMMENT = 5
_ZERO_WIDTH = re.compile("[\u200b\u2060\u180e\ufeff\u00ad]")
_SMUGGLED = re.compile(
    "[\U000e0000-\U000e007f\U000e0100-\U000e01ef\u202e]|[\ufe00-\ufe0f]{3}|\u200c\u200c|\u200d\u200d"
)
_LOOKALIKE = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'»]{1,2000}|(?<![\w@.-])(?:[a-z0-9-]{1,63}\.){1,10}(?:com|net|org|sa|io|co|info|link|ly|me|xyz|app|dev|ru|top|site|online|shop|cc|example)"
    r"(?:/[^\s<>\"'»]*)?(?![\w@-])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """One finding: its kind and how strict it is in this direction. It quotes nothing of the text."""

    code: str
    level: Level
    owasp: str

    @property
    def kind(self) -> Kind:
        return screening().kinds[self.code]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an outbound text may hold: links to these hosts, and these addresses and numbers, which are the parties' own."""

    hosts: frozenset[str] = frozenset()
    identifiers: frozenset[str] = frozenset()


NOTHING_ALLOWED = Allowed()
_SHORT = 2000
"""Characters up to which what was read is remembered."""


def screen(
    text: str, direction: Direction, allowed: Allowed = NOTHING_ALLOWED, *, ours: bool = False
) -> tuple[Found, ...]:
    """What a text shows, the strictest first. An empty tuple is a clean text.

    `ours` says that our own people or agents wrote it: that it reads like an order then says nothing.
    """
    codes = set(_signals(text[:LONGEST]))
    if len(text) > LONGEST:
        codes.add("too_long")
    codes |= set(personal(text[:LONGEST], allowed.identifiers))
    if ours or direction == "outbound":
        codes.discard("instruction_like")
    if direction == "outbound" and any(not permitted(url, allowed.hosts) for url in _URL.findall(text[:LONGEST])):
        codes.add("link")
    kinds = screening().kinds
    found = [Found(code, getattr(kinds[code], direction), kinds[code].owasp) for code in sorted(codes)]
    return tuple(sorted(found, key=lambda one: -LEVELS.index(one.level)))


def suspect(text: str, *, ours: bool = False, part: bool = False) -> tuple[str, ...]:
    """Codes for which what comes in is quarantined; empty for a text that nobody has to look at.

    `ours` as for `screen`; `part` says that it is one of a document's many paragraphs, one of which would hold all of it.
    """
    kinds = screening().kinds
    found = {*_signals(text[:LONGEST]), *(("too_long",) if len(text) > LONGEST else ())}
    if ours or (part and not intent.orders(fold(text[:LONGEST]), strict=True)):
        found.discard("instruction_like")
    return tuple(sorted(code for code in found if kinds[code].inbound is not Level.NOTE))


def any_suspect(short: Sequence[str]) -> bool:
    """Whether somebody has to look at any of many texts of one line each. They are read as one, which takes a tenth of the time."""
    joined = "\n".join(short)
    if (
        hides(joined)
        or _mixed(joined)
        or _UNSEEN.search(joined)
        or any(_says_much(m) for m in _COMMENT.finditer(joined))
    ):
        return True
    folded = fold(joined)
    lines = set(folded.split("\n"))
    if _rules().match_any(lines):
        return True
    for other in disguises(joined, folded):
        new = set(other.split("\n")) - lines
        if new and _rules().match_any(new):
            return True
    return any(intent.orders(line) for line in lines)


def strictest(found: Collection[Found]) -> Level | None:
    """The level of the strictest finding; None when there is none."""
    return max((one.level for one in found), key=LEVELS.index, default=None)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The catalogue's expressions, compiled. Those for folded texts stand under the words that they need."""

    raw: tuple[tuple[str, re.Pattern[str]], ...]
    always: tuple[tuple[str, re.Pattern[str]], ...]
    needing: tuple[tuple[str, re.Pattern[str], frozenset[str]], ...]
    words: tuple[str, ...]
    by_word: Mapping[str, tuple[re.Pattern[str], ...]]

    def match(self, folded: str) -> set[str]:
        """Codes of the kinds that a folded text shows."""
        codes = {code for code, pattern in self.always if pattern.search(folded)}
        there = {word for word in self.words if word in folded}
        if there:
            for code, pattern, words in self.needing:
                if code not in codes and not words.isdisjoint(there) and pattern.search(folded):
                    codes.add(code)
        return codes

    def match_any(self, lines: Set[str]) -> bool:
        """Whether any of many folded lines matches: words are looked for in all of them at once."""
        together = "\n".join(lines)
        there = [word for word in self.words if word in together]
        for line in lines if there else ():
            for word in there:
                if word in line and any(pattern.search(line) for pattern in self.by_word[word]):
                    return True
        return any(pattern.search(line) for _, pattern in self.always for line in lines)


@cache
def _rules() -> _Rules:
    found = screening()
    raw, always, needing = [], [], []
    for kind in found.kinds.values():
        for expression in expressions(kind, found.words):
            words = frozenset() if kind.raw else needed(expression)
            if kind.raw:
                raw.append((kind.code, re.compile(expression)))
            elif words:
                needing.append((kind.code, re.compile(expression, re.DOTALL), words))
            else:
                always.append((kind.code, re.compile(expression, re.DOTALL)))
    every = sorted({word for _, _, words in needing for word in words})
    by_word = {word: tuple(pattern for _, pattern, words in needing if word in words) for word in every}
    return _Rules(tuple(raw), tuple(always), tuple(needing), tuple(every), by_word)


def _signals(text: str) -> tuple[str, ...]:
    """Codes that need nothing but the text. The same short text comes often: names, templates, a draft decided again."""
    return _short(text) if len(text) <= _SHORT else _read(text)


@lru_cache(4096)
def _short(text: str) -> tuple[str, ...]:
    return _read(text)


def _read(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    codes: set[str] = set()
    folded = fold(text)
    rules = _rules()
    codes.update(code for code, pattern in rules.raw if pattern.search(text))
    codes |= rules.match(folded)
    if not codes or not text.isascii():
        for other in disguises(text, folded):
            if rules.match(other) - {"code"}:
                codes.add("disguised")
                break
    if hides(text):
        codes.add("hidden_characters")
    if _mixed(text):
        codes.add("mixed_script")
    if _UNSEEN.search(text) or any(_says_much(match) for match in _COMMENT.finditer(text)):
        codes.add("hidden_text")
    if not codes and intent.orders(folded):
        codes.add("instruction_like")
    return tuple(codes)


def hides(text: str) -> bool:
    """Whether invisible characters hide, reverse or split words. Marks around a phone number or before a name are ordinary."""
    if text.isascii():
        return False
    if _SMUGGLED.search(text):
        return True
    if "\u202d" in text and any(c.isalpha() for c in text.partition("\u202d")[2].partition("\u202c")[0]):
        return True
    for match in _ZERO_WIDTH.finditer(text):
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        if before.isalpha() and after.isalpha():
            return True
    return False


def _mixed(text: str) -> bool:
    """Whether one word holds Latin letters together with Cyrillic or Greek ones."""
    if not _LOOKALIKE.search(text):
        return False
    for word in re.findall(r"[^\W\d_]{2,}", text):
        if word.isascii():
            continue
        names = {unicodedata.name(c, "").split(" ", 1)[0] for c in word}
        if names & {"CYRILLIC", "GREEK"} and "LATIN" in names:
            return True
    return False


def _says_much(match: re.Match[str]) -> bool:
    inside = next((part for part in match.groups() if part), "")
    return len(re.findall(r"[^\W\d_]{2,}", inside)) >= _WORDS_IN_COMMENT


def permitted(url: str, hosts: Collection[str]) -> bool:
    """Whether a link leads to one of the hosts, or below one, and is what it looks like."""
    rest = re.sub(r"^[a-z]+://", "", url, flags=re.IGNORECASE)
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0].casefold().rstrip(".,;:!?)،؛")
    if "@" in authority or authority.startswith("xn--") or ".xn--" in authority or not authority.isascii():
        return False
    host = authority.partition(":")[0].removeprefix("www.")
    return any(host == one or host.endswith(f".{one}") for one in hosts)


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text inside a JSON value, with where it stands: names of fields joined by points."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from texts(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from texts(inner, f"{path}[{index}]")
