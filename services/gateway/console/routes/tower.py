"""The service tower: what a client can buy, how far the proof reaches up it, and one service with how it is delivered and shown to work."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from libs.contracts.arabic import DAYS
from libs.contracts.catalogue.metrics import MetricRule, metrics
from libs.contracts.catalogue.services import ServiceRule, services
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.message import Text
from libs.contracts.metrics import MetricValue
from libs.contracts.proof_pack import ProofPack, ProofPackRequest, UpgradePath
from libs.contracts.subjects import PROOF_PACK
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskPage, Section
from services.gateway.console.routes.insight import tile, value_of
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import allowed, require

router = APIRouter()
READING = require("read", reading=True)


@router.get(PATHS["services"], dependencies=[READING])
async def tower(desk: DeskDep) -> Response:
    """Every service with the value of the metric that proves it. A plane that does not answer hides none of them."""
    named = tuple(dict.fromkeys(rule.proof_metric for rule in services().values()))
    path, values = await asyncio.gather(
        _standing(desk), asyncio.gather(*(value_of(desk, metrics()[name]) for name in named))
    )
    found = dict(zip(named, values, strict=True))
    columns = (
        desk.say("الخدمة", "Service"), desk.say("السعر (ر.س)", "Price (SAR)"), desk.say("أول تسليم", "First delivery"),
        desk.say("مؤشر الإثبات", "Proof metric"), desk.say("قيمته الآن", "Its value now"),
    )  # fmt: skip
    listed = Section(
        desk.say("الخدمات", "Services"),
        desk.say("من تشخيص مجاني صعودًا. الأسعار قبل الضريبة، وأيام التسليم أيام عمل.", "From a free diagnosis upwards. Prices are before VAT, days are working days."),
        columns=columns, rows=tuple(_row(desk, key, rule, found[rule.proof_metric]) for key, rule in services().items()),
    )  # fmt: skip
    sections = (await _offer(desk), _next(desk, path), listed)
    return await desk.show(DeskPage("services", desk.say("برج الخدمات", "Service tower"), sections))


def _row(desk: Desk, key: str, rule: ServiceRule, value: MetricValue | None) -> tuple[Cell, ...]:
    metric = metrics()[rule.proof_metric]
    return (
        Cell(desk.text(rule.name), href=url("service", key)), _price(desk, rule), Cell(_days(desk, rule.sla_days)),
        Cell(desk.say(metric.ar, metric.en)), _value(desk, metric, value),
    )  # fmt: skip


def _value(desk: Desk, rule: MetricRule, found: MetricValue | None) -> Cell:
    """A metric's value with its unit; a value that there is leads to its rows."""
    if found is None:
        return Cell(desk.say("تعذّرت قراءته", "Could not be read"))
    if found.value is None:
        return Cell(desk.say("لا بيانات", "No data"))
    one = tile(desk, rule, found)
    said = f"{one.value}%" if one.unit == "%" else f"{one.value} {one.unit}".strip()
    return Cell(said, "text" if one.unit not in ("", "%") else "ltr", href=one.href)


def _price(desk: Desk, rule: ServiceRule) -> Cell:
    low, high = rule.price.least, rule.price.most
    if not high:
        return Cell(desk.say("مجاني", "Free"))
    return Cell(f"{low:,}" if low == high else f"{low:,} – {high:,}", "ltr")


def _days(desk: Desk, days: int) -> str:
    return desk.say(f"خلال {DAYS(days)}", f"within {days} days" if days > 1 else "within a day")


async def _offer(desk: Desk) -> Section:
    profile = await desk.gateway.profile(desk.who.tenant_id)
    offer = desk.say(profile.offer_ar or profile.offer_en, profile.offer_en or profile.offer_ar) if profile else ""
    links = {}
    if allowed(desk.who, "users") is not None:
        links[desk.say("عدّل وصفه", "Change the words") if offer else desk.say("اكتب ما تبيعه", "Write what you sell")] = url("tenant")  # fmt: skip
    nothing = desk.say("لم يُكتب بعد ما تبيعه المنشأة بكلماتها.", "Nobody has written yet what your company sells.")
    return Section(desk.say("ما تبيعه منشأتك", "What your company sells"), offer or nothing, links=links)


async def _standing(desk: Desk) -> UpgradePath | None:
    """How far up the tower the proof reaches; None where it could not be read."""
    try:
        pack: ProofPack = await desk.call(PROOF_PACK, ProofPackRequest(principal=desk.who, deal_id=None))
    except DealixError:
        return None
    return pack.upgrade_path


def _next(desk: Desk, path: UpgradePath | None) -> Section:
    """What the proof has earned so far, and what the next service asks for."""
    title = desk.say("الخطوة التالية", "Next step")
    links = {
        desk.say("حزمة الإثبات", "Proof pack"): url("proof"),
        desk.say("تسليم العملاء الحاليين", "Delivery to customers"): url("onboarding"),
    }
    if path is None:
        unread = desk.say(
            "تعذّرت قراءة ما أُثبت حتى الآن. الخدمات أدناه كما هي.",
            "What was proved so far could not be read. The services below stand.",
        )
        return Section(title, unread, links=links)
    steps = {one.service: one for one in path.steps}
    facts = []
    if path.offer in steps:
        facts.append((desk.say("أعلى خدمة أُثبت ما يلزمها", "The furthest service that is proved"), _link(desk, path.offer, steps[path.offer].title)))  # fmt: skip
    if path.next in steps:
        step = steps[path.next]
        facts.append((desk.say("الخدمة التالية", "The next service"), _link(desk, path.next, step.title)))
        missing = (f"{desk.text(need.title)} {need.have}/{need.need}" for need in step.needs if need.have < need.need)
        facts.append((desk.say("ما ينقصها", "What it still takes"), Cell(" · ".join(missing))))
    text = desk.say("تُحسب من القيود المسجّلة في دفتر الإثبات.", "Counted from the entries of the proof ledger.")
    return Section(title, text, facts=tuple(facts), links=links)


def _link(desk: Desk, key: str, title: Text) -> Cell:
    return Cell(desk.text(title), href=url("service", key) if key in services() else "")


@router.get(PATHS["service"], dependencies=[READING])
async def service(id: str, desk: DeskDep) -> Response:
    """One service: what it delivers, what it needs, how it goes, and whether it works here."""
    rule = services().get(id)
    if rule is None:
        raise NotFound
    metric, keys = metrics()[rule.proof_metric], list(services())
    facts = [
        (desk.say("السعر قبل الضريبة (ر.س)", "Price before VAT (SAR)"), _price(desk, rule)),
        (desk.say("أول تسليم", "First delivery"), Cell(_days(desk, rule.sla_days))),
    ]  # fmt: skip
    if (at := keys.index(id) + 1) < len(keys):
        facts.append((desk.say("التالية في البرج", "Next in the tower"), _link(desk, keys[at], services()[keys[at]].name)))  # fmt: skip
    proof = Section(
        desk.say("كيف نعرف أنها نجحت؟", "How do we know that it worked?"),
        desk.say("لا نعد أحدًا برقم، بل نعرض ما حدث.", "Nobody is promised a figure: this is what happened."),
        tiles=(tile(desk, metric, await value_of(desk, metric)),),
    )  # fmt: skip
    page = DeskPage(
        "services", desk.text(rule.name),
        (
            Section(desk.say("الخدمة", "The service"), facts=tuple(facts)),
            _list(desk, desk.say("ما يستلمه العميل", "What the client gets"), rule.deliverables),
            _list(desk, desk.say("ما نحتاجه منه", "What we need from them"), rule.inputs),
            _list(desk, desk.say("كيف تُسلَّم", "How it is delivered"), rule.workflow),
            proof,
        ),
        back=url("services"), back_label=desk.say("برج الخدمات", "Service tower"),
    )  # fmt: skip
    return await desk.show(page)


def _list(desk: Desk, title: str, texts: tuple[Text, ...]) -> Section:
    rows = tuple((Cell(str(at), "ltr"), Cell(desk.text(one))) for at, one in enumerate(texts, 1))
    return Section(title, columns=("#", title), rows=rows)
