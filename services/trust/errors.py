"""What trust refuses, each with both languages."""

from __future__ import annotations

from libs.contracts.arabic import YEARS
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
            "تغيّر المحتوى أو طريقة عرضه عمّا رأيته. افتح الطلب من جديد.",
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


class NotYourQueue(Forbidden):
    def __init__(self, role: str) -> None:
        super().__init__(
            "not_your_queue",
            f"This request is in the queue of {role}; it is decided there.",
            "هذا الطلب في قائمة دور آخر، ويُحسم هناك.",
        )


class OverLimit(Forbidden):
    def __init__(self) -> None:
        super().__init__(
            "over_limit", "The value is above what you may approve.", "القيمة أعلى من حد صلاحيتك في الموافقة."
        )


class NotAlike(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "not_alike",
            "Only requests of the same template are approved together; decide these one by one.",
            "لا تُعتمد معًا إلا طلبات القالب نفسه؛ احسم هذه واحدًا واحدًا.",
        )


class BulkRefused(Conflict):
    """One of several votes does not count, so that none does."""

    def __init__(self, approval_id: str, en: str, ar: str) -> None:
        super().__init__(
            "bulk_refused",
            f"Nothing was approved. Request {approval_id}: {en}",
            f"لم يُعتمد شيء. الطلب {approval_id}: {ar}",
        )


class BadRules(Invalid):
    def __init__(self, en: str, ar: str) -> None:
        super().__init__("bad_rules", en, ar)


class RulesChanged(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "rules_changed",
            "The rules were changed meanwhile. Read them again.",
            "تغيّرت الضوابط في هذه الأثناء. اقرأها من جديد.",
        )


class BadDelegation(Invalid):
    def __init__(self, en: str, ar: str) -> None:
        super().__init__("bad_delegation", en, ar)


class NoToken(Conflict):
    def __init__(self, en: str, ar: str) -> None:
        super().__init__("no_approval_token", en, ar)


class BadConsent(Invalid):
    def __init__(self, en: str, ar: str) -> None:
        super().__init__("bad_consent", en, ar)


class BadLink(Invalid):
    status = 404

    def __init__(self) -> None:
        super().__init__("bad_link", "This link is not valid.", "هذا الرابط غير صالح.")


class BadEntry(Invalid):
    def __init__(self, en: str, ar: str) -> None:
        super().__init__("bad_entry", en, ar)


class EntryKept(Conflict):
    """The law keeps an entry of this register for a time after what it is about has ended."""

    def __init__(self, years: int, field_en: str, field_ar: str) -> None:
        super().__init__(
            "entry_kept",
            f"This entry is kept for {years} years after “{field_en}”. Note that day instead of taking it off.",
            f"يُحفظ هذا القيد {YEARS(years)} بعد «{field_ar}». سجّل ذلك التاريخ بدل حذفه.",
        )


class EntryChanged(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "entry_changed",
            "This entry was changed meanwhile. Read it again.",
            "تغيّر هذا القيد في هذه الأثناء. اقرأه من جديد.",
        )


class RightsRefused(Conflict):
    """A step that a request does not allow in its state; `code` says which."""
