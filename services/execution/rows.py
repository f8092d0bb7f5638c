"""Rows of execution's tables as values."""

from __future__ import annotations

import json
from typing import Any

from libs.contracts.execution import Action, ActionState, Receipt, TimelineStep
from libs.contracts.message import Principal, Reason
from libs.contracts.trust import ResourceRef
from services.execution.domain.actions import Job

LEASE_SECONDS = 30


def job_of(row: Any, epoch: int, tries: int) -> Job:
    return Job(
        tenant_id=row["tenant_id"],
        action_id=row["action_id"],
        action_type=row["action_type"],
        effect=row["effect"],
        resource=ResourceRef(type=row["resource_type"], id=row["resource_id"]),
        payload=row["payload"],
        salt=row["salt"],
        principal=Principal.model_validate_json(row["principal"]),
        reason=row["reason"],
        run_id=row["run_id"],
        approval_token=row["approval_token"],
        idempotency_key=row["idempotency_key"],
        headers=json.loads(row["headers"]),
        trace_id=row["trace_id"],
        state=ActionState.DISPATCHED if row["dispatched_grant"] is not None else ActionState(row["state"]),
        attempt=row["attempt"],
        epoch=epoch,
        tries=tries,
        grant_id=row["dispatched_grant"] or row["grant_id"],
        connector_mode=row["dispatched_mode"] or row["connector_mode"],
    )


def action_of(row: Any) -> Action:
    principal = json.loads(row["principal"])
    return Action(
        action_id=row["action_id"],
        tenant_id=row["tenant_id"],
        action_type=row["action_type"],
        action_class=row["class"],
        mode=row["mode"],
        state=ActionState(row["state"]),
        reasons=tuple(Reason(**r) for r in json.loads(row["reasons"] or "[]")),
        resource=ResourceRef(type=row["resource_type"], id=row["resource_id"]),
        payload=json.loads(row["payload"]),
        approval_id=row["approval_id"],
        grant_id=row["grant_id"],
        receipt=Receipt.model_validate_json(row["receipt"]) if row["receipt"] else None,
        policy_version=row["policy_version"],
        trace_id=row["trace_id"],
        waiting_for=row["waiting_for"],
        attempt=row["attempt"],
        requested_by=principal.get("name") or principal["id"],
        timeline=tuple(TimelineStep(**step) for step in json.loads(row["timeline"])),
        linked_traces=tuple(t for t in row["linked_traces"] if t),
    )
