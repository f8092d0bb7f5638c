"""What data refuses."""

from __future__ import annotations

from libs.contracts.errors import Conflict, Invalid


class SlugTaken(Conflict):
    def __init__(self) -> None:
        super().__init__("slug_taken", "Another tenant has this short name.", "الاسم المختصر مستخدم لمنشأة أخرى.")


class UnknownSource(Invalid):
    def __init__(self, source: str) -> None:
        super().__init__(
            "unknown_source",
            f"'{source[:40]}' is not a source; say where the data comes from.",
            "حدّد مصدر البيانات من القائمة.",
        )


class SourceRefused(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "source_refused",
            "Scraped data is not taken in (PDPL art. 10).",
            "لا نستقبل بيانات مكشوطة (نظام حماية البيانات الشخصية، المادة 10).",
        )


class NotUndoable(Conflict):
    def __init__(self, state: str) -> None:
        super().__init__(
            "not_undoable",
            f"An import that is {state} can't be undone.",
            "لا يمكن التراجع عن هذا الاستيراد في حالته الحالية.",
        )


class NotCancellable(Conflict):
    def __init__(self, state: str) -> None:
        super().__init__(
            "not_cancellable",
            f"An import that is {state} can't be cancelled; a completed one can be undone.",
            "لا يمكن إلغاء هذا الاستيراد الآن. إن اكتمل فتراجع عنه.",
        )
