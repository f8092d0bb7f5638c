"""What trust asks other planes when it gathers the evidence of a flow or a deal: which records and actions belong to it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, TenantId

MOST_NAMED = 5_000
"""Records or actions in one answer. A scope that has more is larger than one evidence pack."""


class FlowActionsRequest(Message):
    tenant_id: TenantId
    flow_id: UUID


class FlowActions(Message):
    """A flow's own actions and those of the flows that it started, `flows`. Of a flow that is not there `known` is false."""

    known: bool
    flows: tuple[UUID, ...] = ()
    actions: tuple[UUID, ...] = ()
    cut: bool = False
    """There are more than `MOST_NAMED`; what is missing is not said."""


class RecordActionsRequest(Message):
    """`records` are kinds and ids, as `deal:ID`."""

    tenant_id: TenantId
    records: Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_NAMED + 1)]


class RecordActions(Message):
    actions: tuple[UUID, ...] = ()
    cut: bool = False


class DealRecordsRequest(Message):
    tenant_id: TenantId
    deal_id: UUID


class DealRecords(Message):
    """Records that are about a deal or that it is about, as `contact:ID`, without the deal itself; deleted ones too. `known` is false where
    there never was such a deal."""

    known: bool
    records: tuple[str, ...] = ()
    cut: bool = False
