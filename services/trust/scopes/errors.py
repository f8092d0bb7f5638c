"""What a scope may be refused for, each with both languages."""

from __future__ import annotations

from libs.contracts.errors import Conflict, Invalid, NotFound


class EvidenceScope(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "bad_scope",
            "Scope is action:ID, flow:ID, deal:ID, control:ID or period:FROM..TO (dates).",
            "اكتب النطاق هكذا: action:المعرّف أو flow:المعرّف أو deal:المعرّف أو control:المعرّف أو period:من..إلى (تاريخان).",
        )


class UnknownScope(NotFound):
    """Nothing of the kind is on record for this tenant; whether another tenant has it is not said."""

    def __init__(self) -> None:
        super().__init__(
            "unknown_scope",
            "There is nothing of yours under this id. Check the kind and the id.",
            "لا يوجد لديك شيء بهذا المعرّف. تحقّق من النوع والمعرّف.",
        )


class NothingRecorded(NotFound):
    """It is there, and the ledger has nothing about it yet."""

    def __init__(self) -> None:
        super().__init__(
            "nothing_recorded",
            "It exists, but the ledger has no entry about it yet, so there is nothing to prove.",
            "العنصر موجود، ولا قيد عنه في الدفتر بعد، فلا شيء يُثبَت.",
        )


class CheckpointPending(Conflict):
    """What was asked for is in the ledger, and its newest entries cannot be proved yet."""

    retryable = True

    def __init__(self) -> None:
        super().__init__(
            "checkpoint_pending",
            "The newest entries are not under a signed checkpoint yet; try again in a few seconds.",
            "لم تُختم آخر القيود بعد، أعد المحاولة بعد ثوانٍ.",
        )
