"""Which live flows a deploy touches, asked of the system that runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from dev.release.compare import Change, Weight
from libs.contracts.flows import ENDED, FlowStatus
from libs.contracts.message import Text

if TYPE_CHECKING:
    from dev.client import Client

MOST: Final = 1000
"""Runs of one flow and state that are counted; beyond it the count is "at least"."""
ASKED: Final = tuple(status for status in FlowStatus if status not in ENDED)


def touched(client: Client, changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Runs that go on, of flows that change, by version and tenant: those of the tenant whose key asks, for the API shows no other's.

    Raises ApiError, NotRunning.
    """
    labels = {one.name for one in changes if one.area == "flows" and one.weight is not Weight.FINE}
    found: Counter[tuple[str, str]] = Counter()
    cut: set[str] = set()
    for flow in sorted({label.partition("@")[0] for label in labels}):
        for status in ASKED:
            page = client.page("/flows", MOST, None, flow=flow, status=status.value)
            found.update((f"{one['flow']}@{one['version']}", str(one["tenant_id"])) for one in page["items"])
            if page.get("next_cursor"):
                cut.add(flow)
    return [
        {"flow": label, "tenant_id": tenant, "runs": runs, "at_least": label.partition("@")[0] in cut}
        for (label, tenant), runs in sorted(found.items())
        if label in labels
    ]


def settled(changes: Iterable[Change], live: list[dict[str, Any]] | str) -> list[Change]:
    """A flow's removed version breaks only where runs of it go on; where nobody could be asked, it is taken to."""
    if isinstance(live, str):
        return list(changes)
    running = {one["flow"] for one in live}
    return [
        one._replace(
            weight=Weight.CAREFUL,
            what=Text(
                en=f"{one.what.en} (none goes on for this tenant)", ar=f"{one.what.ar} (لا مسار جارٍ لهذه المنشأة)"
            ),
        )
        if one.area == "flows" and one.weight is Weight.BREAK and one.name not in running
        else one
        for one in changes
    ]
