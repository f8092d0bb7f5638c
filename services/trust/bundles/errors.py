"""What policy work refuses, each with both languages."""

from __future__ import annotations

from libs.contracts.errors import Conflict, DealixError, Invalid


class LiftsHardRule(DealixError):
    """A proposal without, or with another text of, a policy of the platform."""

    status = 422

    def __init__(self, policy_id: str) -> None:
        super().__init__(
            "lifts_hard_rule",
            f"The platform's policy {policy_id} is missing or changed. A tenant's bundle can only add to it.",
            f"السياسة الأساسية {policy_id} محذوفة أو معدّلة. لا يملك المستأجر إلا الإضافة إليها.",
        )


class OnlyForbids(DealixError):
    """A tenant's policy that would permit something."""

    status = 422

    def __init__(self, policy_id: str) -> None:
        super().__init__(
            "only_forbids",
            f"Policy {policy_id} permits. A tenant's policies can only forbid.",
            f"السياسة {policy_id} تسمح، وسياسات المنشأة تمنع فقط.",
        )


class NothingChanges(Conflict):
    def __init__(self) -> None:
        super().__init__("bundle_known", "This bundle is already in force.", "هذه الحزمة سارية بالفعل.")


class ReplayMissing(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "replay_missing",
            "Attach a finished replay of this bundle against the one in force.",
            "أرفق تقرير إعادة تقييم مكتملًا لهذه الحزمة مقارنةً بالحزمة السارية.",
        )


class BundleState(Conflict):
    def __init__(self, state: str) -> None:
        super().__init__("bundle_state", f"The bundle is {state}.", f"حالة الحزمة لا تسمح بذلك: {state}.")


class BadPeriod(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "bad_period",
            "The period needs a start before its end, with time zones.",
            "بداية الفترة تسبق نهايتها، مع ذكر المنطقة الزمنية.",
        )
