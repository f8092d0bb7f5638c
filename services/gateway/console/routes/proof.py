"""Proof packs as pages: six sections about a deal, or about the whole company."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from libs.contracts.arabic import DAYS
from libs.contracts.proof_pack import ProofPack, ProofPackRequest, RevenueImpact, UpgradePath, WorkSection
from libs.contracts.subjects import PROOF_PACK
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskPage, Section, Tile
from services.gateway.console.routes.integrations import RISKS
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import require

router = APIRouter()

Reading = require("read", reading=True)
CURRENCY = {"SAR": ("ر.س", "SAR")}
PLACES = {
    "approval": ("افتح الموافقة", "Open the approval"), "contradiction": ("افتح التناقض", "Open the contradiction"),
    "deal": ("افتح الصفقة", "Open the deal"),
}  # fmt: skip
"""Records with a page of their own; a task is done on its deal's page."""


@router.get(PATHS["proof"], dependencies=[Reading])
async def company(desk: DeskDep) -> Response:
    """The pack of the whole company, over the last 30 days."""
    return await _shown(desk, None)


@router.get(PATHS["deal_proof"], dependencies=[Reading])
async def deal(id: UUID, desk: DeskDep) -> Response:
    return await _shown(desk, id)


async def _shown(desk: Desk, deal_id: UUID | None) -> Response:
    found: ProofPack = await desk.call(PROOF_PACK, ProofPackRequest(principal=desk.who, deal_id=deal_id))
    sections = [
        _head(desk, found), _work(desk, found.created), _work(desk, found.protected), _waiting(desk, found), _impact(desk, found.revenue_impact),
        _onward(desk, found), _path(desk, found.upgrade_path),
    ]  # fmt: skip
    if found.unread:
        named = desk.say("، ", ", ").join(desk.text(one) for one in found.unread)
        sections.append(
            Section(
                desk.say("تعذّرت قراءته الآن", "Could not be read just now"),
                desk.say(f"{named}. ما ظهر أعلاه لا يشملها.", f"{named}. What stands above does not include them."),
            )
        )
    about = deal_id is not None
    page = DeskPage(
        "crm" if about else "evidence", desk.say("حزمة الإثبات", "Proof pack"), tuple(sections),
        back=url("deal", str(deal_id)) if about else url("evidence"),
        back_label=(found.deal_title or desk.say("الصفقة", "The deal")) if about else desk.say("الأدلة", "Evidence"),
    )  # fmt: skip
    return await desk.show(page)


def _head(desk: Desk, found: ProofPack) -> Section:
    facts: list[tuple[str, Cell]] = []
    if found.scope == "deal":
        facts.append((desk.say("الصفقة", "Deal"), Cell(found.deal_title, href=url("deal", str(found.deal_id)))))
        facts.append((desk.say("المنشأة", "Account"), Cell(found.account_name)))
        if found.stage is not None:
            facts.append((desk.say("المرحلة", "Stage"), Cell(desk.text(found.stage))))
    facts.append((desk.say("من", "From"), Cell(found.since, "moment")))
    facts.append((desk.say("حتى", "Until"), Cell(found.until, "moment")))
    facts.append((desk.say("وزن العمل", "Weight of the work"), Cell(_number(found.weighted), "ltr")))
    title = desk.say("النطاق", "Scope") if found.scope == "deal" else desk.say("المنشأة كلها", "The whole company")
    return Section(title, desk.text(found.weights_note), facts=tuple(facts))


def _work(desk: Desk, section: WorkSection) -> Section:
    rows = []
    for one in section.items:
        newest = one.proofs[0] if one.proofs else None
        proof = Cell(None)
        if newest is not None:
            placed = newest.seq is not None
            proof = Cell(
                desk.say(f"قيد رقم {newest.seq}", f"Entry {newest.seq}") if placed else desk.say("بانتظار الختم", "Being sealed"),
                href=url("evidence_entry", newest.seq) if placed else "",
            )  # fmt: skip
        latest: datetime | None = newest.at if newest else None
        rows.append(
            (Cell(desk.text(one.title)), Cell(f"{one.count:,}", "ltr"), Cell(_number(one.weighted), "ltr"), Cell(latest, "moment"), proof)
        )  # fmt: skip
    columns = (
        desk.say("العمل", "Work"), desk.say("العدد", "Count"), desk.say("الوزن", "Weight"), desk.say("الأحدث", "Latest"), desk.say("الإثبات", "Proof"),
    )  # fmt: skip
    empty = desk.say("لا شيء هنا بعد.", "Nothing here yet.")
    return Section(desk.text(section.title), columns=columns, rows=tuple(rows), empty=empty)


def _waiting(desk: Desk, found: ProofPack) -> Section:
    rows = tuple(
        (
            Cell(desk.text(one.title), href=url("approval", str(one.approval_id))),
            _risk(desk, one.risk),
            Cell(one.due_at, "moment"),
        )
        for one in found.needs_approval.items
    )  # fmt: skip
    columns = (desk.say("القرار", "Decision"), desk.say("الخطورة", "Risk"), desk.say("الموعد", "Due"))
    more = desk.say("يوجد غيرها في مركز الموافقات.", "There are more in the Approval Center.")
    return Section(
        desk.text(found.needs_approval.title), more if found.needs_approval.more else "", columns=columns, rows=rows,
        empty=desk.say("لا شيء ينتظر الموافقة.", "Nothing waits for approval."),
    )  # fmt: skip


def _risk(desk: Desk, risk: str) -> Cell:
    if risk not in RISKS:
        return Cell(risk)
    ar, en, tone = RISKS[risk]
    return Cell(desk.say(ar, en), tone=tone)


def _impact(desk: Desk, impact: RevenueImpact) -> Section:
    """The figure with the word for what it is on it, and what it rests on below."""
    unit = desk.say(*CURRENCY.get(impact.currency, (impact.currency, impact.currency)))
    label = desk.text(impact.label)
    text = desk.text(impact.because)
    for one in impact.missing:
        text += " " + desk.say(one.ar, one.en)
    if impact.value is None:
        return Section(desk.text(impact.title), text)
    facts: list[tuple[str, Cell]] = []
    if impact.low is not None and impact.high is not None:
        facts.append((desk.say("المدى المرجّح", "Likely range"), Cell(f"{impact.low:,.2f} – {impact.high:,.2f}", "ltr")))
    if basis := impact.basis:
        facts += [
            (desk.say("قيمة الصفقة", "Deal value"), Cell(f"{basis.deal_value:,.2f}", "ltr")),
            (desk.say("نسبة الفوز عند المرحلة", "Chance at the stage"), Cell(f"{basis.probability:.1%}", "ltr")),
            (desk.say("الأفق", "Horizon"), Cell(desk.say(DAYS(basis.horizon_days), f"{basis.horizon_days} days"))),
            (desk.say("صفقات قورنت بها", "Deals it was held to"), Cell(f"{basis.tested:,}", "ltr")),
            (desk.say("أشهر قُرئت", "Months read"), Cell(f"{basis.months:,}", "ltr")),
        ]
    named = (
        desk.say("قيمة الصفقة", "Deal value")
        if impact.kind == "actual"
        else desk.say("الإيراد المرجّح", "Weighted revenue")
    )
    tile = Tile("revenue_impact", named, f"{impact.value:,.2f}", f"{unit} · {label}", text, "")
    return Section(desk.text(impact.title), text, facts=tuple(facts), tiles=(tile,))


def _onward(desk: Desk, found: ProofPack) -> Section:
    onward = found.next_action
    links = {}
    if onward.kind in PLACES:
        links[desk.say(*PLACES[onward.kind])] = url(onward.kind, onward.id)
    elif onward.kind == "task" and found.deal_id is not None:
        links[desk.say(*PLACES["deal"])] = url("deal", str(found.deal_id))
    elif onward.code == "no_work":
        links[desk.say("استورد قائمة", "Import a list")] = url("targeting")
    elif onward.code == "always":
        links[desk.say("بطاقات اليوم", "Today's cards")] = url("command_center")
    return Section(
        desk.say("الخطوة التالية", "Next step"),
        f"{desk.text(onward.text)} {desk.text(onward.because)}",
        links=links,
    )


def _path(desk: Desk, path: UpgradePath) -> Section:
    rows = []
    for one in path.steps:
        low, high = f"{one.price_from:,.0f}", f"{one.price_to:,.0f}"
        price = desk.say("مجاني", "Free") if not one.price_to else low if low == high else f"{low} – {high}"
        needs = " · ".join(f"{desk.text(need.title)} {min(need.have, need.need)}/{need.need}" for need in one.needs)
        earned = Cell(desk.say("لم يكتمل", "Not yet"), tone="neutral")
        if one.earned:
            earned = Cell(desk.say("متاح", "Open"), tone="low")
        rows.append(
            (
                Cell(desk.text(one.title)), earned, Cell(price, "ltr" if one.price_to else "text"),
                Cell(needs or desk.say("لا شيء", "Nothing")), Cell(desk.text(one.proof_metric)),
            )
        )  # fmt: skip
    columns = (
        desk.say("الخدمة", "Service"), desk.say("الحالة", "State"), desk.say("السعر بالريال", "SAR"), desk.say("ما يلزم إثباته", "To be proved"),
        desk.say("مؤشر الإثبات", "Proof metric"),
    )  # fmt: skip
    text = desk.say("تُتاح كل خدمة حين يثبت السجل ما يلزمها.", "A service opens once the ledger proves what it takes.")
    return Section(desk.text(path.title), text, columns=columns, rows=tuple(rows))


def _number(value: Decimal) -> str:
    return f"{value:,.1f}"
