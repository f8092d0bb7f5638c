"""What is refused about claims and contradictions, each with both languages."""

from __future__ import annotations

from libs.contracts.errors import Conflict, Forbidden, Invalid


class BadClaim(Invalid):
    """A claim whose key, subject, value, unit or time does not fit."""

    def __init__(self, en: str, ar: str) -> None:
        super().__init__("bad_claim", en, ar)


class AlreadyDecided(Conflict):
    def __init__(self, state: str) -> None:
        super().__init__("contradiction_decided", f"This contradiction is already {state}.", "حُسم هذا التناقض من قبل.")


class NotOneOfTheTwo(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "not_one_of_the_two", "The claim that stands is one of the two.", "الادعاء الصحيح واحد من الاثنين."
        )


class OwnClaim(Forbidden):
    """Whoever said it does not decide that it stands."""

    def __init__(self) -> None:
        super().__init__(
            "own_claim", "Who recorded a claim may not decide that it stands.", "لا يحسم أحد لصالح ادعائه."
        )


class OnlyPeopleDecide(Forbidden):
    def __init__(self) -> None:
        super().__init__(
            "only_people_decide", "A person decides which claim stands.", "يحسم التناقضَ شخص، لا تطبيق ولا وكيل."
        )
