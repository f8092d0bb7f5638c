"""Memos: every structured output there is, and one made from what is on record and what a person states."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.contracts.catalogue.memos import memos
from libs.contracts.errors import DealixError
from libs.contracts.memos import MemoName, MemoReply, MemoRequest
from libs.contracts.subjects import MEMO
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.memo_parts import Unreadable, fields, sections, stated
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Entry, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import allowed, require

router = APIRouter()
READING = require("read", reading=True)
MAKING = require("submit")


@router.get(PATHS["memos"], dependencies=[READING])
async def listed(desk: DeskDep) -> Response:
    """All of them, by who uses them."""
    parts = []
    for group, named in memos().groups.items():
        entries = tuple(
            Entry(desk.say(rule.ar, rule.en), _about(desk, name), url("memo", name.value))
            for name, rule in memos().memos.items()
            if rule.group == group
        )
        parts.append(Section(desk.say(named.ar, named.en), entries=entries))
    page = DeskPage(
        "executive", desk.say("المذكرات", "Memos"), tuple(parts), back=url("executive"), back_label=desk.say("الغرفة التنفيذية", "Executive Room")
    )  # fmt: skip
    return await desk.show(page)


def _about(desk: Desk, name: MemoName) -> str:
    """What has to be stated for it."""
    rule = memos().memos[name]
    if not rule.required:
        return desk.say("من السجلات وحدها.", "From the records alone.")
    asked = [desk.say(memos().inputs[key].ar, memos().inputs[key].en) for key in rule.required]
    return desk.say("، ", ", ").join(asked)


@router.get(PATHS["memo"], dependencies=[READING])
async def one(id: MemoName, request: Request, desk: DeskDep) -> Response:
    """The form, filled in with what the address names, such as a deal."""
    return await _show(desk, id, dict(request.query_params))


async def _show(
    desk: Desk, name: MemoName, given: dict[str, str], *made: Section, error: str = "", status: int = 200
) -> Response:
    title = desk.say(memos().memos[name].ar, memos().memos[name].en)
    text = desk.say(
        "ما يمكن قراءته أو حسابه لا يُسأل عنه. المذكرة لا تُحفظ ولا تُرسل: اقرأها هنا.",
        "What can be read or computed is not asked for. A memo is neither kept nor sent: read it here.",
    )
    forms: tuple[DeskForm, ...] = ()
    if allowed(desk.who, "submit") is not None:
        forms = (DeskForm("memo", url("memo", name.value), desk.say("أعدّ المذكرة", "Make the memo"), fields(desk, name, given), columns=True),)  # fmt: skip
    else:
        text = desk.say("يعدّها من يحق له تقديم الإجراءات.", "Whoever may submit actions makes it.")
    ask = Section(desk.say("ما تذكره أنت", "What you state"), text, forms=forms)
    page = DeskPage("executive", title, (*made, ask), error=error, back=url("memos"), back_label=desk.say("المذكرات", "Memos"))  # fmt: skip
    return await desk.show(page, status=status)


@router.post(PATHS["memo"], dependencies=[MAKING])
async def make(id: MemoName, request: Request, desk: DeskDep) -> Response:
    """Make it. What is wrong is told above what was entered."""
    given = {key: str(value) for key, value in (await request.form()).items()}
    try:
        asked = MemoRequest(principal=desk.who, name=id, inputs=stated(id, given))
        found: MemoReply = await desk.call(MEMO, asked)
    except Unreadable as error:
        named = memos().inputs[error.input]
        said = desk.say(f"لا يُقرأ: {named.ar}. صحّح كتابته.", f"This can't be read: {named.en}. Mend it.")
        return await _show(desk, id, given, error=said, status=422)
    except DealixError as error:
        return await _show(desk, id, given, error=desk.error(error), status=error.status)
    title = desk.say("المذكرة", "The memo")
    return await _show(desk, id, given, *sections(desk, title, found.memo), _origin(desk, found))


def _origin(desk: Desk, found: MemoReply) -> Section:
    """Where it comes from, how sure and how fresh it is."""
    origin = found.memo["provenance"]
    facts = [
        (desk.say("الثقة", "Confidence"), Cell(f"{float(origin['confidence']):.0%}", "ltr")),
        (desk.say("عمر البيانات بالساعات", "Age of the data (hours)"), Cell(f"{float(origin['freshness_hours']):,.1f}", "ltr")),
        (desk.say("أُعدّت", "Made"), Cell(datetime.fromisoformat(str(origin["generated_at"])), "moment")),
    ]  # fmt: skip
    rows = tuple((Cell(str(source), "ltr"),) for source in origin["sources"])
    return Section(desk.say("مصادرها", "Its sources"), facts=tuple(facts), columns=(desk.say("المصدر", "Source"),), rows=rows)  # fmt: skip
