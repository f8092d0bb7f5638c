"""The pages a person can go to, in order, with their icon and the letter that follows `g` on the keyboard."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Destination:
    key: str  # also the name of its path
    label: str  # message id
    short: str  # message id, for the bar at the bottom of a phone
    icon: str
    code: str  # KeyboardEvent.code, which does not change with the keyboard's language


def _(text: str) -> str:
    # Marks a message for extraction; templates translate it.
    return text


DESTINATIONS: Final = (
    Destination("command_center", _("Command Center"), _("Command"), "compass", "KeyC"),
    Destination("inbox", _("Inbox"), _("Inbox"), "mail", "KeyI"),
    Destination("approvals", _("Approval Center"), _("Approvals"), "approvals", "KeyA"),
    Destination("targeting", _("Targeting"), _("Targeting"), "target", "KeyT"),
    Destination("crm", _("Customers"), _("Customers"), "person", "KeyU"),
    Destination("onboarding", _("Onboarding"), _("Onboarding"), "check", "KeyH"),
    Destination("weekly", _("Weekly learning"), _("Learning"), "chart", "KeyG"),
    Destination("services", _("Service tower"), _("Services"), "file", "KeyZ"),
    Destination("partners", _("Partners"), _("Partners"), "person", "KeyR"),
    Destination("executive", _("Executive Room"), _("Room"), "chart", "KeyW"),
    Destination("numbers", _("Numbers and sources"), _("Numbers"), "chart", "KeyN"),
    Destination("sequences", _("Outreach sequences"), _("Sequences"), "mail", "KeyK"),
    Destination("flows", _("Flows"), _("Flows"), "arrow", "KeyF"),
    Destination("actions", _("Actions"), _("Actions"), "check", "KeyV"),
    Destination("people", _("Consent and rights"), _("Rights"), "lock", "KeyP"),
    Destination("policy", _("Policy"), _("Policy"), "check", "KeyL"),
    Destination("compliance", _("Saudi Compliance"), _("Compliance"), "file", "KeyM"),
    Destination("launch", _("Going live"), _("Launch"), "upload", "KeyY"),
    Destination("contradictions", _("Contradictions"), _("Contradictions"), "alert", "KeyX"),
    Destination("gate", _("Security gate and agents"), _("Gate"), "info", "KeyB"),
    Destination("evidence", _("Evidence"), _("Evidence"), "evidence", "KeyE"),
    Destination("connectors", _("Connectors"), _("Connectors"), "arrow", "KeyO"),
    Destination("dead_letters", _("Dead letters"), _("Dead letters"), "clock", "KeyD"),
    Destination("operations", _("Operations room"), _("Operations"), "alert", "KeyQ"),
    Destination("settings", _("Settings"), _("Settings"), "sliders", "KeyS"),
)

ON_PHONE: Final = 4
"""The first so many stand in the bar at the bottom of a phone; the others open from it."""
