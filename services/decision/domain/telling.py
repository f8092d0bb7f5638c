"""What decision tells trust about its own work, for the controls on machine-made texts and rankings."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import fields
from functools import lru_cache

from libs.contracts.catalogue.targeting import Targeting
from libs.contracts.decision import Draft
from libs.contracts.observed import DraftFact, RankingFact
from services.decision.agents.review.grounding import ungrounded
from services.decision.targeting.domain.facts import LeadFacts

_NAMESPACE = uuid.UUID("0d0a6f62-1f1b-5e53-9a58-6f1f6a6b3c11")
DISCLOSURES = ("بمساعدة الذكاء الاصطناعي", "with the help of ai", "ai-assisted")
"""Words by which a text says that a machine wrote it (SDAIA, Generative AI Guidelines 2024)."""
LOCAL = "local"
STOPPING = frozenset({"fail", "violation"})
"""What a reviewer says of a draft that must not go."""


def draft_fact(draft: Draft, given: Iterable[str] = ()) -> DraftFact:
    """Provenance of a draft, as the action that it is submitted as; what reviewers said of it; and its figures that stand nowhere in what
    its writer was `given`."""
    made = draft.provenance
    text = f"{draft.subject or ''}\n{draft.body}".casefold()
    return DraftFact(
        subject=draft.action_id or draft.draft_id, agent=made.generated_by, provider=made.model_provider, model_id=made.model_id,
        prompt_version=made.prompt_version, inputs=len(made.sources), by_model=made.model_provider != LOCAL,
        disclosed=any(words in text for words in DISCLOSURES), passed=all(one.verdict not in STOPPING for one in draft.reviews),
        ungrounded=ungrounded(text, given),
    )  # fmt: skip


def ranking_fact(rules: Targeting, leads: int) -> RankingFact:
    """What a ranking of `leads` leads looked at: each fact of a lead that it is given, and each signal that it looks for."""
    version = _version(rules)
    features = [one.name for one in fields(LeadFacts) if not one.name.endswith("_id")]
    return RankingFact(
        subject=uuid.uuid5(_NAMESPACE, version), version=version, leads=leads,
        features=(*features, *(f"signal:{key}" for key in rules.signals), *(f"topic:{key}" for key in rules.topics)),
    )  # fmt: skip


def _version(rules: Targeting) -> str:
    return f"{rules.version}+{_digest(rules.model_dump_json())[:12]}"


@lru_cache(4)
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
