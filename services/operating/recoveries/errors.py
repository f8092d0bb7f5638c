"""Why a restore is not put on record."""

from __future__ import annotations

from libs.contracts.errors import Conflict, Invalid


class UnknownBackup(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "unknown_backup",
            "This installation has no backup with that digest; report the restore of one that it made.",
            "لا توجد في هذا النظام نسخة بهذه البصمة؛ سجّل استعادة نسخة أنشأها.",
        )


class NotWhole(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "restore_not_whole",
            "The restore found other numbers of rows or entries than the backup has: it does not count.",
            "عدد الصفوف أو القيود بعد الاستعادة يختلف عما في النسخة، فلا تُحتسب.",
        )


class RestoreTime(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "restore_time",
            "A restore lies after its backup and not in the future.",
            "تكون الاستعادة بعد إنشاء النسخة، ولا تكون في المستقبل.",
        )
