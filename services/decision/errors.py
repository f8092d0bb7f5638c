"""What decision refuses."""

from __future__ import annotations

from libs.contracts.errors import Conflict, Invalid
from libs.contracts.message import Reason


class CardClosed(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "card_closed", "This card has been decided or has expired.", "حُسمت هذه البطاقة أو انتهت مهلتها."
        )


class UnknownButton(Invalid):
    def __init__(self) -> None:
        super().__init__("unknown_button", "The card has no such button.", "لا يوجد هذا الزر في البطاقة.")


class NoteNeeded(Invalid):
    def __init__(self) -> None:
        super().__init__("note_needed", "A rejection needs a reason.", "الرفض يحتاج سببًا.")


class HashesNeeded(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "hashes_needed",
            "Approving needs the payload and view hashes that were shown.",
            "الموافقة تحتاج بصمتي المحتوى والعرض كما ظهرتا.",
        )


class ReasonNeeded(Invalid):
    def __init__(self) -> None:
        super().__init__("note_needed", "Closing a deal as lost needs a reason.", "إغلاق الصفقة خاسرةً يحتاج سببًا.")


def nobody_to_write_to() -> Reason:
    return Reason(code="no_contact", en="There is nobody to write to.", ar="لا توجد جهة اتصال نراسلها.")


class DraftWithheld(Conflict):
    """The writer or its reviewers made no draft; the message is their first reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code, reason.en, reason.ar)
