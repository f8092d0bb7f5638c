"""Rules over the catalogues as they are written, before a loader refuses them: so that a violation is named, with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from libs.contracts.arabic import TIMES
from libs.contracts.architecture import Check, Finding
from libs.contracts.message import Text

CATALOGUE: Final = "libs/contracts/catalogue"
FOLDER: Final = Path(__file__).resolve().parents[1] / "contracts" / "catalogue"

UNATTENDED: Final = {
    "slack_notify": "a notice to the tenant's own team",
    "webhook_deliver": "to the tenant's own system, under what its owner subscribed to",
    "approval_brief_send": "to the tenant's own people, at numbers that they verified",
}
"""Effects that leave without an approver, and why that is right. Models are the other ones: what they may see, trust says each time."""
NEVER: Final = (
    "gmail_send", "moyasar_charge", "linkedin_scrape", "linkedin_auto_dm", "linkedin_connect", "whatsapp_cold_send",
    "social_browser_automation",
)  # fmt: skip
"""Scraping, automatic direct messages, cold sends and silent charges: registered, so that they are refused by name."""
INSIDE: Final = ("internal", "none", "manual")
BUTTONS: Final = 3
RISKS: Final = ("low", "medium", "high")
PHASES: Final = (0, 1, 2, 3)

Document = Mapping[str, Any]


def made(name: str, en: str, ar: str, looked_at: int, findings: Iterable[Finding]) -> Check:
    """A check. One that had nothing to look at says so as its finding."""
    found = tuple(findings)
    if not looked_at and not found:
        found = (Finding(where=name, en="There was nothing to look at.", ar="لا يوجد ما يُفحص."),)
    return Check(name=name, title=Text(en=en, ar=ar), looked_at=looked_at, findings=found)


def duplicates(routes: Iterable[tuple[str, str]]) -> Check:
    """No method and path twice: the second would never be reached. `routes` are (method, path)."""
    counted = Counter(routes)
    return made(
        "duplicate_routes", "No method and path twice", "لا تكرار في الطرق والمسارات", len(counted),
        (
            Finding(where=f"{method} {path}", en=f"Declared {times} times; only the first answers.", ar=f"معلَن {TIMES(times)}، ولا يجيب إلا الأول.")
            for (method, path), times in sorted(counted.items()) if times > 1
        ),
    )  # fmt: skip


def buttons(cards: Document) -> Check:
    """A card has one to three buttons."""
    events = cards.get("events") or {}
    return made(
        "card_buttons", "Cards have one to three buttons", "لكل بطاقة من زر إلى ثلاثة أزرار", len(events),
        (
            Finding(
                where=f"{CATALOGUE}/cards.yaml: {name}",
                en=f"The card has {count} buttons; one to {BUTTONS} are allowed.", ar=f"عدد أزرار البطاقة {count}، والمسموح من 1 إلى {BUTTONS}.",
            )
            for name, event in events.items() if not 1 <= (count := len(event.get("buttons") or ())) <= BUTTONS
        ),
    )  # fmt: skip


def live_flags(flags: Document) -> Check:
    """No effect is live before somebody decided it."""
    live = {name: flag for name, flag in flags.items() if name.startswith("live.")}
    return made(
        "live_flags_off", "Live effects are off out of the box", "التنفيذ الفعلي مطفأ ابتداءً", len(live),
        (
            Finding(where=f"{CATALOGUE}/flags.yaml: {name}", en="The live flag is on by default.", ar="مفتاح التنفيذ الفعلي مفعّل ابتداءً.")
            for name, flag in live.items() if flag.get("default") is not False
        ),
    )  # fmt: skip


def integrations(registry: Document, actions: Document) -> Check:
    """Every integration has a launch phase and a risk, and every connector an integration that says so."""
    entries: Document = registry.get("integrations") or {}
    findings = []
    for name, entry in entries.items():
        where = f"{CATALOGUE}/integrations.yaml: {name}"
        if entry.get("phase") not in PHASES or isinstance(entry.get("phase"), bool):
            findings.append(
                Finding(where=where, en="It has no launch phase (0 to 3).", ar="بلا مرحلة إطلاق (من 0 إلى 3).")
            )
        if entry.get("risk") not in RISKS:
            findings.append(
                Finding(
                    where=where,
                    en="It has no risk level (low, medium, high).",
                    ar="بلا درجة خطورة (low أو medium أو high).",
                )
            )
    known = {entry.get("connector") for entry in entries.values()}
    for connector, users in sorted(_leaving(actions).items()):
        # A model's connector has its provider's entry in models.yaml, with country and data classes.
        asked = [name for name, effect in users.items() if not effect.get("model")]
        if connector not in known and asked and not all(effect.get("blocked") for effect in users.values()):
            findings.append(
                Finding(
                    where=f"{CATALOGUE}/actions.yaml: {asked[0]}",
                    en=f"It leaves by the connector {connector}, which no integration describes.",
                    ar=f"يخرج عبر الموصل {connector} ولا يصفه أي تكامل.",
                )
            )
    return made(
        "integrations_described", "Integrations have a launch phase and a risk level", "لكل تكامل مرحلة إطلاق ودرجة خطورة",
        len(entries), findings,
    )  # fmt: skip


def external_actions(actions: Document, flags: Document) -> Check:
    """Whatever leaves needs an approver, or a declared reason why not; a switch that is off; and the operation that it performs."""
    findings = []
    looked_at = 0
    for connector, users in _leaving(actions).items():
        for name, effect in users.items():
            looked_at += 1
            where = f"{CATALOGUE}/actions.yaml: {name}"
            if effect.get("class") == "C" or effect.get("blocked"):
                continue
            if effect.get("operation", "none") == "none":
                findings.append(
                    Finding(where=where, en="It leaves without naming its operation.", ar="يخرج دون تسمية عمليته.")
                )
            if f"live.{connector}" not in flags:
                findings.append(
                    Finding(
                        where=where,
                        en=f"There is no flag live.{connector} to keep it in.",
                        ar=f"لا يوجد مفتاح live.{connector} يضبطه.",
                    )
                )
            if effect.get("approvals") == "A0" and not effect.get("model") and name not in UNATTENDED:
                findings.append(
                    Finding(
                        where=where,
                        en="It leaves with nobody's approval and no reason on record.",
                        ar="يخرج بلا موافقة أحد وبلا سبب مسجّل.",
                    )
                )
            if effect.get("approvals") == "A0" and not effect.get("system"):
                findings.append(
                    Finding(
                        where=where,
                        en="Anybody could ask for it, and nobody would approve it.",
                        ar="يستطيع أي أحد طلبه ولا يوافق عليه أحد.",
                    )
                )
    return made(
        "external_actions_governed", "What leaves has a policy", "لكل إجراء خارجي سياسة تحكمه", looked_at, findings
    )


def never(actions: Document) -> Check:
    """What must never happen is registered as blocked, so that it is refused by name."""
    effects = _effects(actions)
    return made(
        "never_effects", "Scraping, auto-DM and cold sends stay blocked", "الكشط والرسائل الآلية والمراسلة الباردة محظورة", len(NEVER),
        (
            Finding(where=f"{CATALOGUE}/actions.yaml: {name}", en="It is not registered as blocked.", ar="غير مسجّل كمحظور.")
            for name in NEVER if not effects.get(name, {}).get("blocked") and effects.get(name, {}).get("class") != "C"
        ),
    )  # fmt: skip


def shipped(name: str) -> dict[str, Any]:
    """A catalogue of this process, as it is written."""
    document: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return document


def registry_checks(document: Any = shipped) -> tuple[Check, ...]:
    """All rules over catalogues; `document` reads one by its file's name."""
    actions, flags = document("actions.yaml"), document("flags.yaml")
    return (
        never(actions),
        live_flags(flags),
        buttons(document("cards.yaml")),
        external_actions(actions, flags),
        integrations(document("integrations.yaml"), actions),
    )


def _effects(actions: Document) -> dict[str, dict[str, Any]]:
    defaults = actions.get("defaults") or {}
    return {name: {**defaults, **fields} for name, fields in (actions.get("effects") or {}).items()}


def _leaving(actions: Document) -> dict[str, dict[str, dict[str, Any]]]:
    """Effects that leave the system, by connector."""
    out: dict[str, dict[str, dict[str, Any]]] = {}
    for name, effect in _effects(actions).items():
        if effect.get("connector", "none") not in INSIDE:
            out.setdefault(str(effect["connector"]), {})[name] = effect
    return out
