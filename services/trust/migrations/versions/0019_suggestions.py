"""Claims that were read in texts and wait for a person."""

from libs.runtime.migrate import row_security, run

revision = "trust_0019_suggestions"
down_revision = "trust_0018_contested"
branch_labels = None
depends_on = None

_TABLES = """
create table trust.claim_suggestions (
  tenant_id uuid not null, suggestion_id uuid not null, subject text not null, key text not null, value text not null, unit text not null,
  source text not null, place text not null, confidence real not null, contradicts boolean not null,
  state text not null default 'suggested' check (state in ('suggested', 'confirmed', 'dismissed')),
  suggested_at timestamptz not null default now(), decided_by text, decided_at timestamptz, reason text not null default '',
  primary key (tenant_id, suggestion_id), unique (tenant_id, source, subject, key, value));
create index claim_suggestions_open on trust.claim_suggestions (tenant_id, suggestion_id desc) where state = 'suggested';
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "claim_suggestions"))
