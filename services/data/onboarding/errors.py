"""What onboarding refuses."""

from __future__ import annotations

from libs.contracts.errors import Conflict, Invalid


class UnknownStep(Invalid):
    def __init__(self, known: list[str]) -> None:
        names = ", ".join(known)
        super().__init__("unknown_step", f"A step is one of {names}.", f"الخطوة واحدة من: {names}.")


class NoteNeeded(Invalid):
    def __init__(self) -> None:
        super().__init__("note_needed", "Say why the step does not apply.", "اكتب سبب تجاوز الخطوة.")


class ShownByRows(Conflict):
    """A step that the customer's own rows show as done is not opened by saying so."""

    def __init__(self) -> None:
        super().__init__(
            "shown_by_rows",
            "The customer's records show that this was done; correct the record.",
            "تُظهر سجلات العميل أن الخطوة تمت؛ صحّح السجل نفسه.",
        )
