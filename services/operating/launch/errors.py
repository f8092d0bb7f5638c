"""What is refused about gates, each with both languages."""

from __future__ import annotations

from libs.contracts.arabic import DAYS
from libs.contracts.errors import Conflict, Forbidden, Invalid, NotFound


class UnknownGate(NotFound):
    def __init__(self) -> None:
        super().__init__("unknown_gate", "There is no such gate.", "لا يوجد شرط إطلاق بهذا الاسم.")


class ReadFromRecords(Conflict):
    """A person's word about a gate that only records answer."""

    def __init__(self) -> None:
        super().__init__(
            "gate_read_from_records",
            "This gate is read from records; nobody's word changes it.",
            "يُقرأ هذا الشرط من السجلات، ولا تغيّره شهادة.",
        )


class AttesterForbidden(Forbidden):
    def __init__(self, roles: tuple[str, ...]) -> None:
        super().__init__(
            "attester_forbidden",
            f"Only a person with one of these roles attests this gate: {', '.join(roles)}.",
            f"لا يشهد على هذا الشرط إلا شخص له أحد الأدوار: {'، '.join(roles)}.",
        )


class AttestationTerm(Invalid):
    def __init__(self, longest_days: int) -> None:
        super().__init__(
            "attestation_term",
            f"The last day lies between today and {longest_days} days from now.",
            f"يكون آخر يوم بين اليوم و{DAYS(longest_days)} من الآن.",
        )
