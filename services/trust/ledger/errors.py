"""What can go wrong with the ledger.

DealixError
├── NotFound
│   └── NoSuchEntry     nothing is recorded under this number or id
├── Conflict
│   ├── NotYetProvable  recorded, but not under a signed checkpoint yet: ask again in some seconds
│   ├── LogForked       the log does not extend what a witness has seen: it is not shown
│   ├── ForkedView      a witness was shown another tree than ours of the same size
│   ├── NotCosigned     a cosignature that does not hold
│   └── Erased          the entry was erased; its leaf and its proof remain
└── Invalid
    ├── NoSuchTree      the tree sizes asked about are not the log's
    └── PackTooLarge    an evidence pack of this scope does not fit the ZIP form
LedgerFault             not a person's doing:
├── MalformedNote       not a signed checkpoint
├── UnverifiedNote      a checkpoint that no known key has signed
└── HeadMoved           somebody else extended the log: this writer is not the leader any more
"""

from libs.contracts.errors import Conflict, Invalid, NotFound
from services.trust.ledger.limits import MAX_ENTRIES, MAX_MEGABYTES


class NoSuchEntry(NotFound):
    def __init__(self) -> None:
        super().__init__("no_such_entry", "The ledger has no such entry.", "لا يوجد في الدفتر قيد بهذا الرقم.")


class NotYetProvable(Conflict):
    retryable = True

    def __init__(self) -> None:
        super().__init__(
            "not_yet_provable",
            "The entry is recorded and awaits the next signed checkpoint. Try again in ten seconds.",
            "كُتب القيد وينتظر نقطة التحقق الموقّعة التالية. أعد المحاولة بعد 10 ثوانٍ.",
        )


class Erased(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "erased",
            "The entry was erased on request. Its place in the ledger can still be proven.",
            "مُحي القيد بناءً على طلب، وما زال إثبات موضعه في الدفتر ممكنًا.",
        )


class LogForked(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "log_forked",
            "The log does not extend its last cosigned checkpoint, so it is not shown. Somebody has changed or restored it.",
            "لا يمتد الدفتر من آخر نقطة تحقق صادق عليها شاهد، فلا يُعرض. عُدّل الدفتر أو استُعيد من نسخة.",
        )


class ForkedView(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "forked_view",
            "This checkpoint is not one of this log: the witness was shown another history.",
            "نقطة التحقق هذه ليست من هذا الدفتر: عُرض على الشاهد تاريخ آخر.",
        )


class NotCosigned(Invalid):
    def __init__(self, why: str) -> None:
        super().__init__("not_cosigned", f"The cosignature does not hold: {why}.", "مصادقة الشاهد غير صالحة.")


class NoSuchTree(Invalid):
    def __init__(self) -> None:
        super().__init__("no_such_tree", "The ledger has not reached that size.", "لم يبلغ الدفتر هذا الحجم.")


class PackTooLarge(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "pack_too_large",
            f"One evidence pack holds at most {MAX_ENTRIES:,} entries and {MAX_MEGABYTES} MB; this scope has more. "
            "Choose a shorter period, or a single flow or action.",
            f"تتسع حزمة الأدلة لما لا يزيد على {MAX_ENTRIES:,} قيد و{MAX_MEGABYTES} ميغابايت، وهذا النطاق أكبر. "
            "اختر فترة أقصر، أو مسارًا واحدًا، أو إجراءً واحدًا.",
        )


class LedgerFault(Exception):
    """The ledger's own invariants are in question; nobody's request caused it."""


class MalformedNote(LedgerFault):
    """Not a signed checkpoint."""


class UnverifiedNote(LedgerFault):
    """No known key has signed this checkpoint."""


class HeadMoved(LedgerFault):
    """Another writer has extended a log since its head was read."""
