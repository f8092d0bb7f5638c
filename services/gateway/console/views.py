"""What pages are made of: frozen values that routes make and templates read; the pages themselves are in `pages.py`.

Texts in here are already in the reader's language. Times are aware datetimes; money is Decimal; identifiers are strings.
Labels, headings and buttons that never vary live in the templates and the message catalogues instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

Lang = Literal["ar", "en"]
Theme = Literal["auto", "light", "dark"]
Risk = Literal["high", "medium", "low"]
Tone = Literal["high", "medium", "low", "neutral"]
Tag = Literal["sandbox", "draft", "estimated", "simulated", "example"]
ValueKind = Literal["text", "name", "ltr", "money", "date", "number", "percent"]
Value = str | int | Decimal | date | datetime

MAX_BUTTONS = 3


@dataclass(frozen=True)
class User:
    name: str
    role: str  # for the reader: "Owner", «المالك»


@dataclass(frozen=True)
class Flash:
    """One message about what has just happened, shown once above the page."""

    text: str
    tone: Tone = "low"
    href: str | None = None
    link: str | None = None


@dataclass(frozen=True)
class Shell:
    """What surrounds every page. `user` is None before sign-in, and then there is no navigation."""

    lang: Lang
    csrf: str
    now: datetime
    path: str  # path and query of this page, to come back to after a change of language
    theme: Theme = "auto"
    tenant: str = ""
    user: User | None = None
    role: str = ""  # system role, as in the catalogue
    counts: Mapping[str, int] = field(default_factory=dict)  # by page key, shown in the navigation
    flash: Flash | None = None
    sandbox: bool = True  # no connector of this tenant is live


@dataclass(frozen=True)
class Fact:
    label: str
    value: Value
    kind: ValueKind = "text"
    tag: Tag | None = None
    strong: bool = False


@dataclass(frozen=True)
class Sla:
    """Time left on the decision's clock, in business minutes; negative when late."""

    minutes_left: int
    due_at: datetime
    warn: bool = False

    @property
    def late(self) -> bool:
        return self.minutes_left < 0


@dataclass(frozen=True)
class PayloadField:
    """One leaf of the payload, whole: `path` in dots, `value` as a reader sees it, `label` what people call it."""

    path: str
    value: str
    label: str = ""


@dataclass(frozen=True)
class Payload:
    """The payload exactly as it will be executed: `canonical` is its RFC 8785 text, untruncated."""

    fields: tuple[PayloadField, ...]
    canonical: str
    sha256: str


@dataclass(frozen=True)
class Button:
    """A verb. `post` makes a form of its own with `hidden` inside; otherwise it is a link."""

    label: str
    href: str
    kind: Literal["primary", "danger", "outline", "quiet"] = "primary"
    post: bool = False
    hidden: Mapping[str, str] = field(default_factory=dict)
    key: Literal["a", "r", "o", ""] = ""  # keyboard shortcut inside a card; "a" must lead to a confirm page
    confirm_href: str = ""  # where the shortcut "a" goes when the button itself posts


@dataclass(frozen=True)
class Card:
    """A decision card, in the order it is read. `rev` changes whenever anything shown changes."""

    id: str
    rev: str
    risk: Risk
    title: str
    reason: str
    href: str
    buttons: tuple[Button, ...]
    facts: tuple[Fact, ...] = ()
    sla: Sla | None = None
    payload: Payload | None = None
    tag: Tag | None = None
    kind: str = ""  # reader's word for the type of card
    outcome: str = ""  # reader's word for the final state, when it is decided already
    outcome_tone: Tone = "neutral"

    def __post_init__(self) -> None:
        # More than three buttons is a mistake of whoever made the card: never drop one silently.
        if len(self.buttons) > MAX_BUTTONS:
            raise ValueError(f"card {self.id} has {len(self.buttons)} buttons, at most {MAX_BUTTONS} are allowed")


@dataclass(frozen=True)
class Kpi:
    """One figure. `value` None shows «unknown», never zero. `metric` is its name in the metric dictionary."""

    metric: str
    label: str
    value: Value | None
    kind: ValueKind = "number"
    note: str = ""
    tag: Tag | None = None
    href: str | None = None
    as_of: datetime | None = None


@dataclass(frozen=True)
class Tab:
    key: str
    label: str
    href: str
    active: bool = False
    count: int | None = None


@dataclass(frozen=True)
class PolicyReason:
    code: str
    text: str
    policy_id: str = ""


@dataclass(frozen=True)
class Said:
    """One of two claims that contradict one another."""

    label: str
    value: str
    source: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Dispute:
    """A contradiction as an approval shows it. `href` leads to its page, where it can be decided."""

    subject: str
    claims: tuple[Said, ...]
    href: str


@dataclass(frozen=True)
class Event:
    """One line of a timeline. `href` leads to its evidence."""

    at: datetime
    title: str
    actor: str = ""
    detail: str = ""
    hash: str = ""
    tone: Tone = "neutral"
    href: str = ""
    current: bool = False


@dataclass(frozen=True)
class Change:
    field: str
    before: str
    after: str


@dataclass(frozen=True)
class SourceOption:
    key: str
    label: str
    policy: Literal["allowed", "review", "refused"]


@dataclass(frozen=True)
class ImportSummary:
    id: str
    file_name: str
    source: str
    at: datetime
    state: str  # reader's word
    tone: Tone
    rows: int
    by: str = ""


@dataclass(frozen=True)
class ColumnMapping:
    header: str
    field: str  # "" = not imported
    confidence: float  # 0 to 1
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class RowRemark:
    """A row that was taken in, and what is to be said of it."""

    row: int
    name: str  # of the person or company
    href: str  # of the record, "" where there is none any more
    outcome: str  # reader's word
    tone: Tone
    said: tuple[str, ...]


@dataclass(frozen=True)
class FieldOption:
    key: str
    label: str


@dataclass(frozen=True)
class Reject:
    row: int
    field: str
    value: str
    reason: str


@dataclass(frozen=True)
class ScorePart:
    key: str
    label: str
    score: int  # 0 to 100
    weight: Decimal


@dataclass(frozen=True)
class WhyNow:
    text: str
    on: date | None = None
    source: str = ""


@dataclass(frozen=True)
class Opportunity:
    rank: int
    lead_id: str
    account: str
    contact: str
    role: str
    city: str
    score: int
    tier: str  # P0 to P3
    channel: str
    contactability: Literal["safe", "needs_review", "blocked", "unknown"]
    consent: str  # one line: what was agreed, when, by which notice; or that nothing is on record
    reasons: tuple[str, ...]
    why_now: tuple[WhyNow, ...] = ()
    parts: tuple[ScorePart, ...] = ()
    phone: str = ""
    email: str = ""
    button: Button | None = None


@dataclass(frozen=True)
class LedgerRow:
    index: int
    at: datetime
    title: str
    actor: str
    leaf_hash: str
    href: str
    tone: Tone = "neutral"


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: str  # hex
    at: datetime
    note: str  # the whole C2SP signed note
    key_id: str
    cosignatures: tuple[str, ...] = ()


@dataclass(frozen=True)
class SandboxMessage:
    id: str
    at: datetime
    channel: str
    connector: str
    to: str
    subject: str
    body: str
    receipt: str
    href: str
