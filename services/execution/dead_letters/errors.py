"""What is refused about dead letters."""

from __future__ import annotations

from libs.contracts.errors import Conflict


class LetterEnded(Conflict):
    def __init__(self, state: str) -> None:
        super().__init__(
            "dead_letter_ended",
            f"This dead letter is {state} already; nothing was changed.",
            "عولجت هذه الرسالة المتعذّرة من قبل، ولم يتغيّر شيء.",
        )


class NotReplayable(Conflict):
    def __init__(self, state: str) -> None:
        super().__init__(
            "not_replayable",
            f"An action that is {state} can't be tried again: only one that failed or was not sent can.",
            "لا تُعاد محاولة الإجراء في حالته الحالية؛ تُعاد محاولة ما فشل أو لم يُرسل فقط.",
        )


class NotResubmitted(Conflict):
    """The edited action was not accepted; the letter stays open."""
