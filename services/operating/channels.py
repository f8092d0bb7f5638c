"""A channel whose reputation fell pauses: every kind of message that leaves by it is held, until a person resumes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from libs.contracts.catalogue.actions import effects
from libs.contracts.message import Principal, PrincipalKind
from libs.contracts.operating import ControlCommand, ControlState
from libs.contracts.outreach import ChannelPaused
from libs.runtime.database import SessionWork

Command = Callable[[ControlCommand], Awaitable[ControlState]]


def held(channel: str) -> tuple[str, ...]:
    """The kinds of action that send by a channel. What is blocked anyway, or only drafts, needs no pause."""
    return tuple(
        name for name, one in effects().items() if one.channel == channel and one.external and not (one.blocked or one.draft)
    )  # fmt: skip


class Channels:
    def __init__(self, command: Command) -> None:
        self._command = command

    async def paused(self, work: SessionWork, event: ChannelPaused) -> None:
        """Pause them, each on record and in the ledger. Heard again, the same is paused again."""
        principal = Principal(
            id="system:data", kind=PrincipalKind.SYSTEM, tenant_id=event.tenant_id, roles=("operator",), name="reputation"
        )  # fmt: skip
        for name in held(event.channel):
            await self._command(
                ControlCommand(
                    principal=principal, scope="action_type", target=name, command="pause",
                    reason=f"The reputation of {event.channel} fell to {event.score} of 100.",
                )
            )  # fmt: skip
