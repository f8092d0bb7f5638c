"""From counted rows to a result, and from a result to what it means now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from libs.contracts.arabic import ROWS
from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.controls import Control, ControlMode
from libs.contracts.compliance import Attestation, ControlResult, ControlStanding, GateEffect, Reading
from libs.contracts.message import Text
from services.trust.compliance.checks import Check

_R = ControlResult
NEVER = Text(en="Not assessed yet.", ar="لم يُقيَّم بعد.")
STALE = Text(en="The last reading is too old to say anything.", ar="آخر قراءة أقدم من أن تدل على شيء.")
NO_EVIDENCE = Text(en="No evidence has been handed in.", ar="لم يُقدَّم دليل.")
EXPIRED = Text(en="The evidence has expired.", ar="انتهت صلاحية الدليل.")
ATTESTED = Text(en="Evidence has been handed in and is in date.", ar="الدليل مقدَّم وساري الصلاحية.")
NOT_APPLICABLE = Text(en="Recorded as not applicable, with the reason.", ar="مسجَّل أنه لا ينطبق، مع السبب.")
UNREADABLE = Text(en="The records could not be read.", ar="تعذّرت قراءة السجلات.")


@dataclass(frozen=True, slots=True)
class Counted:
    """What a look saw. `sample` names failing rows."""

    rows: int
    failing: int
    unclear: int = 0
    sample: tuple[str, ...] = ()


def judge(control: Control, check: Check | None, counted: Counted | None) -> tuple[ControlResult, Text]:
    """The result of one look and why. A failing row fails; then whatever is missing makes it unknown; only then it may pass."""
    if check is None:
        en = f"Dealix does not record what this needs yet: {control.data_read}."
        return _R.UNKNOWN, Text(en=en, ar="لا يسجّل النظام بعدُ ما يلزم لهذا الضابط.")
    return judged(check, counted)


def judged(check: Check, counted: Counted | None) -> tuple[ControlResult, Text]:
    """The same of any check: a failing row, nothing to look at, a row that is not clear, a part without a record; only then a pass."""
    if counted is None:
        return _R.UNKNOWN, UNREADABLE
    looked = Text(en=f"Looked at {check.en}.", ar=f"فُحصت {check.ar}.")
    if counted.failing:
        return _R.FAIL, looked
    if counted.rows == 0:
        return _R.UNKNOWN, Text(en=f"No data: {check.en}.", ar=f"لا توجد بيانات: {check.ar}.")
    if counted.unclear:
        return _R.UNKNOWN, Text(
            en=f"{counted.unclear} of {counted.rows} rows can't be judged: {check.en}.",
            ar=f"لا يمكن الحكم على {counted.unclear} من أصل {ROWS(counted.rows)}: {check.ar}.",
        )
    if check.unrecorded_en:
        return _R.UNKNOWN, Text(en=check.unrecorded_en, ar=check.unrecorded_ar)
    return _R.PASS, looked


def attested(evidence: Sequence[Attestation], today: date) -> tuple[ControlResult, Text]:
    """What the newest evidence says today."""
    if not evidence:
        return _R.UNKNOWN, NO_EVIDENCE
    newest = max(evidence, key=lambda one: one.attested_at)
    if newest.valid_until < today:
        return _R.UNKNOWN, EXPIRED
    return (_R.PASS, ATTESTED) if newest.applies else (_R.NOT_APPLICABLE, NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Failure:
    """Who mends a failing control, since when it fails, and until when."""

    owner: str
    since: datetime
    due_at: datetime


def state(
    control: Control,
    reading: Reading | None,
    evidence: Sequence[Attestation],
    failure: Failure | None,
    *,
    live: bool,
    now: datetime,
) -> ControlStanding:
    """A control as it stands now. A control that was set aside stays so until that expires; a stale reading is no reading."""
    stale = False
    result, why = attested(evidence, now.astimezone(RIYADH).date())
    if control.mode is not ControlMode.ATTEST and result is not _R.NOT_APPLICABLE:
        stale = reading is not None and now - reading.checked_at > control.stale_after
        result, why = (_R.UNKNOWN, NEVER) if reading is None else (reading.result, reading.why)
        if stale:
            result, why = _R.UNKNOWN, STALE
    failing = failure is not None and result is not _R.NOT_APPLICABLE
    gate = GateEffect.NOTHING
    if failing and control.mode is ControlMode.GATE:
        gate = GateEffect.BLOCKS_LIVE if live else GateEffect.WOULD_BLOCK
    kept = failure if failing else None
    return ControlStanding(
        control=control, result=result, why=why, reading=reading, stale=stale, gate=gate, owner=kept.owner if kept else "",
        failing_since=kept.since if kept else None, due_at=kept.due_at if kept else None,
        overdue=kept is not None and kept.due_at < now,
    )  # fmt: skip
