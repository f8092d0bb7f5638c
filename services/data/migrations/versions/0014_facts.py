"""Facts about records that came by file from permitted sources, each with its provenance."""

from libs.runtime.migrate import row_security, run

revision = "data_0014_facts"
down_revision = "data_0013_quarantine"
branch_labels = None
depends_on = None

_TABLES = """
create table data.enriched_facts (
  tenant_id uuid not null, fact_id uuid not null, batch_id uuid not null, kind text not null, record_id uuid not null, field text not null,
  value text not null, current text, source text not null, adapter text not null, lawful_basis text not null, licence text not null,
  reference text not null, obtained_on date not null, confidence real not null, state text not null, recorded_at timestamptz not null default now(),
  recorded_by text not null, decided_at timestamptz, decided_by text, reason text not null default '',
  primary key (tenant_id, fact_id), unique (tenant_id, record_id, field, source, value, obtained_on));
create index enriched_facts_record on data.enriched_facts (tenant_id, record_id, field, recorded_at desc);
create index enriched_facts_disputed on data.enriched_facts (tenant_id, fact_id) where state = 'disputed';
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("data", "enriched_facts"))
