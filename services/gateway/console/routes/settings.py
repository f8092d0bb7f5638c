"""Settings: one page that leads to all of them, the tenant as its messages name it, and what may come from which source."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from libs.contracts.catalogue.sources import Collection, Handling, SourceRule, sources
from libs.contracts.data import SetOffer, TenantProfile, TenantRequest
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.mappings import ForgetMapping, MappingsReply, MappingsRequest
from libs.contracts.subjects import FORGET_MAPPING, MAPPINGS, SET_OFFER, TENANT
from services.gateway.console import present
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Entry, Input, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tone
from services.gateway.http.guards import allowed, require

router = APIRouter()
READING = require("read", reading=True)
SETTING_UP = require("users")
Line = Annotated[str, Form(max_length=200)]
HANDLING: dict[Handling, tuple[str, str, Tone]] = {
    Handling.ACCEPT: ("يُقبل", "Taken in", "low"), Handling.REVIEW: ("يراجعه شخص أولًا", "A person looks first", "medium"),
    Handling.BLOCK: ("يُحفظ للحظر فقط", "Kept only to block", "high"), Handling.REFUSE: ("يُرفض ولا يُحفظ", "Refused, not kept", "high"),
}  # fmt: skip
COLLECTION = {
    Collection.DIRECT: ("من صاحبها مباشرة", "From the person"),
    Collection.INDIRECT: ("من غيره، ويلزم إشعاره", "From somebody else; the person has to be told"),
}
# Page, the capability that opens it, and its words.
PLACES: tuple[tuple[tuple[str, str], tuple[tuple[str, str, str, str, str, str], ...]], ...] = (
    (("منشأتك", "Your company"), (
        ("tenant", "read", "المنشأة", "The company", "الاسم والمرسِل ووصف ما تقدّمه", "Its name, its sender, and what it offers"),
        ("rules", "read", "الدوام والحدود والموافقات", "Hours, caps and approvals", "أوقات الدوام وحدود الإرسال وصلاحيات الموافقة",
        "Business hours, sending caps, who may approve what"),
        ("fields", "read", "الحقول المخصصة", "Custom fields", "حقول تضيفها إلى سجلاتك", "Fields that you add to your records"),
        ("sources", "read", "المصادر والأعمدة", "Sources and columns", "ما يُقبل من كل مصدر، وأعمدة عُيّنت من قبل", "What is taken in from which source, and columns assigned before"),
    )),
    (("الناس والدخول", "People and sign-in"), (
        ("own", "read", "حسابي", "My account", "كلمة المرور والتحقق بخطوتين ورقم واتساب", "Password, second factor, WhatsApp number"),
        ("users", "users", "المستخدمون", "People", "من يدخل، وبأي دور", "Who may sign in, with which role"),
        ("api_keys", "users", "مفاتيح API", "API keys", "مفاتيح للأنظمة المتصلة، وصلاحية كل منها", "Keys for connected systems, and how far each reaches"),
    )),
    (("الأنظمة المتصلة", "Connected systems"), (
        ("integrations", "read", "التكاملات", "Integrations", "الأنظمة الأخرى وحال كل منها", "Other systems, and how far each is"),
        ("connectors", "read", "الموصلات", "Connectors", "ما يعمل في الخارج، تجريبيًا أو فعليًا", "What acts outside, in the sandbox or live"),
        ("whatsapp", "read", "موجز واتساب", "WhatsApp briefs", "أي موافقات تصل عبر واتساب، ومتى", "Which approvals go out by WhatsApp, and when"),
        ("webhooks", "users", "الإشعارات البرمجية وSIEM", "Webhooks and SIEM", "دفتر الإثبات إلى أنظمتك، وسجل إرساله", "The ledger to your own systems, with its delivery log"),
        ("sandbox_mailbox", "read", "الصندوق التجريبي", "Sandbox mailbox", "ما كان سيُرسل لو فُعّل", "What would have been sent"),
    )),
    (("الحوكمة", "Governance"), (
        ("policy", "evidence", "السياسات", "Policies", "اقتراحها وتجربتها على ما مضى واعتمادها", "Propose, replay on what happened, activate"),
        ("gate", "evidence", "الوكلاء وبوابة الأمان", "Agents and the security gate", "إيقاف وكيل أو تشغيله، وما حُجز من نصوص",
        "Suspend an agent or let it act; texts in quarantine"),
        ("people", "consents", "الموافقات وسجلات الخصوصية", "Consent and registers", "موافقات الأشخاص وحقوقهم والسجلات", "People's consent and rights, and the registers"),
    )),
)  # fmt: skip


@router.get(PATHS["settings"], dependencies=[READING])
async def settings(desk: DeskDep) -> Response:
    """Every page of settings that this person may open."""
    sections = []
    for title, places in PLACES:
        entries = tuple(
            Entry(desk.say(ar, en), desk.say(text_ar, text_en), url(key))
            for key, capability, ar, en, text_ar, text_en in places
            if allowed(desk.who, capability) is not None
        )
        if entries:
            sections.append(Section(desk.say(*title), entries=entries))
    return await desk.show(DeskPage("settings", desk.say("الإعدادات", "Settings"), tuple(sections)))


async def shown(desk: Desk, title: str, *sections: Section, error: str = "", done: str = "", status: int = 200) -> Response:  # fmt: skip
    """A page of settings, with the way back to all of them."""
    page = DeskPage(
        "settings",
        title,
        sections,
        error=error,
        done=done,
        back=url("settings"),
        back_label=desk.say("الإعدادات", "Settings"),
    )
    return await desk.show(page, status=status)


@router.get(PATHS["tenant"], dependencies=[READING])
async def tenant(desk: DeskDep, done: str = "") -> Response:
    return await _tenant(desk, done=desk.say("حُفظ.", "Saved.") if done else "")


async def _tenant(
    desk: Desk, *, offers: tuple[str, str] | None = None, error: str = "", done: str = "", status: int = 200
) -> Response:
    one: TenantProfile = await desk.call(TENANT, TenantRequest(tenant_id=desk.who.tenant_id))
    facts = (
        (desk.say("الاسم بالعربية", "Name in Arabic"), Cell(one.name_ar)), (desk.say("الاسم بالإنجليزية", "Name in English"), Cell(one.name_en)),
        (desk.say("المرسِل", "Sender"), Cell(one.sender_name)), (desk.say("بريد المرسِل", "Sender's address"), Cell(one.sender_email, "ltr")),
        (desk.say("رابط إيقاف الرسائل", "Link that stops messages"), Cell(one.opt_out_url, "ltr")),
        (desk.say("المنطقة الزمنية", "Time zone"), Cell(one.time_zone, "ltr")),
    )  # fmt: skip
    about = Section(
        desk.say("كما تظهر في الرسائل", "As messages name it"),
        desk.say("يضبطها من يشغّل النظام، لأن كل رسالة تخرج بها.", "Set by whoever runs the system, because every message carries it."),
        facts=facts,
    )  # fmt: skip
    arabic, english = offers or (one.offer_ar, one.offer_en)
    said = [(desk.say("كتبه", "Written by"), Cell(one.offer_by, "ltr")), (desk.say("الوقت", "When"), Cell(one.offer_at, "moment"))]  # fmt: skip
    forms: tuple[DeskForm, ...] = ()
    if allowed(desk.who, "users") is not None:
        inputs = (
            Input("offer_ar", desk.say("بالعربية، بعد «نقدّم»", "In Arabic, after «نقدّم»"), value=arabic, required=False),
            Input("offer_en", desk.say("بالإنجليزية، بعد «we offer»", "In English, after “we offer”"), value=english, required=False),
        )  # fmt: skip
        forms = (DeskForm("offer", url("tenant_offer"), desk.say("احفظ", "Save"), inputs),)
    else:
        said = [(desk.say("بالعربية", "In Arabic"), Cell(arabic)), (desk.say("بالإنجليزية", "In English"), Cell(english)), *said]  # fmt: skip
    offer = Section(
        desk.say("ما تقدّمه المنشأة", "What the company offers"),
        desk.say("تقوله المسودات كما كتبته، كلٌّ بلغتها. وما لم يُكتب لا يُقال.", "Drafts say it as you wrote it, each in its own language. What was not written is not said."),
        facts=tuple(said) if one.offer_by or not forms else (), forms=forms,
    )  # fmt: skip
    return await shown(desk, desk.say("المنشأة", "The company"), about, offer, error=error, done=done, status=status)


@router.post(PATHS["tenant_offer"], dependencies=[SETTING_UP])
async def offer(desk: DeskDep, offer_ar: Line = "", offer_en: Line = "") -> Response:
    """Set what the tenant says it sells; the same again changes nothing."""
    wanted = SetOffer(principal=desk.who, offer_ar=offer_ar.strip(), offer_en=offer_en.strip())
    try:
        await desk.call(SET_OFFER, wanted)
    except DealixError as error:
        return await _tenant(desk, offers=(offer_ar, offer_en), error=desk.error(error), status=error.status)
    return desk.go("tenant", done="1")


@router.get(PATHS["sources"], dependencies=[READING])
async def source_policy(desk: DeskDep, done: str = "") -> Response:
    """The catalogue of sources: what follows from each, before anything else is known of a row; and the columns assigned before."""
    return await _sources(desk, done=desk.say("نُسيت.", "Forgotten.") if done else "")


async def _sources(desk: Desk, *, error: str = "", done: str = "", status: int = 200) -> Response:
    columns = (
        desk.say("المصدر", "Source"), desk.say("ما يحدث لصفوفه", "What becomes of its rows"), desk.say("المخاطرة من 100", "Risk of 100"),
        desk.say("كيف جُمعت", "How it was collected"), desk.say("أسماء يُعرف بها في الملفات", "What files call it"),
    )  # fmt: skip
    section = Section(
        desk.say("سياسة المصادر", "Policy of sources"),
        desk.say(
            "يُحدَّد مصدر كل قائمة عند استيرادها. المصدر الذي لا يُعرف ينتظر مراجعة شخص، والكشط مرفوض دائمًا.",
            "Each list names its source when it is imported. An unknown one waits for a person, and scraping is always refused.",
        ),
        columns=columns, rows=tuple(_source(desk, rule) for rule in sources().values()),
        links={desk.say("استيراد قائمة", "Import a list"): url("targeting"), desk.say("إكمال السجلات من ملف", "Fill in records from a file"): url("enrichment")},
    )  # fmt: skip
    title = desk.say("سياسة المصادر", "Policy of sources")
    return await shown(desk, title, section, await _columns(desk), error=error, done=done, status=status)


async def _columns(desk: Desk) -> Section:
    """What people chose for columns before; a data plane that does not answer takes nothing else away."""
    title = desk.say("أعمدة عُيّنت من قبل", "Columns that were assigned before")
    try:
        found: MappingsReply = await desk.call(MAPPINGS, MappingsRequest(principal=desk.who))
    except DealixError:
        return Section(title, desk.say("تعذّرت قراءتها الآن.", "They could not be read just now."))
    columns = (desk.say("المصدر", "Source"), desk.say("العمود", "Column"), desk.say("الحقل", "Field"), desk.say("منذ", "Since"))  # fmt: skip
    rows = tuple(
        (
            Cell(present.source_name(desk.lang, one.source)), Cell(one.header),
            Cell(desk.say(one.named.ar, one.named.en) if one.named else desk.say("لا يُستورد", "Not imported")), Cell(one.at, "moment"),
        )
        for one in found.items
    )  # fmt: skip
    forms: tuple[DeskForm, ...] = ()
    if allowed(desk.who, "import") is not None:
        forms = tuple(
            DeskForm(f"forget-{key}", url("mapping_forget", key),
            desk.say(f"انسَ أعمدة: {present.source_name('ar', key)}", f"Forget those of: {present.source_name('en', key)}"), danger=True, quiet=True)
            for key in dict.fromkeys(one.source for one in found.items)
        )  # fmt: skip
    text = desk.say("تُقرأ بها القائمة التالية من المصدر نفسه.", "The next list from the same source is read by them.")
    empty = desk.say("لم يُعيّن أحد أعمدة بعد.", "Nobody has assigned columns yet.")
    return Section(title, text, columns=columns, rows=rows, empty=empty, forms=forms)


@router.post(PATHS["mapping_forget"], dependencies=[require("import")])
async def forget_mapping(id: str, desk: DeskDep) -> Response:
    """Forget what was chosen for lists of a source; twice is once."""
    if id not in sources():
        raise NotFound
    try:
        await desk.call(FORGET_MAPPING, ForgetMapping(principal=desk.who, source=id))
    except DealixError as error:
        return await _sources(desk, error=desk.error(error), status=error.status)
    return desk.go("sources", done="1")


def _source(desk: Desk, rule: SourceRule) -> tuple[Cell, ...]:
    ar, en, tone = HANDLING[rule.handling]
    names = desk.say("، ", ", ").join(rule.names[:4])
    return (
        Cell(desk.say(rule.ar, rule.en)), Cell(desk.say(ar, en), tone=tone), Cell("" if rule.risk is None else str(rule.risk), "ltr"),
        Cell(desk.say(*COLLECTION[rule.collection])), Cell(names),
    )  # fmt: skip
