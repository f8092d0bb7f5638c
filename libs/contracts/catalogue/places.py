"""Saudi regions and cities, as data: what they are called in both languages, and the spellings in which lists write them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from libs.contracts.message import Message

_LETTERS = str.maketrans(
    {
        **dict.fromkeys("أإآٱ", "ا"),
        "ة": "ه",
        "ى": "ي",
        "-": " ",
        "ـ": None,
        **dict.fromkeys(map(chr, range(0x64B, 0x653))),
    }
)
"""Letters that lists write in more than one way, and marks that they leave out."""
FILE = Path(__file__).with_suffix(".yaml")


class Place(Message):
    """`region` is the key of the region that a city lies in; `names` are other spellings of it."""

    en: str
    ar: str
    region: str | None = None
    names: tuple[str, ...] = ()


class Places(Message):
    regions: dict[str, Place]
    cities: dict[str, Place]

    def shown(self, place: str, lang: Literal["ar", "en"]) -> str:
        """The name of a city or region for a reader of a language, by its key or any spelling; what nobody knows is shown as it was written."""
        known = self.cities.get(place) or self.regions.get(place) or _spelled().get(_folded(place))
        return place if known is None else known.ar if lang == "ar" else known.en


@cache
def places() -> Places:
    """The catalogue. Raises pydantic.ValidationError, or ValueError when a city names a region that is not there."""
    # Every scalar is a string: YAML would otherwise read some names as something else.
    found = Places.model_validate(yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader))
    for key, city in found.cities.items():
        if city.region not in found.regions:
            raise ValueError(f"the city {key} lies in no region that is there: {city.region}")
    return found


@cache
def _spelled() -> dict[str, Place]:
    """Cities, and regions that are called like none of them, by every spelling."""
    found: dict[str, Place] = {}
    for key, place in (*places().cities.items(), *places().regions.items()):
        for name in (key.replace("_", " "), place.en, place.ar, *place.names):
            found.setdefault(_folded(name), place)
    return found


def _folded(text: str) -> str:
    return " ".join(text.casefold().translate(_LETTERS).split())
