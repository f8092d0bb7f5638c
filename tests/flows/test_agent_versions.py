"""Canaries of agents between planes: decision runs the version that execution says, tells how it ended, and runs the usual one alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from libs.contracts.agents import AgentVerdict, Conversation
from libs.contracts.canaries import AssignRun, CanaryKind, Counts, Guardrails, ReportRun, RunOutcome
from libs.contracts.catalogue.agent_versions import AgentVersions, agent_versions
from libs.contracts.errors import NotFound
from libs.contracts.message import Ok, Plane, new_id
from libs.contracts.subjects import ASSIGN_RUN, REPORT_RUN
from libs.runtime.plane import Runtime
from libs.runtime.testing import Disturbance, MemoryHub
from services.decision.agents.choosing import Asked, Choosing, Ended, TextsChanged
from services.execution.canaries.choosing import Canaries
from services.execution.canaries.domain import Snapshot, Taking, left_guardrails
from services.execution.canaries.store import Run
from tests.flows.world import TENANT

pytestmark = pytest.mark.asyncio
AGENT, OTHER = "outreach_writer", "outreach-3"


@dataclass
class Two:
    """Decision's choice and execution's canaries, each behind its own bus."""

    hub: MemoryHub
    choosing: Choosing
    canaries: Canaries
    runs: list[Run] = field(default_factory=list)
    told: list[ReportRun] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    kept: list[Conversation] = field(default_factory=list)

    def canary(self, percent: int = 100) -> None:
        one = Taking(new_id(), CanaryKind.AGENT, AGENT, OTHER, percent)
        self.canaries.snapshot = Snapshot({TENANT: (one,)})

    async def ask(self, breaks: str | None = None, *, refuse: bool = False) -> str:
        """One run: the version that answered. `breaks` is the version whose texts can't be used."""

        async def work(version: str) -> str:
            self.ran.append(version)
            if breaks is not None and version == breaks:
                raise KeyError("a text that is not there")
            return version

        verdict = AgentVerdict.WITHHELD if refuse else AgentVerdict.ANSWERED
        return await self.choosing.run(asked(), work, lambda _: Ended(verdict, confidence=0.9))

    def counts(self, group: str) -> Counts:
        """As execution counts them."""
        ended = {one.run_id: one.outcome for one in self.told}
        own = [ended[run.run_id] for run in self.runs if run.group == group and run.run_id in ended]
        return Counts(runs=len(own), errors=own.count(RunOutcome.FAILED), denied=own.count(RunOutcome.REFUSED))


def asked() -> Asked:
    return Asked(TENANT, "user:1", "run", AGENT, {"lead": "+966500000001"}, "Draft", new_id())


@asynccontextmanager
async def two(versions: AgentVersions | None = None) -> AsyncIterator[Two]:
    hub, canaries = MemoryHub(), Canaries()
    decision, execution = hub.bus(Plane.DECISION), hub.bus(Plane.EXECUTION)
    runtime = Runtime(Plane.DECISION, None, decision, decision.database)  # type: ignore[arg-type]
    kept = list[Conversation]()

    async def keep(one: Conversation) -> None:
        kept.append(one)

    made = Two(hub, Choosing(runtime, keep, versions), canaries, kept=kept)

    async def record(runs: Sequence[Run]) -> None:
        made.runs.extend(runs)

    async def report(request: ReportRun) -> Ok:
        made.told.append(request)
        return Ok()

    async def assign(request: AssignRun) -> Any:
        return await canaries.assign_run(request)

    canaries.recorder = record
    execution.serve(ASSIGN_RUN, assign)
    execution.serve(REPORT_RUN, report)
    await hub.start()
    try:
        yield made
    finally:
        await hub.stop()


async def test_the_version_that_execution_says_is_the_one_that_answers() -> None:
    async with two() as made:
        made.canary()
        assert await made.ask() == OTHER
        assert [(run.group, run.version) for run in made.runs] == [("canary", OTHER)]
        assert [(one.run_id, one.outcome) for one in made.told] == [(made.runs[0].run_id, RunOutcome.SUCCEEDED)]


async def test_without_a_canary_the_usual_one_answers_and_nothing_is_told() -> None:
    async with two() as made:
        assert await made.ask() == ""
        assert (made.runs, made.told) == ([], [])


async def test_both_groups_are_told_so_that_they_can_be_compared() -> None:
    async with two() as made:
        made.canary(50)
        for _ in range(80):
            await made.ask()
        assert made.counts("canary").runs and made.counts("baseline").runs
        assert made.counts("canary").runs + made.counts("baseline").runs == 80
        assert made.ran.count(OTHER) == made.counts("canary").runs


async def test_a_version_that_breaks_is_answered_for_by_the_usual_one_counts_as_failed_and_leaves_its_guardrails() -> (
    None
):
    async with two() as made:
        made.canary()
        for _ in range(50):
            assert await made.ask(breaks=OTHER) == ""
        assert made.counts("canary") == Counts(runs=50, errors=50, denied=0)
        assert left_guardrails(Guardrails(), made.counts("canary"), made.counts("baseline")) == "error_rate"


async def test_a_version_that_refuses_more_counts_as_denied() -> None:
    async with two() as made:
        made.canary()
        for _ in range(50):
            await made.ask(refuse=True)
        assert left_guardrails(Guardrails(), made.counts("canary"), Counts(runs=50)) == "deny_rate"


async def test_a_usual_version_that_breaks_is_told_and_raised() -> None:
    async with two() as made:
        made.canary(1)
        with pytest.raises(KeyError):
            for _ in range(20):
                await made.ask(breaks="")
        assert [one.outcome for one in made.told][-1] is RunOutcome.FAILED


async def test_a_question_that_nobody_can_answer_says_nothing_about_a_version() -> None:
    async with two() as made:
        made.canary()

        async def work(_: str) -> str:
            raise NotFound

        with pytest.raises(NotFound):
            await made.choosing.run(asked(), work, lambda _: Ended(AgentVerdict.ANSWERED))
        assert made.runs and not made.told


@pytest.mark.parametrize("how", [Disturbance.SILENT, Disturbance.GARBLED])
async def test_a_decision_plane_that_cannot_reach_execution_runs_the_usual_version(how: Disturbance) -> None:
    async with two() as made:
        made.canary()
        made.hub.disturb(ASSIGN_RUN, how)
        assert await made.ask() == ""
        assert not made.told


async def test_a_report_that_is_lost_does_not_cost_the_answer() -> None:
    async with two() as made:
        made.canary()
        made.hub.disturb(REPORT_RUN, Disturbance.SILENT)
        assert await made.ask() == OTHER


async def test_a_version_whose_texts_are_not_those_that_were_approved_does_not_answer() -> None:
    async with two(_changed(OTHER)) as made:
        made.canary()
        assert await made.ask() == ""
        assert made.counts("canary") == Counts(runs=1, errors=1)


async def test_an_agent_whose_usual_texts_were_changed_does_not_answer_at_all() -> None:
    async with two(_changed(agent_versions().agents[AGENT].usual)) as made:
        with pytest.raises(TextsChanged) as refused:
            await made.ask()
        assert not made.ran and "نصوص" in refused.value.ar


async def test_a_text_that_is_changed_by_one_letter_is_another_one(tmp_path: Path) -> None:
    version = agent_versions().agents[AGENT].versions[OTHER]
    for name in version.files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((Path(__file__).parents[2] / name).read_bytes())
    assert version.unchanged(tmp_path)
    changed = tmp_path / version.files[0]
    changed.write_bytes(changed.read_bytes() + b"\n")
    assert not version.unchanged(tmp_path)
    changed.unlink()
    assert not version.unchanged(tmp_path)


async def test_every_run_is_on_record_without_what_was_asked() -> None:
    async with two() as made:
        made.canary()
        await made.ask()
        await made.ask(breaks=OTHER)
        await made.ask(refuse=True)
        assert [(one.version, one.verdict) for one in made.kept] == [
            (OTHER, AgentVerdict.ANSWERED),
            (OTHER, AgentVerdict.FAILED),
            ("outreach-2", AgentVerdict.ANSWERED),
            (OTHER, AgentVerdict.WITHHELD),
        ]
        first = made.kept[0]
        assert (first.asked_by, first.via, first.engine, first.output_schema) == ("user:1", "run", "template", "Draft")
        assert "966500000001" not in first.model_dump_json() and first.latency_ms > 0
        assert len({one.input_digest for one in made.kept}) == 4, "the same input never has the same digest"


@pytest.mark.parametrize(
    "measured",
    [None, {"accuracy": 0.5}, {"adherence": 0.99}, {"texts": "1" * 64}],
    ids=["never evaluated", "not accurate", "does not fit its schema", "evaluated with other texts"],
)
async def test_a_version_that_has_not_passed_its_evaluation_can_be_neither_tried_nor_used(
    measured: dict[str, Any] | None,
) -> None:
    known = agent_versions()
    for name in known.agents[AGENT].versions:
        rows = {**known.evaluations[AGENT]}
        row = rows.pop(name)
        if measured is not None:
            rows[name] = row.evolve(**measured)
        changed = known.evolve(evaluations={**known.evaluations, AGENT: rows})
        assert not changed.ready(AGENT, name) and name not in changed.beside(AGENT)
        async with two(changed) as made:
            made.canary()
            if name == OTHER:
                assert await made.ask() == "" and made.counts("canary").errors == 1
            else:
                with pytest.raises(TextsChanged):
                    await made.ask()


def _changed(version: str) -> AgentVersions:
    """The catalogue, with other texts approved than those that are here."""
    known = agent_versions()
    of = known.agents[AGENT]
    other = of.versions[version].evolve(texts="0" * 64)
    made: AgentVersions = known.evolve(
        agents={**known.agents, AGENT: of.evolve(versions={**of.versions, version: other})}
    )
    return made
