"""Whether an agent may ask for what it asks for: registered, not suspended, its skill as admitted, and within the skill. No I/O."""

from __future__ import annotations

from collections.abc import Set

from libs.contracts.catalogue.agents import Agents, agents
from libs.contracts.catalogue.skills import Skills, skills
from libs.contracts.message import PrincipalKind
from services.trust.domain.decide import Prepared

PREFIX = "agent:"
Suspended = Set[tuple[str, str]]
"""What is suspended for the tenant: kind and id."""


def standing(
    prepared: Prepared, suspended: Suspended, *, known: Agents | None = None, admitted: Skills | None = None
) -> str:
    """`none` for who is no agent, `ok`, or what is wrong: `unregistered`, `suspended`, `skill_changed` or `outside_skill`."""
    subject = prepared.evaluation.subject
    if subject.kind is not PrincipalKind.AGENT:
        return "none"
    agent = (known or agents()).agents.get(subject.id.removeprefix(PREFIX))
    if agent is None:
        return "unregistered"
    if ("agent", agent.id) in suspended or ("skill", agent.skill) in suspended:
        return "suspended"
    skill = (admitted or skills()).skills.get(agent.skill)
    if skill is None or skill.changed:
        return "skill_changed"
    return "ok" if skill.allows(prepared.evaluation.effect, prepared.evaluation.resource.type) else "outside_skill"
