"""Evidence packs as pages: made from the page of what they are about, shown with what they hold and how anyone checks them."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from libs.contracts import trust
from libs.contracts.catalogue.words import entry_title
from libs.contracts.errors import DealixError
from libs.contracts.subjects import EVIDENCE, EVIDENCE_EXPORT
from libs.contracts.trust import EvidenceReply
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import allowed, require

router = APIRouter()

Reading = require("evidence")
TRIES, PAUSE_SECONDS = 24, 0.5
"""A checkpoint is signed at least every 10 s while there is something new; who pressed the button waits that long and not longer."""
PLACES = {
    "deal": ("deal", "الصفقة", "The deal"), "flow": ("flow", "المسار", "The flow"), "control": ("control", "الضابط", "The control"),
    "action": ("action", "الإجراء", "The action"),
}  # fmt: skip
STATES = {
    "ready": ("جاهزة", "Ready"), "reviewed": ("رُوجعت", "Reviewed"), "sealed": ("مختومة", "Sealed"),
    "assembling": ("قيد الإعداد", "Being made"), "erased": ("مُحيت", "Erased"),
}  # fmt: skip
KNOWN_ID = re.compile(r"[A-Za-z0-9-]{1,40}")
CHECK = "dealix verify evidence-pack.zip --trust-root jwks.json"


def pack_form(desk: Desk, scope: str) -> tuple[DeskForm, ...]:
    """The button that makes a pack of `scope`, for whoever may read the evidence."""
    if allowed(desk.who, "evidence") is None:
        return ()
    said = desk.say("أعدّ حزمة أدلة", "Make an evidence pack")
    return (DeskForm("evidence", url("evidence_packs"), said, (Input("scope", "", "hidden", scope),), quiet=True),)


@router.post(PATHS["evidence_packs"], dependencies=[Reading])
async def make(desk: DeskDep, scope: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Make a pack, waiting for the checkpoint that its newest entries need; what is wrong is said with the way back."""
    try:
        made = await _made(desk, scope)
    except DealixError as error:
        sections = (
            Section(desk.say("لم تُعدّ الحزمة", "No pack was made"), desk.say("لم يتغيّر شيء.", "Nothing was changed.")),
        )
        return await desk.show(_page(desk, scope, sections, desk.error(error)), status=error.status)
    desk.gateway.pulse.nudge(desk.who.tenant_id, "ledger")
    return desk.go("evidence_pack", str(made.pack_id))


async def _made(desk: Desk, scope: str) -> EvidenceReply:
    for left in range(TRIES, -1, -1):
        try:
            made: EvidenceReply = await desk.call(
                EVIDENCE_EXPORT, trust.EvidenceRequest(principal=desk.who, scope=scope)
            )
            return made
        except DealixError as error:
            if error.code != "checkpoint_pending" or not left:
                raise
        await asyncio.sleep(PAUSE_SECONDS)
    raise RuntimeError("the last try answers or raises")


@router.get(PATHS["evidence_pack"], dependencies=[Reading])
async def shown(id: UUID, desk: DeskDep) -> Response:
    found: EvidenceReply = await desk.call(EVIDENCE, trust.EvidenceGet(principal=desk.who, pack_id=id, contents=True))
    return await desk.show(_page(desk, found.scope, (_standing(desk, found), _inside(desk, found), _checking(desk))))


def _page(desk: Desk, scope: str, sections: tuple[Section, ...], error: str = "") -> DeskPage:
    kind, _, value = scope.partition(":")
    back, label = url("evidence"), desk.say("الأدلة", "Evidence")
    if kind in PLACES and KNOWN_ID.fullmatch(value):
        name, ar, en = PLACES[kind]
        back, label = url(name, value), desk.say(ar, en)
    title = desk.say("حزمة أدلة", "Evidence pack")
    return DeskPage("evidence", title, sections, error=error, back=back, back_label=label)


def _standing(desk: Desk, found: EvidenceReply) -> Section:
    facts = [
        (desk.say("النطاق", "Scope"), Cell(found.scope, "ltr")),
        (desk.say("الحالة", "State"), Cell(desk.say(*STATES.get(found.state, (found.state, found.state))))),
        (desk.say("أُعدّت في", "Made on"), Cell(found.created_at, "moment")),
        (desk.say("أعدّها", "Made by"), Cell(found.created_by)),
        (desk.say("الحجم بالبايت", "Size in bytes"), Cell(f"{found.bytes:,}", "ltr")),
        ("SHA-256", Cell(found.sha256, "ltr")),
    ]
    if found.contents is not None:
        size, _, _ = found.contents.checkpoint.partition(":")
        witnesses = found.contents.cosignatures
        facts += [
            (desk.say("قيود الدفتر عند نقطة التحقق", "Entries in the log at the checkpoint"), Cell(size, "ltr")),
            (desk.say("الشهود", "Witnesses"), Cell(str(witnesses), "ltr") if witnesses else Cell(desk.say("لا شاهد", "None"))),
        ]  # fmt: skip
    links = {}
    if found.bytes:
        links[desk.say("نزّل الحزمة", "Download the pack")] = f"/api/v1/evidence-packs/{found.pack_id}/download"
    return Section(desk.say("الحزمة", "The pack"), facts=tuple(facts), links=links)


def _inside(desk: Desk, found: EvidenceReply) -> Section:
    counts = found.contents.counts if found.contents is not None else {}
    rows = []
    for name, count in counts.items():
        if name.startswith("entry."):
            title = entry_title(name.removeprefix("entry."))
            rows.append((Cell(desk.say(title.ar, title.en)), Cell(f"{count:,}", "ltr")))
    erased = found.contents.erased if found.contents is not None else 0
    text = desk.say(f"قيود مُحيت بناءً على طلب: {erased}.", f"Entries erased on request: {erased}.") if erased else ""
    return Section(
        desk.say("ما فيها من قيود", "The entries in it"), text, columns=(desk.say("القيد", "Entry"), desk.say("العدد", "Count")),
        rows=tuple(rows), empty=desk.say("محتوى الحزمة غير متاح.", "What the pack held is not there any more."),
    )  # fmt: skip


def _checking(desk: Desk) -> Section:
    said = desk.say(
        "يتحقق منها أي شخص دون اتصال بنا. خذ ملف المفاتيح من مصدر مستقل، لا ممن سلّمك الحزمة. "
        "تثبت الحزمة أن قيودها في الدفتر وأنها تخص النطاق، ولا تثبت خلوّ النطاق من غيرها.",
        "Anyone can check it without us. Take the key file from somewhere else than the pack. "
        "It proves that its entries are in the log and belong to the scope, not that the scope has no others.",
    )  # fmt: skip
    keys = desk.say("المفاتيح العامة", "Public keys")
    entries = desk.say("تحقق من القيود في المتصفح", "Verify entries in the browser")
    return Section(
        desk.say("كيف يُتحقق منها", "How it is checked"), said, facts=((desk.say("الأمر", "Command"), Cell(CHECK, "ltr")),),
        links={keys: "/.well-known/jwks.json", entries: url("evidence")},
    )  # fmt: skip
