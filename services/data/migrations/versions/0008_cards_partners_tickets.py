"""Partners and tickets."""

from libs.runtime.migrate import row_security, run

revision = "data_cards_partners"
down_revision = "data_insight_fusion"
branch_labels = None
depends_on = None

_COMMON = (
    "version bigint not null default 1, custom jsonb not null default '{}', indexed boolean not null default false, "
    "created_at timestamptz not null default now(), updated_at timestamptz not null default now(), deleted_at timestamptz"
)

_TABLES = f"""
create table data.partners (
  tenant_id uuid not null, partner_id uuid not null, name text not null, name_ar text, type text not null, stage text not null default 'scout',
  account_id uuid, contact_name text, email text, phone text, city text, sells_to text, customers bigint, saudi text, intros bigint,
  paid_pilots bigint, amount numeric(12,2), owner text, next_step text, next_step_on date, partner_since date, notes text, {_COMMON},
  primary key (tenant_id, partner_id));
create index partners_stage on data.partners (tenant_id, stage) where deleted_at is null;
create table data.tickets (
  tenant_id uuid not null, ticket_id uuid not null, title text not null, body text, priority text not null default 'P2',
  status text not null default 'open', account_id uuid, contact_id uuid, assignee text, answered_at timestamptz, resolved_at timestamptz,
  resolution text, {_COMMON}, primary key (tenant_id, ticket_id));
create index tickets_open on data.tickets (tenant_id, created_at) where deleted_at is null and status <> 'resolved';
create index activities_deal on data.activities (tenant_id, deal_id, at desc) where deleted_at is null;
create index activities_inbound on data.activities (tenant_id, at desc) where deleted_at is null and direction = 'inbound';
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("data", "partners", "tickets"))
