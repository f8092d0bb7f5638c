"""Cards: one to three buttons, seen by the right role, ordered by what matters, answered without doubt."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from libs.contracts.catalogue.cards import CardEvent, cards
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.decision import Button, Card, CardStatus, CardType
from libs.contracts.message import Text
from libs.contracts.trust import Contactability
from services.decision.cards.domain.brief import MAX_BODY, Choice, Unclear, parse_reply, render_brief, render_buttons
from services.decision.cards.domain.factory import Happening, cards_of
from services.decision.cards.domain.feed import feed, priority
from services.decision.cards.domain.happenings import (
    from_approval,
    from_blocked_import,
    from_day_plan,
    from_opportunity,
    from_stalled_deal,
    origin,
)
from services.decision.targeting.domain.facts import EmailKind, LeadFacts, PhoneKind
from services.decision.targeting.domain.plan import day_plan
from services.decision.targeting.domain.rank import Ranked, rank

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
TENANT = UUID(int=5)
ORIGIN = origin(now=NOW, confidence=0.8, freshness=4.0, sources_read=("test",))
LEAD = LeadFacts(
    lead_id=UUID(int=1),
    account_id=UUID(int=2),
    account_name="شركة نجد التقنية",
    contact_name="محمد العتيبي",
    title="الرئيس التنفيذي",
    sector="technology",
    employees=120,
    email=EmailKind.WORK,
    phone=PhoneKind.MOBILE,
    source="website_form",
    obtained_at=date(2026, 11, 18),
    last_activity_at=date(2026, 11, 19),
    notes="طلب عرض سعر",
    estimated_value=Decimal(250_000),
    contactability={"email": Contactability.SAFE},
    updated_at=NOW,
)


def ranked(lead: LeadFacts = LEAD) -> Ranked:
    return rank([lead], targeting(), NOW)[0]


def opportunity_cards(lead: LeadFacts = LEAD) -> tuple[Card, ...]:
    happening = from_opportunity(ranked(lead), TENANT, targeting(), NOW, ORIGIN)
    return () if happening is None else cards_of(happening, cards(), NOW)


def approval(**changes: object) -> Happening:
    given = {
        "approval_id": str(UUID(int=9)),
        "action_id": str(UUID(int=10)),
        "tenant_id": TENANT,
        "effect": Text(en="send an e-mail", ar="إرسال بريد"),
        "target": "شركة نجد",
        "risk": "medium",
        "due_at": NOW + timedelta(hours=3),
        "expires_at": NOW + timedelta(hours=24),
        "payload_hash": "a" * 64,
        "view_hash": "b" * 64,
        "value_sar": None,
        "now": NOW,
        "origin": ORIGIN,
    }
    return from_approval(**{**given, **changes})  # type: ignore[arg-type]  # keyword arguments by name, checked when called


def test_a_fourth_button_is_an_error_and_never_dropped_silently() -> None:
    card = opportunity_cards()[0]
    with pytest.raises(ValidationError, match="at most 3"):
        card.evolve(buttons=(*card.buttons, Button(action="more", label_ar="المزيد", label_en="More")))
    with pytest.raises(ValidationError, match="at least 1"):
        card.evolve(buttons=())
    event = cards().events["opportunity_found"].model_dump(by_alias=True)
    with pytest.raises(ValidationError, match="at most 3"):
        CardEvent.model_validate({**event, "buttons": [*event["buttons"], {"action": "x", "en": "x", "ar": "x"}]})


def test_a_label_of_more_than_20_characters_is_an_error() -> None:
    with pytest.raises(ValidationError, match="at most 20"):
        Button(action="approve", label_ar="موافقة وتنفيذ الطلب الآن فورًا", label_en="Approve")


def test_every_event_of_the_catalogue_makes_valid_cards_for_roles_that_see_them() -> None:
    for name, event in cards().events.items():
        happening = Happening(
            event=name,
            tenant_id=TENANT,
            subject="s",
            values={value: Text(en=f"<{value}>", ar=f"<{value}>") for value in event.values},
            risk="low",
            provenance=ORIGIN,
        )
        made = cards_of(happening, cards(), NOW)
        assert {card.role for card in made} == set(event.roles)
        for card in made:
            assert cards().sees(card.role, card.type)
            assert "{" not in card.model_dump_json().replace('{"', "").replace(":{", "")
            assert card.expires_at is not None
            assert card.expires_at > NOW
            for text in (card.title_ar, card.why_now_ar, card.recommended_action_ar):
                assert not set(text) & set("٠١٢٣٤٥٦٧٨٩")


def test_role_visibility_is_exactly_that_of_the_catalogue() -> None:
    assert cards().sees("ceo", CardType.RISK)
    assert not cards().sees("ceo", CardType.OPPORTUNITY)
    assert not cards().sees("sales_manager", CardType.DAILY_DECISION)
    assert not cards().sees("nobody", CardType.RISK)


def test_an_opportunity_reaches_those_who_sell_and_the_plan_reaches_the_ceo() -> None:
    assert {card.role for card in opportunity_cards()} == {"sales_manager", "growth_manager", "self_growth"}
    plan = from_day_plan(day_plan([ranked()], targeting().autopilot), TENANT, NOW, ORIGIN)
    assert plan is not None
    made = {card.role: card for card in cards_of(plan, cards(), NOW)}
    assert made["ceo"].type is CardType.DAILY_DECISION
    assert made["ceo"].title_ar == "اعتمد خطة اليوم: مسودة واحدة"


def test_an_opportunity_nobody_may_contact_makes_no_card_and_a_doubtful_one_asks_for_review() -> None:
    assert (
        opportunity_cards(
            replace(
                LEAD,
                contactability={
                    "email": Contactability.BLOCKED,
                    "whatsapp": Contactability.BLOCKED,
                    "phone": Contactability.BLOCKED,
                },
            )
        )
        == ()
    )
    doubtful = opportunity_cards(
        replace(
            LEAD,
            source="purchased",
            contactability={
                "email": Contactability.NEEDS_REVIEW,
                "whatsapp": Contactability.BLOCKED,
                "phone": Contactability.BLOCKED,
            },
        )
    )
    assert doubtful[0].buttons[0].action == "review_source"
    assert doubtful[0].risk_level == "high"


def test_a_plan_without_anyone_to_contact_makes_no_card() -> None:
    nobody = day_plan([ranked(replace(LEAD, contactability={}))], targeting().autopilot)
    assert from_day_plan(nobody, TENANT, NOW, ORIGIN) is None


def test_an_approval_card_carries_the_hashes_that_the_decision_must_repeat() -> None:
    made = cards_of(approval(), cards(), NOW)
    assert {card.role for card in made} == {"ceo", "sales_manager"}
    assert made[0].context["payload_hash"] == "a" * 64
    assert made[0].context["view_hash"] == "b" * 64
    assert [button.action for button in made[0].buttons] == ["approve", "reject", "open"]
    assert made[0].why_now_ar == "الطلب بانتظار قرارك، وتنتهي مهلته خلال 3 ساعات (الساعة 15:00)."


def test_blocked_sources_become_a_risk_card_that_counts_them() -> None:
    happening = from_blocked_import(
        import_id="i",
        tenant_id=TENANT,
        file_name="leads.csv",
        blocked_by={"purchased": 30, "opted_out": 12},
        origin=ORIGIN,
    )
    assert happening is not None
    card = next(card for card in cards_of(happening, cards(), NOW) if card.role == "ceo")
    assert card.title_ar == "راجِع الجهات المحظورة في ملف leads.csv: 42 جهة"
    assert "قائمة مشتراة (30)" in card.why_now_ar
    assert card.risk_level == "high"
    assert (
        from_blocked_import(import_id="i", tenant_id=TENANT, file_name="f", blocked_by={"cold_list": 0}, origin=ORIGIN)
        is None
    )


def test_the_same_event_twice_is_the_same_card() -> None:
    assert [card.card_id for card in opportunity_cards()] == [card.card_id for card in opportunity_cards()]


def test_a_day_of_cards_is_a_day_of_riyadh() -> None:
    happening = from_opportunity(ranked(), TENANT, targeting(), NOW, ORIGIN)
    assert happening is not None

    def ids(hours: int) -> set[object]:
        return {card.card_id for card in cards_of(happening, cards(), NOW.replace(hour=0) + timedelta(hours=hours))}

    assert ids(0) == ids(20) and not ids(0) & ids(21), "the 22nd begins at 21:00 UTC"


def test_the_feed_shows_seven_each_thing_once_and_says_how_many_wait() -> None:
    many = [opportunity_cards(replace(LEAD, lead_id=UUID(int=i + 1)))[0] for i in range(10)]
    shown = feed([*many, *many], "sales_manager", cards(), NOW, limit=50)
    assert len(shown.cards) == 7
    assert shown.waiting == 3


def test_the_feed_leaves_out_other_roles_expired_and_decided_cards() -> None:
    card = opportunity_cards()[0]
    assert feed([card], "growth_manager", cards(), NOW).cards == ()
    assert feed([card], "sales_manager", cards(), NOW + timedelta(days=30)).cards == ()
    assert feed([card.evolve(status=CardStatus.DECIDED)], "sales_manager", cards(), NOW).cards == ()
    assert feed([card.evolve(role="ceo")], "ceo", cards(), NOW).cards == ()


def test_what_is_due_sooner_worth_more_riskier_or_older_comes_first() -> None:
    card = cards_of(approval(), cards(), NOW)[0]
    base = priority(card, cards(), NOW)
    assert priority(card.evolve(expires_at=NOW + timedelta(hours=1)), cards(), NOW) > base
    assert priority(card.evolve(deal_value="900000.00"), cards(), NOW) > base
    assert priority(card.evolve(risk_level="high"), cards(), NOW) > base
    assert priority(card.evolve(created_at=NOW - timedelta(days=2)), cards(), NOW) > base
    assert priority(card.evolve(type=CardType.PROOF), cards(), NOW) > base


def test_a_risk_level_that_nobody_defined_is_looked_at_first() -> None:
    card = cards_of(approval(), cards(), NOW)[0]
    assert priority(card.evolve(risk_level="??"), cards(), NOW) == priority(
        card.evolve(risk_level="high"), cards(), NOW
    )


def test_the_brief_fits_whatsapp_however_long_the_texts() -> None:
    long = opportunity_cards()[0].evolve(why_now_ar="سبب طويل جدًا " * 80)
    brief = render_brief([long] * 5, cards())
    assert len(brief.text) <= MAX_BODY
    assert len(brief.cards) == 3
    huge = long.evolve(title_ar="ع" * 1100)
    assert render_brief([huge], cards()).cards == ()
    for button in render_buttons(huge).buttons:
        assert len(button[1]) <= 20
    assert len(render_buttons(huge).body) <= MAX_BODY


def test_an_empty_feed_says_so() -> None:
    assert render_brief([], cards()).text == "لا قرارات بانتظارك الآن."


TWO = (cards_of(approval(), cards(), NOW)[0], opportunity_cards()[0])


@pytest.mark.parametrize(
    "reply", ["1-2", "١-٢", "1 2", "1.2", "١ ٢", " 1-2. ", "رفض", "Reject", "1 – 2", "1\u20112", "1\u22122"]
)
def test_a_clear_reply_decides(reply: str) -> None:
    assert parse_reply(reply, TWO) == Choice(TWO[0].card_id, "reject")


@pytest.mark.parametrize(
    "reply", ["12", "1", "3-1", "1-4", "0-1", "نعم", "ok", "", "1-2-3", "لا ترفض", "اعتمد الكل", "-1-2x"]
)
def test_an_unclear_reply_decides_nothing_and_asks_again(reply: str) -> None:
    answer = parse_reply(reply, TWO)
    assert isinstance(answer, Unclear)
    assert "لم يُتخذ أي قرار" in answer.answer.ar


def test_a_label_that_two_cards_carry_decides_nothing() -> None:
    assert isinstance(parse_reply("لاحقًا", (TWO[1], TWO[1].evolve(card_id=UUID(int=77)))), Unclear)


def test_a_number_alone_is_enough_when_one_card_was_sent() -> None:
    assert parse_reply("٢", TWO[:1]) == Choice(TWO[0].card_id, "reject")
    button_id = render_buttons(TWO[0]).buttons[0][0]
    assert parse_reply(button_id, TWO) == Choice(TWO[0].card_id, "approve")


@given(st.text(max_size=30))
def test_no_reply_whatever_makes_the_parser_fail_or_name_a_foreign_card(reply: str) -> None:
    answer = parse_reply(reply, TWO)
    assert isinstance(answer, Unclear) or answer.card_id in {card.card_id for card in TWO}


def test_an_event_that_brings_too_little_is_an_error() -> None:
    with pytest.raises(KeyError, match="needs"):
        cards_of(replace(approval(), values={}), cards(), NOW)


def test_a_name_in_braces_stays_text() -> None:
    happening = from_stalled_deal(
        deal_id="d",
        tenant_id=TENANT,
        account="{subject.__class__}",
        stage=Text(en="open", ar="مفتوحة"),
        idle_days=11,
        value_sar=None,
        origin=ORIGIN,
    )
    card = cards_of(happening, cards(), NOW)[0]
    assert "class" not in card.title_ar
    assert card.why_now_ar == "لا نشاط منذ 11 يومًا، والصفقة في مرحلة: مفتوحة."
