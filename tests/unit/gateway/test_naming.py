"""Pages call people, agents and records by what they are called; an id stays in an address."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from libs.contracts import trust
from libs.contracts.errors import CallTimeout
from libs.contracts.lineage import LineageNode, LineageReply, LineageTitle
from libs.contracts.message import Plane
from libs.contracts.subjects import CHECKPOINT, CONSENTS, LEDGER, LINEAGE
from services.gateway.console.actors import actor, connector, term
from services.gateway.console.naming import named, things
from services.gateway.console.pages_desk import Cell, DeskPage, Section
from services.gateway.console.urls import url
from tests.contracts.examples import example
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.filled_site import fill, people

ID = "01a1ffe2-e456-750d-a6e4-1668c5661f57"
MACHINE = re.compile(r"\b(?:user|agent|system|plane|key):[\w-]+|\b(?:account|contact|lead|deal):[0-9a-f-]{36}")


@pytest.mark.parametrize(
    ("principal", "shown"),
    [
        (f"user:{ID}", "نورة"),
        ("agent:outreach_writer", "كاتب الرسائل"),
        ("outreach_writer", "كاتب الرسائل"),
        ("system:trust", "النظام"),
        ("plane:decision", "النظام"),
        (f"key:{ID}", "مفتاح API …661f57"),
        ("سارة", "سارة"),
    ],
)
def test_whoever_acts_is_called_by_name(principal: str, shown: str) -> None:
    assert actor("ar", principal, {f"user:{ID}": "نورة"}) == shown


def test_somebody_who_is_gone_is_no_id() -> None:
    assert actor("ar", f"user:{ID}", {}) == "مستخدم سابق"


def test_terms_of_the_machine_are_said_in_words() -> None:
    assert [term("ar", one) for one in ("saudi_copywriter", "send_email", "compliance_officer", "PDPL-06")] == [
        "كتابة الرسائل السعودية",
        "إرسال بريد",
        "مسؤول الامتثال",
        "PDPL-06",
    ]
    assert [connector("ar", one) for one in ("whatsapp", "anthropic", "internal")] == [
        "واتساب للأعمال",
        "أنثروبيك",
        "داخل النظام",
    ]


def test_a_record_is_named_and_leads_to_its_page() -> None:
    page = DeskPage("actions", "", (Section("", facts=(("بشأن", Cell(f"contact:{ID}", "ltr")),)),))
    assert things(page) == {f"contact:{ID}"}
    (_, shown), *_ = named(page, {f"contact:{ID}": "فهد الغامدي"}, "ar").sections[0].facts
    assert (shown.value, shown.href) == ("فهد الغامدي", url("contact", ID))
    (_, nameless), *_ = named(page, {}, "ar").sections[0].facts
    assert nameless.value == "جهة اتصال …661f57"


async def test_a_list_asks_once_what_its_records_are_called(site: Site) -> None:
    owner = await people(site)
    await site.sign_in(owner.email)
    fill(site)
    title = LineageTitle(node=LineageNode(kind="contact", id=ID), en="Fahad", ar="فهد الغامدي")
    site.planes.answer(LINEAGE[Plane.DATA], LineageReply(edges=(), titles=(title,)))
    _consents(site)
    page = await site.client.get(url("people", tab="consents"))
    assert "فهد الغامدي" in page.text and ID not in re.sub(r'(?:href|action|value)="[^"]*"', "", page.text)
    assert len([one for subject, one in site.planes.asked if subject == LINEAGE[Plane.DATA].subject]) == 1
    site.planes.answer(LINEAGE[Plane.DATA], CallTimeout("data.lineage"))
    page = await site.client.get(url("people", tab="consents"))
    assert page.status_code == 200 and "جهة اتصال …661f57" in page.text


def _consents(site: Site) -> None:
    given = example(trust.ConsentRecord).evolve(
        contact_id=UUID(ID), purpose="marketing", channel="email", notice_version="imported"
    )
    site.planes.answer(CONSENTS, example(trust.ConsentsReply).evolve(items=(given,)))


async def test_the_ledger_names_who_did_it(site: Site) -> None:
    owner = await people(site)
    await site.sign_in(owner.email)
    fill(site)
    made = [
        example(trust.LedgerEntry).evolve(seq=n, actor=one)
        for n, one in enumerate((f"user:{owner.user_id}", "agent:outreach_writer", "system:trust"))
    ]
    site.planes.answer(LEDGER, example(trust.LedgerReply).evolve(items=tuple(made), next_cursor=None))
    nothing = trust.CheckpointReply(origin="", size=0, root="", note="", created_at=None)
    site.planes.answer(CHECKPOINT, nothing)
    page = (await site.client.get(url("evidence"))).text
    shown = re.sub(r"<[^>]*>", " ", page)
    assert not MACHINE.search(shown), MACHINE.search(shown)
    for name in (owner.name, "كاتب الرسائل", "النظام"):
        assert name in shown
