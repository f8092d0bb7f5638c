"""The catalogue of effects: what each action type does, its class and its classifications."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import yaml

from libs.contracts.catalogue.effect import Effect as Effect
from libs.contracts.catalogue.plugins import installed, merged
from libs.contracts.trust import ActionClass

FILE = Path(__file__).with_suffix(".yaml")


@cache
def effects() -> dict[str, Effect]:
    """All effects by name: ours, then those that installed plugins declare.

    Raises pydantic.ValidationError when the catalogue is wrong, PluginInvalid when a plugin is.
    """
    return merged(core_effects(), [one.manifest for one in installed()], _is_near)


@cache
def core_effects() -> dict[str, Effect]:
    """The catalogue's own effects by name."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    found = {
        name: Effect.model_validate({"name": name, **document["defaults"], **fields})
        for name, fields in document["effects"].items()
    }
    if wrong := [e.name for e in found.values() if e.compensation is not None and e.compensation not in found]:
        raise ValueError(f"{wrong[0]} is undone by an effect that does not exist")
    return found


@cache
def _forbidden() -> tuple[str, ...]:
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    names = [name for name, effect in core_effects().items() if effect.action_class is ActionClass.C]
    return tuple(_squeeze(name) for name in (*names, *document["forbidden_aliases"]))


def normalise(name: str) -> str:
    """An action name as compared: NFKC, case folded, separators to single underscores."""
    folded = unicodedata.normalize("NFKC", name).casefold().strip()
    out = "".join(c if c.isalnum() else "_" for c in folded)
    return "_".join(part for part in out.split("_") if part)


def _squeeze(name: str) -> str:
    return normalise(name).replace("_", "")


@lru_cache(maxsize=4096)  # names come from outside: what is remembered of them has an end
def near_forbidden(name: str) -> bool:
    """Whether a name is, or is within edit distance 2 of, a forbidden effect. Known harmless names never are."""
    normal = normalise(name)
    known = effects().get(normal)
    if known is not None:
        return known.action_class is ActionClass.C
    return _is_near(normal)


def _is_near(name: str) -> bool:
    squeezed = _squeeze(name)
    return any(_within(squeezed, forbidden, 2) for forbidden in _forbidden())


def _within(a: str, b: str, limit: int) -> bool:
    """Whether the Levenshtein distance of two short names is at most `limit`."""
    if abs(len(a) - len(b)) > limit:
        return False
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1] <= limit
