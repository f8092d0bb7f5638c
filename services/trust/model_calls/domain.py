"""Whether a model may see what it would be asked. No I/O.

The agent's model policy and the provider's class and country are the catalogue's. That a question holds personal data is what execution
found in it: a payload that does not say so counts as if it did.
"""

from __future__ import annotations

from collections.abc import Set

from libs.contracts.catalogue.agents import Agents, agents
from libs.contracts.catalogue.models import LOCAL, Models, models
from services.trust.domain.decide import Prepared

Suspended = Set[tuple[str, str]]
"""What is suspended for the tenant: kind and id."""


def fitting(
    prepared: Prepared,
    suspended: Suspended,
    *,
    safeguarded: bool,
    known: Agents | None = None,
    catalogue: Models | None = None,
) -> str:
    """`fits`, or what is wrong: `unknown_provider`, `agent_stopped`, `data_class`, `cross_border`, `personal_abroad`.

    `safeguarded` says that a transfer to the provider is on record with its safeguard and its assessment (PDPL art. 29).
    """
    found, everyone = catalogue or models(), known or agents()
    provider = found.providers.get(prepared.effect.connector) if prepared.effect is not None else None
    agent = everyone.agents.get(str(prepared.payload.get("agent")))
    if provider is None or provider.key == LOCAL or agent is None:
        return "unknown_provider"
    if ("agent", agent.id) in suspended or ("skill", agent.skill) in suspended:
        return "agent_stopped"
    why = found.why_not(provider, everyone.model_policies[agent.model_policy])
    if why is not None:
        return why
    if prepared.payload.get("personal") is not False and found.abroad(provider.key) and not safeguarded:
        return "personal_abroad"
    return "fits"
