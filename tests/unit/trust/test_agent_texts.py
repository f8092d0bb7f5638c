"""A skill is admitted with the texts of the agents that act with it: who changes one needs it admitted again."""

from __future__ import annotations

from typing import Any

from libs.contracts.catalogue.agent_versions import AgentVersions, agent_versions
from libs.contracts.catalogue.agents import Agents, agents
from libs.contracts.catalogue.skills import FILE, load, skills

TEXT = FILE.read_text(encoding="utf-8")


def with_texts(agent: str, version: str, texts: str) -> AgentVersions:
    known = agent_versions()
    of = known.agents[agent]
    other = of.versions[version].evolve(texts=texts)
    made: AgentVersions = known.evolve(
        agents={**known.agents, agent: of.evolve(versions={**of.versions, version: other})}
    )
    return made


def with_agent(agent: str, **changes: Any) -> Agents:
    made: Agents = agents().evolve(agents={**agents().agents, agent: agents().agents[agent].evolve(**changes)})
    return made


def changed(acting: Agents | None = None, versions: AgentVersions | None = None) -> set[str]:
    return {one.skill_id for one in load(TEXT, acting, versions).skills.values() if one.changed}


def test_what_is_shipped_is_what_was_admitted() -> None:
    assert changed() == set() and not any(one.changed for one in skills().skills.values())


def test_a_changed_text_of_an_agent_needs_its_skill_admitted_again() -> None:
    for version in agent_versions().agents["outreach_writer"].versions:
        assert changed(versions=with_texts("outreach_writer", version, "1" * 64)) == {"saudi_copywriter"}
    assert changed(versions=with_texts("objection_handler", "3", "1" * 64)) == {"negotiation_coach"}


def test_a_new_version_of_an_agent_needs_its_skill_admitted_again() -> None:
    known = agent_versions()
    of = known.agents["outreach_writer"]
    more = of.evolve(versions={**of.versions, "outreach-9": of.versions["outreach-3"]})
    assert changed(versions=known.evolve(agents={**known.agents, "outreach_writer": more})) == {"saudi_copywriter"}


def test_a_changed_entry_of_an_agent_needs_its_skill_admitted_again() -> None:
    assert changed(with_agent("qa_reviewer", prompt_version="2")) == {"safe_action_reviewer"}
    rules = agents().agents["qa_reviewer"].escalate[:1]
    assert changed(with_agent("qa_reviewer", escalate=rules)) == {"safe_action_reviewer"}
