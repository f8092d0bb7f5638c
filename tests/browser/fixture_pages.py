"""Example view-models for every console page, in both languages, with a real signed Merkle proof behind the evidence."""

import json
from base64 import b64encode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from nacl.signing import SigningKey

from libs.contracts import merkle
from libs.contracts.canonical import canonical
from services.gateway.console import pages, views
from services.gateway.console.urls import url
from tests.browser.fixture_crm import CrmFixtures
from tests.browser.fixture_desk import desks

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ORIGIN = "dealix.example/demo"
KEY = SigningKey(sha256(b"console fixture").digest())
WITNESS, WITNESS_NAME = SigningKey(sha256(b"witness fixture").digest()), "auditor.example"
SALT = sha256(b"salt").digest()
LEAVES = 13
INDEX = 5
ARABIC_MESSAGE = (
    "السلام عليكم أستاذة نورة،\nيسعدنا أن نقدّم لشركة الرياض للتقنية عرضًا لإدارة المبيعات بقيمة 1,250,000.00 ر.س، "
    "صالحًا حتى 30 نوفمبر 2026.\nلإيقاف الرسائل أرسل «إيقاف»."
)


class Fixtures:
    """Builds pages in one language. `t(ar, en)` picks the text."""

    def __init__(self, lang: views.Lang) -> None:
        self.lang = lang

    def t(self, ar: str, en: str) -> str:
        return ar if self.lang == "ar" else en

    def shell(self, path: str, **changes: object) -> views.Shell:
        shell = views.Shell(
            lang=self.lang,
            csrf="fixture-csrf",
            now=NOW,
            path=path,
            tenant=self.t("شركة المثال", "Example Company"),
            user=views.User(self.t("نورة العتيبي", "Noura Al-Otaibi"), self.t("المالك", "Owner")),
            role="owner",
            counts={"approvals": 3},
        )
        return replace(shell, **changes)  # type: ignore[arg-type]  # keyword names are those of Shell

    # Cards -----------------------------------------------------------------------------------------------------------

    def payload(self, **fields: str) -> views.Payload:
        text = canonical(fields)
        return views.Payload(
            tuple(views.PayloadField(path, value) for path, value in fields.items()),
            text.decode(),
            sha256(text).hexdigest(),
        )

    def cards(self) -> tuple[views.Card, ...]:
        t = self.t
        return (
            self.approval(
                "a1",
                "high",
                t("إرسال عرض سعر إلى شركة الرياض للتقنية", "Send a quotation to Riyadh Technology"),
                t("الخصم 12% أعلى من الحد المسموح (10%)", "The discount of 12% is above the limit (10%)"),
                views.Sla(42, NOW + timedelta(minutes=42), warn=True),
                (
                    views.Fact(t("القيمة", "Value"), Decimal("1250000.00"), "money", strong=True),
                    views.Fact(t("إلى", "To"), "procurement@riyadhtech.example", "ltr"),
                    views.Fact(t("الهاتف", "Phone"), "+966 50 123 4567", "ltr"),
                    views.Fact(t("طلبه", "By"), t("نورة العتيبي · بريد إلكتروني", "Noura Al-Otaibi · e-mail"), "name"),
                ),
                self.payload(to="procurement@riyadhtech.example", subject="عرض سعر 2026-118", body=ARABIC_MESSAGE),
            ),
            self.approval(
                "a2",
                "medium",
                t("حملة WhatsApp إلى 320 جهة اتصال", "WhatsApp campaign to 320 contacts"),
                t("جمهور جديد لم يُراجَع سجل موافقاته بعد", "A new audience whose consents were not reviewed yet"),
                views.Sla(178, NOW + timedelta(minutes=178)),
                (
                    views.Fact(t("إلى", "To"), t("شريحة: عيادات جدة", "Segment: clinics in Jeddah")),
                    views.Fact(t("الأثر", "Effect"), Decimal(96000), "money", tag="estimated"),
                    views.Fact(t("الهامش", "Margin"), Decimal(-1250), "number"),
                    views.Fact(
                        t("طلبه", "By"), t("وكيل التسويق · واتساب للأعمال", "Marketing agent · WhatsApp"), "name"
                    ),
                ),
                self.payload(segment="clinics-jeddah", template="autumn_offer_ar v3", recipients="320"),
            ),
            self.approval(
                "a3",
                "low",
                t("تحديث مرحلة الصفقة في HubSpot إلى «تفاوض»", "Move the deal in HubSpot to “negotiating”"),
                t(
                    "تغيير في نظام خارجي يحتاج موافقة مدير المبيعات",
                    "A change in another system needs the sales manager",
                ),
                views.Sla(-15, NOW - timedelta(minutes=15)),
                (
                    views.Fact(t("القيمة", "Value"), Decimal("480000.00"), "money", strong=True),
                    views.Fact(t("إلى", "To"), "Deal #88213", "ltr"),
                    views.Fact(t("الهاتف", "Phone"), "+966 11 456 7890", "ltr"),
                    views.Fact(t("طلبه", "By"), t("سلطان القحطاني · HubSpot", "Sultan Al-Qahtani · HubSpot"), "name"),
                ),
                self.payload(deal="88213", stage="negotiating"),
            ),
        )

    def approval(
        self,
        key: str,
        risk: views.Risk,
        title: str,
        reason: str,
        sla: views.Sla,
        facts: tuple[views.Fact, ...],
        payload: views.Payload,
    ) -> views.Card:
        confirm = url("approval_confirm", key)
        approve = self.t("موافقة وتنفيذ", "Approve and execute")
        hidden = {"payload_hash": payload.sha256, "view_hash": sha256(title.encode()).hexdigest()}
        first = (
            views.Button(approve, confirm, key="a")
            if risk == "high"
            else views.Button(
                approve, url("approval_approve", key), post=True, hidden=hidden, key="a", confirm_href=confirm
            )
        )
        return views.Card(
            id=key,
            rev=payload.sha256[:12],
            risk=risk,
            title=title,
            reason=reason,
            href=url("approval", key),
            facts=facts,
            sla=sla,
            payload=payload,
            tag="sandbox",
            buttons=(
                first,
                views.Button(self.t("رفض مع السبب", "Reject"), url("approval_reject", key), "danger", key="r"),
                views.Button(self.t("فتح الدليل", "Evidence"), url("evidence_entry", INDEX), "quiet", key="o"),
            ),
        )

    def opportunity_card(self) -> views.Card:
        t = self.t
        return views.Card(
            id="c7",
            rev="1",
            risk="low",
            kind=t("فرصة", "Opportunity"),
            title=t("جهّز مسودة لعيادات الشفاء", "Prepare a draft for Al-Shifa Clinics"),
            reason=t("طلبوا عرضًا عبر الموقع قبل يومين", "They asked for an offer on the website two days ago"),
            href=url("opportunities"),
            facts=(
                views.Fact(t("الدرجة", "Score"), 84, "number", strong=True),
                views.Fact(t("الأثر", "Effect"), Decimal(180000), "money", tag="estimated"),
            ),
            buttons=(
                views.Button(t("جهّز المسودة", "Prepare the draft"), url("card_decision", "c7"), post=True),
                views.Button(t("تخطَّ", "Skip"), url("card_decision", "c7"), "outline", post=True),
                views.Button(t("لاحقًا", "Later"), url("card_decision", "c7"), "quiet", post=True),
            ),
        )

    # Pages -----------------------------------------------------------------------------------------------------------

    def command_center(self) -> pages.CommandCenterPage:
        t = self.t
        return pages.CommandCenterPage(
            kpis=(
                views.Kpi(
                    "pipeline_value",
                    t("قيمة الفرص المفتوحة", "Open pipeline"),
                    Decimal(4730000),
                    "money",
                    t("14 صفقة", "14 deals"),
                    as_of=NOW,
                ),
                views.Kpi(
                    "approval_sla_compliance",
                    t("القرارات ضمن المهلة", "Decided in time"),
                    Decimal("0.94"),
                    "percent",
                    t("آخر 30 يومًا", "last 30 days"),
                    as_of=NOW,
                ),
                views.Kpi(
                    "consent_coverage",
                    t("تغطية الموافقات", "Consent coverage"),
                    Decimal("0.61"),
                    "percent",
                    t("122 من 200 جهة", "122 of 200 contacts"),
                    as_of=NOW,
                ),
                views.Kpi(
                    "win_rate",
                    t("نسبة الفوز", "Win rate"),
                    None,
                    "percent",
                    t("لا صفقات مغلقة بعد", "no closed deals yet"),
                ),
            ),
            cards=(*self.cards(), self.opportunity_card()),
            roles=(
                views.Tab("ceo", t("الرئيس التنفيذي", "CEO"), "/console?role=ceo", True),
                views.Tab("sales_manager", t("مدير المبيعات", "Sales manager"), "/console?role=sales_manager"),
                views.Tab("growth_manager", t("مدير النمو", "Growth manager"), "/console?role=growth_manager"),
            ),
            waiting=12,
        )

    def approvals(self) -> pages.ApprovalsPage:
        return pages.ApprovalsPage(cards=self.cards(), tabs=self.approval_tabs())

    def approval_tabs(self) -> tuple[views.Tab, ...]:
        t = self.t
        return (
            views.Tab("pending", t("بانتظار القرار", "Waiting"), url("approvals"), True, 3),
            views.Tab("approved", t("موافق عليها", "Approved"), url("approvals", state="approved"), False, 48),
            views.Tab("rejected", t("مرفوضة", "Rejected"), url("approvals", state="rejected"), False, 5),
            views.Tab("expired", t("انتهت مهلتها", "Expired"), url("approvals", state="expired"), False, 0),
        )

    def approval_page(self) -> pages.ApprovalPage:
        t = self.t
        return pages.ApprovalPage(
            card=self.cards()[0],
            view_hash=sha256(b"view").hexdigest(),
            policy_version=sha256(b"policy").hexdigest(),
            action_type="send_email",
            action_class="B",
            requested_by=t("نورة العتيبي", "Noura Al-Otaibi"),
            requested_at=NOW - timedelta(minutes=18),
            reversibility=t("لا، لا يمكن استرجاع رسالة بعد إرسالها", "No: a message cannot be called back"),
            if_unanswered=t("تنتهي المهلة ويُعدّ الطلب مرفوضًا", "It expires and counts as refused"),
            compensation=t("إرسال تصحيح بعد موافقة جديدة", "Send a correction after a new approval"),
            reasons=(
                views.PolicyReason(
                    "external_send",
                    t(
                        "كل رسالة إلى خارج الشركة تحتاج موافقة.",
                        "Every message that leaves the company needs an approval.",
                    ),
                    "send_email.approval",
                ),
                views.PolicyReason(
                    "discount_over_limit",
                    t("الخصم أعلى من حد مدير المبيعات.", "The discount is above the sales manager's limit."),
                    "discount.director",
                ),
            ),
            history=self.timeline()[:2],
            disputes=self.disputes(),
        )

    def disputes(self) -> tuple[views.Dispute, ...]:
        t = self.t
        said = (
            views.Said(t("السعر", "Price"), "1,200.00 SAR", "knowledge:price-list", "user:71", NOW - timedelta(days=2)),
            views.Said(t("السعر", "Price"), "900.00 SAR", "action:0190", "user:72", NOW),
        )
        return (views.Dispute("product:crm", said, url("contradiction", INDEX)),)

    def timeline(self) -> tuple[views.Event, ...]:
        t = self.t
        rows = (
            (18, t("طُلبت الموافقة", "Approval requested"), t("نورة العتيبي", "Noura Al-Otaibi"), "neutral"),
            (17, t("السياسة: تحتاج موافقة", "Policy: needs approval"), t("الثقة", "Trust"), "medium"),
            (
                6,
                t("وافق المدير العام", "Approved by the general manager"),
                t("سلطان القحطاني", "Sultan Al-Qahtani"),
                "low",
            ),
            (6, t("صدر الإذن الموقَّع", "Signed grant issued"), t("الثقة", "Trust"), "low"),
            (5, t("نُفّذ في الوضع التجريبي", "Executed in sandbox mode"), "email_smtp", "low"),
        )
        return tuple(
            views.Event(
                NOW - timedelta(minutes=ago),
                title,
                actor,
                hash=sha256(title.encode()).hexdigest(),
                tone=tone,  # type: ignore[arg-type]  # a literal above
                href=url("evidence_entry", INDEX),
                current=at == 2,
            )
            for at, (ago, title, actor, tone) in enumerate(rows)
        )

    def confirm(self) -> pages.ConfirmPage:
        t = self.t
        return pages.ConfirmPage(
            card=self.cards()[0],
            view_hash=sha256(b"view").hexdigest(),
            target=t("شركة الرياض للتقنية، شخص واحد", "Riyadh Technology, one person"),
            amount=Decimal("1250000.00"),
            irreversibility=t("لا، لا يمكن استرجاع رسالة بعد إرسالها", "No: a message cannot be called back"),
            disputes=self.disputes(),
        )

    def reject(self) -> pages.RejectPage:
        return pages.RejectPage(card=self.cards()[1])

    def conflict(self) -> pages.ConflictPage:
        t = self.t
        return pages.ConflictPage(
            card=self.cards()[0],
            changes=(
                views.Change(t("القيمة", "Value"), "1,250,000.00", "1,375,000.00"),
                views.Change(t("النص", "Text"), "صالح حتى 30 نوفمبر 2026", "صالح حتى 15 ديسمبر 2026"),
            ),
            shown_hash=sha256(b"old").hexdigest(),
            current_hash=sha256(b"new").hexdigest(),
        )

    def targeting(self) -> pages.TargetingPage:
        t = self.t
        options = (
            ("own_crm", t("نظام عملائنا", "Our own CRM"), "allowed"),
            ("website_form", t("نموذج الموقع", "Website form"), "allowed"),
            ("event", t("فعالية أو معرض", "Event or exhibition"), "allowed"),
            ("referral", t("توصية", "Referral"), "allowed"),
            ("public_register", t("سجل عام", "Public register"), "allowed"),
            ("purchased", t("قائمة مشتراة", "Purchased list"), "review"),
            ("scraped", t("جمع آلي من مواقع", "Scraped from websites"), "refused"),
            ("unknown", t("غير معروف", "Unknown"), "review"),
        )
        return pages.TargetingPage(
            sources=tuple(views.SourceOption(key, label, policy) for key, label, policy in options),  # type: ignore[arg-type]  # literals above
            source="own_crm",
            imports=(
                views.ImportSummary(
                    "i1",
                    "leads.csv",
                    t("نظام عملائنا", "Our own CRM"),
                    NOW,
                    t("اكتمل", "Done"),
                    "low",
                    200,
                    t("نورة العتيبي", "Noura Al-Otaibi"),
                ),
                views.ImportSummary(
                    "i2",
                    "عملاء جدة.xlsx",
                    t("فعالية", "Event"),
                    NOW - timedelta(days=2),
                    t("أُلغي", "Undone"),
                    "medium",
                    11,
                ),
            ),
        )

    def import_map(self) -> pages.ImportMapPage:
        t = self.t
        return pages.ImportMapPage(
            id="i1",
            file_name="leads.csv",
            rows=200,
            encoding="UTF-8",
            source=t("نظام عملائنا", "Our own CRM"),
            columns=(
                views.ColumnMapping("اسم الشركة", "company", 0.98, ("شركة الرياض للتقنية", "عيادات الشفاء")),
                views.ColumnMapping("الجوال", "phone", 0.96, ("0501234567", "+966 55 987 6543")),
                views.ColumnMapping("email", "email", 0.99, ("procurement@riyadhtech.example",)),
                views.ColumnMapping("ملاحظة", "city", 0.41, ("الرياض", "جدة")),
                views.ColumnMapping("x1", "", 0.0, ("7",)),
            ),
            fields=(
                views.FieldOption("company", t("اسم الشركة", "Company")),
                views.FieldOption("phone", t("الهاتف", "Phone")),
                views.FieldOption("email", t("البريد", "E-mail")),
                views.FieldOption("city", t("المدينة", "City")),
            ),
            preview=(
                ("شركة الرياض للتقنية", "0501234567", "procurement@riyadhtech.example", "الرياض", "7"),
                ("عيادات الشفاء", "+966 55 987 6543", "info@shifa.example", "جدة", ""),
            ),
            notices=(t("قُرئت الورقة «عملاء» وحدها. لم تُقرأ: جدة.", "Only the sheet “عملاء” was read. Not read: جدة."),),
            counts={"created": 141, "merged": 23, "needs_review": 17, "blocked": 12, "rejected": 7},
        )

    def import_report(self) -> pages.ImportPage:
        t = self.t
        return pages.ImportPage(
            id="i1",
            file_name="leads.csv",
            source=t("نظام عملائنا", "Our own CRM"),
            at=NOW,
            state="done",
            progress=1.0,
            counts={"rows": 200, "created": 141, "merged": 23, "needs_review": 17, "blocked": 12, "rejected": 7},
            rejects=(
                views.Reject(14, t("الهاتف", "Phone"), "05012", t("رقم الهاتف ناقص", "The phone number is too short")),
                views.Reject(
                    58, t("الاسم", "Name"), "", t("لا اسم شركة ولا اسم شخص", "Neither a company nor a person is named")
                ),
                views.Reject(
                    91,
                    t("الاسم", "Name"),
                    "=HYPERLINK(1)",
                    t("الخلية معادلة، والمعادلات لا تُستورد", "The cell is a formula; formulas are not imported"),
                ),
            ),
            notices=(t("لم تُقرأ الأسطر التي فوق العناوين، وعددها 2.", "2 lines above the header were not read."),),
            remarks=(
                views.RowRemark(
                    22,
                    t("سارة الغامدي", "Sara Al Ghamdi"),
                    "/console/crm/contacts/c1",
                    t("أُنشئ", "Created"),
                    "low",
                    (
                        t(
                            "الجوال: «+966 50 12» ليس رقم هاتف صحيحًا، فلم يُستخدم.",
                            "Mobile: “+966 50 12” is not a valid phone number; it was left out.",
                        ),
                    ),
                ),
                views.RowRemark(
                    31,
                    t("شركة الأفق", "Ofoq Co."),
                    "",
                    t("محظور", "Blocked"),
                    "high",
                    (t("طلب هذا الشخص عدم التواصل معه.", "This person asked not to be contacted."),),
                ),
            ),
            more_remarks="/console/targeting/imports/i1?after=31",
            can_undo=True,
        )

    def import_running(self) -> pages.ImportPage:
        done = self.import_report()
        return replace(
            done,
            state="running",
            progress=0.62,
            rejects=(),
            notices=(),
            remarks=(),
            more_remarks="",
            step=self.t("مطابقة المكرر", "Matching duplicates"),
            can_undo=False,
        )

    def opportunities(self) -> pages.OpportunitiesPage:
        t = self.t
        parts = (
            ("fit", t("الملاءمة", "Fit"), 92, "0.22"),
            ("intent", t("النية", "Intent"), 85, "0.18"),
            ("urgency", t("الإلحاح", "Urgency"), 78, "0.16"),
            ("revenue", t("الإيراد", "Revenue"), 81, "0.16"),
            ("engagement", t("التفاعل", "Engagement"), 60, "0.10"),
            ("quality", t("جودة البيانات", "Data quality"), 95, "0.08"),
            ("compliance", t("الامتثال", "Compliance"), 100, "0.05"),
            ("deliverability", t("قابلية الوصول", "Deliverability"), 88, "0.05"),
        )
        scored = tuple(views.ScorePart(key, label, score, Decimal(weight)) for key, label, score, weight in parts)
        first = views.Opportunity(
            rank=1,
            lead_id="l1",
            account=t("شركة الرياض للتقنية", "Riyadh Technology"),
            contact=t("نورة العتيبي", "Noura Al-Otaibi"),
            role=t("مديرة المشتريات", "Head of procurement"),
            city=t("الرياض", "Riyadh"),
            score=84,
            tier="P0",
            channel=t("واتساب", "WhatsApp"),
            contactability="safe",
            consent=t(
                "وافقت على رسائل التسويق عبر واتساب في 3 نوفمبر 2026، الإشعار 2.1",
                "Agreed to marketing on WhatsApp on 3 November 2026, notice 2.1",
            ),
            reasons=(t("قطاع وحجم مطابقان لأفضل عملائك", "Sector and size match your best customers"),),
            why_now=(
                views.WhyNow(
                    t("طلبت عرضًا عبر الموقع", "Asked for an offer on the website"),
                    date(2026, 11, 19),
                    t("نموذج الموقع", "website form"),
                ),
            ),
            parts=scored,
            phone="+966 50 123 4567",
            email="procurement@riyadhtech.example",
            button=views.Button(t("جهّز المسودة", "Prepare the draft"), url("opportunity_draft", "l1"), post=True),
        )
        return pages.OpportunitiesPage(
            items=(
                first,
                replace(
                    first,
                    rank=2,
                    lead_id="l2",
                    account=t("عيادات الشفاء", "Al-Shifa Clinics"),
                    contact=t("د. خالد الحربي", "Dr Khalid Al-Harbi"),
                    role=t("المدير الطبي", "Medical director"),
                    city=t("جدة", "Jeddah"),
                    score=67,
                    tier="P1",
                    channel=t("بريد إلكتروني", "E-mail"),
                    contactability="needs_review",
                    consent=t(
                        "لا موافقة مسجَّلة، والمصدر غير موثّق", "No consent on record, and the source is not documented"
                    ),
                    phone="+966 55 987 6543",
                    email="info@shifa.example",
                    button=None,
                ),
                replace(
                    first,
                    rank=3,
                    lead_id="l3",
                    account="Najd Logistics",
                    contact="Omar Hassan",
                    role=t("مدير العمليات", "Operations manager"),
                    city=t("الدمام", "Dammam"),
                    score=41,
                    tier="P3",
                    channel="",
                    contactability="blocked",
                    consent=t("طلب عدم التواصل في 1 نوفمبر 2026", "Asked not to be contacted on 1 November 2026"),
                    why_now=(),
                    reasons=(t("على قائمة عدم التواصل", "On the do-not-contact list"),),
                    phone="",
                    email="omar@najd.example",
                    button=None,
                ),
            ),
            tabs=(
                views.Tab("all", t("الكل", "All"), url("opportunities"), True, 164),
                views.Tab(
                    "safe",
                    t("يجوز التواصل", "May be contacted"),
                    url("opportunities", contactability="safe"),
                    False,
                    135,
                ),
                views.Tab(
                    "needs_review",
                    t("يحتاج مراجعة", "Needs review"),
                    url("opportunities", contactability="needs_review"),
                    False,
                    17,
                ),
                views.Tab("blocked", t("محظور", "Blocked"), url("opportunities", contactability="blocked"), False, 12),
            ),
            total=164,
            ranked_at=NOW,
        )

    # Evidence --------------------------------------------------------------------------------------------------------

    def entry_text(self) -> str:
        return canonical(
            {
                "action_id": "0193f2a0-7c11-7a52-9f6a-2f1f7f1f0a01",
                "actor": "approver:سلطان القحطاني",
                "at": "2026-11-21T09:24:00Z",
                "kind": "approval_collected",
                "payload_sha256": self.cards()[0].payload.sha256,  # type: ignore[union-attr]  # it has one
            }
        ).decode()

    def leaves(self) -> list[bytes]:
        leaves = [merkle.leaf_hash(f"leaf {n}".encode()) for n in range(LEAVES)]
        leaves[INDEX] = merkle.leaf_hash(SALT + self.entry_text().encode())
        return leaves

    def checkpoint(self) -> views.Checkpoint:
        root = merkle.root(self.leaves())
        text = f"{ORIGIN}\n{LEAVES}\n{b64encode(root).decode()}\n"
        public = bytes(KEY.verify_key)
        key_id = sha256(ORIGIN.encode() + b"\n\x01" + public).digest()[:4]
        signature = b64encode(key_id + KEY.sign(text.encode()).signature).decode()
        return views.Checkpoint(ORIGIN, LEAVES, root.hex(), NOW, f"{text}\n— {ORIGIN} {signature}\n", key_id.hex())

    def cosignature(self) -> dict[str, str]:
        body = self.checkpoint().note.rpartition("\n\n")[0] + "\n"
        public, at = bytes(WITNESS.verify_key), int(NOW.timestamp())
        key_id = sha256(WITNESS_NAME.encode() + b"\n\x04" + public).digest()[:4]
        signature = WITNESS.sign(f"cosignature/v1\ntime {at}\n{body}".encode()).signature
        line = f"— {WITNESS_NAME} {b64encode(key_id + at.to_bytes(8) + signature).decode()}"
        return {"name": WITNESS_NAME, "public_key": public.hex(), "line": line}

    def platform(self) -> dict[str, object]:
        """The checkpoint as leaf 2 of 5 of the platform's log."""
        here, origin = self.checkpoint(), f"{ORIGIN.rpartition('/')[0]}/00000000-0000-0000-0000-000000000000"
        entry = canonical(
            {"data": {"origin": here.origin, "size": here.size, "root": here.root}, "kind": "ledger.checkpoint"}
        )
        leaves = [merkle.leaf_hash(f"platform {n}".encode()) for n in range(5)]
        leaves[2] = merkle.leaf_hash(SALT + entry)
        text = f"{origin}\n5\n{b64encode(merkle.root(leaves)).decode()}\n"
        key_id = sha256(origin.encode() + b"\n\x01" + bytes(KEY.verify_key)).digest()[:4]
        signature = b64encode(key_id + KEY.sign(text.encode()).signature).decode()
        return {
            "checkpoint": f"{text}\n— {origin} {signature}\n", "entry": entry.decode(), "salt": SALT.hex(), "seq": 2,
            "leaf_hash": leaves[2].hex(), "path": [step.hex() for step in merkle.inclusion_path(leaves, 2)],
        }  # fmt: skip

    def keys(self) -> dict[str, object]:
        x = urlsafe_b64encode(bytes(KEY.verify_key)).rstrip(b"=").decode()
        return {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "checkpoint-1", "use": "sig"}]}

    def evidence(self) -> pages.EvidencePage:
        t = self.t
        titles = (
            (t("وافق المدير العام على إرسال عرض السعر", "The general manager approved sending the quotation"), "low"),
            (
                t(
                    "رفضت السياسة رسالة واتساب إلى رقم غير موافق",
                    "Policy refused a WhatsApp message to a number without opt-in",
                ),
                "high",
            ),
            (t("جُهّزت مسودة لعيادات الشفاء", "A draft was prepared for Al-Shifa Clinics"), "neutral"),
            (t("استُورد ملف leads.csv", "leads.csv was imported"), "neutral"),
        )
        return pages.EvidencePage(
            rows=tuple(
                views.LedgerRow(
                    INDEX - at,
                    NOW - timedelta(minutes=6 * at),
                    title,
                    t("سلطان القحطاني", "Sultan Al-Qahtani"),
                    self.leaves()[INDEX - at].hex(),
                    url("evidence_entry", INDEX - at),
                    tone,  # type: ignore[arg-type]  # a literal above
                )
                for at, (title, tone) in enumerate(titles)
            ),
            checkpoint=self.checkpoint(),
        )

    def evidence_entry(self) -> pages.EvidenceEntryPage:
        t = self.t
        leaves = self.leaves()
        return pages.EvidenceEntryPage(
            index=INDEX,
            title=t("وافق المدير العام على إرسال عرض السعر", "The general manager approved sending the quotation"),
            at=NOW - timedelta(minutes=6),
            actor=t("سلطان القحطاني", "Sultan Al-Qahtani"),
            entry=self.entry_text(),
            salt=SALT.hex(),
            leaf_hash=leaves[INDEX].hex(),
            path=tuple(step.hex() for step in merkle.inclusion_path(leaves, INDEX)),
            checkpoint=self.checkpoint(),
            keys=self.keys(),
            witnesses=(self.cosignature(),),
            platform=self.platform(),
            timeline=self.timeline(),
            facts=self.cards()[0].facts,
        )

    def sandbox(self) -> pages.SandboxMailboxPage:
        t = self.t
        return pages.SandboxMailboxPage(
            messages=(
                views.SandboxMessage(
                    "m1", NOW, t("بريد إلكتروني", "E-mail"), "email_smtp", "procurement@riyadhtech.example",
                    "عرض سعر 2026-118", ARABIC_MESSAGE, sha256(b"receipt").hexdigest(), url("evidence_entry", INDEX),
                ),
                views.SandboxMessage(
                    "m2", NOW, t("واتساب", "WhatsApp"), "whatsapp", "+966 55 987 6543", "",
                    "مرحبًا د. خالد، موعدنا يوم الأحد 10:30. لإيقاف الرسائل أرسل «إيقاف».", sha256(b"r2").hexdigest(), "",
                ),
            )
        )  # fmt: skip

    def problem(self, kind: str) -> pages.ProblemPage:
        t = self.t
        if kind == "denied":
            return pages.ProblemPage(
                "denied",
                t("هذه الصفحة ليست لدورك", "This page is not for your role"),
                t("لا يملك حسابك صلاحية سجل الأدلة الكامل.", "Your account may not read the whole evidence log."),
                needs_role=t("مدقّق", "Auditor"),
                reference="0193f2a07c117a52",
            )
        return pages.ProblemPage(
            "error",
            t("تعذّر الوصول إلى مستوى الثقة", "The trust plane does not answer"),
            t("لم نتمكن من قراءة الطلبات الآن.", "The requests could not be read just now."),
            safe=t(
                "لم يُنفَّذ شيء، ولن يُنفَّذ شيء قبل أن تعود الخدمة.",
                "Nothing was executed, and nothing will be until it is back.",
            ),
            reference="0193f2a07c117a52",
            retry_href=url("approvals"),
            last_good_at=NOW - timedelta(minutes=7),
        )

    def all(self) -> dict[str, pages.Page]:
        """Every page by a short name that is also its preview path."""
        approvals, command = self.approvals(), self.command_center()
        return {
            "sign-in": pages.SignInPage(),
            "sign-in-error": pages.SignInPage(
                error=self.t("البريد أو كلمة المرور غير صحيحة.", "The e-mail or the password is wrong."),
                email="noura@example.com",
                locked_minutes=15,
            ),
            "sign-in-code": pages.SignInCodePage(),
            "command-center": command,
            "command-center-empty": replace(
                command, cards=(), waiting=0, next_sla=views.Sla(95, NOW + timedelta(minutes=95))
            ),
            "command-center-first": replace(command, cards=(), waiting=0, has_leads=False),
            "approvals": approvals,
            "approvals-none": replace(approvals, cards=(), empty="all_done"),
            "approvals-no-match": replace(approvals, cards=(), empty="no_match", query="zzz"),
            "approvals-stale": replace(approvals, stale_since=NOW - timedelta(minutes=7)),
            "approval": self.approval_page(),
            "confirm": self.confirm(),
            "reject": self.reject(),
            "conflict": self.conflict(),
            "targeting": self.targeting(),
            "import-map": self.import_map(),
            "import-running": self.import_running(),
            "import-report": self.import_report(),
            "opportunities": self.opportunities(),
            "evidence": self.evidence(),
            "evidence-entry": self.evidence_entry(),
            "sandbox": self.sandbox(),
            "sandbox-empty": pages.SandboxMailboxPage(()),
            "problem-denied": self.problem("denied"),
            "problem-error": self.problem("error"),
            **CrmFixtures(self.lang).all(),
            **desks(self.lang == "ar"),
        }


SIGNED_OUT = frozenset({"sign-in", "sign-in-error", "sign-in-code"})


def keys_json() -> str:
    return json.dumps(Fixtures("en").keys())
