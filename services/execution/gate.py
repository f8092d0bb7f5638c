"""The gate: the only place where an `Admitted` is made, and the only thing that connectors accept.

Verification hands over the goods: there is no way to an effect that does not pass through `Gate.admit`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import InitVar, dataclass
from typing import Any
from uuid import UUID

from libs.contracts.canonical import digest
from libs.contracts.catalogue.actions import effects
from libs.contracts.grant import GrantInvalid, RootCache, key_id, read_grant
from libs.contracts.trust import Decision, Grant, GrantClaims, Outcome
from services.execution.domain.actions import Job
from services.execution.errors import GrantExpired, NotAdmitted

AUDIENCE = "dealix:execution"

_SEAL = object()


@dataclass(frozen=True, slots=True)
class Admitted:
    """Proof that trust granted exactly this payload, once. Made by `Gate.admit` alone: the constructor wants the gate's seal.

    `vendor_key` is the idempotency key for vendors that have one; it stays the same over attempts.
    """

    seal: InitVar[object]
    claims: GrantClaims
    payload: dict[str, Any]
    vendor_key: str

    def __post_init__(self, seal: object) -> None:
        # The seal is looked at and not kept: a copy with other contents can't be made from a real one.
        if seal is not _SEAL:
            raise NotAdmitted("only the gate admits")

    @property
    def tenant_id(self) -> UUID:
        return self.claims.tenant_id


class Gate:
    """Checks a grant against the action it is for. `clock` gives Unix seconds."""

    def __init__(self, roots: RootCache, clock: Callable[[], float]) -> None:
        self._roots = roots
        self._clock = clock

    def trust_keys(self, keys: dict[str, bytes]) -> None:
        """Replace the public grant keys, by key id."""
        self._roots.keys = dict(keys)

    def recognises(self, grant: Grant) -> bool:
        """Whether the key that a grant names is one the gate has; says nothing of its signature."""
        return key_id(grant.root_jws) in self._roots.keys

    def admit(self, job: Job, decision: Decision) -> Admitted:
        """Admit one action under its grant. First use is settled afterwards by the nonce, inside the dispatch transaction.

        Raises NotAdmitted naming the check that failed: outcome, grant, tenant, action, attempt, audience, connector, operation,
        payload; GrantExpired when only its time is over.
        """
        if decision.outcome is not Outcome.GRANTED or not decision.allowed or decision.grant is None:
            raise NotAdmitted("trust granted nothing")
        try:
            claims = read_grant(decision.grant, self._roots)
        except GrantInvalid as error:
            raise NotAdmitted(str(error)) from error
        effect = effects()[job.effect]
        now = self._clock()
        checks = (
            ("tenant", claims.tenant_id == job.tenant_id == decision.tenant_id == job.principal.tenant_id),
            ("action", claims.action_id == job.action_id == decision.action_id),
            ("attempt", claims.attempt == job.attempt),
            ("audience", claims.audience == AUDIENCE),
            ("connector", claims.connector == effect.connector),
            ("operation", claims.operation == effect.operation),
            ("payload", claims.payload_digest == digest(bytes.fromhex(job.salt), job.payload.encode())),
        )
        for name, holds in checks:
            if not holds:
                raise NotAdmitted(f"{name} does not fit the grant")
        if not claims.issued_at - 60 <= now < claims.expires_at:
            raise GrantExpired(claims.grant_id)
        return Admitted(_SEAL, claims, json.loads(job.payload), f"dlx-{job.action_id}")
