"""A tenant's rules, lent rights, requests side by side, edits and tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from libs.contracts.approvals import (
    CompareRequest,
    Comparison,
    DelegateRequest,
    Delegation,
    DelegationsReply,
    DelegationsRequest,
    Edit,
    EditGet,
    EndDelegation,
    RulesReply,
    RulesRequest,
    SetRules,
    TokenReply,
    TokenRequest,
    TrustRules,
)
from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.roles import roles
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.message import Principal
from libs.contracts.paging import before, page_of
from libs.contracts.tenant_hours import HoursRequest, TenantHours
from libs.contracts.trust import Approval, ApprovalState
from services.trust.approvals.domain import clock
from services.trust.approvals.domain.alike import compare
from services.trust.approvals.tokens import mint, token_mac
from services.trust.domain.approvals import require_approver
from services.trust.errors import ApprovalNotPending, BadDelegation, BadRules, NoToken, RulesChanged
from services.trust.ledger.domain.entry import Entry
from services.trust.store import Store, Unit

READERS = frozenset({"owner", "admin", "approver", "operator", "auditor", "compliance_officer", "member"})
RULE_KEEPERS = frozenset({"owner", "compliance_officer"})
LONGEST_LOAN = timedelta(days=90)
CHECKED_FROM = datetime(2026, 1, 1, tzinfo=UTC)
"""Any day does: that there are hours at all is what is checked."""


class Desk:
    """Everything around a vote but the vote."""

    def __init__(self, store: Store, key: bytes) -> None:
        self._store = store
        self._key = key

    async def rules(self, request: RulesRequest) -> RulesReply:
        _require(request.principal, READERS)
        async with self._store.unit(request.principal.tenant_id) as unit:
            return await unit.desk.rules(request.principal.tenant_id)

    async def hours(self, request: HoursRequest) -> TenantHours:
        """When a tenant works, for who waits by it."""
        async with self._store.unit(request.tenant_id) as unit:
            rules = (await unit.desk.rules(request.tenant_id)).rules
        return TenantHours(
            opens_minute=rules.opens_minute, closes_minute=rules.closes_minute, days=rules.days, closed_on=rules.closed_on
        )  # fmt: skip

    async def set_rules(self, request: SetRules) -> RulesReply:
        """Raises BadRules naming what is wrong, RulesChanged when another version was edited."""
        _require(request.principal, RULE_KEEPERS)
        check_rules(request.rules)
        tenant = request.principal.tenant_id
        async with self._store.unit(tenant) as unit:
            was = await unit.desk.rules(tenant)
            if was.version != request.expected_version:
                raise RulesChanged
            await unit.desk.set_rules(tenant, request.rules, was.version + 1, request.principal.id)
            old, new = was.rules.model_dump(mode="json"), request.rules.model_dump(mode="json")
            changed = sorted(name for name in new if new[name] != old[name])
            await _record(
                unit, request.principal, "rules.changed", f"tenant:{tenant}", version=was.version + 1, changed=changed
            )
            return await unit.desk.rules(tenant)

    async def delegate(self, request: DelegateRequest) -> Delegation:
        """Lend one's right to approve until a date, for one request or all.

        Raises BadDelegation, ApprovalNotPending.
        """
        who = request.principal
        require_approver(who)
        async with self._store.unit(who.tenant_id) as unit:
            now = await unit.now()
            if request.to_id == who.id:
                raise BadDelegation("Delegate to somebody else.", "فوّض شخصًا غيرك.")
            if not now < request.ends_at <= now + LONGEST_LOAN:
                raise BadDelegation(
                    "It ends in the future, within 90 days.", "يكون الانتهاء في المستقبل وخلال 90 يومًا."
                )
            if request.approval_id is not None:
                approval = await _approval(unit, who.tenant_id, request.approval_id)
                if approval.state is not ApprovalState.PENDING:
                    raise ApprovalNotPending(approval.state.value)
                if request.to_id == approval.requester:
                    raise BadDelegation("Who asks may not approve.", "لا يوافق مقدّم الطلب على طلبه.")
            made = Delegation(
                delegation_id=request.delegation_id, tenant_id=who.tenant_id, approval_id=request.approval_id, from_id=who.id,
                from_roles=who.roles, from_business_role=who.business_role, to_id=request.to_id, starts_at=now,
                ends_at=request.ends_at, note=request.note,
            )  # fmt: skip
            await unit.desk.lend(made)
            if request.approval_id is not None:
                await unit.add_step(who.tenant_id, request.approval_id, who.id, "delegated", request.to_id)
            target = f"approval:{request.approval_id}" if request.approval_id else f"person:{who.id}"
            await _record(
                unit, who, "approval.delegated", target, to=request.to_id, ends_at=request.ends_at.isoformat(),
                delegation_id=str(made.delegation_id),
            )  # fmt: skip
        return made

    async def end(self, request: EndDelegation) -> Delegation:
        """Take a lent right back; its giver, an owner or an administrator may."""
        who = request.principal
        async with self._store.unit(who.tenant_id) as unit:
            found = await unit.desk.loan(who.tenant_id, request.delegation_id)
            if found is None:
                raise NotFound
            if who.id != found.from_id:
                _require(who, frozenset({"owner", "admin"}))
            await unit.desk.end_loan(who.tenant_id, request.delegation_id)
            await _record(unit, who, "approval.delegation_ended", f"delegation:{request.delegation_id}")
            ended = await unit.desk.loan(who.tenant_id, request.delegation_id)
        return ended or found

    async def delegations(self, request: DelegationsRequest) -> DelegationsReply:
        _require(request.principal, READERS)
        async with self._store.unit(request.principal.tenant_id) as unit:
            found = await unit.desk.loans(request.principal.tenant_id, before(request.page), request.page.limit + 1)
        items, more = page_of(found, request.page.limit, lambda one: one.delegation_id)
        return DelegationsReply(items=items, next_cursor=more)

    async def compare(self, request: CompareRequest) -> Comparison:
        """Raises NotAlike."""
        _require(request.principal, READERS)
        tenant = request.principal.tenant_id
        async with self._store.unit(tenant) as unit:
            found = [await _approval(unit, tenant, one) for one in dict.fromkeys(request.approval_ids)]
        return compare(found)

    async def edit(self, request: EditGet) -> Edit:
        async with self._store.unit(request.tenant_id) as unit:
            found = await unit.desk.edit(request.tenant_id, request.approval_id)
        if found is None:
            raise NotFound
        return found

    async def token(self, request: TokenRequest) -> TokenReply:
        """The reference to an approval that has not been used, for who asked for it; given once.

        Raises NoToken.
        """
        who = request.principal
        async with self._store.unit(who.tenant_id) as unit:
            approval = await _approval(unit, who.tenant_id, request.approval_id, lock=True)
            if approval.requester != who.id:
                raise Forbidden
            now, text = await unit.now(), mint()
            if approval.state is not ApprovalState.APPROVED or now >= approval.expires_at:
                raise NoToken("Only an approval that holds has a token.", "الرمز لموافقة سارية فقط.")
            if await unit.desk.spent(who.tenant_id, approval.approval_id):
                raise NoToken("This approval has been used.", "استُخدمت هذه الموافقة.")
            mac = token_mac(self._key, who.tenant_id, text)
            if not await unit.desk.keep_token(who.tenant_id, mac, approval.approval_id, approval.expires_at):
                raise NoToken("The token of this approval was given already.", "سُلّم رمز هذه الموافقة من قبل.")
            await _record(
                unit,
                who,
                "approval.token_issued",
                f"action:{approval.action_id}",
                approval_id=str(approval.approval_id),
            )
        return TokenReply(approval_token=text, expires_at=approval.expires_at)


def check_rules(rules: TrustRules) -> None:
    """Raises BadRules naming the first thing that cannot be."""
    if not rules.opens_minute < rules.closes_minute or not rules.days or set(rules.days) - set(range(7)):
        raise BadRules(
            "Business hours open before they close, on at least one day.",
            "يبدأ الدوام قبل أن ينتهي، وفي يوم واحد على الأقل.",
        )
    named = {*rules.next_role, *rules.next_role.values(), rules.executive} - set(roles().business_roles)
    if named:
        raise BadRules(f"There is no role {sorted(named)[0]}.", f"لا يوجد دور باسم {sorted(named)[0]}.")
    unknown = set(rules.any_hour) - set(effects())
    if unknown:
        raise BadRules(
            f"There is no action type {sorted(unknown)[0]}.", f"لا يوجد نوع إجراء باسم {sorted(unknown)[0]}."
        )
    people = set(rules.limits) - set(roles().business_roles) - set(roles().system_roles)
    if people:
        raise BadRules(f"There is no role {sorted(people)[0]}.", f"لا يوجد دور باسم {sorted(people)[0]}.")
    amounts = [*rules.limits.values(), *([] if rules.quorum_above_sar is None else [rules.quorum_above_sar])]
    if any(not amount.is_finite() or amount < 0 for amount in amounts):
        raise BadRules("An amount is zero or more.", "المبلغ صفر أو أكثر.")
    if any(minutes == 0 for minutes in rules.sla_minutes.values()) or not rules.sla_minutes:
        raise BadRules("An answer is due after at least one minute.", "المهلة دقيقة واحدة على الأقل.")
    try:
        clock.after(CHECKED_FROM, max(rules.sla_minutes.values()) * 1.5, rules)
    except ValueError as error:
        raise BadRules("These rules leave no business hours.", "هذه الضوابط لا تترك وقت دوام.") from error


async def _approval(unit: Unit, tenant_id: UUID, approval_id: UUID, *, lock: bool = False) -> Approval:
    found = await unit.approval(tenant_id, approval_id, lock=lock)
    if found is None:
        raise NotFound
    return found[0]


async def _record(unit: Unit, who: Principal, kind: str, target: str, **data: object) -> None:
    entry = Entry(tenant_id=who.tenant_id, kind=kind, actor=who.id, target=target, at=await unit.now(), data=data)
    await unit.append([entry])


def _require(principal: Principal, allowed: frozenset[str]) -> None:
    if not allowed & set(principal.roles):
        raise Forbidden
