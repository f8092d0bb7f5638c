"""Names of companies and people in forms that can be compared, within one script and across Arabic and Latin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import combinations
from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from services.data.importing.domain.text import fold, is_arabic, rough_sound, skeleton
from services.data.importing.domain.vocabulary import load

GENERIC_WEIGHT, PROPER_WEIGHT = 0.5, 1.0
"""Words like "trading" say less about which company it is than its proper name does."""
PROPER_FROM = 1000
ALIASES_FROM = 5000
SAME_GIVEN = 0.85
CLOSE_WORD = 80
"""Ratio from which two words of five letters or more may be one word with a slip."""
SLIPS_FROM, BONES_FROM = 5, 4
"""Letters of a word, and consonants across scripts, from which two that are not equal can be alike."""


# Hadrami family names: "Ba Wazir" and "Bawazir" are one.
_FAMILY_PREFIX = re.compile(r"(?<= )(ba|با) (?=\w{3})")


@cache
def _person_noise() -> frozenset[str]:
    """Titles and particles that say nothing about who it is."""
    return frozenset(fold(word) for word in load("person_words")["noise"])


class Word(NamedTuple):
    """One telling word: as written (folded, less the article), its consonants, and its meaning where the word list
    has it."""

    text: str
    bones: str
    meaning: int | None
    weight: float


class NameForm(NamedTuple):
    """A name taken apart. `key` is equal for spellings that are certainly the same within one script; `marks` are the
    consonants or meanings of its words.

    `rigid` words (text and consonants, weight) are short and have no meaning of their own, as numbers and initials are: they are like
    no word but one with their text or their consonants, and `touch` holds both of every word.
    """

    key: str
    arabic: bool
    words: tuple[Word, ...]
    weight: float
    marks: frozenset[str]
    rigid: tuple[tuple[frozenset[str], float], ...]
    touch: frozenset[str]


@cache
def _legal_forms() -> re.Pattern[str]:
    phrases = sorted({fold(phrase) for phrase in load("company_words")["legal"]}, key=len, reverse=True)
    return re.compile(r"(?:(?<=\s)|^)(?:" + "|".join(map(re.escape, phrases)) + r")(?=\s|$)")


@cache
def _filler() -> frozenset[str]:
    return frozenset(fold(word) for word in load("company_words")["filler"]) - {""}


@cache
def _meanings() -> dict[str, int]:
    """Folded word, with each prefix Arabic gives it, to the number of its meaning: from 1000 on it can be a name by
    itself."""
    table: dict[str, int] = {}
    vocabulary = load("company_words")
    for number, words in [*enumerate(vocabulary["words"]), *enumerate(vocabulary["proper"], PROPER_FROM)]:
        for word in map(fold, words):
            forms = [word]
            if is_arabic(word):
                bare = _bare(word)
                forms += [bare, f"ال{bare}", f"لل{bare}", f"وال{bare}", f"ل{bare}"]
            for form in forms:
                table.setdefault(form, number)
    return table


@lru_cache(maxsize=65536)
def _bare(word: str) -> str:
    """The word without the article and the particles written onto it."""
    for prefix in ("وال", "لل", "ال"):
        if word.startswith(prefix) and len(word) > len(prefix) + 2:
            return word[len(prefix) :]
    if word.startswith("al") and len(word) > 5 and word.isascii():
        return word[2:]
    return word


@lru_cache(maxsize=65536)
def _word(word: str) -> Word:
    meaning = _meanings().get(word)
    bare = _bare(word)
    if meaning is None and bare != word:
        meaning = _meanings().get(bare)
    generic = meaning is not None and meaning < PROPER_FROM
    return Word(bare, skeleton(word), meaning, GENERIC_WEIGHT if generic else PROPER_WEIGHT)


@cache
def _aliases() -> dict[str, int]:
    """Folded names, with and without their legal form, to the number of the company that goes by them."""
    table: dict[str, int] = {}
    for number, names in enumerate(load("company_aliases")["aliases"], ALIASES_FROM):
        for name in map(fold, names):
            table[name] = number
            table[" ".join(_legal_forms().sub(" ", name).split())] = number
    return table


@lru_cache(maxsize=32768)
def company_form(name: str) -> NameForm:
    """A company's name without its legal form, in either language ("شركة … المحدودة", "… Co. Ltd.")."""
    folded = fold(name)
    stripped = _legal_forms().sub(" ", folded).split()
    if (alias := _aliases().get(" ".join(stripped)) or _aliases().get(folded)) is not None:
        return _form(folded, (Word(f"={alias}", f"={alias}", alias, PROPER_WEIGHT),))
    tokens = [token for token in stripped if token not in _filler()] or stripped or folded.split()
    return _form(folded, tuple(_word(token) for token in tokens))


@lru_cache(maxsize=32768)
def person_form(name: str) -> NameForm:
    """A person's name without titles and particles; the parts of "عبد الله" and "Abd Allah" joined."""
    folded = fold(name)
    joined = (
        folded.replace("عبد ال", "عبدال")
        .replace("abd al ", "abdal")
        .replace("abd ul ", "abdul")
        .replace("abdul ", "abdul")
        .replace("abd allah", "abdallah")
    )
    joined = _FAMILY_PREFIX.sub(r"\1", joined)
    tokens = [token for token in joined.split() if token not in _person_noise()] or folded.split()
    return _form(folded, tuple(Word(_bare(token), skeleton(token), None, 1.0) for token in tokens))


def _form(folded: str, words: tuple[Word, ...]) -> NameForm:
    key = " ".join(word.text if word.meaning is None else f"#{word.meaning}" for word in words)
    marks = frozenset(word.bones if word.meaning is None else f"#{word.meaning}" for word in words)
    rigid = tuple(
        (frozenset((word.text, word.bones)), word.weight)
        for word in words
        if word.meaning is None and len(word.text) < SLIPS_FROM and len(word.bones) < BONES_FROM
    )
    touch = frozenset(part for word in words for part in (word.text, word.bones))
    return NameForm(key, is_arabic(folded), words, sum(word.weight for word in words), marks, rigid, touch)


def given_alike(a: NameForm, b: NameForm) -> bool:
    """Whether the first names of two people are the same name, in whichever script and spelling."""
    if not a.words or not b.words:
        return False
    return _word_likeness(a.words[0], b.words[0], same_script=a.arabic == b.arabic) >= SAME_GIVEN


def similarity(a: NameForm, b: NameForm) -> float:
    """How alike two names are, 0 to 100; 100 means the same words in one script, at most 97 across scripts.

    Words are paired off one by one, so that a shared "for trading" does not make two names alike.
    """
    if not a.words or not b.words:
        return 0.0
    if a.key == b.key and a.arabic == b.arabic:
        return 100.0
    same_script = a.arabic == b.arabic
    left, right = (a, b) if len(a.words) <= len(b.words) else (b, a)
    free = list(right.words)
    matched = 0.0
    for word in left.words:
        best, at = 0.0, -1
        for index, other in enumerate(free):
            value = _word_likeness(word, other, same_script=same_script)
            if value > best:
                best, at = value, index
        if at >= 0:
            other = free.pop(at)
            matched += best * (word.weight + other.weight)
    return min(97.0, 100 * matched / (a.weight + b.weight))


def _word_likeness(a: Word, b: Word, *, same_script: bool) -> float:
    if a.meaning is not None and a.meaning == b.meaning:
        return 1.0
    if (a.meaning is None) != (b.meaning is None) and _misspelt(a, b):
        return 0.85
    if same_script:
        return _slip(a, b)
    if a.bones == b.bones and a.bones:
        return 0.97 if len(a.bones) >= 3 or _sound_alike(a, b) else 0.88 if len(a.bones) == 2 else 0.5
    if min(len(a.bones), len(b.bones)) >= BONES_FROM:
        return 0.9 * fuzz.ratio(a.bones, b.bones, score_cutoff=75) / 100
    return 0.0


def _misspelt(a: Word, b: Word) -> bool:
    """Whether the one word is the other's meaning with a slip ("للتجراة", "Contratcing"). It never makes two names equal."""
    meaning, text = (a.meaning, b.text) if a.meaning is not None else (b.meaning, a.text)
    return meaning is not None and len(text) >= SLIPS_FROM and _near(text, meaning)


@lru_cache(maxsize=65536)
def _near(text: str, meaning: int) -> bool:
    return any(OSA.normalized_similarity(text, form) >= CLOSE_WORD / 100 for form in _spellings().get(meaning, ()))


@cache
def _spellings() -> dict[int, tuple[str, ...]]:
    """The forms of each meaning that are long enough for a slip to be told from another word."""
    found: dict[int, list[str]] = {}
    for form, meaning in _meanings().items():
        found.setdefault(meaning, []).extend([form] if len(form) >= 5 else [])
    return {meaning: tuple(forms) for meaning, forms in found.items()}


def _sound_alike(a: Word, b: Word) -> bool:
    return fuzz.ratio(rough_sound(a.text), rough_sound(b.text)) >= 75


def _slip(a: Word, b: Word) -> float:
    """Likeness of two words of one script. Only Latin has many spellings of one Arabic name: there equal consonants
    count."""
    if a.text == b.text:
        return 1.0
    if a.bones == b.bones and len(a.bones) >= 2 and a.text.isascii() and fuzz.ratio(a.text, b.text) >= 60:
        return 0.95 if len(a.bones) >= 3 else 0.9
    if len(a.text) < SLIPS_FROM or len(b.text) < SLIPS_FROM or not (a.text.isalpha() and b.text.isalpha()):
        return 0.0  # one digit makes another branch, not a slip
    # Two letters exchanged are one slip (optimal string alignment), which a ratio alone counts twice.
    ratio = fuzz.ratio(a.text, b.text, score_cutoff=CLOSE_WORD) / 100
    return 0.9 * max(ratio, OSA.normalized_similarity(a.text, b.text, score_cutoff=CLOSE_WORD / 100))


def may_resemble(left: Sequence[NameForm], right: Sequence[NameForm]) -> bool:
    """A cheap test before `similarity`: at most one word of the longer name may have no counterpart."""
    for a in left:
        for b in right:
            if len(a.marks & b.marks) >= max(len(a.marks), len(b.marks)) - 1:
                return True
    # A name that is half translated shares fewer marks: its meaning on one side, its sound on the other.
    return any(a.arabic != b.arabic and len(a.words) == len(b.words) <= 3 for a in left for b in right)


def may_reach(left: Sequence[NameForm], right: Sequence[NameForm], least: float) -> bool:
    """Whether any two of the names can be as alike as `least`: a bound that `similarity` never exceeds, at a tenth of its price.

    Rigid words without a counterpart are lost; of all others it supposes that they match.
    """
    for a in left:
        for b in right:
            lost, bearable = 0.0, (100 - least) * (a.weight + b.weight)
            for either, weight in a.rigid:
                if either.isdisjoint(b.touch):
                    lost += 100 * weight
            if lost > bearable:
                continue
            for either, weight in b.rigid:
                if either.isdisjoint(a.touch):
                    lost += 100 * weight
            if lost <= bearable:
                return True
    return False


def best_similarity(left: Sequence[NameForm], right: Sequence[NameForm]) -> float:
    """The highest similarity between any of the names on either side."""
    best = 0.0
    for a in left:
        for b in right:
            best = max(best, similarity(a, b))
            if best == 100.0:
                return best
    return best


def block_keys(forms: Iterable[NameForm]) -> set[str]:
    """Keys under which a similar name is sure to be filed too, whichever its script."""
    keys: set[str] = set()
    for form in forms:
        proper = sorted({word.bones for word in form.words if word.weight == PROPER_WEIGHT and len(word.bones) >= 2})
        meanings = sorted({f"#{word.meaning}" for word in form.words if word.meaning is not None})
        generic = sorted({f"#{word.meaning}" for word in form.words if word.weight == GENERIC_WEIGHT})
        telling = proper + [meaning for meaning in meanings if meaning not in generic]
        keys.update(f"b:{word}" for word in telling)
        keys.update(f"p:{first}+{second}" for first, second in combinations((telling + generic)[:5], 2))
        if not telling:
            keys.add("m:" + "+".join(generic) if generic else f"k:{form.key[:6]}")
    return keys
