"""Every combination of texts: channel, relationship, sector, tone, language, what is known of the person, purpose.

None leaves a placeholder, breaks a channel's limits, promises anything, hides who writes or how to stop it.
"""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from uuid import UUID, uuid5

import pytest

from libs.contracts.catalogue.targeting import targeting
from libs.contracts.data import TenantProfile
from libs.contracts.decision import FIRST, Draft
from libs.contracts.trust import Contactability
from services.decision.agents.outreach.texts import texts
from services.decision.agents.outreach.writer import write
from services.decision.agents.review.claims import find
from services.decision.negotiation.domain.classify import playbook
from services.decision.targeting.domain.facts import EmailKind, LeadFacts, PhoneKind
from services.decision.targeting.domain.rank import rank

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
TENANT = UUID(int=5)
PROFILE = TenantProfile(
    tenant_id=TENANT, slug="ofoq", name_en="Ofoq Trading", name_ar="أفق التجارية", sender_name="سارة القحطاني",
    sender_email="sara@ofoq.example", opt_out_url="https://ofoq.example/u/token",
)  # fmt: skip
SECTORS = [*sorted({rule.group: key for key, rule in targeting().sectors.items()}.values()), "unheard_of"]
PEOPLE = ("نورة العتيبي", "Khalid Alharbi", "Xyzzy Qwert", None)
PURPOSES = (FIRST, "followup:deal", *(f"objection:{key}:said" for key in playbook().objections))
SAID = (None, "طلب عرض سعر", "asked for a demo", "سأل عن الأسعار")


def lead(number: int, source: str, sector: str, person: str | None, notes: str | None) -> LeadFacts:
    return LeadFacts(
        lead_id=uuid5(TENANT, str(number)), account_id=UUID(int=2), contact_id=UUID(int=3), account_name="شركة نجد التقنية",
        contact_name=person, title="مدير المشتريات", sector=sector, employees=120, email=EmailKind.WORK, phone=PhoneKind.MOBILE,
        source=source, source_detail="ليب 2026" if source == "event" else None, obtained_at=date(2026, 11, 18),
        last_activity_at=date(2026, 11, 19), notes=notes,
        contactability={"email": Contactability.SAFE, "whatsapp": Contactability.SAFE}, updated_at=NOW,
    )  # fmt: skip


def every_draft(language: str) -> list[Draft]:
    made: list[Draft] = []
    spread = itertools.product(texts("ar").opening, SECTORS, ("formal", "warm"), ("email", "whatsapp"), PURPOSES)
    for number, (source, sector, tone, channel, purpose) in enumerate(spread):
        facts = lead(number, source, sector, PEOPLE[number % len(PEOPLE)], SAID[number % len(SAID)])
        draft = write(
            rank([facts], targeting(), NOW)[0], PROFILE, targeting(), NOW, draft_id=UUID(int=number + 1), channel=channel,
            language=language, tone=tone, purpose=purpose, offer="إدارة العقود" if language == "ar" else "contract management",  # type: ignore[arg-type]
        )  # fmt: skip
        assert isinstance(draft, Draft), (source, sector, tone, channel, purpose, draft)
        made.append(draft)
    return made


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_combination_is_complete_honest_and_within_its_limits(language: str) -> None:
    drafts = every_draft(language)
    assert len(drafts) > 2_000
    for draft in drafts:
        where = (draft.purpose, draft.channel, draft.body)
        text = f"{draft.subject or ''}\n{draft.body}"
        assert not set(text) & set("{}[]<>") and "None" not in text, where
        assert (PROFILE.name_ar if language == "ar" else PROFILE.name_en) in draft.body, where
        if draft.channel == "email":
            assert draft.subject and len(draft.subject) <= 70, where
            assert PROFILE.opt_out_url in draft.body, where
        else:
            assert draft.subject is None and len(draft.body) <= 1024, where
            assert ("إيقاف" if language == "ar" else "STOP") in draft.body, where
        for kind in ("guarantee", "pressure", "cold_whatsapp"):
            assert find(text, kind, names=("شركة نجد التقنية",)) == (), where
        assert not any(word in text for word in ("خصم", "discount")), where
        assert text.count("؟") + text.count("?") in (1, 2), where
        assert not set(text) & set("٠١٢٣٤٥٦٧٨٩!"), where
        verdicts = {one.reviewer: one.verdict for one in draft.reviews}
        assert verdicts["qa_reviewer"] == "pass" and verdicts["compliance_reviewer"] in ("clear", "ambiguous"), (
            where,
            draft.findings,
        )
        assert draft.facts_used and draft.provenance.sources, where


def test_wordings_vary_between_leads_and_never_for_the_same_lead() -> None:
    def body(number: int) -> str:
        facts = lead(number, "website_form", SECTORS[0], PEOPLE[0], None)
        draft = write(
            rank([facts], targeting(), NOW)[0],
            PROFILE,
            targeting(),
            NOW,
            draft_id=UUID(int=1),
            purpose="objection:price:x",
        )
        assert isinstance(draft, Draft)
        return draft.body

    assert body(1) == body(1)
    assert len({body(number) for number in range(30)}) > 3


def test_a_reply_to_whoever_asks_for_a_guarantee_gives_none() -> None:
    for number in range(12):
        facts = lead(number, "own_crm", "unheard_of", None, None)
        draft = write(
            rank([facts], targeting(), NOW)[0],
            PROFILE,
            targeting(),
            NOW,
            draft_id=UUID(int=1),
            purpose="objection:want_guarantee:x",
        )
        assert isinstance(draft, Draft) and "لا نعد" in draft.body
