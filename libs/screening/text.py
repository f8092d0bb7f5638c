"""The forms under which a text is read: as a reader sees it, with disguises taken off one by one.

Only for looking. Nothing that is stored, shown or sent is made from a folded form.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import unquote

LONGEST = 262_144
"""Characters that are read, as many as a payload may hold; the rest of a longer text is a finding of its own."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_LETTERS = str.maketrans(
    {
        "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ئ": "ي", "ی": "ي", "ې": "ي", "ؤ": "و", "ة": "ه", "ۀ": "ه", "ہ": "ه", "ھ": "ه",
        "ک": "ك", "گ": "ك", "ء": None, "ـ": None, "’": "'", "‘": "'", "–": "-", "—": "-", "：": ":", "؛": ";", "،": ",",
        **{c: str(i % 10) for i, c in enumerate("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹")},
    }
)  # fmt: skip
# Unicode TR 39: letters of other alphabets that look Latin.
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕһԁԛԝкмтнвԍαοερικνυτχηβμγѵɡıⅼ",
    "aeopcyxijshdqwkmthbgaoepiknutxnbuyvgil",
)
_LEET = str.maketrans("013457@$!", "oieastasi")
_SPACED = re.compile(r"(?<!\w)(?:\w[ .\-_*·|]){3,100}\w(?!\w)")
_WORDY = re.compile(r"(?<![\w@$!])(?:[@$!](?=\w))?[\w@$]+(?:!(?=\w)[\w@$]+)*")
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"(?: ?\n ?)+")
_ENDLESS = re.compile(r"\S{80}")
_LETTER, _LEETED = re.compile("[a-z]"), re.compile("[0-9@$!]")
_BASE64 = re.compile(r"(?<![\w+/])[A-Za-z0-9+/_-]{24,}={0,2}")
_BASE32 = re.compile(r"(?<![\w=])[A-Z2-7]{24,}={0,6}(?![\w=])")
_BINARY = re.compile(r"(?<!\d)(?:[01]{8}[ ,]?){6,}(?!\d)")
_ESCAPED = re.compile(r"(?:\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|[ ]){6,}")
_JOINED = re.compile(r"(?<=\w)[_\-](?=\w)")
_DEEP = 2
"""Encodings inside one another that are taken off."""
_HEX = re.compile(r"(?<!\w)(?:[0-9a-fA-F]{2}){12,}(?!\w)")
_MOST = 200
"""Pieces of a text that are decoded."""
_BACKWARDS = re.compile("erongi|dragersid|tegrof|edirrevo|ssapyb|snoitcurtsni|selur|evorppa|laever|لهاجت|تاميلعت|دعاوق")
"""Words of orders, backwards."""
_TAGS = range(0xE0000, 0xE0080)


_UNPRINTED = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u08d3-\u08ff\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]"
)
"""Marks that are written over, under or around letters."""


def seen(text: str) -> str:
    """Composed for compatibility (NFKC), without invisible characters and marks; line ends stay."""
    if not text.replace("\n", "").isprintable():
        text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in _HIDDEN)
    if text.isascii():
        return text
    return _UNPRINTED.sub("", unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text)))


def fold(text: str) -> str:
    """The form under which spellings of the same words are equal: marks, case, letter shapes and digits levelled."""
    shown = seen(text)
    if not shown.isascii():
        shown = unicodedata.normalize("NFKC", shown).translate(_LETTERS)
    shown = _LINES.sub("\n", _BLANKS.sub(" ", shown.casefold()))
    # Expressions look a few words ahead; where words have an end, so has the work.
    return _ENDLESS.sub(r"\g<0> ", shown) if _ENDLESS.search(shown) else shown


def disguises(text: str, folded: str) -> Iterator[str]:
    """What a text may say behind a disguise, folded: look-alikes, spaced letters, digits for letters, encodings, hidden letters."""
    if not folded.isascii() and (plain := folded.translate(_LOOKALIKES)) != folded:
        yield plain
    shown = re.sub(r"ـ+(\s+ـ+)?", "", seen(text))
    if _SPACED.search(shown):
        joined = re.sub(r" {2,}", "\n", shown)
        yield fold(_SPACED.sub(lambda m: re.sub(r"[ .\-_*·|]", "", m[0]), joined)).replace("\n", " ")
    if _LEETED.search(folded):
        yield _WORDY.sub(lambda m: m[0].translate(_LEET) if _LETTER.search(m[0]) else m[0], folded)
    if "&#" in text or "&lt" in text:
        yield fold(html.unescape(text))
    if text.count("%") >= 3:
        yield fold(unquote(text))
    if _JOINED.search(folded):
        yield _JOINED.sub(" ", folded)
    if turned := [line for line in folded.split("\n") if _BACKWARDS.search(line)]:
        yield "\n".join(line[::-1] for line in turned)
        yield "\n".join(" ".join(word[::-1] for word in line.split(" ")) for line in turned)
    layer = [text]
    for _ in range(_DEEP):
        layer = [inner for one in layer for inner in _decoded(one)][:_MOST]
        yield from (fold(one) for one in layer)
    if tagged := "".join(chr(ord(c) - 0xE0000) for c in text if ord(c) in _TAGS):
        yield fold(tagged)
    if latin := "\n".join(line for line in folded.split("\n") if len(line) > 15 and line.isascii()):
        yield codecs.decode(latin, "rot13")


def _decoded(text: str) -> Iterator[str]:
    for match in _BASE64.findall(text)[:_MOST]:
        padded = match.replace("-", "+").replace("_", "/")
        with suppress(binascii.Error):
            yield from _readable(base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True))
    for match in _HEX.findall(text)[:_MOST]:
        yield from _readable(bytes.fromhex(match))
    for match in _BASE32.findall(text)[:_MOST]:
        bare = match.rstrip("=")
        with suppress(binascii.Error):
            yield from _readable(base64.b32decode(bare + "=" * (-len(bare) % 8)))
    for match in _BINARY.findall(text)[:_MOST]:
        yield from _readable(bytes(int(one, 2) for one in re.findall("[01]{8}", match)))
    for match in _ESCAPED.findall(text)[:_MOST]:
        codes = re.findall(r"\\[xu]([0-9a-fA-F]+)|( )", match)
        yield "".join(" " if blank else chr(int(code, 16)) for code, blank in codes)


def _readable(found: bytes) -> Iterator[str]:
    with suppress(UnicodeDecodeError):
        text = found.decode("utf-8")
        if sum(c.isalpha() or c in " \n" for c in text) >= 0.8 * len(text):
            yield text
