"""What is refused about undoing and settling."""

from __future__ import annotations

from libs.contracts.errors import Conflict, Forbidden


class NoCompensation(Conflict):
    def __init__(self, effect: str) -> None:
        super().__init__(
            "no_compensation",
            f"Nothing undoes {effect}: what it did stays done. Nothing was changed.",
            "لا يمكن التراجع عن هذا الإجراء بعد تنفيذه، ولم يتغيّر شيء.",
        )


class NotDone(Conflict):
    def __init__(self, state: str) -> None:
        super().__init__(
            "not_done",
            f"Only an action that succeeded can be undone; this one is {state}.",
            "لا يُتراجع إلا عن إجراء نُفّذ؛ وهذا الإجراء لم يُنفّذ.",
        )


class NotUnknown(Conflict):
    def __init__(self, state: str) -> None:
        super().__init__(
            "not_unknown",
            f"Only an unknown outcome can be settled; this action is {state}.",
            "لا تُحسم إلا نتيجة غير معروفة؛ ونتيجة هذا الإجراء معروفة.",
        )


class NotAPerson(Forbidden):
    def __init__(self) -> None:
        super().__init__(
            "not_a_person", "An unknown outcome is settled by a person alone.", "لا يحسم النتيجة غير المعروفة إلا شخص."
        )


class NotUndone(Conflict):
    """The action that was to undo another was not accepted."""
