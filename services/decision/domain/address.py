"""How to address a person: honorific and name in the language of the message. A gender that is not known is not guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from services.decision.domain import untrusted
from services.decision.domain.text import fold, is_arabic
from services.decision.domain.vocabulary import load

_SERVANT = frozenset({"عبد", "abd", "abdul", "abdel", "abdal"})
"""First halves of compound names: "عبد الله" is one name in two words."""


@dataclass(frozen=True, slots=True)
class Given:
    arabic: str
    latin: str
    gender: str


@dataclass(frozen=True, slots=True)
class Address:
    """`honorific` stands before a full name ("الأستاذ", "Mr."), `call` in a direct greeting ("أستاذ"); both empty where the
    gender is unknown. `full` and `first` are the name in the language of the message."""

    full: str
    first: str
    honorific: str
    call: str
    gender: str | None


@cache
def _given() -> dict[str, Given]:
    vocabulary = load("given_names")
    found: dict[str, Given] = {}
    for gender in ("male", "female"):
        for arabic, latin in vocabulary[gender].items():
            one = Given(arabic, latin[0], gender[0])
            for spelling in (arabic, *latin):
                found[_key(spelling)] = one
    return found


@cache
def _prefixes() -> dict[str, tuple[str, str | None]]:
    """Written titles → (kind of honorific, gender where the title itself shows it)."""
    found: dict[str, tuple[str, str | None]] = {}
    for kind, entry in load("given_names")["honorifics"].items():
        for prefix in entry["prefixes"]:
            found[_key(prefix)] = (kind, "m" if prefix == "mr" else None)
        for prefix in entry["prefixes_f"]:
            found[_key(prefix)] = (kind, "f")
    return found


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", fold(name))


def address(name: str | None, lang: str) -> Address | None:
    """The form of address of a contact's name in `lang` (`ar` or `en`), or None where the name can't be used in it.

    A Latin name is used in Arabic only when it is a known given name, and the other way round: no transliteration is made up.
    """
    clean = untrusted.person_name(name).text
    if clean is None:
        return None
    words = clean.split()
    kind, shown = "mister", None
    while len(words) > 1 and (prefix := _prefixes().get(_key(words[0]))):
        kind, shown = prefix[0], prefix[1] or shown
        words = words[1:]
    size = 2 if len(words) > 1 and _key(words[0]) in _SERVANT else 1
    given = _given().get(_key("".join(words[:size])))
    gender = shown or (given.gender if given else None)
    if is_arabic(" ".join(words)) == (lang == "ar"):
        full, first = " ".join(words), " ".join(words[:size])
    elif given is not None:
        full = first = given.arabic if lang == "ar" else given.latin
    else:
        return None
    return Address(full, first, *_honorific(kind, gender, lang), gender)


def _honorific(kind: str, gender: str | None, lang: str) -> tuple[str, str]:
    entry = load("given_names")["honorifics"][kind]
    if lang == "en":
        title = entry.get("en") or (entry[f"en_{gender}"] if gender else "")
        return title, title
    return (entry[gender], entry[f"call_{gender}"]) if gender else ("", "")
