"""From what planes answer to what pages show: pure, in the reader's language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, cast

from libs.contracts import data, decision, trust
from libs.contracts.catalogue import words
from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.places import places
from libs.contracts.catalogue.roles import roles
from libs.contracts.catalogue.sources import sources
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.message import Principal
from services.gateway.console import views
from services.gateway.console.actors import actor
from services.gateway.console.urls import url
from services.gateway.console.views import Lang

_WHY_NOW = ("لماذا الآن", "Why now")
_SAID_IN = {"notes": ("الملاحظات", "the notes"), "source_detail": ("تفصيل المصدر", "the detail of its source")}
_OUTCOMES: dict[str, tuple[str, str, views.Tone]] = {
    "approved": ("تمت الموافقة", "Approved", "low"),
    "rejected": ("مرفوض", "Rejected", "high"),
    "expired": ("انتهت المهلة", "Expired", "medium"),
    "withdrawn": ("سُحب الطلب", "Withdrawn", "neutral"),
    "superseded": ("حلّ محله طلب آخر", "Superseded", "neutral"),
}
_STEPS = {
    "requested": ("طُلبت الموافقة", "Approval requested"),
    "approved": ("وافق", "Approved"),
    "voted": ("وافق الأول، والمطلوب ثانٍ", "First approval; a second is needed"),
    "rejected": ("رفض", "Rejected"),
    "withdrawn": ("سحب الطلب", "Withdrawn"),
    "superseded": ("عُدّل المحتوى وأُرسل طلب جديد", "Edited; a new request replaces it"),
    "expired": ("انتهت المهلة دون رد", "Expired without an answer"),
}


def pick(lang: Lang, arabic: str, english: str) -> str:
    return arabic if lang == "ar" else english


def user(lang: Lang, principal: Principal) -> views.User:
    named = next((r for r in roles().system_roles if r in principal.roles), "member")
    return views.User(principal.name or principal.id, role(lang, named))


def role(lang: Lang, key: str) -> str:
    """A role of either kind in words; one that nobody declared stays as it is."""
    known = {**roles().business_roles, **roles().system_roles}.get(key)
    return pick(lang, known.ar, known.en) if known else key


def sla(due_at: datetime, now: datetime) -> views.Sla:
    left = int((due_at - now).total_seconds() // 60)
    return views.Sla(left, due_at, warn=0 <= left < 60)


def amount(text: str | None) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None


def payload_of(lang: Lang, approval: trust.Approval) -> views.Payload:
    """The payload exactly as it will run: its canonical text, and each field whole."""
    fields = json.loads(approval.payload)
    return views.Payload(
        tuple(views.PayloadField(path, shown, field_label(lang, path)) for path, shown in leaves(fields)),
        approval.payload,
        approval.payload_hash,
    )


def field_label(lang: Lang, path: str) -> str:
    """What a field of a payload is called; empty for one that nobody named."""
    name = path.rsplit(".", 1)[-1]
    known = words.words()["payload_field"].get(name)
    return pick(lang, known.ar, known.en) if known else ""


def leaves(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Every single value of a payload under its path."""
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key], f"{path}.{key}" if path else key)]
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return [leaf for number, one in enumerate(value) for leaf in leaves(one, f"{path}[{number}]")]
    return [(path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))]


def voted(approval: trust.Approval) -> tuple[str, ...]:
    """Who has approved so far."""
    return tuple(step.actor for step in approval.history if step.step == "approved")


def approval_card(
    lang: Lang, approval: trust.Approval, now: datetime, *, may_decide: bool, reader: str = ""
) -> views.Card:
    """A request as a card. High risk, and what contradictions are about, never post from the card: the verb leads to the confirm page.
    Who approved already (`reader`, a principal) is not asked again."""
    shown = json.loads(approval.payload)
    key = str(approval.approval_id)
    pending = approval.state is trust.ApprovalState.PENDING
    confirm = url("approval_confirm", key)
    hidden = {"payload_hash": approval.payload_hash, "view_hash": approval.view_hash}
    approve = pick(lang, "موافقة وتنفيذ", "Approve and execute")
    verb = (
        views.Button(approve, confirm, key="a")
        if approval.risk == "high" or approval.view.get("contradictions")
        else views.Button(
            approve, url("approval_approve", key), post=True, hidden=hidden, key="a", confirm_href=confirm
        )
    )
    evidence = views.Button(
        pick(lang, "فتح الدليل", "Open the evidence"),
        url("evidence", q=f"action:{approval.action_id}"),
        kind="quiet",
        key="o",
    )
    reject = views.Button(
        pick(lang, "رفض مع السبب", "Reject with a reason"), url("approval_reject", key), kind="danger", key="r"
    )
    target = str(shown.get("account_name") or shown.get("to") or approval.view["resource"]["type"])
    facts = [views.Fact(pick(lang, "إلى", "To"), str(shown["to"]), "ltr")] if shown.get("to") else []
    if (value := amount(approval.value_sar)) is not None:
        estimated = "value_sar" not in shown and "amount" not in shown
        tag: views.Tag | None = "estimated" if estimated else None
        facts.insert(0, views.Fact(pick(lang, "القيمة", "Value"), value, "money", tag=tag, strong=True))
    facts.append(views.Fact(pick(lang, "طلبه", "By"), requested_by(lang, approval), "name"))
    outcome = _OUTCOMES.get(approval.state.value)
    approved_by = voted(approval)
    if pending and approval.approvers > 1:
        of = pick(lang, f"{len(approved_by)} من {approval.approvers}", f"{len(approved_by)} of {approval.approvers}")
        facts.insert(1, views.Fact(pick(lang, "الموافقون", "Approvals"), of, "text", strong=True))
    asked = pending and may_decide and reader not in approved_by
    return views.Card(
        id=key,
        rev=f"{approval.payload_hash[:12]}{approval.view_hash[:12]}{approval.state.value}{len(approved_by)}",
        risk=_risk(approval.risk),
        title=pick(lang, f"{approval.view['title_ar']}: {target}", f"{approval.view['title_en']}: {target}"),
        reason=_first_reason(lang, approval),
        href=url("approval", key),
        buttons=(verb, reject, evidence) if asked else (evidence,),
        facts=tuple(facts[:4]),
        sla=sla(approval.due_at, now) if pending else None,
        payload=payload_of(lang, approval),
        tag="sandbox",
        kind=pick(lang, "موافقة", "Approval"),
        outcome=pick(lang, outcome[0], outcome[1]) if outcome else "",
        outcome_tone=outcome[2] if outcome else "neutral",
    )


def requested_by(lang: Lang, approval: trust.Approval) -> str:
    """Who asked, as they were called then."""
    return actor(lang, str(approval.view.get("requested_by") or approval.requester), {})


def _first_reason(lang: Lang, approval: trust.Approval) -> str:
    reasons = approval.view.get("reasons") or []
    return str(reasons[0][lang]) if reasons else approval.reason


def _risk(text: str) -> views.Risk:
    return cast(views.Risk, text if text in ("high", "medium", "low") else "high")


def reasons(lang: Lang, approval: trust.Approval) -> tuple[views.PolicyReason, ...]:
    said = [
        views.PolicyReason(str(r["code"]), str(r[lang]), str(r["code"])) for r in approval.view.get("reasons") or []
    ]
    found = [
        views.PolicyReason(f"{one['field']}:{one['code']}", f"{one['field']}: {one[lang]} (OWASP {one['owasp']})", "")
        for one in approval.view.get("screening") or []
    ]
    return (*said, *found)


def history(lang: Lang, approval: trust.Approval, names: Mapping[str, str]) -> tuple[views.Event, ...]:
    return tuple(
        views.Event(
            step.at,
            pick(lang, *_STEPS.get(step.step, (step.step, step.step))),
            names.get(step.actor, step.actor),
            step.note,
        )
        for step in approval.history
    )


NEEDS_WORDS = ("close_lost",)
"""Buttons that need a reason: they lead to the record's page, where it is asked for."""


def decision_card(lang: Lang, card: decision.Card, now: datetime, names: Mapping[str, str]) -> views.Card:
    """A card of decision's feed. Every verb posts to the card, with what it must name; `names` are those of the records it is about."""
    arabic = lang == "ar"
    approval_id = card.context.get("approval_id")
    confirm = url("approval_confirm", str(approval_id)) if approval_id else ""
    buttons = []
    for button in card.buttons[: views.MAX_BUTTONS]:
        label = button.label_ar if arabic else button.label_en
        if button.action in ("open", "open_list", "review_source", *NEEDS_WORDS):
            buttons.append(views.Button(label, _opens(card), kind="quiet", key="o"))
        elif button.action == "approve" and card.risk_level == "high":
            buttons.append(views.Button(label, confirm, key="a"))
        elif button.action == "reject" and approval_id:
            buttons.append(views.Button(label, url("approval_reject", str(approval_id)), kind="danger", key="r"))
        else:
            hidden = {"button": button.action}
            if button.action == "approve":
                hidden |= {
                    "payload_hash": str(card.context.get("payload_hash", "")),
                    "view_hash": str(card.context.get("view_hash", "")),
                }
            kind: Literal["primary", "outline", "quiet"] = "primary" if not buttons else "quiet"
            buttons.append(
                views.Button(
                    label, url("card_decision", str(card.card_id)), kind=kind, post=True, hidden=hidden,
                    key="a" if button.action == "approve" else "", confirm_href=confirm if button.action == "approve" else "",
                )
            )  # fmt: skip
    return views.Card(
        id=str(card.card_id),
        rev=f"{card.status.value}{card.context.get('payload_hash', '')[:12]}{card.context.get('view_hash', '')[:12]}",
        risk=_risk(card.risk_level),
        title=": ".join(filter(None, (card.title_ar if arabic else card.title_en, names.get(about(card), "")))),
        reason=card.why_now_ar if arabic else card.why_now_en,
        href=_opens(card),
        buttons=tuple(buttons),
        facts=tuple(
            views.Fact(f.label_ar if arabic else f.label_en, f.value, "ltr" if f.ltr else "text")
            for f in card.facts[:4]
        ),
        sla=sla(card.expires_at, now) if card.expires_at else None,
        kind=_card_kind(lang, card),
    )


def about(card: decision.Card) -> str:
    """The record that a card is about where its title can't name it, as kind and id; empty for most."""
    return str(card.context.get("about", ""))


def _card_kind(lang: Lang, card: decision.Card) -> str:
    entry = cards().types[card.type]
    return pick(lang, entry.ar, entry.en)


def _opens(card: decision.Card) -> str:
    if card.context.get("approval_id"):
        return url("approval", str(card.context["approval_id"]))
    if card.context.get("contradiction_id"):
        return url("contradiction", str(card.context["contradiction_id"]))
    if card.context.get("import_id"):
        return url("import", str(card.context["import_id"]))
    if card.context.get("pack_id"):
        return url("evidence")
    if card.context.get("dead_letter_id"):
        return url("dead_letter", str(card.context["dead_letter_id"]))
    if card.context.get("flow_id"):
        return url("flow", str(card.context["flow_id"]))
    if card.context.get("experiment_id"):
        return url("experiment", str(card.context["experiment_id"]))
    if card.context.get("week"):
        return url("weekly", week=str(card.context["week"]))
    if card.context.get("event") == "onboarding_stuck":
        return url("onboarding_customer", str(card.context["deal_id"]))
    if card.context.get("deal_id"):
        return url("deal", str(card.context["deal_id"]))
    if card.context.get("ticket_id"):
        return url("crm", kind="ticket")
    if card.context.get("partner_id"):
        return url("partner", str(card.context["partner_id"]))
    if card.context.get("lead_id"):
        return url("lead", str(card.context["lead_id"]))
    return url("day_plan" if card.context.get("event") == "daily_plan" else "opportunities")


def source_name(lang: Lang, key: str) -> str:
    rule = sources().get(key)
    return pick(lang, rule.ar, rule.en) if rule else key


_PARTS = {
    "fit": ("الملاءمة", "Fit"),
    "intent": ("الاهتمام", "Intent"),
    "urgency": ("الاستعجال", "Urgency"),
    "revenue": ("القيمة", "Revenue"),
    "engagement": ("التفاعل", "Engagement"),
    "quality": ("جودة البيانات", "Data quality"),
    "compliance": ("الامتثال", "Compliance"),
    "deliverability": ("إمكان الوصول", "Deliverability"),
}
_CONTACTABLE = ("safe", "needs_review", "blocked", "unknown")


def opportunity(lang: Lang, rank: int, one: decision.Opportunity, lead: data.Lead | None) -> views.Opportunity:
    """A ranked lead with its contact, where the reader may see it."""
    rules = targeting()
    arabic = lang == "ar"
    weights = dict(rules.weights)
    sector = rules.channels.get(one.channel or "")
    state = one.contactability if one.contactability in _CONTACTABLE else "unknown"
    draft = views.Button(
        pick(lang, "جهّز المسودة", "Prepare a draft"),
        url("opportunity_draft", str(one.lead_id)),
        kind="outline",
        post=True,
    )
    return views.Opportunity(
        rank=rank,
        lead_id=str(one.lead_id),
        account=one.account_name if arabic else one.account_name_en or one.account_name,
        contact=(lead.contact_name if lead else one.contact_name) or "",
        role=(lead.title if lead else "") or "",
        city=places().shown(one.city or "", lang),
        score=round(one.score),
        tier=one.tier,
        channel=pick(lang, sector.ar, sector.en) if sector else "",
        contactability=cast(Literal["safe", "needs_review", "blocked", "unknown"], state),
        consent="; ".join(one.channel_reasons_ar[:1] if arabic else one.channel_reasons_en[:1]),
        # What stands under "why now" is not said twice.
        reasons=tuple(
            text
            for text in (one.reasons_ar if arabic else one.reasons_en)
            if not (one.why_now and text.startswith(_WHY_NOW))
        ),
        why_now=tuple(
            views.WhyNow(
                w.ar if arabic else w.en, w.observed_at.date() if w.observed_at else None, _said_in(lang, w.source)
            )
            for w in one.why_now
        ),
        parts=tuple(
            views.ScorePart(key, pick(lang, *_PARTS[key]), round(value), Decimal(str(weights[key])))
            for key, value in dict(one.parts).items()
        ),
        phone=(lead.phone if lead else "") or "",
        email=(lead.email if lead else "") or "",
        button=draft if state == "safe" else None,
    )


def _said_in(lang: Lang, source: str) -> str:
    """Where a signal was read, in words: a field of the list, or the source itself."""
    if source in _SAID_IN:
        return pick(lang, *_SAID_IN[source])
    return source_name(lang, source) if source in sources() else source
