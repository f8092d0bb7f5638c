"""Has a model answer for an agent, through `execution.complete.v1`: decision holds no key and opens no connection.

A framework for agents would bring a client of its own to each vendor, and with it the keys. What is needed of one is three things, done
here: the form of the answer as JSON Schema, one more question with what did not fit, and giving up. Nothing a model says is ever taken as
text: it is an instance of the agent's form, or there is no answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import yaml
from pydantic import BaseModel, Field, ValidationError

from libs.contracts.agents import ModelRun
from libs.contracts.canaries import ReportRun, RunOutcome
from libs.contracts.catalogue.agent_versions import ROOT
from libs.contracts.catalogue.prompts import Prompt, prompts
from libs.contracts.completions import Complete, Completed, Turn
from libs.contracts.errors import DealixError
from libs.contracts.message import Message, Reason, new_id
from libs.contracts.subjects import COMPLETE, REPORT_RUN
from libs.runtime.plane import Runtime
from libs.screening.screen import suspect, texts
from services.decision.agents.models.fencing import fence, fenced, rule

log = logging.getLogger(__name__)

F = TypeVar("F", bound=BaseModel)
FIRST_SECONDS, ALL_SECONDS = 25.0, 45.0
"""How long the first question may take, and both together."""
LONGEST_ERRORS = 2000
SUSPECT = Reason(
    code="model_not_asked",
    en="The gate found orders to machines in the input, so no model reads it.",
    ar="وجدت البوابة في المدخلات أوامر موجهة للآلات، فلا يُعرض على نموذج.",
)
CHANGED = Reason(
    code="prompt_changed",
    en="The prompt is not the one that was approved, so no model is asked.",
    ar="نص التعليمات ليس المعتمد، فلا يُسأل أي نموذج.",
)


class PromptText(Message):
    """A prompt's file: what is said, which fields of the input go along, and how long an answer may be."""

    instructions: Annotated[str, Field(min_length=1)]
    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    most_tokens: int


@dataclass(frozen=True, slots=True)
class Silent:
    """No model answered. `run` is what it came to all the same; None where none was asked."""

    reason: Reason
    run: ModelRun | None = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """A model answered, twice, and nothing of it fits the form."""

    run: ModelRun


@dataclass(frozen=True, slots=True)
class Fitted(Generic[F]):
    value: F
    run: ModelRun


class Models:
    """Asks. One instance serves all agents; it keeps nothing between runs."""

    def __init__(self, runtime: Runtime) -> None:
        self._bus = runtime.bus

    async def ask(
        self, tenant: UUID, agent: str, given: Mapping[str, Any], form: type[F]
    ) -> Fitted[F] | Unfit | Silent:
        """A model's answer in `form`. Raises nothing but what is a bug: every way of having no answer is a value."""
        prompt = prompts().prompts[agent]
        if not _unchanged(agent):
            return Silent(CHANGED)
        if any(suspect(text) for _, text in texts(dict(given))):
            return Silent(SUSPECT)
        until = asyncio.get_running_loop().time() + ALL_SECONDS
        question = _question(tenant, agent, prompt, given, form)
        first = await self._call(question)
        if first.reason is not None:
            return Silent(first.reason, _run(prompt, first) if first.tried else None)
        value, wrong = _parsed(form, first.text)
        if value is not None:
            await self._report(question, first, RunOutcome.SUCCEEDED)
            return Fitted(value, _run(prompt, first))
        # The version that has to be told what did not fit is the worse one, also where it then does better.
        await self._report(question, first, RunOutcome.FAILED)
        log.warning(
            "a model's answer does not fit its form", extra={"ids": {"agent": agent, "provider": first.provider}}
        )
        left = until - asyncio.get_running_loop().time()
        second = await self._call(_again(question, first.text, wrong, left))
        run = _together(_run(prompt, first), second)
        if second.reason is not None:
            return Unfit(run)
        value, _ = _parsed(form, second.text)
        return Unfit(run.evolve(unfit=2)) if value is None else Fitted(value, run)

    async def _call(self, question: Complete) -> Completed:
        try:
            return await self._bus.call(COMPLETE, question, timeout=question.seconds + 5)
        except DealixError as error:
            log.warning("no model could be asked: %s", error.code, extra={"ids": {"agent": question.agent}})
            return Completed(reason=Reason(code=error.code, en=error.en, ar=error.ar))

    async def _report(self, question: Complete, came: Completed, outcome: RunOutcome) -> None:
        """A report that is lost leaves a run that does not count."""
        if not came.recorded:
            return
        try:
            await self._bus.call(
                REPORT_RUN, ReportRun(tenant_id=question.tenant_id, run_id=question.run_id, outcome=outcome)
            )
        except DealixError as error:
            log.warning("a run could not be reported: %s", error.code, extra={"ids": {"run": str(question.run_id)}})


@cache
def text_of(file: str) -> PromptText:
    """A prompt's text. Raises OSError, pydantic.ValidationError."""
    return PromptText.model_validate(yaml.safe_load((ROOT / file).read_text(encoding="utf-8")))


@cache
def _unchanged(agent: str) -> bool:
    return prompts().prompts[agent].unchanged()


def _question(tenant: UUID, agent: str, prompt: Prompt, given: Mapping[str, Any], form: type[BaseModel]) -> Complete:
    said, name = text_of(prompt.file), fence()
    return Complete(
        tenant_id=tenant,
        run_id=new_id(),
        agent=agent,
        instructions=f"{said.instructions}\n{rule(name)}",
        turns=(Turn(role="user", text=fenced(name, said.fields, given)),),
        schema_name=form.__name__,
        json_schema=form.model_json_schema(),
        most_tokens=said.most_tokens,
        seconds=FIRST_SECONDS,
    )


def _again(question: Complete, said: str, wrong: str, seconds: float) -> Complete:
    more = (
        Turn(role="assistant", text=said[:100_000] or "(nothing)"),
        Turn(role="user", text=f"This does not fit the form. Answer again, the whole of it, and mend this:\n{wrong}"),
    )
    asked: Complete = question.evolve(turns=(*question.turns, *more), seconds=max(1.0, min(seconds, FIRST_SECONDS)))
    return asked


def _parsed(form: type[F], text: str) -> tuple[F | None, str]:
    """An instance of the form, or what does not fit: where and why, without quoting what was said."""
    try:
        return form.model_validate_json(text), ""
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        lines = [f"- {'.'.join(str(part) for part in one['loc']) or 'answer'}: {one['msg']}" for one in found]
        return None, "\n".join(lines)[:LONGEST_ERRORS]


def _run(prompt: Prompt, came: Completed) -> ModelRun:
    return ModelRun(
        provider=came.provider, model=came.model, prompt_version=prompt.version, temperature=came.temperature, tokens_in=came.tokens_in,
        tokens_out=came.tokens_out, cost_sar=came.cost_sar, fallbacks=len(came.tried),
    )  # fmt: skip


def _together(first: ModelRun, second: Completed) -> ModelRun:
    """Both questions as one run, under the name of who answered last."""
    run: ModelRun = first.evolve(
        provider=second.provider or first.provider, model=second.model or first.model, tokens_in=first.tokens_in + second.tokens_in,
        tokens_out=first.tokens_out + second.tokens_out, cost_sar=first.cost_sar + second.cost_sar,
        fallbacks=first.fallbacks + len(second.tried), unfit=1,
    )  # fmt: skip
    return run
