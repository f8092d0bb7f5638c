"""Who acts, by what they are called: people by their name, agents and the system by words of the catalogue, never by an id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from libs.contracts.catalogue import words
from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.integrations import integrations
from libs.contracts.catalogue.models import models
from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.catalogue.roles import roles
from libs.contracts.message import Text
from services.gateway.console.views import Lang

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PERSON: Final = re.compile(f"user:{_UUID}")
RECORD: Final = re.compile(f"(account|contact|lead|deal):({_UUID})")
"""A record of ours that has a page under its kind, and a name of its own."""
_KEY = re.compile(f"key:({_UUID})")
_OURSELVES = re.compile(r"(?:system|plane):[a-z_]+|platform")
_AGENT = re.compile(r"(?:agent:)?([a-z_]+)")
_SYSTEM = Text(en="Dealix itself", ar="النظام")
_NOBODY = Text(en="A former user", ar="مستخدم سابق")
ID_END = 6  # characters of an id that tell two apart in a list


def actor(lang: Lang, principal: str, names: Mapping[str, str]) -> str:
    """What a principal is called; `names` are people's. One of no known form stands for itself."""
    if principal in names:
        return names[principal]
    if PERSON.fullmatch(principal):
        return _pick(lang, _NOBODY)
    if (key := _KEY.fullmatch(principal)) is not None:
        return f"{_pick(lang, Text(en='API key', ar='مفتاح API'))} …{key[1][-ID_END:]}"
    if _OURSELVES.fullmatch(principal):
        return _pick(lang, _SYSTEM)
    if (agent := _AGENT.fullmatch(principal)) is not None and agent[1] in words.words()["agent"]:
        return _pick(lang, words.word("agent", agent[1]))
    return principal


def connector(lang: Lang, key: str) -> str:
    """What a connector is called: as in the registry of integrations, as the provider of a model, or by a word of its own."""
    listed = next((one for one in integrations().values() if one.connector == key), None)
    if listed is not None:
        return _pick(lang, Text(en=listed.en, ar=listed.ar))
    if (provider := models().providers.get(key)) is not None:
        return _pick(lang, Text(en=provider.en, ar=provider.ar))
    return _pick(lang, words.word("connector", key))


def term(lang: Lang, value: str) -> str:
    """A word of the machine by what people call it: an agent, a skill, an action, a role. Anything else stands for itself."""
    for group in ("agent", "skill"):
        if value in words.words()[group]:
            return _pick(lang, words.word(group, value))
    if (effect := effects().get(value)) is not None:
        return _pick(lang, Text(en=effect.en, ar=effect.ar))
    role = {**roles().business_roles, **roles().system_roles}.get(value)
    return _pick(lang, Text(en=role.en, ar=role.ar)) if role is not None else value


def terms(lang: Lang, values: Iterable[str]) -> str:
    """Several of them in running text."""
    return _pick(lang, Text(en=", ", ar="، ")).join(term(lang, value) for value in values)


def unnamed(lang: Lang, kind: str, id: str) -> str:
    """A record whose name nobody tells: its kind, and the end of its id."""
    named = records().kinds[RecordKind(kind)]
    return f"{_pick(lang, Text(en=named.en, ar=named.ar))} …{id[-ID_END:]}"


def _pick(lang: Lang, text: Text) -> str:
    return text.ar if lang == "ar" else text.en
