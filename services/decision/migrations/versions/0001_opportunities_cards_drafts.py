"""Opportunities, cards, drafts, and the queue of tenants to rank."""

from libs.runtime.migrate import delivery_tables, row_security, run

revision = "decision_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
create table decision.opportunities (
  tenant_id uuid not null, lead_id uuid not null, position int not null, score real not null, tier text not null,
  contactability text not null, account_name text not null, document jsonb not null, ranked_at timestamptz not null default now(),
  primary key (tenant_id, lead_id));
create index opportunities_position on decision.opportunities (tenant_id, position);

create table decision.cards (
  tenant_id uuid not null, card_id uuid not null, role text not null, type text not null, dedupe_key text not null, status text not null,
  priority real not null, document jsonb not null, expires_at timestamptz, created_at timestamptz not null default now(),
  decided_at timestamptz, decided_by text, decided_button text,
  primary key (tenant_id, card_id));
create unique index cards_once on decision.cards (tenant_id, role, dedupe_key) where status = 'open';
create index cards_feed on decision.cards (tenant_id, role, status, priority desc);

create table decision.drafts (
  tenant_id uuid not null, draft_id uuid not null, lead_id uuid not null, contact_id uuid not null, channel text not null,
  action_id uuid, document jsonb not null, created_at timestamptz not null default now(),
  primary key (tenant_id, draft_id));
create unique index drafts_open on decision.drafts (tenant_id, lead_id, channel);

-- Ids only, of all tenants.
create table decision.rank_queue (tenant_id uuid primary key, due_at timestamptz not null default now(), lease_until timestamptz);
"""


def upgrade() -> None:
    run(delivery_tables("decision"))
    run(_TABLES)
    run(row_security("decision", "opportunities", "cards", "drafts"))
