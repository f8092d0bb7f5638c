"""The main job over the HTTP API: a file in, ranked opportunities, cards and drafts out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev.messages import DealixError, Lang
from dev.words import word

if TYPE_CHECKING:
    from dev.client import Client

ROLES = ("ceo", "sales_manager")
ENDED = ("completed", "refused", "failed", "undone", "cancelled")
STALL_SECONDS = 300.0
"""An import that reports nothing new for this long has stopped."""
LOOK_SECONDS = 0.15
RANK_SECONDS = 120.0
DRAFT_SECONDS = 10.0
STILL_LOOKS = 3
"""As many looks in a row without anything new mean that all is there."""

Json = Mapping[str, Any]
Step = Callable[[str, float | None], None]


class ImportFailed(DealixError):
    """The file was refused, or the import did not finish. Nothing of a refused file is stored."""

    def __init__(self, en: str, ar: str, status: Json) -> None:
        super().__init__(en, ar)
        self.details = {"import": dict(status)}


@dataclass(frozen=True, slots=True)
class Clock:
    """The time that waiting takes; a test hands in its own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Result:
    """What the main job came to, as the API answered it."""

    imported: Json
    ranked: Json
    opportunities: list[dict[str, Any]]
    cards: dict[str, list[dict[str, Any]]]
    approvals: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        return {
            "import": self.imported,
            "ranking": self.ranked,
            "opportunities": self.opportunities,
            "cards": self.cards,
            "approvals": self.approvals,
        }


def check_tenant(client: Client, tenant: str | None) -> None:
    """Refuse to work in another tenant than the one that was named: the key decides, not the option."""
    if tenant is None:
        return
    me = client.get("/me")
    known = {str(me.get(name)) for name in ("tenant", "tenant_slug", "tenant_id") if me.get(name)}
    if known and tenant not in known:
        mine = me.get("tenant_slug") or me.get("tenant") or me.get("tenant_id")
        raise DealixError(
            f"This key belongs to the tenant {mine}, not to {tenant}; set DEALIX_API_KEY to a key of {tenant}.",
            f"هذا المفتاح يخص المنشأة {mine} لا {tenant}؛ اضبط DEALIX_API_KEY على مفتاح {tenant}.",
        )


def start_import(
    client: Client, file: Path, source: str, *, obtained_how: str = "", dry_run: bool = False, mapping: Mapping[str, str] | None = None
) -> str:  # fmt: skip
    """Upload a file. `mapping` is column to field. Returns the id of the import."""
    fields = {"source": source, "dry_run": "true" if dry_run else "false"}
    if obtained_how:
        fields["obtained_how"] = obtained_how
    if mapping:
        fields["mapping"] = json.dumps(mapping, ensure_ascii=False)
    return str(client.upload("/targeting/import", file, fields)["import_id"])


def follow_import(client: Client, import_id: str, step: Step, lang: Lang, clock: Clock | None = None) -> dict[str, Any]:
    """Wait until an import has ended. Raises ImportFailed when it was refused, failed or stopped reporting."""
    clock = clock or Clock()
    last: tuple[object, object] = ("", 0.0)
    changed = clock.now()
    while True:
        status: dict[str, Any] = client.get(f"/targeting/imports/{import_id}")
        state, done = status.get("state"), float(status.get("progress") or 0.0)
        step(word("import_state", state, lang), done)
        if state in ENDED:
            return _ended(status)
        if (state, done) != last:
            last, changed = (state, done), clock.now()
        elif clock.now() - changed > STALL_SECONDS:
            raise ImportFailed(
                f"The import {import_id} has not moved for {STALL_SECONDS:.0f} s; see `dealix status`.",
                f"لم يتقدم الاستيراد {import_id} منذ {STALL_SECONDS:.0f} ثانية؛ راجع dealix status.",
                status,
            )
        clock.sleep(LOOK_SECONDS)


def _ended(status: dict[str, Any]) -> dict[str, Any]:
    if status.get("state") == "completed":
        return status
    name = status.get("file_name", "")
    code = status.get("error_code") or status.get("state")
    raise ImportFailed(
        f"{name}: {status.get('error_en') or code}",
        f"{name}: {status.get('error_ar') or status.get('error_en') or code}",
        status,
    )


def rank(client: Client, step: Step, lang: Lang) -> dict[str, Any]:
    """Rank all leads and make the day's cards and drafts."""
    step("ترتيب الفرص وتجهيز المسودات" if lang == "ar" else "ranking, writing drafts", None)
    ranked: dict[str, Any] = client.post("/targeting/rank", {}, timeout=RANK_SECONDS)
    return ranked


def wait_for_drafts(client: Client, step: Step, lang: Lang, clock: Clock | None = None) -> None:
    """Drafts travel on to trust and come back as approvals a moment later: wait until no more of them arrive."""
    clock = clock or Clock()
    step("تجهيز طلبات الموافقة" if lang == "ar" else "asking for approvals", None)
    until = clock.now() + DRAFT_SECONDS
    seen: list[int] = []
    while clock.now() < until:
        seen.append(len(client.items("/approvals", 200, state="pending")))
        if len(seen) >= STILL_LOOKS and len(set(seen[-STILL_LOOKS:])) == 1:
            return
        clock.sleep(LOOK_SECONDS)


def read_result(client: Client, imported: Json, ranked: Json, *, top: int = 10) -> Result:
    """What is there for people to look at after an import and its ranking."""
    return Result(
        imported=imported,
        ranked=ranked,
        opportunities=client.items("/targeting/opportunities", top),
        cards={role: client.get("/cards/feed", role=role)["items"] for role in ROLES},
        approvals=client.items("/approvals", 50, state="pending"),
    )


def run_job(
    client: Client, file: Path, source: str, step: Step, lang: Lang, *, obtained_how: str = "", mapping: Mapping[str, str] | None = None
) -> Result:  # fmt: skip
    """The main job, from the file to the decisions that wait. Raises ImportFailed, ApiError, NotRunning."""
    step("رفع الملف" if lang == "ar" else "uploading", None)
    import_id = start_import(client, file, source, obtained_how=obtained_how, mapping=mapping)
    imported = follow_import(client, import_id, step, lang)
    ranked = rank(client, step, lang)
    wait_for_drafts(client, step, lang)
    return read_result(client, imported, ranked)
