"""The Arabic that people read: one word for one thing, nouns that agree with their numbers, Latin digits, and a name for whoever acts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from babel.messages.pofile import read_po

from libs.contracts.arabic import DAYS, ROWS, SECONDS
from libs.contracts.catalogue.agents import agents
from libs.contracts.catalogue.skills import skills
from libs.contracts.catalogue.words import words
from services.gateway.console.messages import LOCALE

ROOT = Path(__file__).resolve().parents[2]
CODE = [*(ROOT / "services").rglob("*.py"), *(ROOT / "libs").rglob("*.py"), *(ROOT / "dev").rglob("*.py")]
DATA = [*(ROOT / "libs" / "contracts" / "catalogue").glob("*.yaml"), ROOT / "dev" / "words.yaml"]
READ_NOT_SHOWN = (
    "screening",
    "claims/",
    "vocabulary",
    "importing/domain",
    "decision/domain",
    "evaluations",
    "brief.py",
    "review/",
)
"""What compares Arabic with what people wrote has to hold every spelling of it."""
ARABIC = re.compile(r"[\u0600-\u06ff]")
INDIC = re.compile(r"[\u0660-\u0669\u06f0-\u06f9]")
NOUN = re.compile(
    r"^ (?:يوم|يومًا|أيام|ساعة|ساعات|دقيقة|دقائق|ثانية|ثوانٍ|شهر|شهرًا|أشهر|سنة|سنوات|صف|صفًا|صفوف|سجل|سجلًا|سجلات|حرف|حرفًا|أحرف"
    r"|مرة|مرات|محاولة|محاولات|جهة|جهات|شخص|شخصًا|أشخاص|نقطة|نقاط|حقل|حقول|قيد|قيدًا|قيود|مسار|مسارات|مستويات|شهود|تشغيل|أخطاء"
    r"|صفقة|صفقات|بطاقة|بطاقات|رسالة|رسائل|مستند|مستندات|عميل|عملاء|طلب|طلبات|موافقة|قرار|قرارات|تذكرة|تذاكر)(?![\w\u064b-\u0652])"
)

TERMS = {
    r"ميجابايت|م\.ب": "ميغابايت",
    r"\bتعارض": "تناقض",
    r"\bإفادة": "ادعاء",
    r"وضع التجربة|البيئة التجريبية": "الوضع التجريبي",
    r"بريد التجربة": "الصندوق التجريبي",
    r"النسخ التجريبية|نسخ[ةه] تجريبية": "تجربة جزئية",
    r"مسؤول الالتزام": "مسؤول الامتثال",
    r"تقديم الخدمة": "تسليم الخدمة",
    r"ديلكس|ديليكس": "ديل إكس",
    r"\bالمورد(?:ين)?\b": "المزوّد",
    r"مفتاح برمجي|مفاتيح الواجهة|مفتاح الواجهة": "مفتاح API",
    r"بيانات (?:ال)?دخول\b(?! ال)": "بيانات الاعتماد",
    r"ووفق عليه": "تمت الموافقة عليه",
    r"\bالخطر\b": "المخاطرة",
    r"موافقة إنسان|قرار إنسان": "شخص",
}
"""What is not written, and what is written instead: the catalogue's vocabulary, said alike on every page."""
ELSEWHERE = {
    "تناقض": ("http/problems.py", "agents.yaml"),
    "بيانات الاعتماد": ("dev/prepare.py",),
    "ادعاء": ("targeting.yaml",),
}
"""Files in which the words mean something else (a conflict of two requests, a name and password of a server) or belong to an admitted skill."""


def _shown(path: Path) -> bool:
    return not any(part in str(path) for part in READ_NOT_SHOWN)


def _texts() -> Iterator[tuple[str, str]]:
    """Every Arabic text with where it stands: of the code, of the catalogues, of the console's messages."""
    for path in filter(_shown, CODE):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and ARABIC.search(node.value):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value
    for path in filter(_shown, DATA):
        for text in _strings(yaml.safe_load(path.read_text(encoding="utf-8"))):
            if ARABIC.search(text):
                yield str(path.relative_to(ROOT)), text
    with LOCALE.joinpath("ar", "LC_MESSAGES", "console.po").open("rb") as source:
        for message in read_po(source, locale="ar"):
            for text in message.string if isinstance(message.string, tuple) else (message.string,):
                yield f"console.po: {message.id}", str(text)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            # Phrases and titles are compared with what people write; they are not shown.
            if key not in ("phrases", "titles", "names"):
                yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def test_one_thing_has_one_name_everywhere() -> None:
    wrong = [
        f"{where}: {text[:80]} (say {term})"
        for where, text in _texts()
        for banned, term in TERMS.items()
        if re.search(banned, text) and not any(file in where for file in ELSEWHERE.get(term, ()))
    ]
    assert wrong == []


def test_no_text_has_arabic_indic_digits() -> None:
    assert [f"{where}: {text[:80]}" for where, text in _texts() if INDIC.search(text)] == []


def test_a_noun_after_a_number_agrees_with_it() -> None:
    """A noun right after a value is wrong for most values: `libs/contracts/arabic.py` counts, or the text says «العدد: 5»."""
    wrong = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                wrong += [f"{path.relative_to(ROOT)}:{node.lineno}: {text}" for text in _uncounted(node)]
    assert wrong == []


def _uncounted(node: ast.JoinedStr) -> list[str]:
    return [
        text.value
        for value, text in zip(node.values, node.values[1:], strict=False)
        if isinstance(value, ast.FormattedValue)
        and not (
            isinstance(value.value, ast.Name) and value.value.id.isupper()
        )  # a constant: its noun was chosen for it
        and isinstance(text, ast.Constant)
        and isinstance(text.value, str)
        and NOUN.match(text.value)
    ]


def test_the_check_of_nouns_notices_a_wrong_one() -> None:
    (node,) = (one for one in ast.walk(ast.parse('f"قبل {days} يوم"')) if isinstance(one, ast.JoinedStr))
    assert _uncounted(node) == [" يوم"]


@pytest.mark.parametrize(
    ("number", "days", "rows", "seconds"),
    [
        (0, "0 يوم", "0 صف", "0 ثانية"),
        (1, "يوم واحد", "صف واحد", "ثانية واحدة"),
        (2, "يومين", "صفّين", "ثانيتين"),
        (3, "3 أيام", "3 صفوف", "3 ثوانٍ"),
        (10, "10 أيام", "10 صفوف", "10 ثوانٍ"),
        (11, "11 يومًا", "11 صفًا", "11 ثانية"),
        (100, "100 يوم", "100 صف", "100 ثانية"),
        (1_103, "1,103 أيام", "1,103 صفوف", "1,103 ثوانٍ"),
    ],
)
def test_nouns_take_the_form_of_their_number(number: int, days: str, rows: str, seconds: str) -> None:
    assert (DAYS(number), ROWS(number), SECONDS(number)) == (days, rows, seconds)


def test_whoever_acts_has_a_name() -> None:
    named = words()
    assert set(named["agent"]) == set(agents().agents)
    assert set(named["skill"]) == set(skills().skills)
    assert set(named["task"]) == set(agents().model_policies)
