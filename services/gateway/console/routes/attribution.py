"""Attribution: what brought the deals that were won, one deal touch by touch, and where a person has to look before the split is used."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from libs.contracts.attribution import (
    Attribution,
    AttributionRequest,
    AttributionsReply,
    AttributionsRequest,
    TouchKind,
)
from libs.contracts.message import Page
from libs.contracts.subjects import ATTRIBUTION, ATTRIBUTIONS
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskPage, Section
from services.gateway.console.present import source_name
from services.gateway.console.present_crm import stage_word
from services.gateway.console.routes.insight import shown
from services.gateway.console.urls import PATHS, url
from services.gateway.domain.cursors import wrap
from services.gateway.http.bodies import PagingDep
from services.gateway.http.guards import require

router = APIRouter()
READING = require("read", reading=True)
ON_PAGE = 20
KINDS = {
    TouchKind.SOURCE: ("مصدر العميل", "Where the lead came from"), TouchKind.PARTNER: ("شريك", "Partner"), TouchKind.CALL: ("مكالمة", "Call"),
    TouchKind.MEETING: ("اجتماع", "Meeting"), TouchKind.VISIT: ("زيارة", "Visit"), TouchKind.EMAIL: ("بريد إلكتروني", "E-mail"),
    TouchKind.WHATSAPP: ("واتساب", "WhatsApp"),
}  # fmt: skip
WAYS = {"inbound": ("وارد", "Inbound"), "outbound": ("صادر", "Outbound")}


@router.get(PATHS["attributions"], dependencies=[READING])
async def won(desk: DeskDep, paging: PagingDep) -> Response:
    """Deals that were won, each with the way that counts most in it."""
    after = Page(limit=ON_PAGE, cursor=paging.after(desk.gateway, desk.who))
    found: AttributionsReply = await desk.call(ATTRIBUTIONS, AttributionsRequest(principal=desk.who, page=after))
    more = wrap(desk.gateway.keyring, desk.who.tenant_id, found.next_cursor)
    columns = (
        desk.say("الصفقة", "Deal"), desk.say("المنشأة", "Account"), desk.say("القيمة", "Value"), desk.say("الأكثر أثرًا", "Counts most"),
        desk.say("نصيبه", "Its share"), desk.say("الثقة", "Confidence"), desk.say("أُغلقت", "Closed"),
    )  # fmt: skip
    section = Section(
        desk.say("ما الذي جلب الصفقات المكسوبة؟", "What brought the deals that were won?"),
        desk.say(
            "يوزَّع أثر كل صفقة على نقاط التواصل المسجّلة بثلاث طرق، والثقة مدى اتفاقها. ما لم يُسجَّل لا يُحسب.",
            "Each deal is split between its recorded touches in three ways; confidence is how far they agree. What is not recorded does not count.",
        ),
        columns=columns, rows=tuple(_row(desk, one) for one in found.items),
        links={desk.say("المزيد", "More"): url("attributions", cursor=more)} if more else {}, empty=desk.nothing("attributions"),
    )  # fmt: skip
    return await shown(desk, "attributions", desk.say("مصدر الصفقات", "Attribution"), section)


def _row(desk: Desk, one: Attribution) -> tuple[Cell, ...]:
    most = max(one.channels, key=lambda each: each.share, default=None)
    return (
        Cell(one.title, href=url("attribution", str(one.deal_id))), Cell(one.account_name), _amount(desk, one),
        Cell(_channel(desk, one, most.channel) if most else ""), Cell(f"{most.share:.0%}" if most else "", "ltr"), _sure(desk, one),
        Cell(one.closed_at, "moment"),
    )  # fmt: skip


def _sure(desk: Desk, one: Attribution) -> Cell:
    if one.needs_person:
        return Cell(desk.say("راجعها أولًا", "Look at it first"), tone="medium")
    return Cell(f"{one.confidence:.0%}", "ltr")


def _amount(desk: Desk, one: Attribution) -> Cell:
    unit = desk.say("ر.س", "SAR") if one.currency == "SAR" else one.currency
    return Cell(f"{one.amount:,.2f} {unit}" if one.amount is not None else "")


def _channel(desk: Desk, one: Attribution, channel: str) -> str:
    """A way by its name: a source and a partner by theirs, the others by their kind."""
    kind, _, id = channel.partition(":")
    if kind == "source":
        return source_name(desk.lang, id)
    if kind == "partner":
        named = next((touch.title for touch in one.touchpoints if touch.channel == channel and touch.title), "")
        return f"{desk.say('شريك', 'Partner')}: {named}" if named else desk.say("شريك", "Partner")
    return desk.say(*KINDS[TouchKind(kind)]) if kind in set(TouchKind) else channel


@router.get(PATHS["attribution"], dependencies=[READING])
async def deal(id: UUID, desk: DeskDep) -> Response:
    """One deal: its touches in order with their shares, by way, and how the three models differ."""
    one: Attribution = await desk.call(ATTRIBUTION, AttributionRequest(principal=desk.who, deal_id=id))
    page = DeskPage(
        "numbers", one.title, (_about(desk, one), _touches(desk, one), _ways(desk, one)), back=url("attributions"),
        back_label=desk.say("مصدر الصفقات", "Attribution"),
    )  # fmt: skip
    return await desk.show(page)


def _about(desk: Desk, one: Attribution) -> Section:
    facts = (
        (desk.say("الصفقة", "Deal"), Cell(one.title, href=url("deal", str(one.deal_id)))), (desk.say("المنشأة", "Account"), Cell(one.account_name)),
        (desk.say("المرحلة", "Stage"), Cell(stage_word(desk.lang, one.stage))), (desk.say("القيمة", "Value"), _amount(desk, one)),
        (desk.say("أُغلقت", "Closed"), Cell(one.closed_at, "moment")), (desk.say("الثقة", "Confidence"), Cell(f"{one.confidence:.0%}", "ltr")),
    )  # fmt: skip
    why = " ".join(desk.say(each.ar, each.en) for each in one.reasons)
    said = desk.say(f"لا تعتمد هذا التوزيع قبل مراجعته. {why}", f"Don't use this split before somebody looked. {why}") if one.needs_person else ""  # fmt: skip
    return Section(desk.say("الصفقة", "The deal"), said.strip(), facts=facts)


def _touches(desk: Desk, one: Attribution) -> Section:
    rows = tuple(
        (
            Cell(each.at, "moment"), Cell(desk.say(*KINDS[each.kind])), Cell(_title(desk, one, each.kind, each.title, each.channel)),
            Cell(desk.say(*WAYS[each.direction]) if each.direction in WAYS else ""), Cell(f"{each.share:.1%}", "ltr"),
        )
        for each in one.touchpoints
    )  # fmt: skip
    columns = (
        desk.say("الوقت", "When"), desk.say("النوع", "Kind"), desk.say("ما هو", "What"), desk.say("الاتجاه", "Way"), desk.say("النصيب", "Share"),
    )  # fmt: skip
    empty = desk.say(
        "لا نقاط تواصل مسجّلة. سجّل المكالمات والاجتماعات في صفحة الصفقة لتُحسب.",
        "No touch is on record. Note calls and meetings on the deal's page, and they count.",
    )
    return Section(desk.say("نقاط التواصل بالترتيب", "Touches in order"), columns=columns, rows=rows, empty=empty)


def _title(desk: Desk, one: Attribution, kind: TouchKind, title: str, channel: str) -> str:
    """A lead's source by its name where nobody wrote more about it."""
    return _channel(desk, one, channel) if kind is TouchKind.SOURCE and f"source:{title}" == channel else title


def _ways(desk: Desk, one: Attribution) -> Section:
    """Every way with its share, beside what each model says alone."""
    said = {each.model: {way.channel: way.share for way in each.channels} for each in one.models}
    rows = tuple(
        (
            Cell(_channel(desk, one, way.channel)), Cell(str(way.touches), "ltr"), Cell(f"{way.share:.1%}", "ltr"),
            *(Cell(f"{shares[way.channel]:.1%}" if way.channel in shares else "", "ltr") for shares in said.values()),
        )
        for way in one.channels
    )  # fmt: skip
    columns = (
        desk.say("الطريق", "By"), desk.say("المرات", "Times"), desk.say("النصيب", "Share"),
        *(desk.say(each.said.ar, each.said.en).rstrip(".") for each in one.models),
    )  # fmt: skip
    text = desk.say("النصيب متوسط الطرق الثلاث.", "The share is the mean of the three.")
    empty = desk.say("لا توزيع دون نقاط تواصل.", "Without touches there is no split.")
    return Section(desk.say("بحسب القناة، وبكل طريقة", "By channel, and by each model"), text, columns=columns, rows=rows, empty=empty)  # fmt: skip
