"""Messages about running an agent, owned by the decision plane."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from libs.contracts.message import Message, Principal, Reason


class RunAgent(Message):
    """Has an agent answer. `input` holds what the catalogue names as its input."""

    principal: Principal
    agent_id: Annotated[str, Field(max_length=60)]
    input: dict[str, Any]


class AgentRun(Message):
    """What an agent recommends: it commits nothing. `escalation` is set where it hands over, to the role in `to`.

    `screening` are the kinds of finding that the security gate saw in the input: it is data all the same.
    """

    agent_id: str
    engine: str
    output: dict[str, Any]
    escalation: Reason | None = None
    to: str = ""
    screening: tuple[str, ...] = ()
