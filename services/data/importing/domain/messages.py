"""Every sentence the import says to a person, in both languages, from one data file."""

from __future__ import annotations

from functools import cache

from services.data.importing.domain.records import Said
from services.data.importing.domain.vocabulary import load


@cache
def _texts() -> dict[tuple[str, str], tuple[str, str]]:
    return {
        (group, code): (entry["en"], entry["ar"])
        for group, entries in load("messages").items()
        for code, entry in entries.items()
    }


def say(group: str, code: str, **values: object) -> Said:
    """The message `code` of `group` with its blanks filled.

    A value may be a `Said` itself: each language then gets its own words. Raises KeyError for an unknown code or blank.
    """
    en, ar = _texts()[group, code]
    if values:
        en = en.format(**{k: v.en if isinstance(v, Said) else v for k, v in values.items()})
        ar = ar.format(**{k: v.ar if isinstance(v, Said) else v for k, v in values.items()})
    return Said(code, en, ar)


def codes(group: str) -> frozenset[str]:
    """The codes that exist in a group."""
    return frozenset(code for g, code in _texts() if g == group)


class FileRefused(Exception):
    """The file as a whole cannot be imported; nothing of it was kept. `code`, `en` and `ar` say why."""

    def __init__(self, code: str, **values: object) -> None:
        said = say("file", code, **values)
        super().__init__(said.en)
        self.code, self.en, self.ar = said.code, said.en, said.ar

    @classmethod
    def told(cls, code: str, en: str, ar: str) -> FileRefused:
        """The refusal again, as another process put it."""
        made = cls.__new__(cls)
        Exception.__init__(made, en)
        made.code, made.en, made.ar = code, en, ar
        return made
