"""What the compliance matrix refuses, each with both languages."""

from __future__ import annotations

from libs.contracts.errors import Conflict, Invalid, NotFound


class UnknownControl(NotFound):
    def __init__(self) -> None:
        super().__init__("unknown_control", "There is no such control.", "لا يوجد ضابط بهذا المعرّف.")


class NotAttested(Conflict):
    """Evidence for a control that is looked at in the records themselves."""

    def __init__(self) -> None:
        super().__init__(
            "not_attested",
            "This control is read from the records; a document does not change it.",
            "يُقرأ هذا الضابط من السجلات، ولا يغيّره مستند.",
        )


class NotAutomatic(Conflict):
    """A look at a control that only evidence can answer."""

    def __init__(self) -> None:
        super().__init__(
            "not_automatic",
            "This control is answered by evidence, not by a check.",
            "يُثبَت هذا الضابط بدليل، لا بفحص.",
        )


class AlwaysApplies(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "always_applies",
            "Law or regulation makes this control a duty; it can't be set aside.",
            "هذا الضابط واجب نظامًا، ولا يُستثنى.",
        )


class BadEvidence(Invalid):
    """A file that is not what it says, is too large, is missing, or whose term does not fit; `code` says which."""


class NoFailure(Conflict):
    def __init__(self) -> None:
        super().__init__("no_failure", "This control does not fail.", "هذا الضابط غير مخالف.")


EVIDENCE_TYPE = (
    "evidence_type",
    "Evidence is a PDF, PNG, JPEG or DOCX file, and is what its name says.",
    "الدليل ملف PDF أو PNG أو JPEG أو DOCX، ويطابق محتواه اسمه.",
)
EVIDENCE_SIZE = ("evidence_size", "Evidence has at most 5 MB.", "الحد الأعلى للدليل 5 ميغابايت.")
EVIDENCE_MISSING = ("evidence_missing", "Hand in the evidence as a file.", "أرفق الدليل ملفًا.")
EVIDENCE_TERM = (
    "evidence_term",
    "Evidence is valid from now on, for at most a year.",
    "صلاحية الدليل تبدأ من اليوم ولا تتجاوز سنة.",
)
