"""What is said of a try that failed, from the code that its action ended with. No I/O."""

from __future__ import annotations

from libs.contracts.execution import ActionState
from libs.contracts.message import Reason

_SAID = {
    "endpoint_unreachable": ("The receiver can't be reached.", "تعذّر الوصول إلى النظام المستقبِل."),
    "endpoint_no_answer": ("The receiver gave no answer in time.", "لم يرد النظام المستقبِل في الوقت المحدد."),
    "endpoint_private": ("The address leads into a private network.", "يقود العنوان إلى شبكة خاصة."),
    "endpoint_unresolved": ("The host does not resolve.", "تعذّر العثور على الخادم."),
    "endpoint_410": (
        "The receiver is gone (410) and wants nothing any more.",
        "أعلن النظام المستقبِل أنه لم يعد موجودًا (410).",
    ),
    "endpoint_changed": ("The address was changed meanwhile.", "تغيّر العنوان في أثناء ذلك."),
    "no_credential": ("No secret signs this subscription.", "لا يوجد سر يوقّع هذا الاشتراك."),
}
_STATES = {
    ActionState.REFUSED: ("not_granted", "The trust plane refused it.", "رفضته السياسة."),
    ActionState.EXPIRED: ("approval_lapsed", "Nobody approved it in time.", "لم يعتمده أحد في الوقت المحدد."),
    ActionState.CANCELLED: ("cancelled", "A person cancelled it.", "ألغاه شخص."),
    ActionState.UNKNOWN: ("outcome_unknown", "How the try ended is not known.", "لم تُعرف نتيجة المحاولة."),
}


def reason_of(code: str, state: ActionState) -> Reason:
    """Why a try did not arrive, in words; an answer that has none of its own is told by its status."""
    if code in _SAID:
        en, ar = _SAID[code]
        return Reason(code=code, en=en, ar=ar)
    status = code.removeprefix("endpoint_")
    if code.startswith("endpoint_") and status.isdigit():
        return Reason(code=code, en=f"The receiver answered {status}.", ar=f"رد النظام المستقبِل بالرمز {status}.")
    if state in _STATES:
        name, en, ar = _STATES[state]
        return Reason(code=name, en=en, ar=ar)
    return Reason(code=code or state.value, en="It could not be sent.", ar="تعذّر الإرسال.")
