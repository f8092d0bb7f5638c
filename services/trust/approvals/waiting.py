"""What waits for one person's vote, in short: the soonest due first."""

from __future__ import annotations

import json
from datetime import datetime

from libs.contracts.approvals import Delegation, TrustRules
from libs.contracts.errors import Forbidden
from libs.contracts.inbox import VotesReply, VotesRequest, WaitingVote
from libs.contracts.message import Principal, PrincipalKind
from libs.contracts.trust import Approval
from services.trust.approvals.domain.rights import right_for, value_of, voters
from services.trust.domain.approvals import MAY_APPROVE
from services.trust.store import Store

READERS = frozenset({"owner", "admin", "approver", "operator", "auditor", "compliance_officer"})
"""System roles that may see all that waits; a member sees what waits for the member's own vote."""
MOST = 1000
"""Of more than a thousand that wait, those that are due first are looked at."""
_TARGETS = ("account_name", "to_name", "to")


class VotesWaiting:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, request: VotesRequest) -> VotesReply:
        """Requests that this person may vote on and has not, by right of an own role or of one that was lent; all that wait with
        `everything`. An owner's own request is among them: approving it takes signing in again."""
        who = request.principal
        if request.everything and not READERS & set(who.roles):
            return VotesReply(items=(), total=0)
        async with self._store.unit(who.tenant_id) as unit:
            now = await unit.now()
            rules = (await unit.desk.rules(who.tenant_id)).rules
            lent = await unit.desk.lent_to(who.tenant_id, who.id)
            found = await unit.desk.waiting(who.tenant_id, MOST)
        mine = [one for one in found if request.everything or _asked(one, who, lent, rules, now)]
        return VotesReply(items=tuple(_short(one) for one in mine[: request.most]), total=len(mine))


def _asked(one: Approval, who: Principal, lent: list[Delegation], rules: TrustRules, now: datetime) -> bool:
    if who.kind is not PrincipalKind.USER or not MAY_APPROVE & set(who.roles):
        return False
    if who.id in voters(one) or (who.id == one.requester and "owner" not in who.roles):
        return False
    try:
        right = right_for(one, who, lent, rules, value_of(json.loads(one.payload)), now)
    except Forbidden:
        return False
    return right.giver not in voters(one)


def _short(one: Approval) -> WaitingVote:
    shown = {field["name"]: field["value"] for field in one.view["fields"]}
    target = next((str(shown[name]) for name in _TARGETS if shown.get(name)), str(one.view["resource"]["type"]))
    return WaitingVote(
        approval_id=one.approval_id, action_type=one.action_type, role=one.role, risk=one.risk, target=target,
        value_sar=one.value_sar, requested_at=one.requested_at, due_at=one.due_at,
    )  # fmt: skip
