"""One frozen view-model per template: everything the page needs, and nothing it could look up by itself.

`template` is the whole page; pages with a `fragment` can be fetched again in part when a signal says that they changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal

from markupsafe import Markup

from services.gateway.console.pages_crm import CrmPage
from services.gateway.console.pages_desk import DeskPage
from services.gateway.console.pages_partners import PartnersPage
from services.gateway.console.pages_plan import DayPlanPage
from services.gateway.console.pages_policy import PolicyWork
from services.gateway.console.views import (
    Card,
    Change,
    Checkpoint,
    ColumnMapping,
    Dispute,
    Event,
    Fact,
    FieldOption,
    ImportSummary,
    Kpi,
    LedgerRow,
    Opportunity,
    PolicyReason,
    Reject,
    RowRemark,
    SandboxMessage,
    Sla,
    SourceOption,
    Tab,
)


@dataclass(frozen=True)
class SignInPage:
    template: ClassVar[str] = "sign_in.html"
    error: str = ""
    email: str = ""
    next: str = "/console"
    locked_minutes: int = 0
    sso: bool = False
    """Whether the organisation's identity provider can be used; set by the desk."""


@dataclass(frozen=True)
class SignInCodePage:
    """Second step. With `setup_qr` (SVG markup of the otpauth URI) it enrols the second factor first."""

    template: ClassVar[str] = "sign_in_code.html"
    error: str = ""
    next: str = "/console"
    challenge: str = ""
    setup_qr: Markup | None = None
    setup_secret: str = ""


@dataclass(frozen=True)
class CommandCenterPage:
    template: ClassVar[str] = "command_center.html"
    fragment: ClassVar[str] = "fragments/command_center.html"
    kpis: tuple[Kpi, ...]
    cards: tuple[Card, ...]
    roles: tuple[Tab, ...] = ()
    waiting: int = 0  # decisions waiting for this role in all, the feed shows at most 7
    next_sla: Sla | None = None
    stale_since: datetime | None = None
    has_leads: bool = True  # False: nothing was ever imported


@dataclass(frozen=True)
class ApprovalsPage:
    template: ClassVar[str] = "approvals.html"
    fragment: ClassVar[str] = "fragments/approvals.html"
    cards: tuple[Card, ...]
    tabs: tuple[Tab, ...]
    state: str = "pending"
    query: str = ""
    empty: Literal["none_yet", "no_match", "all_done"] = "all_done"
    next_href: str = ""
    stale_since: datetime | None = None


@dataclass(frozen=True)
class ApprovalPage:
    template: ClassVar[str] = "approval.html"
    fragment: ClassVar[str] = "fragments/approval.html"
    card: Card
    view_hash: str
    policy_version: str
    action_type: str
    action_class: str
    requested_by: str
    requested_at: datetime
    reversibility: str
    if_unanswered: str
    reasons: tuple[PolicyReason, ...] = ()
    history: tuple[Event, ...] = ()
    compensation: str = ""
    cannot_decide: str = ""  # why this reader may not decide; the buttons are gone then
    disputes: tuple[Dispute, ...] = ()


@dataclass(frozen=True)
class ConfirmPage:
    template: ClassVar[str] = "approval_confirm.html"
    card: Card
    view_hash: str
    target: str
    irreversibility: str
    amount: Decimal | None = None
    currency: str = "SAR"
    error: str = ""
    note: str = ""
    needs_password: bool = False
    disputes: tuple[Dispute, ...] = ()


@dataclass(frozen=True)
class RejectPage:
    template: ClassVar[str] = "approval_reject.html"
    card: Card
    reason: str = ""
    error: str = ""


@dataclass(frozen=True)
class ConflictPage:
    """409: what the approver saw is no longer what would run."""

    template: ClassVar[str] = "approval_conflict.html"
    card: Card
    changes: tuple[Change, ...]
    shown_hash: str
    current_hash: str
    superseded_by: str = ""


@dataclass(frozen=True)
class TargetingPage:
    template: ClassVar[str] = "targeting.html"
    sources: tuple[SourceOption, ...]
    imports: tuple[ImportSummary, ...] = ()
    source: str = ""
    error: str = ""
    max_bytes: int = 200 * 1024 * 1024


@dataclass(frozen=True)
class ImportMapPage:
    template: ClassVar[str] = "import_map.html"
    id: str
    file_name: str
    rows: int
    encoding: str
    source: str
    columns: tuple[ColumnMapping, ...]
    fields: tuple[FieldOption, ...]
    preview: tuple[tuple[str, ...], ...] = ()
    notices: tuple[str, ...] = ()  # what of the file was not read
    counts: Mapping[str, int] = field(default_factory=dict)  # what importing it would do; empty where nobody knows yet
    error: str = ""


ImportPhase = Literal["queued", "running", "done", "failed", "undone", "cancelled"]


@dataclass(frozen=True)
class ImportPage:
    """Progress, then report. `counts` has the keys rows, created, merged, needs_review, blocked, rejected."""

    template: ClassVar[str] = "import.html"
    fragment: ClassVar[str] = "fragments/import.html"
    id: str
    file_name: str
    source: str
    at: datetime
    state: ImportPhase
    progress: float  # 0 to 1
    counts: Mapping[str, int]
    step: str = ""  # reader's word for what it does now
    rejects: tuple[Reject, ...] = ()
    notices: tuple[str, ...] = ()  # what of the file was not read
    remarks: tuple[RowRemark, ...] = ()
    more_remarks: str = ""  # where the next ones are
    error: str = ""
    can_undo: bool = False
    can_cancel: bool = False


@dataclass(frozen=True)
class OpportunitiesPage:
    template: ClassVar[str] = "opportunities.html"
    items: tuple[Opportunity, ...]
    tabs: tuple[Tab, ...]
    total: int
    query: str = ""
    empty: Literal["none_yet", "no_match"] = "none_yet"
    ranked_at: datetime | None = None
    next_href: str = ""
    stale_since: datetime | None = None


@dataclass(frozen=True)
class EvidencePage:
    template: ClassVar[str] = "evidence.html"
    fragment: ClassVar[str] = "fragments/evidence.html"
    rows: tuple[LedgerRow, ...]
    checkpoint: Checkpoint | None = None
    query: str = ""
    empty: Literal["none_yet", "no_match"] = "none_yet"
    next_href: str = ""
    stale_since: datetime | None = None


@dataclass(frozen=True)
class EvidenceEntryPage:
    """One leaf with its proof. `entry` and `salt` are empty when the personal data behind it was erased.

    `entry` is the canonical text that was hashed; the page shows it, and the browser hashes what the page shows.
    """

    template: ClassVar[str] = "evidence_entry.html"
    index: int
    title: str
    at: datetime
    actor: str
    entry: str
    salt: str  # hex
    leaf_hash: str  # hex
    path: tuple[str, ...]  # hex, from the leaf upwards
    checkpoint: Checkpoint
    keys: Mapping[str, object]  # the JSON Web Key Set of this operator
    witnesses: tuple[
        Mapping[str, str], ...
    ] = ()  # name, public_key (hex), line of everyone who cosigned the checkpoint
    platform: Mapping[str, object] | None = None  # the checkpoint's entry in the platform's log, with its proof
    timeline: tuple[Event, ...] = ()
    facts: tuple[Fact, ...] = ()
    erased_at: datetime | None = None


@dataclass(frozen=True)
class SandboxMailboxPage:
    template: ClassVar[str] = "sandbox_mailbox.html"
    messages: tuple[SandboxMessage, ...]


@dataclass(frozen=True)
class ProblemPage:
    """Something did not work: what failed, what is still safe, what to do. `denied` names the role that is needed."""

    template: ClassVar[str] = "problem.html"
    kind: Literal["error", "denied", "missing", "offline", "expired"]
    title: str
    detail: str
    safe: str = ""
    needs_role: str = ""
    reference: str = ""
    retry_href: str = ""
    last_good_at: datetime | None = None


Page = (
    SignInPage
    | SignInCodePage
    | CommandCenterPage
    | ApprovalsPage
    | ApprovalPage
    | ConfirmPage
    | RejectPage
    | ConflictPage
    | TargetingPage
    | ImportMapPage
    | ImportPage
    | OpportunitiesPage
    | EvidencePage
    | EvidenceEntryPage
    | SandboxMailboxPage
    | ProblemPage
    | CrmPage
    | DeskPage
    | PartnersPage
    | DayPlanPage
    | PolicyWork
)
LivePage = CommandCenterPage | ApprovalsPage | ApprovalPage | ImportPage | EvidencePage
