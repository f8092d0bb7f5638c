"""The report of the main job: what became of the rows, who comes first, what waits for a person, what to type next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from dev.messages import Lang, Sentence
from dev.terminal import Cell, command, plain, table, toned, when
from dev.words import word, words

TOP = 10
Json = Mapping[str, Any]
NO_OPPORTUNITIES = Sentence("No opportunities yet.", "لا توجد فرص بعد.")


def heading(lang: Lang, en: str, ar: str) -> Text:
    return Text(f"\n{ar if lang == 'ar' else en}", style="bold")


def outcome(lang: Lang, status: Json) -> list[RenderableType]:
    """What became of each row, and what the outcomes mean."""
    counts: Json = status.get("counts") or {}
    rows = [
        (
            toned(word("import_outcome", name, lang), name),
            str(counts.get(name, 0)),
            words()["import_outcome_means"][name].text(lang),
        )
        for name in words()["import_outcome"]
    ]
    file = plain(status.get("file_name") or "")
    what = heading(lang, f"Import of {file}", f"استيراد {file}")
    if status.get("dry_run"):
        what = heading(lang, f"Trial import of {file}: nothing was stored", f"استيراد تجريبي لملف {file}: لم يُحفظ شيء")
    shown: list[RenderableType] = [
        what,
        table(lang, [("rows", "الصفوف"), ("", ""), ("what it means", "المعنى")], rows, numbers=[1]),
    ]
    shown += [Text(plain(notice.get(lang))) for notice in status.get("notices") or ()]
    if unchanged := counts.get("unchanged"):
        shown.append(
            Text(
                f"عدد الصفوف المدموجة التي استُوردت سابقًا ولم تغيّر شيئًا: {unchanged}."
                if lang == "ar"
                else f"{unchanged} of the merged rows had been imported before and changed nothing."
            )
        )
    return shown


def mapping(lang: Lang, columns: Sequence[Json]) -> RenderableType:
    """Which column was read as which field."""
    ignored = "غير مستخدم" if lang == "ar" else "not used"
    rows = [
        (plain(c.get("column")), plain(c.get("field") or ignored), f"{float(c.get('confidence') or 0):.0%}")
        for c in columns
    ]
    return table(lang, [("column", "العمود"), ("read as", "قُرئ على أنه"), ("confidence", "الثقة")], rows, numbers=[2])


def ranking(lang: Lang, ranked: Json) -> RenderableType:
    """Tiers in one line."""
    tiers = " · ".join(f"{plain(tier)} {count}" for tier, count in sorted((ranked.get("tiers") or {}).items()))
    total, cards, drafts = ranked.get("ranked", 0), ranked.get("cards", 0), ranked.get("drafts", 0)
    if lang == "ar":
        return Text(f"العملاء المرتّبون: {total} · الفئات: {tiers} · بطاقات جديدة: {cards} · مسودات جديدة: {drafts}")
    return Text(f"{total} leads ranked · tiers: {tiers} · new cards: {cards} · new drafts: {drafts}")


def opportunities(lang: Lang, items: Sequence[Json]) -> RenderableType:
    """Ranked leads, best first."""
    if not items:
        return Text(NO_OPPORTUNITIES.text(lang))
    rows = [
        (
            str(at),
            plain(o.get("account_name")),
            f"{float(o.get('score') or 0):.0f}",
            plain(o.get("tier")),
            plain(word("channel", o.get("channel"), lang)) or "–",
            toned(word("contactability", o.get("contactability"), lang), o.get("contactability")),
            _why(lang, o),
        )
        for at, o in enumerate(items, 1)
    ]
    headings = [
        ("#", "#"), ("account", "الشركة"), ("score", "الدرجة"), ("tier", "الفئة"), ("channel", "القناة"),
        ("may contact", "التواصل"), ("why now", "لماذا الآن"),
    ]  # fmt: skip
    return table(lang, headings, rows, numbers=[0, 2])


def _why(lang: Lang, opportunity: Json) -> str:
    signals = [plain(signal.get(lang)) for signal in opportunity.get("why_now") or ()]
    reasons = [plain(reason) for reason in opportunity.get(f"reasons_{lang}") or ()]
    return (signals or reasons or [""])[0]


def next_steps(lang: Lang, *, approvals: Sequence[Json], rejected: int, import_id: str) -> list[RenderableType]:
    """What to type next, each line a command that works as it stands."""
    steps: list[tuple[str, str, str]] = []
    if approvals:
        first = plain(approvals[0].get("approval_id"))
        steps += [
            (
                "Read the first draft as it would be sent:",
                "لقراءة أول مسودة كما ستُرسل:",
                f"dealix approvals show {first}",
            ),
            ("Approve exactly that:", "للموافقة عليها كما هي:", f"dealix approvals approve {first}"),
        ]
    steps.append(("See the decisions in full:", "لعرض القرارات كاملة:", "dealix cards --role ceo"))
    if rejected:
        mend = f"dealix rejects {import_id} -o rejects.csv"
        steps.append(("Mend the rejected rows and import them again:", "لتصحيح الصفوف المرفوضة واستيرادها:", mend))
    shown: list[RenderableType] = [heading(lang, "What to type next", "الخطوة التالية")]
    for en, ar, line in steps:
        shown += [Text(ar if lang == "ar" else en), command(line)]
    return shown


def imports(lang: Lang, items: Sequence[Json]) -> RenderableType:
    """Imports, one line each."""
    rows: list[list[Cell]] = [
        [
            plain(item.get("import_id")),
            plain(item.get("file_name")),
            when(item.get("started_at")),
            toned(word("import_state", item.get("state"), lang), item.get("state")),
            " · ".join(
                f"{word('import_outcome', name, lang)} {count}"
                for name in words()["import_outcome"]
                if (count := (item.get("counts") or {}).get(name))
            ),
        ]
        for item in items
    ]
    headings = [("import", "الاستيراد"), ("file", "الملف"), ("time", "الوقت"), ("state", "الحالة"), ("rows", "الصفوف")]
    return table(lang, headings, rows, whole=[0, 2])
