"""What would leave, read before it may: every text of a payload, and the reason that was given for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from libs.contracts.catalogue.actions import Effect, effects
from libs.contracts.catalogue.screening import LEVELS, Level
from libs.contracts.outreach import SEQUENCE_APPROVE
from libs.screening.screen import NOTHING_ALLOWED, Allowed, Direction, Found, screen, texts

ADDRESSING = frozenset({"to", "to_name", "from_email", "opt_out_url", "from_name", "reply_to"})
"""Fields that say who writes to whom. What they hold is the parties' own, and facts check them: no personal data or link there is news."""
REASON = "reason"
"""Where the findings of the reason stand; a payload's field of the same name stands there too."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in which field. It quotes nothing."""

    field: str
    code: str
    level: Level
    owasp: str


def read(effect: Effect | None, payload: Mapping[str, Any], reason: str) -> tuple[Finding, ...]:
    """Findings of a payload and its reason, the strictest first.

    What leaves is read as outbound. What stays inside may well hold a text from outside, to be summarised or classified: it is read
    as inbound, where nothing is blocked and a person looks instead.
    """
    if effect is not None and effect.name == SEQUENCE_APPROVE:
        return _sequence(payload, reason)
    direction: Direction = "outbound" if effect is not None and effect.external else "inbound"
    own = _parties(payload)
    found: list[Finding] = []
    for field, text in texts(payload):
        for one in screen(text, direction, own, ours=True):
            if not _ordinary(one, field, effect):
                found.append(Finding(field, one.code, one.level, one.owasp))
    found += [Finding(REASON, one.code, one.level, one.owasp) for one in screen(reason, "inbound", ours=True)]
    noted = (one for one in found if one.level is not Level.NOTE)
    return tuple(sorted(dict.fromkeys(noted), key=lambda one: (-LEVELS.index(one.level), one.field, one.code)))


def _sequence(payload: Mapping[str, Any], reason: str) -> tuple[Finding, ...]:
    """Findings of each message of a sequence as that message: what would hold it back when it is sent is seen before it is approved."""
    messages = payload.get("messages")
    rest = {name: value for name, value in payload.items() if name != "messages" or not isinstance(value, list)}
    found = list(read(None, rest, reason))
    for number, one in enumerate(messages if isinstance(messages, list) else ()):
        inner = one.get("payload") if isinstance(one, Mapping) else None
        if not isinstance(one, Mapping) or not isinstance(inner, Mapping):
            found += read(None, {f"messages[{number}]": one}, "")
            continue
        own = effects().get(str(one.get("action_type")))
        found += [replace(f, field=f"messages[{number}].{f.field}") for f in read(own, inner, "")]
    return tuple(sorted(dict.fromkeys(found), key=lambda f: (-LEVELS.index(f.level), f.field, f.code)))


def standing(found: Sequence[Finding]) -> str:
    """What policy sees: `clean`, `review` or `block`."""
    level = max((one.level for one in found), key=LEVELS.index, default=None)
    return "clean" if level is None or level is Level.NOTE else level.value


def shown(found: Sequence[Finding]) -> list[dict[str, str]]:
    """As the view of an approval shows findings, in both languages."""
    out = []
    for one in found:
        kind = Found(one.code, one.level, one.owasp).kind
        out.append(
            {
                "field": one.field,
                "code": one.code,
                "level": one.level.value,
                "owasp": one.owasp,
                "en": kind.en,
                "ar": kind.ar,
            }
        )
    return out


def _ordinary(one: Found, field: str, effect: Effect | None) -> bool:
    """Whether a finding says nothing new where it stands: a party's own address, or a note to the tenant's own people."""
    if one.code not in ("personal", "link"):
        return False
    return field in ADDRESSING or (effect is not None and effect.system)


def _parties(payload: Mapping[str, Any]) -> Allowed:
    """The addresses of who writes and who is written to, and the sender's own hosts."""
    identifiers = {value for name in ("to", "from_email", "reply_to") if isinstance(value := payload.get(name), str)}
    hosts = set()
    if isinstance(mail := payload.get("from_email"), str) and "@" in mail:
        hosts.add(mail.rpartition("@")[2].casefold())
    if isinstance(link := payload.get("opt_out_url"), str) and (
        match := re.match(r"https://([a-z0-9.-]+)(?:[/:?#]|$)", link, re.I)
    ):
        hosts.add(match[1].casefold())
    return Allowed(frozenset(hosts), frozenset(identifiers)) if hosts or identifiers else NOTHING_ALLOWED
