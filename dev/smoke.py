"""The smoke test: the whole main job against a running system, with made-up people, one step after the other.

Read-only, it looks and changes nothing. The made-up people live in `.example` domains (RFC 2606); approvals of anyone else
are never touched, and the import is taken back at the end.
"""

from __future__ import annotations

import json
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev import job
from dev.actions import settled
from dev.messages import DealixError, Lang, Sentence
from libs.contracts.business_time import RIYADH

if TYPE_CHECKING:
    from dev.client import Client

HEADER = "company,name,title,email,source,opted_out,email_opt_in,email_opt_in_at,city,sector,employees,value,notes,last_activity"
ON_THE_WAY = ("accepted", "granted", "dispatched", "awaiting_approval")
SETTLE_SECONDS = 15.0
TRACE_SECONDS = 15.0


class SmokeFailed(DealixError):
    """A step did not come out as it must."""


@dataclass(frozen=True, slots=True)
class People:
    """The made-up people of one run: new names each time, so that no earlier run and nobody real is among them."""

    company: str
    opted_out: str

    @classmethod
    def make(cls) -> People:
        return cls(_name(), _name())

    @property
    def domain(self) -> str:
        return f"{self.company.lower()}.example"

    def csv(self, today: date) -> str:
        """A wanted lead, the same once more, one who opted out, and half a row."""
        agreed = (today - timedelta(days=30)).isoformat()
        wanted = (
            f"{self.company},Noura Mithal,CEO,noura@{self.domain},website_form,no,yes,{agreed},Riyadh,healthcare,120,18000,"
            f"طلب عرض سعر اليوم,{today.isoformat()}"
        )
        left = f"{self.opted_out},Saad Mithal,CEO,saad@{self.opted_out.lower()}.example,website_form,yes,no,,Jeddah,retail,50,9000,,"
        return "\n".join((HEADER, wanted, wanted, left, ",,,,website_form,,,,,,,,,", ""))


def _name() -> str:
    syllables = ("".join(secrets.choice(part) for part in ("bdfghklmnrstz", "aiou")) for _ in range(5))
    return "".join(syllables).capitalize()


@dataclass(slots=True)
class Found:
    """What one step leaves to the next."""

    people: People
    tenant_id: str = ""
    import_id: str = ""
    lead_id: str = ""
    action_id: str = ""
    approval: dict[str, Any] = field(default_factory=dict)
    jwks: bytes = b""


@dataclass(frozen=True, slots=True)
class Step:
    """`run` returns what was seen, in a few words; raises DealixError when the step fails."""

    name: Sentence
    run: Callable[[], str]


def steps(client: Client, lang: Lang, *, read_only: bool) -> Iterator[Step]:
    """The steps in order; each is to be run before the next is asked for."""
    found = Found(People.make())
    yield Step(Sentence("every plane is ready", "كل الخدمات جاهزة"), lambda: _ready(client))
    yield Step(Sentence("the key is valid", "المفتاح صالح"), lambda: _me(client, found))
    yield Step(Sentence("public keys are published", "المفاتيح العامة منشورة"), lambda: _jwks(client, found))
    if not read_only:
        yield Step(Sentence("a list is imported", "استيراد قائمة"), lambda: _import(client, lang, found))
        yield Step(Sentence("leads are ranked", "ترتيب العملاء"), lambda: _rank(client, lang, found))
    yield Step(Sentence("opportunities are listed", "قائمة الفرص"), lambda: _opportunities(client, read_only=read_only))
    yield Step(Sentence("cards are in front of their roles", "البطاقات عند أصحابها"), lambda: _cards(client))
    if read_only:
        yield Step(Sentence("approvals are listed", "قائمة الموافقات"), lambda: _listed(client, "/approvals"))
        yield Step(Sentence("the audit log is readable", "قراءة سجل التدقيق"), lambda: _listed(client, "/audit"))
        yield Step(Sentence("the ledger shows its checkpoint", "نقطة تحقق الدفتر"), lambda: _checkpoint(client))
        return
    yield Step(Sentence("a forbidden action is refused", "رفض إجراء ممنوع"), lambda: _forbidden(client, found))
    yield Step(Sentence("a safe action runs by itself", "تنفيذ إجراء آمن"), lambda: _safe(client, found))
    yield Step(Sentence("a draft waits for a person", "مسودة بانتظار شخص"), lambda: _waiting(client, found))
    yield Step(Sentence("a yes to another text is refused", "رفض موافقة على نص آخر"), lambda: _stale(client, found))
    yield Step(
        Sentence("a yes to exactly this is carried out", "تنفيذ ما تمت الموافقة عليه"), lambda: _approve(client, found)
    )
    yield Step(Sentence("its journey crosses the planes", "مساره عبر الخدمات"), lambda: _journey(client, found))
    yield Step(Sentence("its evidence verifies offline", "التحقق من دليله"), lambda: _evidence(client, found))
    yield Step(Sentence("the import is taken back", "التراجع عن الاستيراد"), lambda: _undo(client, found))


def _need(holds: object, en: str, ar: str) -> None:
    if not holds:
        raise SmokeFailed(en, ar)


def _ready(client: Client) -> str:
    body = client.get("//readyz")
    planes = body.get("planes") or body.get("checks") or {}
    return ", ".join(sorted(str(p.get("plane") if isinstance(p, dict) else p) for p in planes))


def _me(client: Client, found: Found) -> str:
    me = client.get("/me")
    found.tenant_id = str(me["tenant_id"])
    return str(me.get("tenant_slug") or found.tenant_id)


def _jwks(client: Client, found: Found) -> str:
    found.jwks = client.raw("//.well-known/jwks.json")
    keys = json.loads(found.jwks)["keys"]
    _need(keys, "No public key is published.", "لا يوجد مفتاح عام منشور.")
    _need(not any("d" in key for key in keys), "A private key is published.", "نُشر مفتاح خاص.")
    return f"{len(keys)}"


def _import(client: Client, lang: Lang, found: Found) -> str:
    text = found.people.csv(datetime.now(RIYADH).date())
    reply = client.upload_bytes("/targeting/import", "smoke.csv", text.encode(), {"source": "website_form"})
    found.import_id = str(reply["import_id"])
    counts = job.follow_import(client, found.import_id, lambda _what, _done: None, lang)["counts"]
    parts = {name: counts[name] for name in ("created", "merged", "needs_review", "blocked", "rejected")}
    _need(
        parts == {"created": 1, "merged": 1, "needs_review": 0, "blocked": 1, "rejected": 1},
        f"The rows became something else than they must: {parts}.",
        f"نتائج الصفوف ليست كما يجب: {parts}.",
    )
    return ", ".join(f"{name} {count}" for name, count in parts.items())


def _rank(client: Client, lang: Lang, found: Found) -> str:
    ranked = job.rank(client, lambda _what, _done: None, lang)
    mine = client.items("/targeting/opportunities", 5, q=found.people.company)
    _need(mine, "The imported lead is not ranked.", "لم يُرتّب العميل المستورد.")
    found.lead_id = str(mine[0]["lead_id"])
    out = client.items("/targeting/opportunities", 5, q=found.people.opted_out)
    safe = [o for o in out if o["contactability"] != "blocked"]
    _need(not safe, "Somebody who opted out may be contacted.", "يظهر من طلب الإيقاف كأنه متاح للتواصل.")
    return f"{ranked.get('ranked')}"


def _opportunities(client: Client, *, read_only: bool) -> str:
    items = client.items("/targeting/opportunities", 10)
    _need(items or read_only, "No opportunity is listed.", "لا توجد فرص.")
    scores = [float(item["score"]) for item in items]
    _need(scores == sorted(scores, reverse=True), "Opportunities are not in order.", "الفرص غير مرتبة.")
    return f"{len(items)}"


def _cards(client: Client) -> str:
    counts = []
    for role in job.ROLES:
        items = client.get("/cards/feed", role=role)["items"]
        _need(len(items) <= 7, f"{role} sees more than 7 cards.", f"يرى {role} أكثر من 7 بطاقات.")
        for card in items:
            _need(1 <= len(card["buttons"]) <= 3, "A card has not 1 to 3 buttons.", "عدد أزرار بطاقة ليس من 1 إلى 3.")
        counts.append(f"{role} {len(items)}")
    return ", ".join(counts)


def _listed(client: Client, path: str) -> str:
    return f"{len(client.items(path, 10))}"


def _checkpoint(client: Client) -> str:
    return f"{client.get('/proof-ledger/checkpoint').get('size')}"


def _submit(client: Client, action_type: str, payload: dict[str, Any], resource: dict[str, str]) -> dict[str, Any]:
    body = {"action_type": action_type, "resource": resource, "payload": payload, "reason": "smoke test"}
    reply = client.post("/actions", body)
    return settled(client, str(reply["action_id"]), SETTLE_SECONDS)


def _forbidden(client: Client, found: Found) -> str:
    action = _submit(client, "exfiltrate_secrets", {}, {"type": "tenant", "id": found.tenant_id})
    _need(
        action["state"] == "refused",
        f"A forbidden action is {action['state']}.",
        f"حالة إجراء ممنوع: {action['state']}.",
    )
    return ", ".join(reason["code"] for reason in action["reasons"])


def _safe(client: Client, found: Found) -> str:
    action = _submit(client, "read_status", {}, {"type": "tenant", "id": found.tenant_id})
    _need(action["state"] == "succeeded", f"A safe action is {action['state']}.", f"حالة إجراء آمن: {action['state']}.")
    found.action_id = str(action["action_id"])
    return str(action["state"])


def _waiting(client: Client, found: Found) -> str:
    """The made-up lead's draft: of the day's plan, else asked for."""
    if not _find_draft(client, found):
        client.post(f"/targeting/opportunities/{found.lead_id}/draft", {})
    until = time.monotonic() + SETTLE_SECONDS
    while not _find_draft(client, found):
        late = time.monotonic() > until
        _need(not late, "No draft to the made-up lead waits for approval.", "لا توجد مسودة بانتظار الموافقة.")
        time.sleep(0.2)
    return str(json.loads(found.approval["payload"])["to"])


def _find_draft(client: Client, found: Found) -> bool:
    for approval in client.items("/approvals", 200, state="pending"):
        if str(json.loads(approval["payload"]).get("to") or "").endswith(f"@{found.people.domain}"):
            found.approval = client.get(f"/approvals/{approval['approval_id']}")
            return True
    return False


def _stale(client: Client, found: Found) -> str:
    from dev.client import ApiError

    body = {"payload_hash": "0" * 64, "view_hash": found.approval["view_hash"], "note": ""}
    try:
        client.post(f"/approvals/{found.approval['approval_id']}/approve", body)
    except ApiError as error:
        if error.status == 409:
            return str(error.status)
        raise
    raise SmokeFailed("A yes to another payload was taken.", "قُبلت موافقة على حمولة أخرى.")


def _approve(client: Client, found: Found) -> str:
    seen = found.approval
    body = {"payload_hash": seen["payload_hash"], "view_hash": seen["view_hash"], "note": "smoke test"}
    client.post(f"/approvals/{seen['approval_id']}/approve", body)
    action = settled(client, str(seen["action_id"]), SETTLE_SECONDS, ON_THE_WAY)
    # After the approval policy is asked again; quiet hours and caps may rightly hold the message back.
    ended = action["state"] in ("succeeded", "refused")
    _need(ended, f"The approved action is {action['state']}.", f"حالة الإجراء المعتمد: {action['state']}.")
    found.action_id = str(action["action_id"])
    reasons = ", ".join(reason["code"] for reason in action.get("reasons") or ())
    return f"{action['state']} {reasons if action['state'] == 'refused' else (action.get('receipt') or {}).get('mode', '')}"


def _journey(client: Client, found: Found) -> str:
    """Spans are sent in batches: a trace is whole a moment after the action it tells of."""
    until = time.monotonic() + TRACE_SECONDS
    while True:
        traces = client.get(f"/actions/{found.action_id}/journey")["traces"]
        planes = sorted({str(plane) for trace in traces for plane in trace["planes"]})
        if len(planes) > 1 or time.monotonic() > until:
            break
        time.sleep(0.2)
    _need(len(planes) > 1, "No trace across planes is kept.", "لا يوجد تتبع عبر الخدمات.")
    return ", ".join(planes)


def _evidence(client: Client, found: Found) -> str:
    from dev.commands.evidence import CHECKPOINT_SECONDS, make_pack
    from dev.verify import verify_pack

    pack, content = make_pack(client, f"action:{found.action_id}", CHECKPOINT_SECONDS)
    with tempfile.TemporaryDirectory() as directory:
        file, root = Path(directory) / "pack.zip", Path(directory) / "jwks.json"
        file.write_bytes(content)
        root.write_bytes(found.jwks)
        verdict = verify_pack(file, root)
    _need(verdict.exit_code == 0, f"The pack does not verify: {verdict.failed}.", f"لم يصح الدليل: {verdict.failed}.")
    return f"{len(content):,} B, {pack.get('sha256', '')[:12]}…"


def _undo(client: Client, found: Found) -> str:
    reply = client.post(f"/targeting/imports/{found.import_id}/undo", {}, timeout=60.0)
    return f"removed {reply.get('removed')}, kept {reply.get('kept')}"
