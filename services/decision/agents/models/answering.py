"""What each agent makes of a model's answer: its own output, how sure one can be, and the facts that its escalation rules look at.

How sure a model says it is counts only as far as its evidence is found in what was asked: what it quotes and nobody wrote makes a person read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator

from libs.contracts.agents import ModelRun
from libs.contracts.catalogue.screening import Level
from libs.contracts.message import Reason, Text
from libs.screening.screen import screen, strictest, texts
from services.decision.agents.asked import NotAsked, Question, Said
from services.decision.agents.engines.selling import objection_facts, objection_output
from services.decision.agents.models.asking import Fitted, Models, Silent, Unfit
from services.decision.domain.text import fold
from services.decision.domain.untrusted import visible
from services.decision.negotiation.domain.classify import Reading, classify, playbook

UNFIT = "bad_output"
SCREENED = Reason(
    code="model_output_screened",
    en="The security gate found something in what the model wrote, so a person reads it.",
    ar="وجدت بوابة الأمان فيما كتبه النموذج ما يستدعي المراجعة، فيقرؤه شخص.",
)
Quote = Annotated[str, Field(min_length=2, max_length=600)]
Share = Annotated[float, Field(ge=0, le=1)]


class Form(BaseModel):
    """The form of a model's answer: closed, and nothing is made to fit."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ObjectionForm(Form):
    objection: Annotated[
        str | None, Field(json_schema_extra=lambda schema: schema.update(enum=[*playbook().objections, None]))
    ]
    confidence: Share
    reply: Annotated[str, Field(max_length=1500)]
    language: Literal["ar", "en", "mixed"]
    evidence: Annotated[list[Quote], Field(max_length=5)]

    @field_validator("objection")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in playbook().objections:
            raise ValueError(f"one of {', '.join(playbook().objections)}, or null")
        return value


class Both(Form):
    en: Annotated[str, Field(min_length=1, max_length=3000)]
    ar: Annotated[str, Field(min_length=1, max_length=3000)]


class SectorForm(Form):
    brief: Both
    pricing_guide: Annotated[list[Quote], Field(max_length=12)]
    evidence: Annotated[list[Quote], Field(max_length=20)]
    conflicting_data: bool


class Answers(Protocol):
    async def __call__(self, models: Models, asked: Question) -> Said | Silent | Unfit: ...


async def objections(models: Models, asked: Question) -> Said | Silent | Unfit:
    """The objection that the last message raises. Where the rules read another one, both are less sure."""
    messages = asked.input.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(one, str) for one in messages):
        raise NotAsked("messages")
    found = await models.ask(asked.tenant_id, "objection_handler", asked.input, ObjectionForm)
    if not isinstance(found, Fitted):
        return found
    said, last = found.value, messages[-1]
    sure = min(said.confidence, borne_out(said.evidence, (last,))) if said.objection is not None else 0.0
    rules = classify(visible(last))
    if rules.objection not in (None, said.objection):
        sure *= 1 - rules.confidence
    read = Reading(said.objection, round(sure, 4), said.language, tuple(said.evidence))
    output = {**objection_output(read), "reply": said.reply if said.objection is not None else ""}
    return made(
        output, read.confidence, objection_facts(visible(last), said.objection, asked.input.get("deal")), found.run
    )


async def sectors(models: Models, asked: Question) -> Said | Silent | Unfit:
    """A brief on a sector from the passages that were given; as sure as its quotes are found in them."""
    asked.text("sector")
    passages = asked.input.get("knowledge")
    if not isinstance(passages, list) or not passages or not all(isinstance(one, str) and one for one in passages):
        raise NotAsked("knowledge")
    found = await models.ask(asked.tenant_id, "sector_strategist", asked.input, SectorForm)
    if not isinstance(found, Fitted):
        return found
    said = found.value
    output = {
        "brief": Text(en=said.brief.en, ar=said.brief.ar), "pricing_guide": tuple(said.pricing_guide), "evidence": tuple(said.evidence),
    }  # fmt: skip
    facts = {"sector": asked.input["sector"], "conflicting_data": said.conflicting_data}
    return made(output, borne_out(said.evidence, passages), facts, found.run)


MODELLED: Mapping[str, Answers] = {"objection_handler": objections, "sector_strategist": sectors}
"""The agents that a model may answer for, each with a prompt in the catalogue."""


def borne_out(quotes: Sequence[str], written: Sequence[str]) -> float:
    """The share of quotes that stand in what was written, letters compared as Arabic is searched; 0 without any."""
    where = [fold(visible(one)) for one in written]
    found = sum(any(fold(visible(quote)) in one for one in where) for quote in quotes)
    return round(found / len(quotes), 4) if quotes else 0.0


def made(output: Mapping[str, Any], sure: float, facts: Mapping[str, Any], run: ModelRun) -> Said:
    """What a model said as an agent's answer. What the gate would not let leave unread goes to a person."""
    strict = [strictest(screen(text, "outbound", ours=True)) for _, text in texts(_plain(output))]
    if any(level in (Level.BLOCK, Level.REVIEW) for level in strict):
        return Said({}, 0.0, facts, withheld=SCREENED, model=run, by_model=True)
    return Said(output, sure, facts, ("text:asked",), model=run, by_model=True)


def _plain(output: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.model_dump() if isinstance(value, BaseModel) else value for name, value in output.items()}
