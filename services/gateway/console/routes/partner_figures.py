"""What partners bring, as a page; a partner's scorecard and offers, as parts of the partner's page."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from pydantic import ValidationError
from starlette.responses import Response

from libs.contracts import partners as contract
from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.errors import DealixError
from libs.contracts.message import Page
from libs.contracts.subjects import PARTNER_REVENUE, PARTNER_SCORECARD
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Note, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tone
from services.gateway.errors import Unprocessable
from services.gateway.http.guards import require

router = APIRouter()

Reading = require("read", reading=True)
Words = Annotated[str, Form(max_length=100)]
TONES: dict[str, Tone] = {"strategic": "low", "active": "low", "developing": "medium", "dormant": "neutral"}
KINDS = {
    "referral": ("اتفاقية إحالة", "Referral agreement"), "co_branded_diagnostic": ("تشخيص مشترك الهوية", "Co-branded diagnostic"),
    "co_authored_proof": ("إثبات مشترك التأليف", "Co-authored proof"), "white_label": ("تقديم باسم الشريك", "White label"),
}  # fmt: skip


@router.get(PATHS["partner_revenue"], dependencies=[Reading])
async def revenue(desk: DeskDep, cursor: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Partners by what their won deals came to in the last year."""
    asked = contract.PartnerRevenueRequest(principal=desk.who, page=Page(limit=50, cursor=cursor or None))
    found: contract.PartnerRevenueReply = await desk.call(PARTNER_REVENUE, asked)
    rows = tuple(
        (
            Cell(one.name or desk.say("شريك محذوف", "A deleted partner"), href=url("partner", str(one.partner_id)) if one.name else ""),
            Cell(f"{one.revenue:,.2f}", "ltr"), Cell(f"{one.won:,}", "ltr"), Cell("–" if one.share is None else f"{one.share:.0%}", "ltr"),
            Cell(f"{one.excluded:,}", "ltr"),
        )
        for one in found.items
    )  # fmt: skip
    total, waiting = found.total.value or Decimal(0), found.open_value.value or Decimal(0)
    facts = (
        (desk.say("المكسوب خلال سنة", "Won in a year"), Cell(_riyals(desk, total), "ltr", href=url("metric_rows", found.total.name))),
        (desk.say("المفتوح الآن", "Open now"), Cell(_riyals(desk, waiting), "ltr", href=url("metric_rows", found.open_value.name))),
    )  # fmt: skip
    columns = (
        desk.say("الشريك", "Partner"), desk.say("ر.س", "SAR"), desk.say("صفقات مكسوبة", "Deals won"), desk.say("الحصة", "Share"),
        desk.say("مستبعدة", "Left out"),
    )  # fmt: skip
    more = url("partner_revenue", cursor=found.next_cursor) if found.next_cursor else ""
    section = Section(
        desk.say("حسب الشريك", "By partner"), desk.say(found.total.definition_ar, found.total.definition_en), facts=facts, columns=columns,
        rows=rows, empty=desk.say("لم يجلب أي شريك صفقة بعد.", "No partner has brought a deal yet."), links={desk.say("المزيد", "More"): more} if more else {},
    )  # fmt: skip
    page = DeskPage(
        "partners", desk.say("إيراد الشركاء", "Partner revenue"), (section,), back=url("partners"), back_label=desk.say("الشركاء", "Partners")
    )  # fmt: skip
    return await desk.show(page)


async def scorecard(desk: Desk, asked: contract.PartnerGet) -> Section:
    """Health with its parts and tier, and what the partner brought; that it could not be read where nobody answers, and the page goes on."""
    try:
        found: contract.PartnerScorecard = await desk.call(PARTNER_SCORECARD, asked)
    except DealixError:
        return Section(
            desk.say("بطاقة الأداء", "Scorecard"), desk.say("تعذّرت قراءتها الآن.", "It could not be read just now.")
        )
    fields = records().kinds[RecordKind.PARTNER].fields
    tier = Cell(desk.text(found.tier_name), tone=TONES.get(found.tier, "neutral"))
    facts: list[tuple[str, Cell]] = [
        (desk.say("الصحة من 100", "Health of 100"), Cell(f"{found.health:g}", "ltr")),
        (desk.say("الفئة", "Tier"), tier),
        (desk.say("المكسوب خلال سنة", "Won in a year"), Cell(_riyals(desk, found.revenue), "ltr", href=url("partner_revenue"))),
        (desk.say("المفتوح الآن", "Open now"), Cell(_riyals(desk, found.open_value), "ltr")),
    ]  # fmt: skip
    if found.next_tier is not None and found.to_next is not None:
        away = desk.say(f"النقاط: {found.to_next:g}", f"{found.to_next:g} points")
        facts.append((desk.say(f"إلى فئة «{found.next_tier.ar}»", f"To {found.next_tier.en}"), Cell(away)))
    text = ""
    if found.missing:
        named = desk.say("، ", ", ").join(desk.say(fields[name].ar, fields[name].en) for name in found.missing)
        text = desk.say(f"غير معروف، ولم يُحسب له شيء: {named}.", f"Not known, so it earned nothing: {named}.")
    rows = tuple(
        (Cell(desk.text(one.title)), Cell(f"{one.count:,}", "ltr"), Cell(f"{one.points:g}", "ltr"))
        for one in found.parts
    )
    columns = (desk.say("الجزء", "Part"), desk.say("العدد", "Count"), desk.say("النقاط", "Points"))
    return Section(desk.say("بطاقة الأداء", "Scorecard"), text, facts=tuple(facts), columns=columns, rows=rows)


def offer_form(desk: Desk, partner_id: str) -> Section:
    """What an offer is built from. Nothing is sent by it."""
    kinds = (
        ("", desk.say("الأنسب لملاءمته", "What its fit earns")),
        *((key, desk.say(*named)) for key, named in KINDS.items()),
    )
    inputs = (
        Input("kind", desk.say("صيغة العرض", "Form"), "select", required=False, options=kinds),
        Input(
            "commission", desk.say("نسبة العمولة", "Commission, per cent"), "number", required=False, ltr=True, step="0.01",
            hint=desk.say("تُترك فارغة إن لم تُحدَّد بعد.", "Left empty while it is not agreed."),
        ),
        Input("language", desk.say("لغة الرسالة", "Language of the letter"), "select", desk.lang, options=(("ar", "العربية"), ("en", "English"))),
    )  # fmt: skip
    form = DeskForm(
        "offer", url("partner_offer", partner_id), desk.say("جهّز العرض", "Build the offer"), inputs, columns=True
    )
    text = desk.say(
        "مستند بنوده مرقّمة ورسالة. لا يُرسل شيء هنا.",
        "A document with numbered clauses, and a letter. Nothing is sent here.",
    )
    return Section(desk.say("عرض شراكة", "An offer"), text, forms=(form,))


def offer(desk: Desk, found: contract.PartnerOffer, commission: str) -> tuple[Section, Section]:
    """The document and its letter, with the way to have it sent where it can be."""
    rows = tuple(
        (Cell(str(one.number), "ltr"), Cell(desk.text(one.title)), Cell(desk.text(one.text))) for one in found.clauses
    )
    columns = (desk.say("رقم", "No."), desk.say("البند", "Clause"), desk.say("النص", "Text"))
    left = " ".join(desk.text(one) for one in found.open_points)
    until = (desk.say("يسري حتى", "Stands until"), Cell(desk.day(found.valid_until)))
    document = Section(desk.text(found.title), left, facts=(until,), columns=columns, rows=rows)
    forms: tuple[DeskForm, ...] = ()
    if found.action_id is not None:
        text = desk.say("قُدّم للموافقة، ولا يُرسل قبلها.", "Submitted for approval; nothing is sent before it.")
        links = {desk.say("افتح الإجراء", "Open the action"): url("action", str(found.action_id))}
    elif found.not_sendable is not None:
        text, links = desk.say(found.not_sendable.ar, found.not_sendable.en), {}
    else:
        text, links = desk.say("مسودة لم تُرسل.", "A draft; it was not sent."), {}
        hidden = {"kind": found.kind, "commission": commission, "language": found.language, "send": "yes"}
        inputs = tuple(Input(name, "", "hidden", value) for name, value in hidden.items())
        forms = (DeskForm("offer-send", url("partner_offer", str(found.partner_id)), desk.say("اطلب الموافقة على الإرسال", "Ask for approval to send"), inputs),)  # fmt: skip
    letter = Section(
        desk.say("الرسالة", "The letter"), text, notes=(Note(found.subject, found.body),), forms=forms, links=links
    )
    return document, letter


def order(
    desk: Desk, partner_id: UUID, kind: str, commission: str, language: str, *, send: bool
) -> contract.BuildOffer:
    """What was entered, as an order. Raises Unprocessable."""
    try:
        return contract.BuildOffer.model_validate(
            {
                "principal": desk.who, "partner_id": partner_id, "kind": kind or None, "language": language, "send": send,
                "commission_percent": Decimal(commission) if commission.strip() else None,
            }
        )  # fmt: skip
    except (ValidationError, InvalidOperation) as error:
        raise Unprocessable(
            "bad_offer", "The commission is a per cent above 0 and up to 50, and the form one of the list.",
            "العمولة نسبة أكبر من 0 ولا تتجاوز 50، والصيغة من القائمة.",
        ) from error  # fmt: skip


def _riyals(desk: Desk, value: Decimal) -> str:
    return f"{value:,.2f} {desk.say('ر.س', 'SAR')}"
