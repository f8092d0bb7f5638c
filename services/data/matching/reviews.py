"""The review queue: pairs that are probably one, side by side, for a person to decide."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.records import RecordKind
from libs.contracts.crm import (
    DecideReview,
    MergeRecords,
    Review,
    ReviewGet,
    ReviewsReply,
    ReviewsRequest,
    ReviewState,
)
from libs.contracts.errors import NotFound
from libs.contracts.message import new_id
from libs.contracts.paging import before
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.data.crm.desk import require_editor
from services.data.crm.errors import AlreadyDecided
from services.data.crm.store import Store
from services.data.matching.merges import Merges

_COLUMNS = "review_id, kind, state, score, why, left_id, right_id, import_id, merge_id"


class ReviewDesk:
    def __init__(self, runtime: Runtime, merges: Merges) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._merges = merges

    async def list(self, request: ReviewsRequest) -> ReviewsReply:
        """The oldest first: whoever waits longest is looked at first. Pairs of which one is gone are left out."""
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            rows = await work.connection.fetch(
                f"select {_COLUMNS} from data.merge_reviews where tenant_id = $1 and state = $2 and ($3::text is null or kind = $3) "
                "and left_id is not null and right_id is not null and ($4::uuid is null or review_id > $4) order by review_id limit $5",
                tenant, request.state.value, request.kind.value if request.kind else None, before(request.page), request.page.limit + 1,
            )  # fmt: skip
            waiting = await work.connection.fetchval(
                "select count(*) from data.merge_reviews where tenant_id = $1 and state = 'waiting' and left_id is not null and right_id is not null",
                tenant,
            )  # fmt: skip
            more = len(rows) > request.page.limit
            rows = rows[: request.page.limit]
            found = [review for row in rows if (review := await self._review(work, tenant, row)) is not None]
        cursor = str(rows[-1]["review_id"]) if more else None
        return ReviewsReply(items=tuple(found), next_cursor=cursor, waiting=waiting)

    async def get(self, request: ReviewGet) -> Review:
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            return await self._found(work, tenant, request.review_id)

    async def _found(self, work: BatchWork, tenant: UUID, review_id: UUID) -> Review:
        row = await work.connection.fetchrow(
            f"select {_COLUMNS} from data.merge_reviews where tenant_id = $1 and review_id = $2 and left_id is not null and right_id is not null",
            tenant, review_id,
        )  # fmt: skip
        review = await self._review(work, tenant, row) if row is not None else None
        if review is None:
            raise NotFound
        return review

    async def _review(self, work: BatchWork, tenant: UUID, row: Any) -> Review | None:
        """The pair with both records; a merged one shows the record that stayed on both sides."""
        kind, store = RecordKind(row["kind"]), Store(work, tenant)
        sides = {record.id: record for record in await store.many(kind, [row["left_id"], row["right_id"]])}
        if not sides or (len(sides) < 2 and row["state"] in ("waiting", "apart") and row["left_id"] != row["right_id"]):
            if row["state"] == "waiting":
                await work.connection.execute(
                    "update data.merge_reviews set state = 'gone' where tenant_id = $1 and review_id = $2", tenant, row["review_id"]
                )  # fmt: skip
            return None
        one = next(iter(sides.values()))
        why = json.loads(row["why"]) or []
        return Review(
            review_id=row["review_id"], kind=kind, state=ReviewState(row["state"]), score=row["score"],
            why_en=tuple(w["en"] for w in why), why_ar=tuple(w["ar"] for w in why), left=sides.get(row["left_id"], one),
            right=sides.get(row["right_id"], one), import_id=row["import_id"], merge_id=row["merge_id"],
        )  # fmt: skip

    async def decide(self, request: DecideReview) -> Review:
        """Make them one, or remember that they are two. Raises AlreadyDecided."""
        require_editor(request.principal)
        who, tenant = request.principal, request.principal.tenant_id
        looked = await self.get(ReviewGet(principal=who, review_id=request.review_id))
        ids = (looked.left.id, looked.right.id)
        suppressed = request.merge and await self._merges.suppression(who, looked.kind, *ids)
        keep = request.keep_id if request.keep_id in ids else min(ids)
        merge = MergeRecords(
            principal=who, kind=looked.kind, merge_id=request.merge_id, keep_id=keep, gone_id=ids[0] if keep == ids[1] else ids[1]
        )  # fmt: skip
        async with self._database.batch(tenant) as work:
            state = await work.connection.fetchval(
                "select state from data.merge_reviews where tenant_id = $1 and review_id = $2 for update", tenant, request.review_id
            )  # fmt: skip
            if state != ReviewState.WAITING.value:
                raise AlreadyDecided
            now = self._runtime.now()
            await work.connection.execute(
                "update data.merge_reviews set state = $3, decided_at = $4, decided_by = $5, merge_id = $6 where tenant_id = $1 and review_id = $2",
                tenant, request.review_id, "merged" if request.merge else "apart", now, who.id, request.merge_id if request.merge else None,
            )  # fmt: skip
            if request.merge:
                await self._merges.within(work, merge, suppressed=suppressed)
            await self._release(work, tenant, looked.kind, (keep,) if request.merge else ids)
            work.emit(
                AUDITED[self._runtime.plane],
                AuditRecorded(
                    entry_id=new_id(), tenant_id=tenant, kind="review.decided", actor=who.id, target=f"review:{request.review_id}", at=now,
                    data={"merge": request.merge}, trace_id=telemetry.trace_id(),
                ),
            )  # fmt: skip
            return await self._found(work, tenant, request.review_id)

    async def _release(self, work: BatchWork, tenant: UUID, kind: RecordKind, ids: tuple[UUID, ...]) -> None:
        """Leads that waited only for this decision wait no longer."""
        free = await work.connection.fetch(
            "select i from unnest($2::uuid[]) as x(i) where not exists (select 1 from data.merge_reviews m where m.tenant_id = $1 "
            "and m.state = 'waiting' and x.i in (m.left_id, m.right_id))",
            tenant, list(ids),
        )  # fmt: skip
        left = "(select coalesce(jsonb_agg(r), '[]') from jsonb_array_elements(l.reasons) r where r->>'code' <> 'likely_duplicate')"
        await work.connection.execute(
            f"update data.leads l set reasons = {left}, outcome = case when l.outcome = 'needs_review' and {left} = '[]'::jsonb then 'created' "
            f"else l.outcome end, updated_at = now(), version = version + 1 where l.tenant_id = $1 and l.{kind.value}_id = any($2::uuid[]) "
            "and l.deleted_at is null and l.reasons @> '[{\"code\": \"likely_duplicate\"}]'",
            tenant, [row["i"] for row in free],
        )  # fmt: skip
