"""What people read of a flow is written by people, in both languages: each step of each version has a title, and no title is left over."""

from __future__ import annotations

import re

from libs.contracts.catalogue.flows import flow_entries, step_title
from libs.contracts.catalogue.words import effect_title, word, words
from libs.contracts.execution import ActionState
from libs.contracts.trust import ApprovalState, Outcome
from services.execution.flows.declared import FLOWS
from services.execution.flows.domain.definition import Definition

ARABIC = re.compile(r"[\u0600-\u06ff]")


def test_every_step_of_every_version_has_a_title_and_none_is_left_over() -> None:
    steps: dict[str, set[str]] = {}
    for flow in FLOWS:
        made = Definition(flow)
        steps.setdefault(made.name, set()).update(made.nodes)
    assert {name: set(entry.steps) for name, entry in flow_entries().items()} == steps


def test_titles_are_in_both_languages_and_short() -> None:
    for entry in flow_entries().values():
        for title in entry.steps.values():
            assert ARABIC.search(title.ar) and not ARABIC.search(title.en)
            assert max(len(title.ar), len(title.en)) <= 40
            assert "_" not in title.ar + title.en


def test_every_state_that_people_see_has_a_name() -> None:
    assert set(words()["action_state"]) == {one.value for one in ActionState}
    assert set(words()["approval_state"]) == {one.value for one in ApprovalState}
    assert set(words()["outcome"]) == {one.value for one in Outcome}


def test_what_nobody_named_stands_for_itself() -> None:
    assert step_title("a_plugins_flow", "its_step").ar == "its_step"
    assert word("action_state", "newer").en == "newer"
    assert effect_title("a_plugins_effect_that_is_gone").ar == "a_plugins_effect_that_is_gone"
