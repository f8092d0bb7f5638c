"""Claims about subjects, and contradictions between them."""

from libs.runtime.migrate import row_security, run

revision = "trust_0010_matrix_contradictions"
down_revision = "trust_0009_matrix_compliance"
branch_labels = None
depends_on = None

_TABLES = """
create table trust.claims (
  tenant_id uuid not null, claim_id uuid not null, subject text not null, key text not null, value text not null, unit text not null,
  valid_from timestamptz, valid_to timestamptz, source text not null, confidence real not null, recorded_by text not null,
  recorded_at timestamptz not null default now(),
  standing text not null default 'current' check (standing in ('current', 'replaced', 'refuted')),
  primary key (tenant_id, claim_id));
create index claims_subject on trust.claims (tenant_id, subject) where standing = 'current';

create table trust.contradictions (
  tenant_id uuid not null, contradiction_id uuid not null, subject text not null, kind text not null, severity text not null,
  state text not null check (state in ('open', 'acknowledged', 'resolved', 'accepted')), first uuid not null, second uuid not null,
  action_id uuid, found_by text not null, opened_at timestamptz not null default now(), acknowledged_by text, acknowledged_at timestamptz,
  decided_by text, decided_at timestamptz, standing_claim_id uuid, reason text not null default '',
  primary key (tenant_id, contradiction_id), unique (tenant_id, first, second));
create index contradictions_waiting on trust.contradictions (tenant_id, subject) where state in ('open', 'acknowledged');
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "claims", "contradictions"))
