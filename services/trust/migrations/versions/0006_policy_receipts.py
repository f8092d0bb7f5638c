"""What vendors' own logs say: confirmed grants, effects that nobody granted, outcomes that were unknown."""

from libs.runtime.migrate import row_security, run

revision = "trust_0005_policy_receipts"
down_revision = "trust_people_rights"
branch_labels = None
depends_on = None

_TABLES = """
create table trust.vendor_views (
  tenant_id uuid not null, grant_id uuid not null, vendor_id text not null, seen_at timestamptz not null default now(),
  primary key (tenant_id, grant_id));

create table trust.orphan_effects (
  tenant_id uuid not null, connector text not null, vendor_id text not null, operation text not null, action_id uuid,
  at timestamptz not null, found_at timestamptz not null default now(), paused_at timestamptz,
  primary key (tenant_id, connector, vendor_id));

create table trust.outcome_resolutions (
  tenant_id uuid not null, grant_id uuid not null, action_id uuid not null, outcome text not null, vendor_id text not null,
  at timestamptz not null default now(), primary key (tenant_id, grant_id));

create table trust.reconciliations (
  tenant_id uuid not null, connector text not null, at timestamptz not null default now(), checkable boolean not null,
  effects int not null, matched int not null, waiting int not null, orphans int not null, resolved int not null,
  primary key (tenant_id, connector));

create index grant_closures_newest on trust.grant_closures (tenant_id, closed_at desc, grant_id);

insert into trust.append_only values ('outcome_resolutions');
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "vendor_views", "orphan_effects", "outcome_resolutions", "reconciliations"))
