"""What is pushed to tenants' own systems: subscriptions, deliveries, tries, ranges that are delivered again."""

from libs.runtime.migrate import row_security, run

revision = "execution_0009_subscriptions"
down_revision = "execution_0008_prices"
branch_labels = None
depends_on = None

_TABLES = """
create table execution.subscriptions (
  tenant_id uuid not null, subscription_id uuid not null, kind text not null check (kind in ('webhook', 'siem')), url text not null,
  event_types text[] not null, form text not null, description text not null default '',
  state text not null default 'active' check (state in ('active', 'paused', 'disabled', 'ended')), disable_after int not null,
  failures int not null default 0, failed_at timestamptz, resume_at timestamptz, last_error json, last_success_at timestamptz,
  position bigint not null, keys json not null, created_by text not null, created_at timestamptz not null default now(),
  version int not null default 1, primary key (tenant_id, subscription_id));

-- `content` stays until the message has arrived or was given up: what it was can be read from the ledger again.
create table execution.deliveries (
  tenant_id uuid not null, delivery_id uuid not null, subscription_id uuid not null, message_id text not null, event_type text not null,
  first_seq bigint, last_seq bigint, entries int not null, content json,
  state text not null default 'pending' check (state in ('pending', 'sending', 'waiting', 'delivered', 'failed', 'cancelled')),
  attempts int not null default 0, mode text, error json, replay_id uuid, due_at timestamptz not null default now(), action_id uuid,
  created_at timestamptz not null default now(), ended_at timestamptz, primary key (tenant_id, delivery_id));
create index deliveries_log on execution.deliveries (tenant_id, subscription_id, delivery_id desc);
create index deliveries_open on execution.deliveries (tenant_id, subscription_id, attempts, delivery_id)
  where state in ('pending', 'sending', 'waiting');

create table execution.delivery_tries (
  tenant_id uuid not null, delivery_id uuid not null, number int not null, action_id uuid not null,
  started_at timestamptz not null default clock_timestamp(), ended_at timestamptz, outcome text, error json,
  primary key (tenant_id, delivery_id, number));

create table execution.replays (
  tenant_id uuid not null, replay_id uuid not null, subscription_id uuid not null, first_seq bigint not null, last_seq bigint not null,
  next_seq bigint not null, queued int not null default 0, asked_by text not null, asked_at timestamptz not null default now(),
  primary key (tenant_id, replay_id));
create index replays_open on execution.replays (tenant_id, subscription_id, replay_id) where next_seq <= last_seq;

-- Ids only, of all tenants: which subscription is looked at next.
create table execution.push_turns (
  subscription_id uuid primary key, tenant_id uuid not null, due_at timestamptz not null default now(), lease_until timestamptz);
create index push_turns_due on execution.push_turns (due_at);
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("execution", "subscriptions", "deliveries", "delivery_tries", "replays"))
