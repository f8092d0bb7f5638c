"""Messages about going live, owned by the operating plane: gates, what holds them, how ready the launch is."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.compliance import ControlResult
from libs.contracts.message import Message, Principal, TenantId, Text

GateKey = Annotated[str, Field(min_length=1, max_length=50)]


class GateResult(StrEnum):
    """`unknown`: nothing was there to look at, nobody could be asked, or nobody has attested. It is never a pass."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class GateSeen(Message):
    """One thing that was looked at for a gate: `what` names it (`control:PDPL-30`, `records:witness`)."""

    what: str
    result: GateResult
    why: Text
    rows: int = 0
    failing: int = 0


class GateAttestation(Message):
    """A person's word on a gate, in the role that they had. It counts until its last day; the newest one counts."""

    attestation_id: UUID
    gate: str
    environment: str
    holds: bool
    statement: str
    role: str
    attested_by: str
    attested_at: datetime
    expires_on: date


class GateStanding(Message):
    """A gate as it stands. `blocks`: as long as it is open here, no connector can be switched live."""

    gate: str
    title: Text
    todo: Text
    evidence: Text
    owner: str
    blocking: bool
    automatic: bool
    attested_by: tuple[str, ...] = ()
    result: GateResult
    why: Text
    blocks: bool
    points: int
    seen: tuple[GateSeen, ...] = ()
    attestation: GateAttestation | None = None


class GoLiveRequest(Message):
    principal: Principal


class GoLiveReply(Message):
    """Every gate, in the catalogue's order. `enforced`: whether open gates hold switches in this environment."""

    environment: str
    enforced: bool
    checked_at: datetime
    items: tuple[GateStanding, ...]
    counts: dict[str, int]
    blocking_open: int


class HoldsDown(Message):
    """One reason why the launch is not ready, and how many points it costs. `kind` is `gate` or `plane`."""

    kind: str
    key: str
    title: Text
    why: Text
    todo: Text
    owner: str
    blocking: bool
    points: int


class LaunchReadiness(Message):
    """`score` is the share of points that are earned, in hundredths; `ready` when nothing that blocks is open."""

    environment: str
    enforced: bool
    checked_at: datetime
    ready: bool
    score: int
    earned: int
    points: int
    reasons: tuple[HoldsDown, ...]


class AttestGate(Message):
    """Say, as a person, that a gate holds, or that it does not any more. The same id again changes nothing."""

    principal: Principal
    attestation_id: UUID
    gate: GateKey
    holds: bool = True
    statement: Annotated[str, Field(min_length=10, max_length=2000)]
    expires_on: date


class GateGet(Message):
    principal: Principal
    gate: GateKey


class GateDetail(Message):
    """A gate with every word that people gave on it, the newest first."""

    state: GateStanding
    attestations: tuple[GateAttestation, ...]


class LiveAllowedRequest(Message):
    tenant_id: TenantId


class LiveAllowed(Message):
    """Whether a connector may be switched live now. `open` names the blocking gates that are open."""

    allowed: bool
    open: tuple[str, ...] = ()


class LaunchFactsRequest(Message):
    """What trust's records say of a tenant: results of controls, of the records named, and which connectors abroad are safeguarded."""

    tenant_id: TenantId
    controls: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    records: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    connectors: Annotated[tuple[str, ...], Field(max_length=100)] = ()


class LaunchFact(Message):
    key: str
    result: ControlResult
    why: Text
    rows: int = 0
    failing: int = 0


class LaunchFacts(Message):
    controls: tuple[LaunchFact, ...] = ()
    records: tuple[LaunchFact, ...] = ()
    safeguarded: tuple[str, ...] = ()
    """Of the connectors asked about, those with a transfer on record: safeguard, risk assessment, not ended (PDPL art. 29)."""


class CredentialsRequest(Message):
    pass


class OwnCredentials(Message):
    """What a plane says of the credentials that it runs with: names and public parts, never a secret.

    `secrets` counts what it looked at, `weak` names those that are short, regular or a known default. `plain_addresses` are addresses
    of this installation that people are given and that begin with `http:` beyond this host.
    """

    instance: str
    database_user: str
    nats_user: str
    secrets: int
    weak: tuple[str, ...] = ()
    plain_addresses: tuple[str, ...] = ()
