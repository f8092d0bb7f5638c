"""An Admitted for connectors' tests, made the only way there is: by the gate, under a grant that trust's own code signed."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from nacl.signing import SigningKey

from libs.contracts.canonical import canonical, digest
from libs.contracts.catalogue.actions import effects
from libs.contracts.grant import RootCache
from libs.contracts.message import Principal, new_id
from libs.contracts.trust import ActionClass, Decision, GrantClaims, Mode, Outcome, ResourceRef
from services.execution.domain.actions import Job
from services.execution.gate import AUDIENCE, Admitted, Gate
from services.trust.domain.keys import SigningPair, issue

PAIR = SigningPair("grant-1", SigningKey(hashlib.sha256(b"a test's grant key").digest()))
NOW = 1_795_327_200
TENANT = UUID("01930000-0000-7000-8000-00000000000a")


def admitted(effect: str, payload: dict[str, Any], *, mode: str = "sandbox", tenant: UUID = TENANT) -> Admitted:
    registered, text, salt = effects()[effect], canonical(payload).decode(), "ab" * 32
    job = Job(
        tenant_id=tenant, action_id=new_id(), action_type=effect, effect=effect,
        resource=ResourceRef(type="contact", id="1"), payload=text, salt=salt,
        principal=Principal(id="user:1", kind="user", tenant_id=tenant), reason="", run_id="", approval_token=None,
        idempotency_key=None, headers={}, trace_id="",
    )  # fmt: skip
    claims = GrantClaims(
        grant_id=new_id(), tenant_id=tenant, action_id=job.action_id, attempt=1, audience=AUDIENCE,
        connector=registered.connector, connector_mode=mode, operation=registered.operation, template_version="",
        payload_digest=digest(bytes.fromhex(salt), text.encode()), policy_version="v", approval_id=None, nonce="n",
        issued_at=NOW, expires_at=NOW + 60,
    )  # fmt: skip
    decision = Decision(
        decision_id=new_id(), tenant_id=tenant, action_id=job.action_id, attempt=1, outcome=Outcome.GRANTED, allowed=True,
        mode=Mode.APPROVED_EXECUTE, action_class=ActionClass.B, reasons=(), approval_required=False, policy_version="v",
        audit_event=new_id(), proof_impact="", grant=issue([claims], PAIR)[0],
    )  # fmt: skip
    return Gate(RootCache({PAIR.kid: PAIR.public_key}), lambda: NOW).admit(job, decision)
