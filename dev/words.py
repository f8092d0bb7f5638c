"""Names for machine words in both languages, from `words.yaml`; those of roles from their own catalogue."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from dev.messages import Lang, Sentence

FILE = Path(__file__).with_suffix(".yaml")


@cache
def words() -> dict[str, dict[str, Sentence]]:
    """Every group of words. Raises ValueError when an entry is not a pair of texts, or a group is there already."""
    from libs.contracts.catalogue.roles import roles  # pydantic: too slow for commands that name nothing
    from libs.contracts.catalogue.words import words as shared

    groups = {"role": {name: Sentence(text.en, text.ar) for name, text in roles().business_roles.items()}}
    groups |= {
        name: {value: Sentence(text.en, text.ar) for value, text in group.items()} for name, group in shared().items()
    }
    for group, entries in yaml.safe_load(FILE.read_text(encoding="utf-8")).items():
        if group in groups:
            raise ValueError(f"{group} is named twice")
        groups[group] = {}
        for value, pair in entries.items():
            if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) and text for text in pair)):
                raise ValueError(f"{group}.{value} is not a pair of texts")
            groups[group][value] = Sentence(*pair)
    return groups


def word(group: str, value: object, lang: Lang) -> str:
    """The name of a value. One that nobody named (a newer gateway's) is shown as it is."""
    text = "" if value is None else str(value)
    known = words()[group].get(text)
    return known.text(lang) if known else text
