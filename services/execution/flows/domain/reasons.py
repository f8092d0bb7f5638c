"""Why a flow stopped or a command was refused, in both languages."""

from __future__ import annotations

from pydantic import ValidationError

from libs.contracts.flows import FlowStatus
from libs.contracts.message import Reason
from services.execution.flows.domain.run import ActionFact

TIMED_OUT = Reason(code="timed_out", en="Nobody answered in time.", ar="انتهت المهلة ولم يصل رد.")
ENDLESS = Reason(code="endless", en="The step has been entered 1,000 times.", ar="تكرّرت الخطوة 1,000 مرة.")
STATE_TOO_LARGE = Reason(
    code="state_too_large", en="The flow's state is larger than 256 KiB.", ar="حجم حالة المسار أكبر من 256 كيلوبايت."
)
OUTCOME_UNKNOWN = Reason(
    code="outcome_unknown",
    en="Whether this step had its effect is not known yet, so it can't be undone. Settle its action, then retry.",
    ar="لم يُعرف بعد هل نُفّذت هذه الخطوة، فلا يمكن التراجع عنها. احسم نتيجة إجرائها ثم أعد المحاولة.",
)
CHILD_STUCK = Reason(code="child_stuck", en="A child flow could not be rolled back.", ar="تعذّر التراجع عن مسار فرعي.")


def action_failed(fact: ActionFact) -> Reason:
    """Why an action did not have its effect: trust's reason where there is one."""
    if fact.reasons:
        first = fact.reasons[0]
        return Reason(code=first.code, en=first.en, ar=first.ar, policy_id=first.policy_id)
    words = {
        "refused": ("It was refused.", "رُفض الإجراء."),
        "expired": ("The approval was not given in time.", "انتهت مهلة الموافقة."),
        "cancelled": ("It was cancelled.", "أُلغي الإجراء."),
        "not_sent": ("It was not sent.", "لم يُرسل."),
    }
    en, ar = words.get(fact.state.value, ("It failed after retries.", "فشل الإجراء بعد تكرار المحاولة."))
    return Reason(code=fact.error or f"action_{fact.state.value}", en=en, ar=ar)


def not_built(error: Exception) -> Reason:
    return Reason(
        code="step_not_built",
        en=f"The step could not be prepared from the flow's state ({type(error).__name__}).",
        ar="تعذّر تجهيز الخطوة من حالة المسار.",
    )


def unfit_state(error: ValidationError) -> Reason:
    places = ", ".join(sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()}))
    return Reason(
        code="unfit_state", en=f"The result does not fit the flow's state: {places}.", ar=f"النتيجة لا تناسب حالة المسار: {places}."
    )  # fmt: skip


def child_ended(flow: str, status: FlowStatus) -> Reason:
    return Reason(
        code="child_not_completed", en=f"The child flow {flow} ended as {status.value}.", ar=f"لم يكتمل المسار الفرعي {flow}."
    )  # fmt: skip
