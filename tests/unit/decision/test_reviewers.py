"""Reviewers read words, not letters; and they see what may not be sent."""

from dataclasses import replace

import pytest

from libs.contracts.trust import Contactability
from services.decision.agents.review import compliance, quality
from services.decision.agents.review.claims import find
from services.decision.agents.review.content import ComplianceStatus, Content, Verdict

GOOD = Content(
    channel="email",
    language="ar",
    subject="متابعة لتواصلنا السابق",
    body=(
        "السلام عليكم أستاذ محمد،\n\nمعكم سارة الحربي من شركة روافد. نتابع معكم تواصلنا السابق، ونقترح أن يدور حديثنا الأول حول إدارة العقود. "
        "العرض يتضمن التدريب ضمن المهلة نفسها.\n\nهل يناسبكم اتصال قصير هذا الأسبوع؟ يكفي أن تردوا بالوقت الأنسب لكم.\n\n"
        "مع التقدير،\nسارة الحربي\n\nلإلغاء الاشتراك: https://r.example/u/1"
    ),
    status=Contactability.SAFE,
    sender=("شركة روافد", "سارة الحربي"),
    names=("شركة روافد",),
    opt_out_url="https://r.example/u/1",
)


@pytest.mark.parametrize(
    "text",
    [
        "نضمن لكم زيادة المبيعات",
        "ونضمن لكم النتائج",
        "نتائج مضمونة خلال شهر",
        "أضمن لك مضاعفة الأرباح",
        "بضمان استرداد المبلغ",
        "مع ضمان النتائج",
        "ربح مضمون",
        "عوائد مؤكدة",
        "نتعهد بزيادة العملاء",
        "حل بدون مخاطر",
        "نسبة نجاح 100%",
        "لا شك أننا نضمن لكم النمو",
        "لا تقلقوا نضمن النجاح",
        "لن تندموا، نضمن لكم العائد",
        "نَضْمَنُ لكم",
        "Guaranteed results in 30 days",
        "we guarantee growth",
        "It is risk-free",
        "assured returns",
    ],
)
def test_a_promise_is_found(text: str) -> None:
    assert find(text, "guarantee"), text


@pytest.mark.parametrize(
    "text",
    [
        "العرض يتضمن التدريب والدعم",
        "ويتضمن العقد ثلاث مراحل",
        "تتضمن الباقة 3 مستخدمين",
        "العرض المتضمن للتدريب",
        "ضمن المهلة",
        "من ضمن الخدمات",
        "موافقة ضمنية",
        "التضامن الاجتماعي",
        "الضمان الاجتماعي",
        "الضمان الصحي للموظفين",
        "ضمان بنكي بقيمة 5%",
        "مضمون الرسالة واضح",
        "المضمون العربي",
        "لا نضمن نتائج محددة",
        "لا نعدكم بنتائج",
        "بدون ضمانات",
        "we cannot guarantee results",
        "no guarantees",
        "a bank guarantee is required",
        "من المؤكد أن لديكم أولويات",
        "السعر يشمل 100% من الضريبة",
    ],
)
def test_a_word_that_merely_looks_like_a_promise_is_none(text: str) -> None:
    assert not find(text, "guarantee"), text


def test_a_company_called_guarantee_promises_nothing_by_its_name() -> None:
    assert not find("السادة شركة ضمان المحترمين", "guarantee", names=["شركة ضمان"])
    assert not find("مؤسسة الضمان الأول للتجارة", "guarantee", names=["مؤسسة الضمان الأول للتجارة"])


def test_a_good_letter_is_clear_and_passes() -> None:
    assert compliance.review(GOOD).status is ComplianceStatus.CLEAR
    report = quality.review(GOOD)
    assert (report.score, report.verdict, report.findings) == (100, Verdict.PASS, ())


def codes(content: Content) -> set[str]:
    return {finding.code for finding in compliance.review(content).findings}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": Contactability.BLOCKED}, "do_not_contact"),
        ({"channel": "whatsapp", "status": Contactability.NEEDS_REVIEW}, "cold_whatsapp"),
        ({"channel": "whatsapp", "status": Contactability.UNKNOWN}, "cold_whatsapp"),
        ({"body": GOOD.body.replace("لإلغاء الاشتراك: https://r.example/u/1", "")}, "opt_out_missing"),
        ({"sender": ("شركة أخرى",)}, "sender_missing"),
        ({"sender": ("",)}, "sender_missing"),
        ({"body": GOOD.body + " نضمن لكم النتائج"}, "guaranteed_result"),
        ({"subject": "نتائج مضمونة"}, "guaranteed_result"),
        ({"body": GOOD.body + " هويتي 1023456789"}, "personal_number"),
        ({"body": GOOD.body + " آيبان SA0380000000608010167519"}, "personal_number"),
        ({"body": GOOD.body + " رقم الهوية ١٠٢٣٤٥٦٧٨٩"}, "personal_number"),
    ],
)
def test_a_violation_is_seen(change: dict[str, object], code: str) -> None:
    content = replace(GOOD, **change)  # type: ignore[arg-type]  # fields by name
    assert code in codes(content)
    assert compliance.review(content).status is ComplianceStatus.VIOLATION


@pytest.mark.parametrize(
    "text",
    [
        "حصلنا على رقمكم من الإنترنت",
        "وجدت رقمك في قوقل وحبيت أتواصل",
        "نراسلكم دون سابق معرفة",
        "اعتذر عن إزعاجكم",
        "We got your number from a list",
    ],
)
def test_the_wording_of_cold_whatsapp_is_refused_in_arabic_and_english(text: str) -> None:
    chat = replace(GOOD, channel="whatsapp", subject=None, body=f"{GOOD.body} {text}")
    assert "cold_whatsapp" in codes(chat)


def test_a_contact_under_review_is_a_doubt_for_a_person() -> None:
    assert compliance.review(replace(GOOD, status=Contactability.NEEDS_REVIEW)).status is ComplianceStatus.AMBIGUOUS
    assert compliance.review(replace(GOOD, body=GOOD.body + " فرصة لا تعوض")).status is ComplianceStatus.AMBIGUOUS


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"body": GOOD.body.replace("أستاذ محمد", "{name}")}, "placeholder"),
        ({"body": GOOD.body.replace("محمد", "[الاسم]")}, "placeholder"),
        ({"body": GOOD.body * 6}, "too_long"),
        ({"body": "السلام عليكم؟ إيقاف"}, "too_short"),
        ({"body": GOOD.body.replace("؟", ".")}, "no_question"),
        ({"subject": ""}, "subject"),
        ({"subject": "عنوان " * 20}, "subject"),
        ({"body": GOOD.body.replace("هذا الأسبوع", "هذا الأسبوع!")}, "exclamation"),
        ({"body": GOOD.body + " ٣ أيام"}, "arabic_digits"),
        ({"body": GOOD.body + " من من"}, "repeated_word"),
        ({"body": GOOD.body + " https://other.example"}, "foreign_link"),
        ({"language": "en"}, "wrong_language"),
        ({"body": GOOD.body.removeprefix("السلام عليكم ")}, "no_greeting"),
    ],
)
def test_a_flaw_costs_points_and_is_named(change: dict[str, object], code: str) -> None:
    report = quality.review(replace(GOOD, **change))  # type: ignore[arg-type]  # fields by name
    assert code in {finding.code for finding in report.findings}
    assert report.score < 100


def test_a_letter_with_an_unfilled_placeholder_fails() -> None:
    assert quality.review(replace(GOOD, body=GOOD.body.replace("محمد", "{name}"))).verdict is Verdict.FAIL
