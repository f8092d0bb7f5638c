"""How many people's data an action reads, and in which session. No I/O.

Counting is by what is asked for, not by distinct people: a run that reads one person twenty times is taken for one that read twenty.
"""

from __future__ import annotations

from datetime import timedelta

from libs.contracts.message import PrincipalKind
from services.trust.domain.decide import MANY_PEOPLE, Prepared

WINDOW = timedelta(hours=1)
"""How long an agent without a run counts as being in one session."""
_LISTS = ("contact_ids", "lead_ids", "account_ids", "deal_ids", "ids", "contacts", "leads")
_ONE = frozenset({"contact", "lead"})
_MANY = frozenset({"list", "segment", "import"})


def session_of(prepared: Prepared) -> str:
    """The run, or else the agent; empty for a person or a key outside a run."""
    evaluation = prepared.evaluation
    if evaluation.run_id:
        return f"run:{evaluation.run_id}"
    return evaluation.subject.id if evaluation.subject.kind is PrincipalKind.AGENT else ""


def people_read(prepared: Prepared) -> int:
    """How many people an inside action reads about; 0 for what reads nobody, or what leaves."""
    effect = prepared.effect
    if effect is None or effect.external or effect.sensitivity == "S0":
        return 0
    listed = sum(len(found) for name in _LISTS if isinstance(found := prepared.payload.get(name), list))
    if prepared.evaluation.resource.type in _MANY:
        return max(listed, MANY_PEOPLE)
    return listed or int(prepared.evaluation.resource.type in _ONE)
