"""What the CRM refuses."""

from __future__ import annotations

from collections.abc import Sequence

from libs.contracts.errors import Conflict, DealixError, Invalid


class BadFields(Invalid):
    """Values that do not fit their fields: all of them, in both languages."""

    def __init__(self, wrong: Sequence[tuple[str, str, str]]) -> None:
        super().__init__(
            "bad_fields",
            " ".join(f"{field}: {en}" for field, en, _ in wrong[:10]),
            " ".join(f"{field}: {ar}" for field, _, ar in wrong[:10]),
        )
        self.fields = tuple(field for field, _, _ in wrong)


class Changed(DealixError):
    """The record is at another version than the change was made on (RFC 9110 section 13.1.1)."""

    status = 412

    def __init__(self) -> None:
        super().__init__(
            "changed_meanwhile",
            "Somebody has changed this record meanwhile; look at it again.",
            "عُدّل هذا السجل في هذه الأثناء. راجعه ثم أعد المحاولة.",
        )


class StillReferred(Conflict):
    def __init__(self, count: int) -> None:
        super().__init__(
            "still_referred",
            f"{count} records belong to it; move or delete them first.",
            f"ترتبط به سجلات عددها {count}. انقلها أو احذفها أولًا.",
        )


class ReasonNeeded(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "reason_needed",
            "Say why: a lost, reopened or moved-back deal needs a reason.",
            "اكتب السبب: خسارة الصفقة أو إعادة فتحها أو إرجاعها تحتاج سببًا.",
        )


class NotMergeable(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "not_mergeable",
            "Only two different accounts, contacts or leads can become one.",
            "لا يُدمج إلا سجلان مختلفان من المنشآت أو جهات الاتصال أو العملاء المحتملين.",
        )


class AlreadyDecided(Conflict):
    def __init__(self) -> None:
        super().__init__("already_decided", "This pair has been decided already.", "سبق البت في هذين السجلين.")


class NotUndoableMerge(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "merge_not_undoable",
            "This merge was undone already, or its record is gone.",
            "سبق التراجع عن هذا الدمج، أو حُذف سجله.",
        )


class SuppressionUnknown(DealixError):
    """Trust did not say whether one of the two is suppressed; merging blindly could lose that."""

    status = 503
    retryable = True

    def __init__(self) -> None:
        super().__init__(
            "suppression_unknown",
            "Whether one of them is suppressed could not be checked; nothing was merged. Try again.",
            "تعذّر التحقق من إيقاف التواصل مع أحدهما، فلم يُدمج شيء. حاول مرة أخرى.",
        )
