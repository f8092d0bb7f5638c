"""Witnesses of a tenant's log, and what they cosigned."""

from libs.runtime.migrate import row_security, run

revision = "trust_0004_policy_witness"
down_revision = "trust_0003_policy"
branch_labels = None
depends_on = None

_TABLES = """
create table trust.witnesses (
  tenant_id uuid not null, name text not null, public_key bytea not null, added_by text not null,
  added_at timestamptz not null default now(), primary key (tenant_id, name));

create table trust.cosignatures (
  tenant_id uuid not null, size bigint not null, root bytea not null, name text not null, line text not null,
  signed_at timestamptz not null, recorded_at timestamptz not null default now(), primary key (tenant_id, size, name));

alter table trust.evidence_packs add column reviewed_by text, add column reviewed_at timestamptz, add column note text not null default '',
  add column sealed_by text, add column sealed_at timestamptz;

insert into trust.append_only values ('witnesses'), ('cosignatures');
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "witnesses", "cosignatures"))
