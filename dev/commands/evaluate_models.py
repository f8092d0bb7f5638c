"""`dealix eval agents --provider …`: the same questions put to a connected model, through the running system as anybody asks.

Nothing is asked from here: each case is a run of the agent, so that its questions leave under grants, within the budget, on record. A case
that needs what other planes know can't be put so, and is left out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dev.client import ApiError, Client
from dev.evaluations.agents.measure import Measured, cases, figures, unlike
from dev.messages import DealixError
from dev.output import Output
from dev.terminal import plain, table
from libs.contracts.catalogue.agent_versions import agent_versions
from libs.contracts.catalogue.prompts import prompts

GOAL = 0.9
SECONDS = 70.0


class NotAnswering(DealixError):
    """The provider was to be evaluated, and others answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelScore(Measured):
    """What a connected model's answers came to. `others` are cases that it did not answer."""

    provider: str
    model: str
    prompt_version: str
    others: int

    @property
    def passed(self) -> bool:
        return self.others == 0 and self.reached


def evaluate(client: Client, provider: str, only: Sequence[str]) -> list[ModelScore]:
    """A score for every agent with a prompt, or of those named."""
    chosen = [agent for agent in prompts().prompts if not only or agent in only]
    return [score for agent in chosen if (score := _measured(client, provider, agent)) is not None]


def show(out: Output, scores: Sequence[ModelScore], mistakes: int) -> None:
    """The table, some mistakes, and what follows. Raises NotAnswering where the provider answered nothing."""
    out.result({"scores": [{**asdict(one), "passed": one.passed} for one in scores]})
    headings = [
        ("agent", "الوكيل"), ("model", "النموذج"), ("prompt", "التعليمات"), ("cases", "الحالات"), ("others", "أجاب غيره"), ("fits its schema", "مطابقة الصيغة"),
        ("accuracy", "الدقة"), ("goal", "المستهدف"), ("SAR a run", "ر.س للتشغيل"), ("ms p50", "م.ث 50%"), ("ms p95", "م.ث 95%"),
    ]  # fmt: skip
    rows = [
        [
            plain(s.agent), plain(f"{s.provider}:{s.model}"), plain(s.prompt_version), str(s.cases), str(s.others), f"{s.adherence:.1%}",
            f"{s.accuracy:.1%}", f"{s.goal:.0%}", f"{s.cost_sar:.6f}", f"{s.p50_ms:.0f}", f"{s.p95_ms:.0f}",
        ]
        for s in scores
    ]  # fmt: skip
    out.show(table(out.lang, headings, rows))
    for score in scores:
        for why in score.wrong[:mistakes]:
            out.show(f"{score.agent}: {why}")
    if not any(score.cases for score in scores):
        raise NotAnswering(
            "The provider answered none of the cases. `dealix models list` says whether it is connected and may see these agents' input.",
            "لم يُجب المزوّد عن أي حالة. يبيّن ‎dealix models list هل هو موصول وهل يجوز له الاطلاع على مدخلات هؤلاء الوكلاء.",
        )


def _measured(client: Client, provider: str, agent: str) -> ModelScore | None:
    questions = [case for case in cases(agent) if not case.known]
    if not questions:
        return None
    took, wrong, fits, others, model, cost = list[float](), list[str](), 0, 0, "", 0.0
    for case in questions:
        began = time.perf_counter()
        answer, refused = _run(client, agent, case.input)
        milliseconds = (time.perf_counter() - began) * 1000
        origin = (answer or {}).get("provenance") or {}
        if origin.get("model_provider") != provider:
            others += not _not_for_a_model(case.expect)
            continue
        took.append(milliseconds)
        model, code = origin["model_id"], ((answer or {}).get("escalation") or {}).get("code", "")
        fits += code != "bad_output"
        cost += _cost(client, (answer or {})["conversation_id"], agent)
        if why := unlike(case.expect, {**(answer or {}), "code": code}, refused):
            wrong.append(f"{case.name}: {why}")
    prompt = prompts().prompts[agent]
    goal = agent_versions().agents[agent].goal if agent in agent_versions().agents else GOAL
    return ModelScore(
        agent=agent, provider=provider, model=model, prompt_version=prompt.version, texts=prompt.found(), others=others, goal=goal,
        **figures(took, wrong, fits, cost),
    )  # fmt: skip


def _not_for_a_model(expect: Mapping[str, Any]) -> bool:
    """Whether a case is one that no model may be asked: it is no question, or the gate stops it."""
    return "refused" in expect or expect.get("code") == "model_not_asked"


def _run(client: Client, agent: str, given: Any) -> tuple[dict[str, Any] | None, str]:
    try:
        return client.post(f"/agents/{agent}/run", {"input": given}, timeout=SECONDS), ""
    except ApiError as error:
        # A question that is none, or an agent that nobody answers for; anything else says nothing about the case.
        if error.status not in (409, 422):
            raise
        return None, error.code


def _cost(client: Client, run: str, agent: str) -> float:
    """What the run's own record says. The newest are read: nobody else is expected to run many of them meanwhile."""
    kept = client.get("/conversations", agent=agent, limit=20)["items"]
    return next((float(one["cost_sar"]) for one in kept if one["conversation_id"] == run), 0.0)
