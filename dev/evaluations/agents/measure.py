"""Evaluates agents on labelled questions: schema adherence, accuracy, cost and latency, a version at a time.

An agent is asked whole, as a flow asks it; other planes answer what the case says that they know. Latency is that of this machine and
without a network or a database; what it costs is what the run's own record says.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

import yaml

from dev.evaluations.agents.world import NOW, TENANT_ID, World
from libs.contracts.agents import AgentVerdict, Conversation
from libs.contracts.catalogue.agent_versions import EVALUATIONS, AgentVersions, Evaluated, agent_versions
from libs.contracts.errors import DealixError
from libs.contracts.flows import AgentAnswer, AskAgent
from libs.contracts.message import Principal, PrincipalKind
from libs.runtime.plane import Runtime
from libs.runtime.testing import MemoryHub
from services.decision.agents.choosing import Choosing
from services.decision.agents.desk import Agents
from services.decision.agents.engines.all import engines
from services.decision.drafting import Drafting

FOLDER = Path(__file__).parent
ASKER = Principal(id="user:evaluation", kind=PrincipalKind.USER, tenant_id=TENANT_ID, roles=("owner",))


@dataclass(frozen=True, slots=True)
class Case:
    """`known` is what other planes know; `expect` what a good answer holds, by path; `refused` the code of a question that is none."""

    name: str
    input: Mapping[str, Any]
    known: Mapping[str, Any]
    expect: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What cases came to, of an agent whose texts have the hash `texts`: shares of the cases, milliseconds and SAR a case. `wrong` names
    the cases that were not answered well, and why."""

    agent: str
    texts: str
    cases: int
    adherence: float
    accuracy: float
    goal: float
    cost_sar: float
    p50_ms: float
    p95_ms: float
    wrong: tuple[str, ...] = ()

    @property
    def reached(self) -> bool:
        """Whether every answer had its form and enough of them were right; nothing measured is nothing reached."""
        return self.cases > 0 and self.adherence >= 1.0 and self.accuracy >= self.goal


class Figures(TypedDict):
    """The figures of `Measured` that follow from single cases."""

    cases: int
    adherence: float
    accuracy: float
    cost_sar: float
    p50_ms: float
    p95_ms: float
    wrong: tuple[str, ...]


def figures(took: Sequence[float], wrong: Sequence[str], fits: int, cost: float) -> Figures:
    """Of the milliseconds that each case took, what was wrong, how many had their form, and what all cost; zeros where nothing was asked."""
    ordered, count = sorted(took), len(took)
    return Figures(
        cases=count, adherence=round(fits / count, 4) if count else 0.0, accuracy=round(1 - len(wrong) / count, 4) if count else 0.0,
        cost_sar=round(cost / count, 6) if count else 0.0, p50_ms=round(ordered[count // 2], 2) if count else 0.0,
        p95_ms=round(ordered[min(count - 1, int(count * 0.95))], 2) if count else 0.0, wrong=tuple(wrong),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Score(Measured):
    """One version of an agent that answers from texts and rules."""

    version: str

    @property
    def passed(self) -> bool:
        return self.reached

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "passed": self.passed}


@cache
def cases(agent: str) -> tuple[Case, ...]:
    """Raises OSError for an agent without a set, TypeError for a case with fields that there are not."""
    loaded = yaml.safe_load((FOLDER / f"{agent}.yaml").read_text(encoding="utf-8"))
    return tuple(
        Case(name=one.get("name", str(number)), input=one["input"], known=one.get("known", {}), expect=one["expect"])
        for number, one in enumerate(loaded["cases"], 1)
    )


def measure(only: Sequence[str] = ()) -> list[Score]:
    """A score for every version of every agent, or of those named."""
    logging.getLogger("services.decision").setLevel(logging.CRITICAL)
    known = agent_versions()
    return [
        asyncio.run(_measured(agent, version))
        for agent, of in known.agents.items()
        if not only or agent in only
        for version in of.versions
    ]


def record(scores: Sequence[Score], file: Path = EVALUATIONS) -> None:
    """Keep what was measured, also of what did not pass: a version without a passing record does not answer."""
    kept = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    for one in scores:
        row = Evaluated(
            texts=one.texts, cases=one.cases, adherence=one.adherence, accuracy=one.accuracy, cost_sar=one.cost_sar, p50_ms=one.p50_ms, p95_ms=one.p95_ms
        )  # fmt: skip
        kept.setdefault(one.agent, {})[one.version] = row.model_dump(mode="json")
    head = "# Written by `dealix eval agents --record`: what each version's evaluation measured, and of which texts.\n"
    file.write_text(head + yaml.safe_dump(kept, allow_unicode=True, sort_keys=True), encoding="utf-8")


async def _measured(agent: str, version: str) -> Score:
    of, texts = agent_versions().agents[agent], agent_versions().agents[agent].versions[version].found()
    took, wrong, fits, cost = [], [], 0, 0.0
    for case in cases(agent):
        began = time.perf_counter()
        answer, refused, kept = await _asked(agent, "" if version == of.usual else version, case)
        took.append((time.perf_counter() - began) * 1000)
        cost += sum(float(one.cost_sar) for one in kept)
        failed = any(one.verdict is AgentVerdict.FAILED for one in kept)
        fits += not failed
        why = "broke" if failed else _unlike(case.expect, answer, refused, kept)
        if why:
            wrong.append(f"{case.name}: {why}")
    return Score(agent=agent, version=version, texts=texts, goal=of.goal, **figures(took, wrong, fits, cost))


async def _asked(agent: str, version: str, case: Case) -> tuple[AgentAnswer | None, str, list[Conversation]]:
    """The answer, or the code of what the agent refused; and the records of the runs."""
    hub, kept = MemoryHub(), list[Conversation]()
    bus = World(case.known, version).serve(hub)
    runtime = Runtime(bus.plane, None, bus, bus.database, now=lambda: NOW)  # type: ignore[arg-type]  # in memory

    async def keep(one: Conversation) -> None:
        kept.append(one)

    choosing = Choosing(runtime, keep, _as_if_passed())
    desk = Agents(runtime, choosing, engines(runtime, Drafting(runtime, choosing)), changed=lambda _: False)
    await hub.start()
    try:
        return await desk.ask(AskAgent(principal=ASKER, agent=agent, input=dict(case.input))), "", kept
    except DealixError as error:
        return None, error.code, kept
    finally:
        await hub.stop()


def _as_if_passed() -> AgentVersions:
    """The catalogue with every version ready to answer, as it is here: this is what finds out whether it is."""
    known = agent_versions()
    of = {
        agent: one.evolve(versions={name: v.evolve(texts=v.found()) for name, v in one.versions.items()})
        for agent, one in known.agents.items()
    }
    passed = {
        agent: {
            name: Evaluated(texts=v.texts, cases=1, adherence=1, accuracy=1, cost_sar=0, p50_ms=0, p95_ms=0)
            for name, v in one.versions.items()
        }
        for agent, one in of.items()
    }
    made: AgentVersions = known.evolve(agents=of, evaluations=passed)
    return made


def _unlike(expect: Mapping[str, Any], answer: AgentAnswer | None, refused: str, kept: Sequence[Conversation]) -> str:
    got = None
    if answer is not None:
        code, verdict = answer.reason.code if answer.reason else "", kept[-1].verdict.value if kept else ""
        got = {**answer.model_dump(mode="json"), "code": code, "verdict": verdict}
    return unlike(expect, got, refused)


def unlike(expect: Mapping[str, Any], got: Mapping[str, Any] | None, refused: str) -> str:
    """What of the expectation does not hold of an answer; empty when all does. `refused` is the code of a question that was none."""
    if "refused" in expect or refused:
        return "" if expect.get("refused") == refused else f"refused {refused or 'nothing'}"
    if got is None:
        return "no answer"
    for path, wanted in expect.items():
        found = _at(got, path)
        if not _holds(found, wanted):
            return f"{path} is {found!r}"
    return ""


def _at(value: Any, path: str) -> Any:
    """What stands at a path: names of fields, places in a list, `codes` for the codes of a list's items."""
    for part in path.split("."):
        value = _inside(value, part)
    return value


def _inside(found: Any, part: str) -> Any:
    if not isinstance(found, list):
        return found.get(part) if isinstance(found, dict) else None
    if part == "codes":
        return [one["code"] for one in found]
    return found[int(part)] if int(part) < len(found) else None


def _holds(found: Any, wanted: Any) -> bool:
    """An expectation is a value, or one of `has`, `lacks`, `count`, `from`, `to`, `among`."""
    if not isinstance(wanted, dict):
        return bool(found == wanted)
    for how, what in wanted.items():
        if how == "has" and not all(one in (found or ()) for one in (what if isinstance(what, list) else [what])):
            return False
        if how == "lacks" and any(one in (found or ()) for one in (what if isinstance(what, list) else [what])):
            return False
        if how == "count" and len(found or ()) != what:
            return False
        if how == "from" and (found is None or found < what):
            return False
        if how == "to" and (found is None or found > what):
            return False
        if how == "among" and found not in what:
            return False
    return True
