"""Marketing spend, payments, which partner brought a deal, deals left alone for comparison, and how consents stand."""

from libs.runtime.migrate import row_security, run

revision = "data_0010_money"
down_revision = "data_insight_quality"
branch_labels = None
depends_on = None

_COMMON = (
    "version bigint not null default 1, custom jsonb not null default '{}', indexed boolean not null default false, "
    "created_at timestamptz not null default now(), updated_at timestamptz not null default now(), deleted_at timestamptz"
)

_TABLES = f"""
alter table data.deals add column partner_id uuid, add column left_alone text not null default 'no';
create index deals_partner on data.deals (tenant_id, partner_id) where partner_id is not null;
create table data.spending (
  tenant_id uuid not null, spend_id uuid not null, title text not null, channel text not null, amount numeric(12,2) not null,
  currency text not null default 'SAR', spent_on date not null, reference text, notes text, {_COMMON}, primary key (tenant_id, spend_id));
create index spending_day on data.spending (tenant_id, spent_on) where deleted_at is null;
create table data.payments (
  tenant_id uuid not null, payment_id uuid not null, account_id uuid not null, deal_id uuid, amount numeric(12,2) not null,
  currency text not null default 'SAR', paid_on date not null, method text, reference text, {_COMMON}, primary key (tenant_id, payment_id));
create index payments_account on data.payments (tenant_id, account_id, paid_on) where deleted_at is null;
-- How consents stand, as trust tells it; the proof of each is trust's alone.
create table data.consents (
  tenant_id uuid not null, consent_id uuid not null, contact_id uuid not null, purpose text not null, channel text not null,
  captured_at timestamptz not null, expires_at timestamptz, withdrawn_at timestamptz, primary key (tenant_id, consent_id));
create index consents_contact on data.consents (tenant_id, contact_id, channel, captured_at desc);
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("data", "spending", "payments", "consents"))
