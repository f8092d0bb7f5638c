"""What trust refuses, each with both languages."""

from __future__ import annotations

from libs.contracts.errors import Conflict, DealixError, Forbidden, Invalid


class PolicyInvalid(DealixError):
    """A policy text that does not parse, validate or explain itself."""

    status = 422

    def __init__(self, en: str) -> None:
        super().__init__("policy_invalid", en, "نص السياسة غير صالح.")


class ApprovalNotPending(Conflict):
    def __init__(self, state: str) -> None:
        super().__init__("approval_not_pending", f"This approval is already {state}.", "حُسم هذا الطلب من قبل.")


class StaleHash(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "stale_hash",
            "The payload or the view is not the one you were shown. Open it again.",
            "تغيّرت الحمولة أو طريقة عرضها عمّا رأيته. افتح الطلب من جديد.",
        )


class ApprovalExpired(Conflict):
    def __init__(self) -> None:
        super().__init__("approval_expired", "This approval request has expired.", "انتهت مهلة طلب الموافقة.")


class SelfApproval(Forbidden):
    def __init__(self) -> None:
        super().__init__("self_approval", "Who asks may not approve.", "لا يوافق مقدّم الطلب على طلبه.")


class AlreadyVoted(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "already_voted", "You have already approved this; a second person must.", "وافقتَ من قبل، والمطلوب شخص آخر."
        )


class EvidenceScope(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "bad_scope",
            "Scope is action:ID or period:FROM..TO (dates).",
            "النطاق يكون action:المعرّف أو period:من..إلى (تاريخان).",
        )
