"""The statutory clock of a rights request, and which step each state allows."""

from __future__ import annotations

from datetime import datetime, timedelta

from libs.contracts.rights import RightsKind, RightsRequest, RightsState
from services.trust.errors import RightsRefused

TERM = timedelta(days=30)
"""PDPL Implementing Regulation art. 3: thirty days, extendable once by at most thirty with a reasoned notice."""
OPEN = frozenset({RightsState.RECEIVED, RightsState.IDENTIFIED, RightsState.WORKING})


def may_identify(request: RightsRequest) -> None:
    if request.state is not RightsState.RECEIVED:
        raise RightsRefused("already_identified", "The identity was checked already.", "سبق التحقق من الهوية.")


def may_extend(request: RightsRequest, now: datetime) -> None:
    _open(request)
    if request.extended:
        raise RightsRefused("already_extended", "The term is extended once.", "تُمدد المهلة مرة واحدة.")
    if now >= request.due_at:
        raise RightsRefused(
            "term_is_over", "The term is over; it cannot be extended any more.", "انتهت المهلة ولا يمكن تمديدها."
        )


def may_close(request: RightsRequest, *, refused: bool) -> None:
    """A request is refused from any open state; it is done only once the identity was checked, and an erasure only by erasing."""
    _open(request)
    if refused and request.state is not RightsState.WORKING:
        return
    if request.kind is RightsKind.ERASURE:
        raise RightsRefused("erase_instead", "An erasure is done by erasing.", "يُنجز طلب المحو بتنفيذ المحو.")
    if request.state is RightsState.RECEIVED:
        raise RightsRefused("not_identified", "Check the identity first.", "تحقق من الهوية أولًا.")


def may_erase(request: RightsRequest, by: str, *, reauthenticated: bool) -> None:
    """Erasing cannot be undone: two people, the one who checked the identity and another; one who is alone signs in again."""
    _open(request)
    if request.kind is not RightsKind.ERASURE:
        raise RightsRefused("no_erasure", "This request asks for something else.", "هذا الطلب ليس طلب محو.")
    if request.state is RightsState.RECEIVED:
        raise RightsRefused("not_identified", "Check the identity first.", "تحقق من الهوية أولًا.")
    if request.state is RightsState.WORKING:
        raise RightsRefused("erasing_already", "It is being carried out.", "المحو جارٍ.")
    if by == request.identified_by and not reauthenticated:
        raise RightsRefused(
            "same_person", "Somebody else than who checked the identity erases; if you are alone, sign in again.",
            "ينفّذ المحو شخص غير من تحقق من الهوية؛ وإن كنت وحدك فأعد إدخال كلمة المرور.",
        )  # fmt: skip


def may_export(request: RightsRequest) -> None:
    _open(request)
    if request.state is RightsState.RECEIVED:
        raise RightsRefused("not_identified", "Check the identity first.", "تحقق من الهوية أولًا.")


def _open(request: RightsRequest) -> None:
    if request.state not in OPEN:
        raise RightsRefused("rights_closed", "This request is closed.", "أُغلق هذا الطلب.")
