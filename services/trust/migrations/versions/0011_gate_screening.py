"""What the security gate found in texts from outside, and which agents and skills are suspended."""

from libs.runtime.migrate import row_security, run

revision = "trust_0011_gate_screening"
down_revision = "trust_0010_matrix_contradictions"
branch_labels = None
depends_on = None

_TABLES = """
create table trust.screening_findings (
  tenant_id uuid not null, finding_id uuid not null, subject text not null, source text not null, field text not null, code text not null,
  level text not null check (level in ('note', 'review')), state text not null default 'open' check (state in ('open', 'confirmed', 'released')),
  found_at timestamptz not null default now(), decided_by text, decided_at timestamptz, reason text not null default '',
  primary key (tenant_id, finding_id), unique (tenant_id, subject, field, code));

create table trust.screening_subjects (
  tenant_id uuid not null, about text not null, finding_id uuid not null, primary key (tenant_id, about, finding_id));
create index screening_subjects_finding on trust.screening_subjects (tenant_id, finding_id);

create table trust.standings (
  tenant_id uuid not null, kind text not null check (kind in ('agent', 'skill')), id text not null, suspended boolean not null,
  reason text not null, changed_by text not null, changed_at timestamptz not null default now(), primary key (tenant_id, kind, id));

create index decisions_agents on trust.decisions (tenant_id, subject_id, decided_at) where subject_id like 'agent:%';
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "screening_findings", "screening_subjects", "standings", batches=True))
