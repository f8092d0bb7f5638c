"""Onboarding: customers with how far each is, and one customer's steps with what a person can say about them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from libs.contracts import onboarding as contract
from libs.contracts.arabic import HOURS
from libs.contracts.catalogue.onboarding import onboarding as rules
from libs.contracts.errors import DealixError
from libs.contracts.onboarding import CustomerOnboarding, OnboardingState, StepShown, StepState
from libs.contracts.subjects import MARK_ONBOARDING, ONBOARDING, ONBOARDINGS
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Note, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab, Tone
from services.gateway.domain.cursors import wrap
from services.gateway.http.bodies import PagingDep
from services.gateway.http.guards import allowed, require

router = APIRouter()
READING = require("read", reading=True)
EDITING = require("import")
STATES: dict[OnboardingState, tuple[str, str, Tone]] = {
    OnboardingState.STUCK: ("متوقف", "Stuck", "high"), OnboardingState.ACTIVE: ("قيد التهيئة", "Under way", "medium"),
    OnboardingState.DONE: ("مكتمل", "Done", "low"),
}  # fmt: skip
STEPS: dict[StepState, tuple[str, str, Tone]] = {
    StepState.DONE: ("تمت", "Done", "low"), StepState.OPEN: ("مفتوحة", "Open", "medium"), StepState.SKIPPED: ("لا تنطبق", "Does not apply", "neutral"),
}  # fmt: skip
SHOWN_BY = {"activity": ("نشاط مسجّل", "A recorded activity"), "payment": ("دفعة مسجّلة", "A recorded payment")}


@router.get(PATHS["onboarding"], dependencies=[READING])
async def customers(desk: DeskDep, paging: PagingDep, state: OnboardingState | None = None) -> Response:
    asked = contract.OnboardingsRequest(principal=desk.who, state=state, page=paging.page(desk.gateway, desk.who))
    found: contract.OnboardingsReply = await desk.call(ONBOARDINGS, asked)
    more = wrap(desk.gateway.keyring, desk.who.tenant_id, found.next_cursor)
    links = {desk.say("المزيد", "More"): url("onboarding", state=state, cursor=more)} if more else {}
    columns = (
        desk.say("العميل", "Customer"), desk.say("الحالة", "State"), desk.say("الخطوات", "Steps"), desk.say("الخطوة الحالية", "Current step"),
        desk.say("آخر تقدم", "Last moved"),
    )  # fmt: skip
    section = Section(
        desk.say("العملاء الجدد", "New customers"),
        desk.say(
            "تتقدم الخطوات بما يحدث فعلًا: اجتماع مسجّل أو رسالة منهم أو دفعة، أو بقول شخص إنها تمت.",
            "Steps move by what happens: a recorded meeting, a message of theirs, a payment; or by whoever says so.",
        ),
        columns=columns, rows=tuple(_row(desk, one) for one in found.items), links=links,
        empty=desk.say("لا عملاء هنا. تبدأ التهيئة عند كسب أول صفقة.", "No customers here. Onboarding begins when a first deal is won."),
    )  # fmt: skip
    tabs = (
        Tab("all", desk.say("الكل", "All"), url("onboarding"), state is None, sum(found.counts.values())),
        *(
            Tab(key, desk.say(ar, en), url("onboarding", state=key), state is key, found.counts.get(key.value, 0))
            for key, (ar, en, _) in STATES.items()
        ),
    )
    title = desk.say("تهيئة العملاء", "Onboarding")
    return await desk.show(DeskPage("onboarding", title, (section,), tabs, desk.say("الحالات", "States")))


def _row(desk: Desk, one: CustomerOnboarding) -> tuple[Cell, ...]:
    ar, en, tone = STATES[one.state]
    current = next((desk.text(step.name) for step in one.steps if step.step == one.current), "")
    return (
        Cell(one.account_name, href=url("onboarding_customer", str(one.onboarding_id))), Cell(desk.say(ar, en), tone=tone),
        Cell(f"{one.done}/{len(one.steps)}", "ltr"), Cell(current), Cell(one.moved_at, "moment"),
    )  # fmt: skip


@router.get(PATHS["onboarding_customer"], dependencies=[READING])
async def customer(id: UUID, desk: DeskDep) -> Response:
    return await _customer(desk, id)


async def _customer(desk: Desk, id: UUID, *, error: str = "", status: int = 200) -> Response:
    found: CustomerOnboarding = await desk.call(
        ONBOARDING, contract.OnboardingGet(principal=desk.who, onboarding_id=id)
    )
    ar, en, tone = STATES[found.state]
    facts = (
        (desk.say("الحالة", "State"), Cell(desk.say(ar, en), tone=tone)),
        (desk.say("الصفقة", "Deal"), Cell(found.deal_title, href=url("deal", str(found.onboarding_id)))),
        (desk.say("المنشأة", "Account"), Cell(found.account_name, href=url("account", str(found.account_id)))),
        (desk.say("المسؤول", "Owner"), Cell(found.owner)),
        (desk.say("بدأت", "Began"), Cell(found.started_at, "moment")),
        (desk.say("آخر تقدم", "Last moved"), Cell(found.moved_at, "moment")),
    )
    columns = (
        desk.say("الخطوة", "Step"),
        desk.say("الحالة", "State"),
        desk.say("الوقت", "When"),
        desk.say("بماذا", "By"),
    )
    steps = Section(
        desk.say("الخطوات السبع", "The seven steps"), columns=columns, rows=tuple(_step(desk, one) for one in found.steps)
    )  # fmt: skip
    about = Section(desk.say("عن العميل", "About the customer"), facts=facts)
    page = DeskPage(
        "onboarding", found.account_name, (*_next(desk, found), steps, about), error=error, back=url("onboarding"),
        back_label=desk.say("تهيئة العملاء", "Onboarding"),
    )  # fmt: skip
    return await desk.show(page, status=status)


def _step(desk: Desk, one: StepShown) -> tuple[Cell, ...]:
    ar, en, tone = STEPS[one.state]
    kind = one.source.partition(":")[0]
    by = desk.say(*SHOWN_BY[kind]) if kind in SHOWN_BY else desk.say("قول شخص", "A person") if one.by else ""
    by = desk.say("، ", ", ").join(part for part in (by, one.note) if part)
    return Cell(desk.text(one.name)), Cell(desk.say(ar, en), tone=tone), Cell(one.at, "moment"), Cell(by)


def _next(desk: Desk, found: CustomerOnboarding) -> tuple[Section, ...]:
    if found.current is None or found.next_step is None or found.message is None:
        done = desk.say("اكتملت الخطوات السبع.", "All seven steps are done.")
        return (Section(desk.say("الخطوة التالية", "Next step"), done),)
    name = next(desk.text(one.name) for one in found.steps if one.step == found.current)
    text = desk.text(found.next_step)
    if found.state is OnboardingState.STUCK:
        limit = round(rules().stuck_hours)
        text = (
            desk.say(f"لا تقدم منذ أكثر من {HOURS(limit)}. ", f"Nothing has moved for more than {limit} hours. ") + text
        )
    forms: tuple[DeskForm, ...] = ()
    if allowed(desk.who, "import") is not None:
        states = tuple((key.value, desk.say(ar, en)) for key, (ar, en, _) in STEPS.items())
        steps = tuple((one.step, desk.text(one.name)) for one in found.steps if not one.source)
        forms = (
            DeskForm(
                "step", url("onboarding_mark", str(found.onboarding_id)), desk.say("سجّل الخطوة", "Record the step"),
                (
                    Input("step", desk.say("الخطوة", "Step"), "select", found.current, options=steps),
                    Input("state", desk.say("الحالة", "State"), "select", "done", options=states),
                    Input("note", desk.say("ملاحظة", "Note"), required=False, hint=desk.say("مطلوبة إن كانت الخطوة لا تنطبق.", "Needed where the step does not apply.")),
                ),
                columns=True,
            ),
        )  # fmt: skip
    note = Note(
        desk.say("نص مقترح للعميل", "A text for the customer"),
        desk.text(found.message),
        desk.say("لم يُرسل.", "It was not sent."),
    )
    title = desk.say("الخطوة التالية: ", "Next step: ") + name
    return (Section(title, text, notes=(note,), forms=forms),)


@router.post(PATHS["onboarding_mark"], dependencies=[EDITING])
async def mark(
    id: UUID, desk: DeskDep, step: Annotated[str, Form(max_length=40)], state: Annotated[StepState, Form()],
    note: Annotated[str, Form(max_length=1000)] = "",
) -> Response:  # fmt: skip
    """Record what was said; what is wrong with it is told on the same page."""
    said = contract.MarkStep(principal=desk.who, onboarding_id=id, step=step, state=state, note=note)
    try:
        await desk.call(MARK_ONBOARDING, said)
    except DealixError as error:
        return await _customer(desk, id, error=desk.error(error), status=error.status)
    return desk.go("onboarding_customer", str(id))
