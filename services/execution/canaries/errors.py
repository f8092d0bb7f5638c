"""What canaries refuse."""

from __future__ import annotations

from collections.abc import Sequence

from libs.contracts.errors import Conflict, Invalid


class UnknownVersion(Invalid):
    def __init__(self, kind: str, target: str, known: Sequence[str]) -> None:
        listed = ", ".join(known) or "-"
        super().__init__(
            "unknown_version",
            f"This {kind} has no such version: {target}. Versions beside the usual one: {listed}.",
            f"لا يوجد هذا الإصدار: {target}. الإصدارات المتاحة غير المعتمد: {listed}.",
        )


class AlreadyTaking(Conflict):
    def __init__(self, target: str) -> None:
        super().__init__(
            "canary_exists",
            f"A canary of {target} is running or promoted; stop it first.",
            f"توجد تجربة جزئية قائمة أو معتمدة لـ {target}؛ أوقفها أولًا.",
        )


class Ended(Conflict):
    def __init__(self, state: str) -> None:
        super().__init__(
            "canary_ended",
            f"This canary is {state} and takes no runs; start another one.",
            "انتهت هذه التجربة الجزئية ولا تستقبل تشغيلًا؛ ابدأ نسخة أخرى.",
        )


class PercentMissing(Invalid):
    def __init__(self) -> None:
        super().__init__("percent_missing", "Say which share it takes, 1 to 100.", "حدّد النسبة من 1 إلى 100.")
