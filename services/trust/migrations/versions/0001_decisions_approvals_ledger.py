"""Decisions, grants' closures, approvals, consent, the projection of contacts, the ledger."""

from libs.runtime.migrate import delivery_tables, row_security, run
from services.trust.ledger.tables import TABLES

revision = "trust_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
create table trust.decisions (
  tenant_id uuid not null, action_id uuid not null, attempt int not null, digest text not null,
  decision_id uuid not null, outcome text not null, mode text not null, effect text not null, subject_id text not null,
  contact_id uuid, channel text, grant_id uuid, approval_id uuid, policy_version text not null,
  question bytea not null, reply bytea not null, decided_at timestamptz not null default now(),
  primary key (tenant_id, action_id, attempt, digest));
-- A row is a little longer than PostgreSQL likes to keep in one piece: compressing each would cost more than the room is worth.
alter table trust.decisions set (toast_tuple_target = 8160);
create index decisions_touch on trust.decisions (tenant_id, contact_id, channel, decided_at) where grant_id is not null and contact_id is not null;
create index decisions_subject on trust.decisions (tenant_id, subject_id, decided_at) where outcome = 'refused';
create unique index decisions_grant on trust.decisions (grant_id) where grant_id is not null;

-- What policy was asked, by the SHA-256 that decisions name: a closed record of plain facts without ids, so that most decisions
-- share theirs with many others, of all tenants.
create table trust.questions (digest bytea primary key, document json not null);

create table trust.grant_closures (
  tenant_id uuid not null, grant_id uuid not null, action_id uuid not null, attempt int not null,
  outcome text not null, receipt json, closed_at timestamptz not null,
  primary key (tenant_id, grant_id));

create table trust.approvals (
  tenant_id uuid not null, approval_id uuid not null, action_id uuid not null, action_type text not null, state text not null,
  role text not null, risk text not null, payload_hash text not null, approvers int not null, salt text not null,
  document jsonb not null, requested_at timestamptz not null, due_at timestamptz not null, expires_at timestamptz not null,
  decided_by text, decided_at timestamptz, superseded_by uuid,
  primary key (tenant_id, approval_id));
create index approvals_action on trust.approvals (tenant_id, action_id, payload_hash);
create index approvals_state on trust.approvals (tenant_id, state, approval_id);
create unique index approvals_one_pending on trust.approvals (tenant_id, action_id, payload_hash) where state = 'pending';

-- Ids only, of all tenants: what the expiry loop looks at.
create table trust.approval_deadlines (approval_id uuid primary key, tenant_id uuid not null, expires_at timestamptz not null);
create index approval_deadlines_due on trust.approval_deadlines (expires_at);

create table trust.approval_steps (
  tenant_id uuid not null, approval_id uuid not null, seq bigint generated always as identity,
  at timestamptz not null default now(), actor text not null, step text not null, note text not null default '',
  primary key (tenant_id, approval_id, seq));
create unique index approval_votes on trust.approval_steps (tenant_id, approval_id, actor) where step = 'approved';

create table trust.contact_facts (
  tenant_id uuid not null, contact_id uuid not null, email_mac text, phone_mac text, source text not null,
  opted_out text not null, cold boolean not null, email_valid boolean, collected_directly boolean not null,
  obtained_at date, version bigint not null, refreshed_at timestamptz not null default now(),
  primary key (tenant_id, contact_id));

create table trust.consents (
  tenant_id uuid not null, consent_id uuid not null, contact_id uuid not null, purpose text not null, channel text not null,
  method text not null, captured_at timestamptz not null, evidence text not null check (evidence <> ''),
  notice_version text not null, expires_at timestamptz, withdrawn_at timestamptz, recorded_at timestamptz not null default now(),
  primary key (tenant_id, consent_id));
create index consents_contact on trust.consents (tenant_id, contact_id, channel, purpose, captured_at desc);

create table trust.suppressions (
  tenant_id uuid not null, mac text not null, reason text not null, actor text not null, at timestamptz not null default now(),
  primary key (tenant_id, mac));

create table trust.caps (
  tenant_id uuid not null, channel text not null, day date not null, used int not null default 0,
  primary key (tenant_id, channel, day));

create table trust.evidence_packs (
  tenant_id uuid not null, pack_id uuid not null, scope text not null, state text not null, body bytea, sha256 text,
  created_by text not null, created_at timestamptz not null default now(),
  primary key (tenant_id, pack_id));

-- Rows of these are facts that happened: the plane's role may add to them, never change them.
create table trust.append_only (name text primary key);
insert into trust.append_only values ('decisions'), ('questions'), ('grant_closures'), ('approval_steps'), ('ledger_leaves'), ('ledger_nodes'), ('ledger_checkpoints');
"""


def upgrade() -> None:
    run(delivery_tables("trust"))
    run(_TABLES)
    for statement in TABLES:
        run(statement)
    run(row_security("trust", "decisions", "grant_closures", "approvals", "ledger_entries", batches=True))
    run(
        row_security(
            "trust", "approval_steps", "contact_facts", "consents", "suppressions", "caps", "evidence_packs",
        )
    )  # fmt: skip
