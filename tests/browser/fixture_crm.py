"""Example data for the CRM's pages: records as the data plane sends them, worded by the console's own code."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts import crm
from libs.contracts.catalogue.records import RecordKind, records
from services.gateway.console import pages_crm as pages
from services.gateway.console import present_crm as present
from services.gateway.console import views
from services.gateway.console.urls import url
from services.gateway.console.views import Lang

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
K = RecordKind


def _id(number: int) -> UUID:
    return UUID(int=0x0193F2A07C117A528000000000000000 + number)


def _record(kind: RecordKind, number: int, names: dict[str, str] | None = None, **values: Any) -> crm.Record:
    blank = dict.fromkeys(records().kinds[kind].fields)
    return crm.Record(
        kind=kind, id=_id(number), version=3, values={**blank, **values}, names=names or {}, created_at=NOW, updated_at=NOW
    )  # fmt: skip


class CrmFixtures:
    def __init__(self, lang: Lang) -> None:
        self.lang = lang
        self.account = _record(
            K.ACCOUNT, 1, name="Rimal Contracting Co.", name_ar="شركة رمال للمقاولات المحدودة", domain="rimal.example", cr="1010123456",
            city="riyadh", sector="construction", employees=180, phone="+966112345678",
        )  # fmt: skip
        self.other = _record(
            K.ACCOUNT, 2, name="Remal for Contracting", domain=None, city="riyadh", phone="+966112345678"
        )
        self.contact = _record(
            K.CONTACT, 3, {"account_id": "شركة رمال للمقاولات المحدودة"}, account_id=str(_id(1)), full_name="نورة القحطاني",
            title="مديرة المشتريات", phone="+966501234567", email="noura@rimal.example", opted_out="no",
        )  # fmt: skip

    def deal(self, number: int, stage: str, title: str, amount: str) -> crm.Record:
        names = {"account_id": "شركة رمال للمقاولات المحدودة" if number % 2 else "Qimam Energy Co."}
        return _record(
            K.DEAL, number, names, account_id=str(_id(1)), title=title, stage=stage, amount=amount, currency="SAR",
            expected_close="2026-12-15", owner="sales@example.com",
        )  # fmt: skip

    def search(self) -> pages.CrmSearchPage:
        lines = tuple(
            present.line(self.lang, one)
            for one in (self.account, self.contact, self.deal(5, "open", "صيانة سنوية", "125000"))
        )
        tabs = tuple(
            views.Tab(
                kind.value,
                present.kind_word(self.lang, kind, many=True),
                url("crm", kind=kind.value),
                kind is K.ACCOUNT,
            )
            for kind in RecordKind
        )
        return pages.CrmSearchPage("رمال", tabs, lines, 4, next_href=url("crm", kind="account", cursor="x"))

    def nothing_found(self) -> pages.CrmSearchPage:
        return pages.CrmSearchPage("زمرد", (), (), 0)

    def record(self, kind: RecordKind) -> pages.RecordPage:
        record = {
            K.ACCOUNT: self.account,
            K.DEAL: self.deal(5, "negotiating", "صيانة سنوية لثلاثة مواقع", "125000.50"),
        }[kind]
        events = (
            ("call", "activity", "مكالمة متابعة", {"body": "طلبت عرضًا محدّثًا قبل الخميس."}, 1),
            (
                "moved",
                "deal",
                "",
                {"before": {"stage": "open"}, "after": {"stage": "negotiating"}, "reason": "طلب عرض"},
                5,
            ),
            ("changed", kind.value, "", {"before": {"title": "صيانة"}, "after": {"title": "صيانة سنوية"}}, 28),
            ("imported", "import", "leads.csv", {"row": 14, "source": "own_crm", "outcome": "created"}, 90),
        )
        happened = tuple(
            present.event(
                self.lang,
                crm.Happening(
                    at=NOW - timedelta(hours=hours), what=what, kind=of, record_id=_id(5), title=title,
                    actor="سارة الشمري" if what != "imported" else "", detail=detail,
                ),
            )
            for what, of, title, detail, hours in events
        )  # fmt: skip
        related = (
            pages.Related(present.kind_word(self.lang, K.CONTACT, many=True), (present.line(self.lang, self.contact),)),
        )
        return pages.RecordPage(
            id=str(record.id), kind=kind.value, kind_word=present.kind_word(self.lang, kind), title=present.title(self.lang, record),
            version=3, facts=present.facts(self.lang, record, ()), entries=present.entries(self.lang, kind, record.values),
            related=related if kind is K.ACCOUNT else (), events=happened,
            activity=present.entries(self.lang, K.ACTIVITY, {}, "type", "subject", "body"),
            deal=present.entries(self.lang, K.DEAL, {}, "title", "amount", "expected_close") if kind is not K.DEAL else (),
            card=present.deal_card(self.lang, record) if kind is K.DEAL else None, may_edit=True, may_prove=True,
        )  # fmt: skip

    def pipeline(self) -> pages.PipelinePage:
        named = {
            "new": (("عقد صيانة سنوي", "84000"), ("Network upgrade", "310000")),
            "open": (("توريد معدات", "1250000"),),
            "negotiating": (("صيانة ثلاثة مواقع", "125000.50"), ("Solar pilot", "47500")),
            "won": (("نظام حضور", "96000"),),
            "lost": (),
        }
        columns = tuple(
            pages.BoardColumn(
                stage, present.stage_word(self.lang, stage),
                tuple(present.deal_card(self.lang, self.deal(hash(title) % 900 + 10, stage, title, amount)) for title, amount in deals),
            )
            for stage, deals in named.items()
        )  # fmt: skip
        return pages.PipelinePage(columns, 4, may_edit=True)

    def reviews(self) -> pages.ReviewsPage:
        review = crm.Review(
            review_id=_id(50), kind=K.ACCOUNT, state=crm.ReviewState.WAITING, score=91.2, why_en=("the same phone", "a similar name"),
            why_ar=("الرقم نفسه", "اسم مشابه"), left=self.account, right=self.other, import_id=_id(60),
        )  # fmt: skip
        return pages.ReviewsPage(
            cards=(present.review_card(self.lang, review),), waiting=4,
            merged=(pages.Undoable(str(_id(70)), "شركة المجد للتجارة"),), may_edit=True,
        )  # fmt: skip

    def all(self) -> dict[str, Any]:
        return {
            "crm-search": self.search(),
            "crm-search-empty": self.nothing_found(),
            "crm-account": self.record(K.ACCOUNT),
            "crm-deal": self.record(K.DEAL),
            "crm-pipeline": self.pipeline(),
            "crm-pipeline-empty": pages.PipelinePage(
                tuple(pages.BoardColumn(s.value, present.stage_word(self.lang, s.value), ()) for s in records().stages),
                0,
            ),
            "crm-reviews": self.reviews(),
            "crm-reviews-empty": pages.ReviewsPage((), 0, empty="none_yet"),
        }
