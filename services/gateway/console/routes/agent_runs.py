"""What agents were asked: every run that is on record, one run, and asking an agent here and now."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from libs.contracts.agents import (
    AgentRun,
    AgentVerdict,
    Conversation,
    ConversationsReply,
    ConversationsRequest,
    RunAgent,
)
from libs.contracts.canonical import canonical
from libs.contracts.catalogue.agents import Agent, agents
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.message import Page, Provenance
from libs.contracts.subjects import CONVERSATIONS, RUN_AGENT
from services.gateway.console import present
from services.gateway.console.actors import term
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.routes.gate import ENGINES
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab, Tone
from services.gateway.http.guards import require

router = APIRouter()
READING = require("evidence")
ASKING = require("submit")
VERDICTS: dict[AgentVerdict, tuple[str, str, Tone]] = {
    AgentVerdict.ANSWERED: ("أجاب", "Answered", "low"), AgentVerdict.HANDED_OVER: ("أحاله إلى شخص", "Handed over", "medium"),
    AgentVerdict.WITHHELD: ("امتنع", "Withheld", "neutral"), AgentVerdict.FAILED: ("فشل", "Failed", "high"),
}  # fmt: skip
VIA = {
    "run": ("بطلب شخص", "Asked for by a person"), "flow": ("من مسار عمل", "By a flow"), "draft": ("لمسودة", "For a draft"), "desk": ("من مكتب التفاوض", "At the negotiation desk"),
}  # fmt: skip
GIVEN = {
    "lead": ("العميل المحتمل", "Lead"), "history": ("ما سبق", "History"), "rules": ("القواعد", "Rules"), "channel": ("القناة", "Channel"),
    "campaign": ("الحملة", "Campaign"), "messages": ("الرسائل", "Messages"), "message": ("الرسالة", "Message"), "deal": ("الصفقة", "Deal"),
    "pricing": ("الأسعار", "Pricing"), "content": ("النص", "Text"), "policies": ("السياسات", "Policies"), "query": ("السؤال", "Question"),
    "period": ("المدة", "Period"), "metrics": ("المؤشرات", "Metrics"), "claims": ("الادعاءات", "Claims"), "approval": ("طلب الموافقة", "Approval"),
    "signals": ("الإشارات", "Signals"),
}  # fmt: skip
"""What the catalogue calls an agent's input, of those that answer here."""
LONGEST = 100_000
"""Characters of one question, which is far more than any agent needs."""


@router.get(PATHS["agent_runs"], dependencies=[READING])
async def runs(
    desk: DeskDep, agent: Annotated[str, Query(max_length=60)] = "", verdict: AgentVerdict | None = None,
    cursor: Annotated[str, Query(max_length=100)] = "",
) -> Response:  # fmt: skip
    request = ConversationsRequest(principal=desk.who, agent=agent or None, verdict=verdict, page=Page(limit=50, cursor=cursor or None))  # fmt: skip
    found: ConversationsReply = await desk.call(CONVERSATIONS, request)
    more = url("agent_runs", agent=agent, verdict=verdict, cursor=found.next_cursor) if found.next_cursor else ""
    columns = (
        desk.say("الوكيل", "Agent"), desk.say("النتيجة", "Verdict"), desk.say("الثقة", "Confidence"), desk.say("سأله", "Asked by"),
        desk.say("كيف", "How"), desk.say("الوقت", "When"),
    )  # fmt: skip
    names = (("", desk.say("كل الوكلاء", "All agents")), *((one.id, term(desk.lang, one.id)) for one in agents().agents.values() if one.engine != "none"))  # fmt: skip
    inputs = [Input("agent", desk.say("الوكيل", "Agent"), "select", agent, False, options=names)]
    if verdict is not None:
        inputs.append(Input("verdict", "", "hidden", verdict.value))
    only = DeskForm("only", url("agent_runs"), desk.say("اعرض", "Show"), tuple(inputs), get=True, quiet=True)
    empty = (
        desk.say("لا شيء بهذا الاختيار.", "None of that choice.") if agent or verdict
        else desk.say("لم يُسأل وكيل بعد. تظهر هنا كل مرة يُسأل فيها.", "No agent was asked yet. Each time one is asked appears here.")
    )  # fmt: skip
    section = Section(
        desk.say("على السجل", "On record"),
        desk.say(
            "يُحفظ من سأل وأي إصدار أجاب وبأي ثقة. أما نص السؤال والجواب فلا يُحفظ، وتبقى بصمة السؤال مملّحة.",
            "Kept: who asked, which version answered, how sure it was. The texts of question and answer are not kept, only a salted digest of the question.",
        ),
        columns=columns, rows=tuple(_row(desk, one) for one in found.items), empty=empty, only=only,
        links={desk.say("المزيد", "More"): more} if more else {},
    )  # fmt: skip
    tabs = (
        Tab("all", desk.say("الكل", "All"), url("agent_runs", agent=agent), verdict is None),
        *(Tab(key.value, desk.say(ar, en), url("agent_runs", agent=agent, verdict=key.value), verdict is key) for key, (ar, en, _) in VERDICTS.items()),
    )  # fmt: skip
    page = DeskPage(
        "gate", desk.say("تشغيل الوكلاء", "Runs of agents"), (section,), tabs, desk.say("النتائج", "Verdicts"), back=url("gate"),
        back_label=desk.say("بوابة الأمان والوكلاء", "Security gate and agents"),
    )  # fmt: skip
    return await desk.show(page)


def _row(desk: Desk, one: Conversation) -> tuple[Cell, ...]:
    ar, en, tone = VERDICTS[one.verdict]
    return (
        Cell(one.agent, "ltr", href=url("agent_run", str(one.conversation_id))), Cell(desk.say(ar, en), tone=tone),
        Cell(f"{one.confidence:.0%}", "ltr"), Cell(one.asked_by, "ltr"), Cell(desk.say(*VIA[one.via]) if one.via in VIA else one.via),
        Cell(one.at, "moment"),
    )  # fmt: skip


@router.get(PATHS["agent_run"], dependencies=[READING])
async def run(id: UUID, desk: DeskDep) -> Response:
    # The list goes down from a cursor: from the next id, this run is its first item.
    above = str(UUID(int=min(id.int + 1, 2**128 - 1)))
    request = ConversationsRequest(principal=desk.who, page=Page(limit=1, cursor=above))
    found: ConversationsReply = await desk.call(CONVERSATIONS, request)
    one = next((each for each in found.items if each.conversation_id == id), None)
    if one is None:
        raise NotFound
    ar, en, tone = VERDICTS[one.verdict]
    facts = [
        (desk.say("النتيجة", "Verdict"), Cell(desk.say(ar, en), tone=tone)), (desk.say("الوكيل", "Agent"), Cell(one.agent, "ltr", url("gate_agent", one.agent))),
        (desk.say("الإصدار", "Version"), Cell(one.version, "ltr")), (desk.say("المحرك", "Engine"), Cell(_engine(desk, one.engine))),
        (desk.say("سأله", "Asked by"), Cell(one.asked_by, "ltr")), (desk.say("كيف", "How"), Cell(desk.say(*VIA[one.via]) if one.via in VIA else one.via)),
        (desk.say("الوقت", "When"), Cell(one.at, "moment")), (desk.say("الثقة", "Confidence"), Cell(f"{one.confidence:.0%}", "ltr")),
        (desk.say("صيغة الجواب", "Form of the answer"), Cell(one.output_schema, "ltr")),
        (desk.say("بصمة السؤال المملّحة", "Salted digest of the question"), Cell(one.input_digest, "ltr")),
        (desk.say("المدة", "Took"), Cell(desk.say(f"{one.latency_ms:,.1f} م.ث", f"{one.latency_ms:,.1f} ms"))),
        (desk.say("التكلفة", "Cost"), Cell(desk.say(f"{one.cost_sar:,.4f} ر.س", f"SAR {one.cost_sar:,.4f}"))),
        (desk.say("رقم التتبع", "Trace"), Cell(one.trace_id, "ltr")),
    ]  # fmt: skip
    if one.to:
        facts.insert(1, (desk.say("أُحيل إلى", "Handed to"), Cell(present.role(desk.lang, one.to))))
    if one.code:
        facts.insert(1, (desk.say("السبب", "Why"), Cell(one.code, "ltr")))
    text = desk.say("نص السؤال والجواب لا يُحفظ.", "The texts of the question and the answer are not kept.")
    section = Section(desk.say("هذه المرة", "This run"), text, facts=tuple(facts))
    page = DeskPage(
        "gate", desk.say("تشغيل وكيل", "A run of an agent"), (section,), back=url("agent_runs"), back_label=desk.say("تشغيل الوكلاء", "Runs of agents")
    )  # fmt: skip
    return await desk.show(page)


def _engine(desk: Desk, key: str) -> str:
    return desk.say(*ENGINES[key]) if key in ENGINES else key


# -- asking here and now -----------------------------------------------------------------------------------------------


@router.get(PATHS["agent_ask"], dependencies=[ASKING])
async def ask_form(id: str, desk: DeskDep) -> Response:
    return await _asking(desk, _agent(id), {})


def _agent(id: str) -> Agent:
    """Raises NotFound."""
    found = agents().agents.get(id)
    if found is None:
        raise NotFound
    return found


async def _asking(
    desk: Desk, agent: Agent, entered: dict[str, str], *first: Section, error: str = "", status: int = 200
) -> Response:
    inputs = tuple(
        Input(name, desk.say(*GIVEN[name]) if name in GIVEN else name, "long", entered.get(name, ""), False)
        for name in agent.input
    )
    forms: tuple[DeskForm, ...] = ()
    if agent.engine == "none":
        text = desk.say("لا محرك لهذا الوكيل دون نموذج، فيُحال عمله إلى شخص.", "Without a model this agent has no engine: its work goes to a person.")  # fmt: skip
    else:
        forms = (DeskForm("ask", url("agent_ask", agent.id), desk.say("اسأل الوكيل", "Ask the agent"), inputs),)
        text = desk.say("نص عادي، أو JSON حيث يلزم. يوصي الوكيل ولا ينفّذ، ولا يُحفظ ما تكتبه هنا.",
            "Plain text, or JSON where needed. The agent recommends and does nothing; what you write here is not kept.")  # fmt: skip
    section = Section(desk.say("السؤال", "The question"), f"{desk.say(agent.purpose.ar, agent.purpose.en)} {text}", forms=forms)  # fmt: skip
    page = DeskPage(
        "gate", desk.say("اسأل وكيلًا", "Ask an agent"), (*first, section), error=error, back=url("gate_agent", agent.id), back_label=agent.id
    )  # fmt: skip
    return await desk.show(page, status=status)


@router.post(PATHS["agent_ask"], dependencies=[ASKING])
async def ask(id: str, request: Request, desk: DeskDep) -> Response:
    """Have it answer, and show what it was given, what it said, what made it and where it came from."""
    agent = _agent(id)
    sent = await request.form()
    entered = {name: str(sent.get(name) or "") for name in agent.input}
    if sum(len(text) for text in entered.values()) > LONGEST:
        said = desk.say(f"الحد الأقصى {LONGEST:,} حرف.", f"A question is at most {LONGEST:,} characters.")
        return await _asking(desk, agent, entered, error=said, status=422)
    given = {name: _read(text) for name, text in entered.items() if text.strip()}
    try:
        answer: AgentRun = await desk.call(RUN_AGENT, RunAgent(principal=desk.who, agent_id=id, input=given))
    except DealixError as error:
        return await _asking(desk, agent, entered, error=desk.error(error), status=error.status)
    return await _asking(desk, agent, entered, *_answer(desk, given, answer))


def _read(text: str) -> Any:
    """JSON where it is JSON, and else the text itself."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def _answer(desk: Desk, given: dict[str, Any], one: AgentRun) -> tuple[Section, ...]:
    facts = [
        (desk.say("المحرك", "Engine"), Cell(_engine(desk, one.engine))), (desk.say("الثقة", "Confidence"), Cell(f"{one.confidence:.0%}", "ltr")),
    ]  # fmt: skip
    if one.escalation is not None:
        facts += [(desk.say("أُحيل إلى", "Handed to"), Cell(present.role(desk.lang, one.to))),
            (desk.say("السبب", "Why"), Cell(desk.say(one.escalation.ar, one.escalation.en)))]  # fmt: skip
    if one.screening:
        facts.append((desk.say("رأته بوابة الأمان", "Seen by the security gate"), Cell(" ".join(one.screening), "ltr")))
    links = {desk.say("هذه المرة على السجل", "This run on record"): url("agent_run", str(one.conversation_id))} if one.conversation_id else {}  # fmt: skip
    said = Section(
        desk.say("الجواب", "The answer"), facts=tuple(facts), code=canonical(one.output).decode() if one.output else "", links=links,
        empty=desk.say("لا جواب.", "No answer."),
    )  # fmt: skip
    asked = Section(desk.say("ما أُعطي له", "What it was given"), code=canonical(given).decode())
    return (said, asked, *((_provenance(desk, one.provenance),) if one.provenance else ()))


def _provenance(desk: Desk, one: Provenance) -> Section:
    facts = (
        (desk.say("أنتجه", "Made by"), Cell(one.generated_by, "ltr")), (desk.say("المزوّد والنموذج", "Provider and model"), Cell(f"{one.model_provider} / {one.model_id}", "ltr")),
        (desk.say("إصدار النصوص", "Version of its texts"), Cell(one.prompt_version, "ltr")), (desk.say("الثقة", "Confidence"), Cell(f"{one.confidence:.0%}", "ltr")),
        (desk.say("عمر الأدلة بالساعات", "Age of the evidence in hours"), Cell(f"{one.freshness_hours:,.1f}", "ltr")),
        (desk.say("المصادر", "Sources"), Cell(" ".join(one.sources), "ltr")), (desk.say("إصدار السياسة", "Policy"), Cell(one.policy_version, "ltr")),
        (desk.say("الوقت", "When"), Cell(one.generated_at, "moment")), (desk.say("رقم التتبع", "Trace"), Cell(one.trace_id, "ltr")),
    )  # fmt: skip
    return Section(desk.say("من أين جاء", "Where it came from"), facts=facts)
