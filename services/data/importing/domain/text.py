"""Arabic and Latin text: what may be stored, and the folded forms that two spellings of one word share.

Folding is for comparing only. What a person typed is stored as it was typed, less the invisible marks.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_DIGITS = {ord(c): str(i % 10) for i, c in enumerate("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹")}

# Bidirectional controls, zero-width marks and the byte order mark: invisible, and pasted along with phone numbers.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u061c\u00ad]")
_SPACES = re.compile(r"[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_LINE_SPACES = re.compile(r" ?\r?\n ?")

# Harakat, superscript alef, Quranic marks and the tatweel.
_MARKS = re.compile("[\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]")
_LETTERS = str.maketrans(
    {
        "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا",
        "ى": "ي", "ئ": "ي", "ی": "ي", "ې": "ي",
        "ؤ": "و", "ة": "ه", "ۀ": "ه", "ہ": "ه", "ھ": "ه",
        "ک": "ك", "گ": "ك", "ڤ": "ف", "پ": "ب", "چ": "ج", "ژ": "ز",
        "ء": None,
    }
)  # fmt: skip
_NOT_WORD = re.compile(r"[\W_]+")
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff]")


def latin_digits(text: str) -> str:
    """Arabic-Indic and Persian digits become 0 to 9; everything else stays."""
    return text if text.isascii() else text.translate(_DIGITS)


def clean(text: str) -> str:
    """Trim, join runs of blanks, drop invisible marks and compose (NFC). Letters, case and digits stay as typed."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    text = text.strip()
    if text.isprintable() and "  " not in text:
        return text
    return _LINE_SPACES.sub("\n", _SPACES.sub(" ", text)).strip()


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """The form under which spellings of the same words are equal: words separated by single spaces.

    Compatibility forms (NFKC), case, Latin accents, Arabic marks and tatweel, the shapes of alef, ya, ta marbuta and
    hamza, Arabic-Indic digits and punctuation are levelled. `fold(fold(x)) == fold(x)`.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not _is_accent(c))
        text = _MARKS.sub("", _INVISIBLE.sub("", text))
        text = unicodedata.normalize("NFKC", text).translate(_LETTERS).translate(_DIGITS)
    return _NOT_WORD.sub(" ", text.casefold()).strip()


def _is_accent(character: str) -> bool:
    return unicodedata.category(character) == "Mn"


def is_arabic(text: str) -> bool:
    """Whether the text holds any Arabic letter."""
    return not text.isascii() and _ARABIC.search(text) is not None


# One class per sound that romanisations keep apart; vowels and what is written now one way, now another fall away.
_ARABIC_SOUNDS = dict(zip("بتطثجحهخدضذرزظسصشغفقكلمن", "btttjhhxdddrzzsscgfkklmn", strict=True))
# Here \0 and \1 stand for kh and sh while the single letters are read.
_LATIN_SOUNDS = dict(zip("bptjhdrzsfvkqcglmn\0\1", "bbtjhdrzsffkkkglmnxc", strict=True))
_LATIN_PAIRS = (
    ("x", "ks"), ("kh", "\0"), ("sh", "\1"), ("tch", "\1"), ("ch", "\1"), ("gh", "g"), ("dh", "d"), ("th", "t"),
    ("ph", "f"), ("ck", "k"), ("ce", "se"), ("ci", "si"), ("cy", "si"),
)  # fmt: skip


@lru_cache(maxsize=65536)
def skeleton(word: str) -> str:
    """The consonants of one folded word, equal for the Arabic word and its usual romanisations.

    `skeleton("نجد") == skeleton("najd")`, `skeleton("العتيبي") == skeleton("otaibi")`. It is a coarse key: several
    words share one, so it finds candidates and never decides alone. A dictionary romaniser was tried and costs 2 to
    10 ms a new word; this costs 2 µs.
    """
    return _arabic_skeleton(word) if is_arabic(word) else _latin_skeleton(word)


def _arabic_skeleton(word: str) -> str:
    if word.startswith("ال") and len(word) > 4:
        word = word[2:]
    if word.endswith("ه") and len(word) > 2:
        word = word[:-1]  # a folded ta marbuta: silent
    return _squeeze(word, _ARABIC_SOUNDS, w="و", y="ي")


def _latin_skeleton(word: str) -> str:
    if word.startswith("al") and len(word) > 5:
        word = word[2:]
    if word.endswith("ah") and len(word) > 3:
        word = word[:-2]
    for pair, sound in _LATIN_PAIRS:
        if pair in word:
            word = word.replace(pair, sound)
    return _squeeze(word, _LATIN_SOUNDS, w="w", y="y")


def _squeeze(word: str, sounds: dict[str, str], *, w: str, y: str) -> str:
    out: list[str] = []
    for position, letter in enumerate(word):
        sound = sounds.get(letter, "")
        if position == 0 and letter in (w, y):
            sound = "w" if letter == w else "y"  # elsewhere they are mostly vowels
        elif letter.isdigit():
            sound = letter
        if sound and (not out or out[-1] != sound or sound.isdigit()):
            out.append(sound)
    return "".join(out)


# Vowels as both scripts hint at them. Short ones are not written in Arabic, so this only helps where few consonants
# are left.
_ARABIC_VOWELS = {"ا": "a", "ع": "a", "و": "u", "ي": "i"}
_LATIN_VOWELS = (("ou", "u"), ("oo", "u"), ("ee", "i"), ("y", "i"), ("w", "u"), ("o", "u"), ("e", "i"))


@lru_cache(maxsize=65536)
def rough_sound(word: str) -> str:
    """A short folded word with its long vowels, the same for "علي" and "Ali", "سعد" and "Saad", but not for "لؤي"."""
    if is_arabic(word):
        bare = word[2:] if word.startswith("ال") and len(word) > 4 else word
        if bare.endswith("ه"):
            bare = bare[:-1] + "ا"
        letters = "".join(_ARABIC_VOWELS.get(letter) or _ARABIC_SOUNDS.get(letter, "") for letter in bare)
    else:
        bare = word[2:] if word.startswith("al") and len(word) > 5 else word
        if bare.endswith("ah"):
            bare = bare[:-1]
        for pair, sound in (*_LATIN_PAIRS, *_LATIN_VOWELS):
            bare = bare.replace(pair, sound)
        letters = "".join(letter if letter in "aiu" else _LATIN_SOUNDS.get(letter, "") for letter in bare)
    return "".join(letter for i, letter in enumerate(letters) if i == 0 or letter != letters[i - 1])
