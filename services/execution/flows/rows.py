"""Runs as rows, and rows as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from libs.contracts.flows import CompensationState, Flow, FlowCompensation, FlowStatus, FlowWait, WaitKind
from services.execution.flows.domain.run import Compensation, Run


def shown(run: Run, updated_at: datetime) -> Flow:
    return Flow(
        flow_id=run.flow_id, tenant_id=run.tenant_id, flow=run.flow, version=run.version, status=run.status, outcome=run.outcome,
        seq=run.seq, state=run.state, waits=waits(run), failed_step=run.failed_step, error=run.error, parent_id=run.parent_id,
        compensations=tuple(
            FlowCompensation(
                step=one.step, undoes=one.undoes, action_type=one.deed.action_type if one.deed else "flow_rollback", state=one.state,
                action_id=one.action_id, tries=one.tries,
            )
            for one in run.compensations
        ),
        started_by=run.principal.name or run.principal.id, created_at=run.started_at, updated_at=updated_at,
    )  # fmt: skip


def waits(run: Run) -> tuple[FlowWait, ...]:
    """What the flow waits for now."""
    if run.status is FlowStatus.ROLLING_BACK:
        return tuple(_undoing(c) for c in run.compensations if c.state is CompensationState.RUNNING)
    if run.status not in (FlowStatus.RUNNING, FlowStatus.PAUSED):
        return ()
    return tuple(
        FlowWait(
            step=t.at, kind=t.wait.kind, until=t.wait.until, ref=t.wait.ref, signal=t.wait.signal, roles=t.wait.roles
        )
        for t in run.tokens
        if t.wait is not None
    )


def _undoing(one: Compensation) -> FlowWait:
    if one.signal is not None:
        return FlowWait(step=one.step, kind=WaitKind.PERSON, signal=one.signal)
    if one.deed is None:
        return FlowWait(step=one.step, kind=WaitKind.CHILD, ref=one.undoes)
    kind = WaitKind.TIMER if one.until is not None else WaitKind.ACTION
    return FlowWait(step=one.step, kind=kind, until=one.until, ref=one.action_id)


def wanted(runs: Sequence[Run]) -> tuple[list[tuple[UUID, UUID]], list[tuple[UUID, UUID]]]:
    """Actions and children whose state the runs' next turns need: (tenant, id)."""
    actions = [(run.tenant_id, one) for run in runs for one in run.action_ids()]
    return actions, [(run.tenant_id, one) for run in runs for one in run.child_ids()]
