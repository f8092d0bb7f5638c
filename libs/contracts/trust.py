"""Messages owned by the trust plane: authorization, grants, approvals, consent, ledger, evidence."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, Reason, TenantId


class ActionClass(StrEnum):
    """A runs at once, B needs an approval, C never runs."""

    A = "A"
    B = "B"
    C = "C"


class Mode(StrEnum):
    """What the policy lets an action do. Ordered from strictest to most permissive in `MODE_ORDER`."""

    BLOCKED = "blocked"
    CONSENT_REQUIRED = "consent_required"
    APPROVAL_REQUIRED = "approval_required"
    SUGGEST_ONLY = "suggest_only"
    DRAFT_ONLY = "draft_only"
    APPROVED_EXECUTE = "approved_execute"


MODE_ORDER = tuple(Mode)


class ConnectorMode(StrEnum):
    SANDBOX = "sandbox"
    DRAFT = "draft"
    LIVE = "live"


class Outcome(StrEnum):
    """How trust answered one evaluation."""

    GRANTED = "granted"
    PARKED = "parked"
    DRAFTED = "drafted"
    REFUSED = "refused"


class ResourceRef(Message):
    """What an action is about: `contact`, `lead`, `deal`, `tenant` … and its id."""

    type: str
    id: str


class Evaluation(Message):
    """One action to decide (AuthZEN: subject, action, resource, context).

    `payload` is the canonical JSON (RFC 8785) of what would be executed, fully rendered; `salt` (hex, 32 bytes) makes its digest
    unguessable. `effect` is what the registered handler does: class and policy follow from it, never from `action_type`.
    """

    tenant_id: TenantId
    action_id: UUID
    attempt: Annotated[int, Field(ge=1)]
    subject: Principal
    action_type: str
    effect: str
    connector: str | None
    operation: str | None
    resource: ResourceRef
    payload: str
    salt: str
    reason: str = ""
    run_id: str = ""
    approval_token: str | None = None
    trace_id: str = ""


class AuthorizeRequest(Message):
    evaluations: Annotated[tuple[Evaluation, ...], Field(min_length=1, max_length=1000)]


class GrantClaims(Message):
    """What a grant permits, exactly once. Times are Unix seconds of PostgreSQL's clock."""

    grant_id: UUID
    tenant_id: TenantId
    action_id: UUID
    attempt: int
    audience: str
    connector: str
    connector_mode: ConnectorMode
    operation: str
    template_version: str
    payload_digest: str
    policy_version: str
    approval_id: UUID | None
    nonce: str
    issued_at: int
    expires_at: int


class Grant(Message):
    """Claims, their place in the batch's Merkle tree, and the signature over its root.

    `claims` is the canonical JSON of a GrantClaims, kept as text so that what is hashed is what was signed. `path` holds hex
    hashes (RFC 9162 section 2.1.3); `root_jws` is a compact JWS (EdDSA, RFC 8037) whose payload names the root and tree size.
    """

    claims: str
    index: int
    size: int
    path: tuple[str, ...]
    root_jws: str


class Decision(Message):
    """What trust answered, as shown to people and kept for replay."""

    decision_id: UUID
    tenant_id: TenantId
    action_id: UUID
    attempt: int
    outcome: Outcome
    allowed: bool
    mode: Mode
    action_class: ActionClass
    reasons: tuple[Reason, ...]
    approval_required: bool
    approval_id: UUID | None = None
    policy_version: str
    audit_event: UUID
    proof_impact: str
    grant: Grant | None = None


class AuthorizeReply(Message):
    """One decision an evaluation, in the same order."""

    decisions: tuple[Decision, ...]


class EvaluateRequest(Message):
    """A hypothetical question; the answer never carries a grant and leaves no approval behind."""

    evaluations: Annotated[tuple[Evaluation, ...], Field(min_length=1, max_length=100)]


# Approvals --------------------------------------------------------------------------------------------------------------------


class ApprovalState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


class ApprovalStep(Message):
    """One thing that happened to an approval."""

    at: datetime
    actor: str
    step: str
    note: str = ""
    on_behalf: str = ""
    """Whose right was used, where it was lent."""


class Approval(Message):
    """A request for a human decision, with exactly what would run and exactly what was shown.

    `view` is one canonical JSON document that every channel renders from; `view_hash` and `payload_hash` are hex SHA-256.
    """

    approval_id: UUID
    tenant_id: TenantId
    action_id: UUID
    action_type: str
    state: ApprovalState
    role: str
    risk: str
    reason: str
    requester: str
    value_sar: str | None
    payload: str
    payload_hash: str
    view: dict[str, Any]
    view_hash: str
    policy_version: str
    requested_at: datetime
    due_at: datetime
    expires_at: datetime
    compensation: str
    supersedes: UUID | None = None
    superseded_by: UUID | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    history: tuple[ApprovalStep, ...] = ()
    decision: Decision | None = None
    trace_id: str = ""
    approvers: int = 1
    """How many different people must approve."""
    stage: str = ""
    """How far the clock is: `reminded`, `warned`, `escalated` or `breached`."""
    replaced_by_action: UUID | None = None
    """The action with the edited payload that takes this one's place."""


class ApprovalsRequest(Message):
    principal: Principal
    state: ApprovalState | None = None
    role: str | None = None
    page: Page = Page()


class ApprovalsReply(Message):
    items: tuple[Approval, ...]
    next_cursor: str | None = None


class ApprovalRequest(Message):
    principal: Principal
    approval_id: UUID


class ApproveRequest(Message):
    """A vote for exactly these hashes; anything else is a conflict, never an approval."""

    principal: Principal
    approval_id: UUID
    payload_hash: str
    view_hash: str
    note: str = ""
    reauthenticated: bool = False


class RejectRequest(Message):
    principal: Principal
    approval_id: UUID
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class ReviseRequest(Message):
    """An edit: makes a new approval that supersedes the old one."""

    principal: Principal
    approval_id: UUID
    payload: dict[str, Any]
    expected_hash: str
    reason: str | None = None


class WithdrawRequest(Message):
    principal: Principal
    approval_id: UUID


# Consent, suppression, contactability -----------------------------------------------------------------------------------------


class Contactability(StrEnum):
    SAFE = "safe"
    NEEDS_REVIEW = "needs_review"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class ChannelContactability(Message):
    channel: str
    status: Contactability
    reasons: tuple[Reason, ...]


class ContactabilityRequest(Message):
    """`reasons` false: states only, for whoever asks about a whole list and keeps no reasons."""

    tenant_id: TenantId
    contact_ids: Annotated[tuple[UUID, ...], Field(max_length=5000)]
    reasons: bool = True


class ContactContactability(Message):
    contact_id: UUID
    channels: tuple[ChannelContactability, ...]


class ContactabilityReply(Message):
    items: tuple[ContactContactability, ...]


class ConsentRecord(Message):
    """A person's consent for one purpose on one channel, with its proof (PDPL Implementing Regulation art. 11).

    `explicit`: said in so many words, as sensitive data and machine decisions need. `bundled_with_service`: whether an unrelated
    service depended on it, which makes it none. None is "not recorded".
    """

    consent_id: UUID
    contact_id: UUID
    purpose: str
    channel: str
    method: str
    captured_at: datetime
    evidence: str
    notice_version: str
    expires_at: datetime | None = None
    withdrawn_at: datetime | None = None
    explicit: bool | None = None
    bundled_with_service: bool | None = None


class RecordConsents(Message):
    principal: Principal
    tenant_id: TenantId
    consents: Annotated[tuple[ConsentRecord, ...], Field(max_length=5000)]


class WithdrawConsent(Message):
    principal: Principal
    tenant_id: TenantId
    contact_id: UUID
    channel: str | None = None
    reason: str = ""


class ConsentsRequest(Message):
    principal: Principal
    contact_id: UUID | None = None
    page: Page = Page()


class ConsentsReply(Message):
    items: tuple[ConsentRecord, ...]
    next_cursor: str | None = None


class SuppressRequest(Message):
    """Never contact this identifier again, whichever record it sits in. Kept as a keyed HMAC that survives erasure."""

    principal: Principal
    tenant_id: TenantId
    identifier: str
    reason: str


# Ledger and evidence ----------------------------------------------------------------------------------------------------------


class LedgerEntry(Message):
    entry_id: UUID
    tenant_id: TenantId
    kind: str
    actor: str
    target: str
    at: datetime
    trace_id: str = ""
    data: dict[str, Any] = {}
    seq: int | None = None
    leaf_hash: str = ""


class LedgerRequest(Message):
    """Which entries; `export` names the form of a file that they go into, and makes an entry of its own."""

    principal: Principal
    kind: str | None = None
    actor: str | None = None
    target: str | None = None
    trace_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    export: str = ""
    page: Page = Page()


class LedgerReply(Message):
    items: tuple[LedgerEntry, ...]
    next_cursor: str | None = None


class ProofRequest(Message):
    principal: Principal
    seq: Annotated[int, Field(ge=0)]


LogName = Literal["own", "platform"]


class WitnessLine(Message):
    """A witness's signature line of a checkpoint (C2SP tlog-cosignature), and the key (hex) that its name is bound to here."""

    name: str
    public_key: str
    line: str


class Anchor(Message):
    """A checkpoint's entry in the platform's log, with its inclusion proof under that log's own signed note. Hashes are hex.

    The note carries the lines of the witnesses who cosigned it, where one has."""

    checkpoint: str
    entry: str
    salt: str
    seq: int
    leaf_hash: str
    path: tuple[str, ...]


class ProofReply(Message):
    """An inclusion proof (RFC 9162 section 2.1.3) of one leaf: against the newest checkpoint that a witness cosigned where one covers
    it, else against the newest. Hashes are hex."""

    seq: int
    size: int
    leaf_hash: str
    path: tuple[str, ...]
    checkpoint: str
    entry: str
    salt: str
    cosignatures: tuple[WitnessLine, ...] = ()
    platform: Anchor | None = None


class CheckpointRequest(Message):
    """Whose log: the tenant's own, or the platform's, in which every tenant's checkpoints are entries."""

    principal: Principal
    log: LogName = "own"


class CheckpointReply(Message):
    """The newest signed checkpoint in the C2SP signed-note form; empty when the log has no leaf yet."""

    origin: str
    size: int
    root: str
    note: str
    created_at: datetime | None


class ConsistencyRequest(Message):
    principal: Principal
    first: Annotated[int, Field(ge=0)]
    second: Annotated[int, Field(ge=0)]
    log: LogName = "own"


class ConsistencyReply(Message):
    first: int
    second: int
    path: tuple[str, ...]


class EvidenceRequest(Message):
    """`scope` is `action:ID`, `flow:ID`, `deal:ID`, `control:ID` or `period:FROM..TO`."""

    principal: Principal
    scope: Annotated[str, Field(max_length=200)]


class PackContents(Message):
    """What a pack holds: files by folder and entries by kind, the checkpoint (`size:root`) it proves against, the witnesses that cosigned it."""

    counts: dict[str, int]
    checkpoint: str
    cosignatures: int
    erased: int


class EvidenceReply(Message):
    pack_id: UUID
    state: str
    scope: str
    bytes: int = 0
    sha256: str = ""
    created_at: datetime | None = None
    created_by: str = ""
    reviewed_by: str = ""
    contents: PackContents | None = None


class EvidenceGet(Message):
    """A pack as it stands; with `contents` it is opened and counted."""

    principal: Principal
    pack_id: UUID
    contents: bool = False


class EvidenceRead(Message):
    principal: Principal
    pack_id: UUID
    offset: Annotated[int, Field(ge=0)] = 0


class EvidenceChunk(Message):
    """At most 512 KiB of a pack from `offset`, in base64; the end when `next_offset` is null."""

    data: str
    next_offset: int | None


class KeysRequest(Message):
    pass


class KeysReply(Message):
    """The public key set (RFC 7517), old keys included so that old packs still verify."""

    keys: tuple[dict[str, Any], ...]


class AuditRecorded(Message):
    """Something that another plane did and the ledger must hold: a login, a key's use, an import, a control command."""

    entry_id: UUID
    tenant_id: TenantId
    kind: str
    actor: str
    target: str
    at: datetime
    data: dict[str, Any] = {}
    trace_id: str = ""


class ApprovalRequested(Message):
    approval_id: UUID
    tenant_id: TenantId
    action_id: UUID
    action_type: str
    role: str
    risk: str
    requested_at: datetime
    due_at: datetime
    expires_at: datetime
    value_sar: str | None = None


class ApprovalDecided(Message):
    approval_id: UUID
    tenant_id: TenantId
    action_id: UUID
    state: ApprovalState
    decided_by: str
    decided_at: datetime
