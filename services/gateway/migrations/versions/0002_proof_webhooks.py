"""Where vendors deliver, and people's WhatsApp numbers."""

from libs.runtime.migrate import row_security, run

revision = "gateway_0002_proof_webhooks"
down_revision = "gateway_0001"
branch_labels = None
depends_on = None

_TABLES = """
alter table gateway.doors drop constraint doors_kind_check;
alter table gateway.doors add constraint doors_kind_check check (kind in ('email', 'session', 'key', 'webhook'));

-- Secrets and numbers are sealed with the installation's key.
create table gateway.webhook_bindings (
  tenant_id uuid not null, binding_id uuid not null, connector text not null, account text not null, secret bytea not null,
  verify bytea not null, created_at timestamptz not null default now(), created_by text not null, ended_at timestamptz,
  primary key (tenant_id, binding_id));

create table gateway.numbers (
  tenant_id uuid not null, user_id uuid not null, number bytea not null, mac bytea not null, code bytea, code_until timestamptz,
  tries int not null default 0, verified_at timestamptz, primary key (tenant_id, user_id));
create unique index numbers_verified on gateway.numbers (tenant_id, mac) where verified_at is not null;
create index numbers_mac on gateway.numbers (tenant_id, mac);
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("gateway", "webhook_bindings", "numbers"))
