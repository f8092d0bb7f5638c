"""Readings of controls, failures with their owner, and evidence handed in."""

from libs.runtime.migrate import row_security, run

revision = "trust_0009_matrix_compliance"
down_revision = "trust_0008_policy_sessions"
branch_labels = None
depends_on = None

_TABLES = """
create table trust.control_readings (
  tenant_id uuid not null, control_id text not null, checked_at timestamptz not null default now(),
  result text not null check (result in ('pass', 'fail', 'unknown')), rows bigint not null, failing bigint not null, unclear bigint not null,
  sample text[] not null default '{}', why_en text not null, why_ar text not null, catalogue_version text not null,
  primary key (tenant_id, control_id, checked_at));

-- The newest look at each control, whether or not it said something new: what says how fresh a result is.
create table trust.control_looks (
  tenant_id uuid not null, control_id text not null, checked_at timestamptz not null, reading_at timestamptz not null,
  primary key (tenant_id, control_id));

-- The failures that nobody has mended yet.
create table trust.control_failures (
  tenant_id uuid not null, control_id text not null, owner text not null, since timestamptz not null default now(),
  due_at timestamptz not null, primary key (tenant_id, control_id));

create table trust.control_attestations (
  tenant_id uuid not null, attestation_id uuid not null, control_id text not null, applies boolean not null, statement text not null,
  file_name text not null, media_type text not null, sha256 text not null, body bytea not null, valid_until date not null,
  attested_by text not null, attested_at timestamptz not null default now(),
  primary key (tenant_id, attestation_id));
create index control_attestations_control on trust.control_attestations (tenant_id, control_id, attested_at desc);

insert into trust.append_only values ('control_readings'), ('control_attestations');
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "control_readings", "control_looks", "control_failures", "control_attestations"))
