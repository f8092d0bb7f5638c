"""Briefs that are sent by themselves: a tenant's rules, people's hours, messages, and when a person wrote last."""

from libs.runtime.migrate import row_security, run

revision = "gateway_0005_briefs"
down_revision = "gateway_0004_session_facts"
branch_labels = None
depends_on = None

_TABLES = """
alter table gateway.numbers add column heard_at timestamptz;

create table gateway.brief_rules (
  tenant_id uuid primary key, enabled boolean not null, risks text[] not null, action_types text[] not null, template text not null,
  language text not null, changed_by text not null, changed_at timestamptz not null default now());

create table gateway.brief_hours (
  tenant_id uuid not null, user_id uuid not null, hours json not null, changed_at timestamptz not null default now(),
  primary key (tenant_id, user_id));

-- An answer's text stands here until it has left; a brief's is trust's.
create table gateway.brief_messages (
  tenant_id uuid not null, message_id uuid not null, user_id uuid not null, kind text not null check (kind in ('brief', 'answer')),
  text text not null default '', approvals uuid[] not null, created_at timestamptz not null default clock_timestamp(),
  state text not null default 'waiting' check (state in ('waiting', 'sent', 'dropped')), detail text not null default '', sent_at timestamptz,
  primary key (tenant_id, message_id));
create index brief_messages_person on gateway.brief_messages (tenant_id, user_id, created_at desc);
create index brief_messages_waiting on gateway.brief_messages (tenant_id, message_id) where state = 'waiting';

-- Ids only, of all tenants that turned briefs on: whose turn it is.
create table gateway.brief_turns (tenant_id uuid primary key, due_at timestamptz not null default now());
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("gateway", "brief_rules", "brief_hours", "brief_messages"))
