"""What decision tells trust of its drafts and rankings."""

from __future__ import annotations

from dataclasses import fields

from libs.contracts.catalogue.targeting import targeting
from libs.contracts.decision import Draft
from services.decision.domain.telling import draft_fact, ranking_fact
from services.decision.targeting.domain.facts import LeadFacts
from tests.contracts.examples import example


def draft(provider: str, body: str) -> Draft:
    made = Draft.model_validate(example(Draft))
    changed: Draft = made.evolve(
        body=body, provenance=made.provenance.evolve(model_provider=provider, sources=("a", "b"))
    )
    return changed


def test_a_reviewed_text_is_not_told_as_a_models_and_a_models_is() -> None:
    assert not draft_fact(draft("local", "مرحبًا")).by_model
    told = draft_fact(draft("self_host", "Hello"))
    assert (told.by_model, told.disclosed, told.inputs) == (True, False, 2)


def test_a_text_that_says_a_machine_helped_is_told_as_disclosed() -> None:
    assert draft_fact(draft("groq", "كُتبت هذه الرسالة بمساعدة الذكاء الاصطناعي.")).disclosed
    assert draft_fact(draft("groq", "Written with the help of AI.")).disclosed


def test_a_ranking_tells_every_fact_that_it_is_given() -> None:
    told = ranking_fact(targeting(), 3)
    given = {one.name for one in fields(LeadFacts) if not one.name.endswith("_id")}
    assert given <= set(told.features)
    assert {f"signal:{key}" for key in targeting().signals} <= set(told.features)


def test_another_rule_is_another_version_and_the_same_rules_are_the_same() -> None:
    rules = targeting()
    changed = rules.model_copy(update={"duplicate_penalty": rules.duplicate_penalty + 1})
    assert ranking_fact(rules, 1).subject == ranking_fact(rules, 9).subject
    assert ranking_fact(changed, 1).subject != ranking_fact(rules, 1).subject
