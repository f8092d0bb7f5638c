"""From a lead to what was recommended about it."""

from __future__ import annotations

from typing import Any

from libs.contracts import subjects
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.message import Plane, Text
from libs.runtime.lineage import UUIDS, Lineage, Relation
from libs.runtime.plane import Runtime


def _shown(kind: str) -> Relation:
    """A card names what it was made from: in its context, or among the sources of its provenance."""
    return Relation(
        kind, "card", "shown_on",
        "select * from (select tenant_id, card_id, s.id as cause, card_id::text as effect, created_at as at from decision.cards, lateral ("
        f"select document->'context'->>'{kind}_id' as id union "
        f"select substr(x, {len(kind) + 2}) from jsonb_array_elements_text(document->'provenance'->'sources') x where x like '{kind}:%') s) c "
        "where tenant_id = $1 and cause is not null",
        "cause = any($2::text[])", f"card_id = {UUIDS}",
    )  # fmt: skip


RELATIONS = (
    Relation(
        "lead", "opportunity", "ranked_as",
        "select lead_id::text as cause, lead_id::text as effect, ranked_at as at from decision.opportunities where tenant_id = $1",
        f"lead_id = {UUIDS}", f"lead_id = {UUIDS}",
    ),
    *(_shown(kind) for kind in ("lead", "import", "approval", "deal")),
    Relation(
        "lead", "draft", "written_for",
        "select lead_id::text as cause, draft_id::text as effect, created_at as at from decision.drafts where tenant_id = $1",
        f"lead_id = {UUIDS}", f"draft_id = {UUIDS}",
    ),
    Relation(
        "draft", "action", "submitted_as",
        "select draft_id::text as cause, action_id::text as effect, created_at as at from decision.drafts where tenant_id = $1 and action_id is not null",
        f"draft_id = {UUIDS}", f"action_id = {UUIDS}",
    ),
)  # fmt: skip
TITLES = {
    "opportunity": "select lead_id::text as id, tier || ' · ' || round(score::numeric, 1) as en, tier || ' · ' || round(score::numeric, 1) as ar "
    f"from decision.opportunities where tenant_id = $1 and lead_id = {UUIDS}",
    "card": "select card_id::text as id, document->>'title_en' as en, document->>'title_ar' as ar from decision.cards "
    f"where tenant_id = $1 and card_id = {UUIDS}",
    "draft": "select draft_id::text as id, document->>'subject' as subject, channel "
    f"from decision.drafts where tenant_id = $1 and draft_id = {UUIDS}",
}


def _draft(row: Any) -> Text:
    """A draft by its subject; one without, by its channel."""
    channel = targeting().channels.get(row["channel"])
    return Text(
        en=row["subject"] or (channel.en if channel else row["channel"]),
        ar=row["subject"] or (channel.ar if channel else row["channel"]),
    )


def serve_lineage(runtime: Runtime) -> None:
    step = Lineage(runtime.database, RELATIONS, TITLES, {"draft": _draft}).step
    runtime.bus.serve(subjects.LINEAGE[Plane.DECISION], step)
