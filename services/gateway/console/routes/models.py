"""Models: which providers are connected, whose input they may see, what they did and cost, and the most that is spent in a day."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from babel import Locale
from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from libs.contracts.catalogue.models import LOCAL, models
from libs.contracts.catalogue.words import word
from libs.contracts.completions import ModelsRequest, ModelUse, ModelUsesRequest, SetModel, SetModelBudget
from libs.contracts.subjects import MODEL_USES, MODELS, SET_MODEL, SET_MODEL_BUDGET
from services.gateway.console.actors import terms
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import allowed, require
from services.gateway.http.model_routing import Budget, ConnectedProvider, Providers, shown

router = APIRouter()

READING = require("read", reading=True)
CHANGING = require("users")
DATA = {
    "public": ("عامة", "Public"), "internal": ("داخلية", "Internal"), "confidential": ("سرية", "Confidential"), "restricted": ("مقيّدة", "Restricted"),
}  # fmt: skip
Price = Annotated[Decimal, Form(ge=0, le=100_000, decimal_places=4)]


@router.get(PATHS["model_routing"], dependencies=[READING])
async def routing(desk: DeskDep) -> Response:
    found = await shown(desk.gateway, desk.who, await desk.call(MODELS, ModelsRequest(principal=desk.who)))
    sections = [_providers(desk, found.providers), _routes(desk, found), _budget(desk, found.budget)]
    if allowed(desk.who, "evidence"):
        used = await desk.call(MODEL_USES, ModelUsesRequest(principal=desk.who))
        sections.append(_use(desk, used.items))
    page = DeskPage(
        "policy", desk.say("النماذج", "Models"), tuple(sections), back=url("policy"), back_label=desk.say("السياسات", "Policy"),
    )  # fmt: skip
    return await desk.show(page)


@router.post(PATHS["model_set"], dependencies=[CHANGING])
async def set_model(
    desk: DeskDep,
    provider: Annotated[str, Form(max_length=40)],
    model: Annotated[str, Form(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}$")],
    input_sar: Price,
    output_sar: Price,
    reference: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    asked = SetModel(
        principal=desk.who, provider=provider, model=model, input_sar=input_sar, output_sar=output_sar, reference=reference
    )  # fmt: skip
    await desk.call(SET_MODEL, asked)
    return RedirectResponse(url("model_routing"), status_code=303)


@router.post(PATHS["model_budget"], dependencies=[CHANGING])
async def set_budget(
    desk: DeskDep, tokens_a_day: Annotated[int, Form(ge=0, le=1_000_000_000)], sar_a_day: Price
) -> Response:
    await desk.call(
        SET_MODEL_BUDGET, SetModelBudget(principal=desk.who, tokens_a_day=tokens_a_day, sar_a_day=sar_a_day)
    )
    return RedirectResponse(url("model_routing"), status_code=303)


def _providers(desk: Desk, found: list[ConnectedProvider]) -> Section:
    columns = (
        desk.say("المزوّد", "Provider"), desk.say("أعلى تصنيف يطّلع عليه", "Highest data it may see"), desk.say("الدولة", "Country"),
        desk.say("المفتاح", "Key"), desk.say("التنفيذ الفعلي", "Live"), desk.say("النماذج", "Models"), desk.say("الحالة", "State"),
    )  # fmt: skip
    return Section(
        desk.say("المزوّدون", "Providers"),
        desk.say(
            "يوصل المزوّد بمفتاح وفحص ونموذج بسعره وتفعيل معتمد. دون ذلك تجيب النصوص والقواعد المدمجة.",
            "A provider is connected by a key, a probe, a model with its price, and an approved switch. Until then built-in texts and rules answer.",
        ),
        columns=columns, rows=tuple(_provider(desk, one) for one in found),
        forms=(_set_form(desk),) if allowed(desk.who, "users") else (),
    )  # fmt: skip


def _provider(desk: Desk, one: ConnectedProvider) -> tuple[Cell, ...]:
    yes, no = desk.say("نعم", "Yes"), desk.say("لا", "No")
    unknown = desk.say("غير معروفة", "Not known")
    country = Locale(desk.say("ar", "en")).territories.get(one.country, unknown)
    named = ", ".join(entry.model for entry in one.models) or desk.say("لا نموذج بسعر", "No model with a price")
    state = desk.say("موصول", "Connected") if one.connected else desk.say("غير موصول", "Not connected")
    return (
        Cell(desk.say(one.ar, one.en)), Cell(desk.say(*DATA[one.data])), Cell(country),
        Cell(yes if one.keyed else no), Cell(yes if one.live else no), Cell(named, "ltr" if one.models else "text"),
        Cell(state, tone="low" if one.connected else "neutral"),
    )  # fmt: skip


def _routes(desk: Desk, found: Providers) -> Section:
    names = {one.key: desk.say(one.ar, one.en) for one in models().providers.values()}
    columns = (
        desk.say("المهمة", "Task"), desk.say("تصنيف البيانات", "Data"), desk.say("الخروج من المملكة", "May leave the country"),
        desk.say("يُسأل أولًا", "Asked first"), desk.say("الوكلاء", "Agents"),
    )  # fmt: skip
    yes, no = desk.say("نعم", "Yes"), desk.say("لا", "No")
    rows = tuple(
        (
            _task(desk, one.model_policy), Cell(desk.say(*DATA[one.data])), Cell(yes if one.cross_border else no), Cell(names[one.answers]),
            Cell(terms(desk.lang, one.modelled) or desk.say("لا وكيل بتعليمات معتمدة", "No agent with a reviewed prompt")),
        )
        for one in found.items
    )  # fmt: skip
    return Section(desk.say("من يطّلع على ماذا", "Who may see what"), columns=columns, rows=rows)


def _task(desk: Desk, key: str) -> Cell:
    named = word("task", key)
    return Cell(desk.say(named.ar, named.en))


def _budget(desk: Desk, day: Budget) -> Section:
    facts = (
        (desk.say("الرموز اليوم", "Tokens today"), Cell(f"{day.tokens:,} / {day.tokens_a_day:,}", "ltr")),
        (desk.say("التكلفة اليوم (ر.س)", "Cost today (SAR)"), Cell(f"{day.sar:.2f} / {day.sar_a_day:.2f}", "ltr")),
        (desk.say("الأسئلة", "Questions"), Cell(f"{day.calls:,}", "ltr")),
        (desk.say("رُفض لنفاد الميزانية", "Refused for want of budget"), Cell(f"{day.refused:,}", "ltr")),
    )
    form = DeskForm(
        "model-budget", url("model_budget"), desk.say("احفظ الميزانية", "Save the budget"),
        (
            Input("tokens_a_day", desk.say("الرموز في اليوم", "Tokens a day"), "number", str(day.tokens_a_day), ltr=True),
            Input("sar_a_day", desk.say("ر.س في اليوم", "SAR a day"), value=f"{day.sar_a_day:.2f}", ltr=True),
        ),
    )  # fmt: skip
    return Section(
        desk.say("ميزانية اليوم", "The day's budget"),
        desk.say("عند بلوغ الحد لا يُسأل أي نموذج حتى الغد.", "At the limit no model is asked until tomorrow."),
        facts=facts, forms=(form,) if allowed(desk.who, "users") else (),
    )  # fmt: skip


def _set_form(desk: Desk) -> DeskForm:
    options = tuple((one.key, desk.say(one.ar, one.en)) for one in models().providers.values() if one.key != LOCAL)
    return DeskForm(
        "model-set", url("model_set"), desk.say("احفظ النموذج وسعره", "Save the model and its price"),
        (
            Input("provider", desk.say("المزوّد", "Provider"), "select", options=options),
            Input("model", desk.say("النموذج كما يسميه المزوّد", "Model, as its provider names it"), ltr=True),
            Input("input_sar", desk.say("ر.س لمليون رمز من السؤال", "SAR for a million tokens asked"), ltr=True),
            Input("output_sar", desk.say("ر.س لمليون رمز من الجواب", "SAR for a million tokens answered"), ltr=True),
            Input("reference", desk.say("مرجع السعر", "Where the price is from"), required=False),
        ),
    )  # fmt: skip


def _use(desk: Desk, used: tuple[ModelUse, ...]) -> Section:
    columns = (
        desk.say("النموذج", "Model"), desk.say("الوكيل", "Agent"), desk.say("التشغيلات", "Runs"), desk.say("أُحيل لشخص", "Left to a person"),
        desk.say("بعد إخفاق غيره", "After another failed"), desk.say("طابق الصيغة من أول مرة", "Fitted at once"), desk.say("الرموز", "Tokens"),
        desk.say("ر.س", "SAR"), desk.say("الزمن المعتاد (م.ث)", "Median ms"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(f"{one.provider}:{one.model}", "ltr") if one.provider else Cell(desk.say("لم يُجب أحد", "None answered")),
            Cell(one.agent, "ltr"), Cell(f"{one.runs:,}", "ltr"), Cell(f"{one.failed:,}", "ltr"), Cell(f"{one.fallbacks:,}", "ltr"),
            Cell("–" if one.schema_valid is None else f"{one.schema_valid:.1%}", "ltr"), Cell(f"{one.tokens_in + one.tokens_out:,}", "ltr"),
            Cell(f"{one.cost_sar:.4f}", "ltr"), Cell(f"{one.p50_ms:,.0f}", "ltr"),
        )
        for one in used
    )  # fmt: skip
    return Section(
        desk.say("آخر 30 يومًا", "The last 30 days"), columns=columns, rows=rows,
        empty=desk.say("لم يُسأل أي نموذج.", "No model was asked."),
    )  # fmt: skip
