"""Policy bundles as people use them: list, propose, compare, shadow, prepare and carry out an activation, explain."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from libs.contracts.errors import DealixError, Forbidden, NotFound
from libs.contracts.execution import ActionState, Settled
from libs.contracts.message import PLATFORM, Principal
from libs.contracts.policy import (
    ActivationMode,
    BundleDiff,
    BundleDiffRequest,
    BundleRequest,
    BundlesReply,
    BundlesRequest,
    ExplainReply,
    ExplainRequest,
    PolicyBundle,
    PrepareActivation,
    PreparedActivation,
    ProposeBundle,
    ShadowBundle,
)
from libs.runtime.database import Database, SessionWork
from services.trust.authorize import Authorizer
from services.trust.bundles.domain import checked, diff, rules
from services.trust.bundles.errors import BundleState, NothingChanges, ReplayMissing
from services.trust.bundles.force import Bundles
from services.trust.bundles.store import BundleRows, shown
from services.trust.bundles.watch import Watch, record
from services.trust.domain.decide import Prepared
from services.trust.domain.policy import Bundle

READERS = frozenset({"owner", "admin", "auditor", "compliance_officer", "approver", "operator"})
PROPOSERS = frozenset({"owner", "admin", "compliance_officer"})
EFFECT = "policy_activate"


class Policies:
    def __init__(self, database: Database, bundles: Bundles, watch: Watch, authorizer: Authorizer) -> None:
        self._database = database
        self._bundles = bundles
        self._watch = watch
        self._authorizer = authorizer

    async def page(self, request: BundlesRequest) -> BundlesReply:
        """The tenant's bundles, the newest proposal first, and after them the platform's own."""
        _require(request.principal, READERS)
        async with self._database.batch(request.principal.tenant_id) as work:
            own = BundleRows(work.connection, request.principal.tenant_id)
            rows = await own.page(request.page.cursor, request.page.limit + 1)
            active = await own.in_state("active")
        found = [shown(row) for row in rows[: request.page.limit]]
        if len(rows) > request.page.limit:
            return BundlesReply(items=tuple(found), next_cursor=found[-1].version)
        if self._bundles.platform.version not in {bundle.version for bundle in found}:
            found.append(self._platform("retired" if active else "active"))
        return BundlesReply(items=tuple(found))

    async def get(self, request: BundleRequest) -> PolicyBundle:
        """One bundle with its rules. `active` names the one in force."""
        _require(request.principal, READERS)
        described, bundle = await self._find(request.principal.tenant_id, request.version)
        full: PolicyBundle = described.evolve(rules=rules(bundle, self._bundles.platform))
        return full

    async def propose(self, request: ProposeBundle) -> PolicyBundle:
        """Keep a proposal, once it parses, validates, lifts no rule of the platform and only forbids. A refusal is ledgered.

        Raises PolicyInvalid, LiftsHardRule, OnlyForbids, NothingChanges.
        """
        _require(request.principal, PROPOSERS)
        tenant, actor = request.principal.tenant_id, request.principal.id
        try:
            additions, bundle = checked(self._bundles.platform, request.text)
            if bundle.version == (await self._find(tenant, "active"))[1].version:
                raise NothingChanges
        except DealixError as error:
            await self._refused(tenant, actor, "policy.proposal_refused", error.code)
            raise
        async with self._database.batch(tenant) as work:
            own = BundleRows(work.connection, tenant)
            await own.add(
                bundle.version, additions, bundle.text, self._bundles.platform.version, request.title.strip(), actor, "proposed"
            )  # fmt: skip
            await record(work.connection, [(tenant, "policy.proposed", actor, f"policy:{bundle.version}", {})])
        return await self.get(BundleRequest(principal=request.principal, version=bundle.version))

    async def diff(self, request: BundleDiffRequest) -> BundleDiff:
        _require(request.principal, READERS)
        tenant = request.principal.tenant_id
        _, after = await self._find(tenant, request.version)
        _, before = await self._find(tenant, request.against or "active")
        return diff(before, after, self._bundles.platform)

    async def shadow(self, request: ShadowBundle) -> PolicyBundle:
        """Begin or end the comparison of live decisions with a proposed bundle. Nothing is enforced by it."""
        _require(request.principal, PROPOSERS)
        tenant, actor = request.principal.tenant_id, request.principal.id
        async with self._database.batch(tenant) as work:
            own = BundleRows(work.connection, tenant)
            row = await own.get(request.version, lock=True)
            if row is None:
                raise NotFound
            if row["state"] != ("proposed" if request.on else "shadow"):
                raise BundleState(row["state"])
            await own.retire("shadow", "proposed")
            if request.on:
                await own.move(request.version, "shadow", {})
            await own.announce()
            kind = "policy.shadow_started" if request.on else "policy.shadow_ended"
            await record(work.connection, [(tenant, kind, actor, f"policy:{request.version}", {})])
        return await self.get(BundleRequest(principal=request.principal, version=request.version))

    async def prepare(self, request: PrepareActivation) -> PreparedActivation:
        """The payload that people approve: the bundle, what it changes, and the replay report's digest and figures.

        Raises ReplayMissing without a finished replay of this bundle against the one in force, BundleState, NotFound.
        """
        _require(request.principal, PROPOSERS)
        tenant = request.principal.tenant_id
        described, bundle = await self._find(tenant, request.version)
        _, current = await self._find(tenant, "active")
        async with self._database.batch(tenant) as work:
            row = await work.connection.fetchrow(
                "select version, base, state, report, sha256 from trust.policy_replays where tenant_id = $1 and replay_id = $2",
                tenant,
                request.replay_id,
            )
        fits = row is not None and (row["version"], row["base"]) == (bundle.version, current.version)
        if not fits or row["state"] != "done":
            await self._refused(tenant, request.principal.id, "policy.activation_refused", "replay_missing")
            raise ReplayMissing
        if described.state not in ("proposed", "shadow", "canary"):
            raise BundleState(described.state)
        changes = diff(current, bundle, self._bundles.platform)
        payload = {
            "version": bundle.version,
            "replaces": current.version,
            "mode": request.mode.value,
            "percent": request.percent if request.mode is ActivationMode.CANARY else 100,
            "band": request.band.model_dump(mode="json") if request.mode is ActivationMode.CANARY else {},
            "title": described.title,
            "policies_added": [rule.id for rule in changes.added],
            "policies_removed": [rule.id for rule in changes.removed],
            "policies_changed": [rule.id for rule in changes.changed],
            "replay_id": str(request.replay_id),
            "replay_sha256": row["sha256"],
            "replay": {k: v for k, v in json.loads(row["report"]).items() if not isinstance(v, list | dict)},
        }
        return PreparedActivation(payload=payload)

    async def explain(self, request: ExplainRequest) -> ExplainReply:
        """What a bundle says of a hypothetical action, with the facts it looked at and the text of the policies that decided."""
        _require(request.principal, READERS | {"member", "api_client"})
        if request.evaluation.tenant_id != request.principal.tenant_id:
            raise NotFound
        bundle = None
        if request.version is not None:
            _, bundle = await self._find(request.principal.tenant_id, request.version)
        decision, question, bundle = await self._authorizer.explain(request.evaluation, bundle)
        fired = {reason.policy_id for reason in decision.reasons}
        return ExplainReply(
            decision=decision,
            question=asdict(question),
            policies=tuple(rule for rule in rules(bundle, self._bundles.platform) if rule.id in fired),
        )

    async def attached(self, prepared: Prepared) -> bool:
        """Whether an activation names a finished replay of its bundle, by the digest of its report."""
        tenant, payload = prepared.evaluation.tenant_id, prepared.payload
        try:
            replay_id = UUID(str(payload.get("replay_id")))
        except ValueError:
            return False
        async with self._database.batch(tenant) as work:
            return bool(await work.connection.fetchval(_ATTACHED, tenant, replay_id, *_named(payload)))

    async def settled(self, work: SessionWork, items: Sequence[Settled]) -> None:
        """Carry out activations that people approved and execution has recorded, in the transaction that closes their grants."""
        for item in items:
            if item.action_type == EFFECT and item.outcome is ActionState.SUCCEEDED:
                await self._activate((await work.batch()).connection, item)

    async def _activate(self, connection: Any, item: Settled) -> None:
        tenant = item.tenant_id
        row = await connection.fetchrow(
            "select a.document::text document, a.decided_by from trust.decisions d join trust.approvals a on a.tenant_id = d.tenant_id "
            "and a.approval_id = d.approval_id and a.payload_hash = d.digest where d.tenant_id = $1 and d.grant_id = $2 "
            "and d.effect = $3 and a.state = 'approved'",
            tenant,
            item.grant_id,
            EFFECT,
        )
        if row is None:
            return
        payload = json.loads(json.loads(row["document"])["payload"])
        own, version = BundleRows(connection, tenant), str(payload["version"])
        bundle = await own.get(version, lock=True)
        active = await own.in_state("active")
        current = active["version"] if active else self._bundles.platform.version
        problem = ""
        if bundle is None or bundle["state"] not in ("proposed", "shadow", "canary"):
            problem = "bundle_state"
        elif bundle["platform_version"] != self._bundles.platform.version or current != payload["replaces"]:
            problem = "bundle_in_force_changed"
        elif not await connection.fetchval(_ATTACHED, tenant, UUID(str(payload["replay_id"])), *_named(payload)):
            problem = "replay_missing"
        if problem:
            fact = {"why": problem, "action_id": str(item.action_id)}
            await record(connection, [(tenant, "policy.activation_refused", "system:trust", f"policy:{version}", fact)])
            return
        if payload["mode"] == "canary":
            await own.retire("canary")
            await own.move(version, "canary", {"percent": payload["percent"], "band": payload["band"]})
        else:
            await own.retire("active")
            await own.move(version, "active", {})
        await own.announce()
        fact = {
            "before": current, "mode": payload["mode"], "percent": payload["percent"], "replay_sha256": payload["replay_sha256"],
            "action_id": str(item.action_id), "text_sha256": version,
        }  # fmt: skip
        await record(connection, [(tenant, "policy.activated", row["decided_by"], f"policy:{version}", fact)])

    async def _find(self, tenant: UUID, version: str) -> tuple[PolicyBundle, Bundle]:
        async with self._database.batch(tenant) as work:
            own = BundleRows(work.connection, tenant)
            row = await (own.in_state("active") if version == "active" else own.get(version))
            if row is not None:
                return shown(row), Bundle(row["text"])
            platform = self._bundles.platform
            if version in ("active", platform.version):
                active = await own.in_state("active")
                return self._platform("retired" if active else "active"), platform
            older = await own.texts([version])
        if not older:
            raise NotFound
        bundle = Bundle(older[0])
        return self._platform("retired").evolve(version=bundle.version, platform_version=bundle.version), bundle

    def _platform(self, state: str) -> PolicyBundle:
        version = self._bundles.platform.version
        return PolicyBundle(
            version=version, state=state, title="", platform_version=version, proposed_by="platform", proposed_at=None,
            changed_at=None,
        )  # fmt: skip

    async def _refused(self, tenant: UUID, actor: str, kind: str, code: str) -> None:
        async with self._database.batch(tenant) as work:
            await record(work.connection, [(tenant, kind, actor, "policy:proposal", {"why": code})])


_ATTACHED = """
select exists(select 1 from trust.policy_replays where tenant_id = $1 and replay_id = $2 and state = 'done' and version = $3
  and sha256 = $4 and base = $5)
"""


def _named(payload: dict[str, Any]) -> tuple[str, str, str]:
    return str(payload.get("version")), str(payload.get("replay_sha256")), str(payload.get("replaces"))


def _require(principal: Principal, roles: frozenset[str]) -> None:
    if not roles & set(principal.roles) or principal.tenant_id == PLATFORM:
        raise Forbidden
