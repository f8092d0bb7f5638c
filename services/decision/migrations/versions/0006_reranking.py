"""What a ranking compared, and the records that have changed since: enough to rank a few leads among all."""

from libs.runtime.migrate import row_security, run

revision = "decision_0006_reranking"
down_revision = "decision_0005_agent_usage"
branch_labels = None
depends_on = None

_TABLES = """
-- The values of all leads of the last whole ranking, sorted, in SAR; and how many leads stand below those that are kept.
create table decision.rankings (
  tenant_id uuid primary key, ranked_at timestamptz not null, rules text not null, scale double precision[] not null, below int not null);
-- Leads, accounts and contacts that have changed since they were ranked; ids only.
create table decision.rank_changes (
  tenant_id uuid not null, kind text not null, id uuid not null, at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, kind, id));
-- Whether all of a tenant's leads are to be ranked, or those that have changed.
alter table decision.rank_queue add column whole boolean not null default true;
alter table decision.opportunities add column actionable boolean not null default true;
update decision.opportunities set actionable = document->>'channel' is not null;
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("decision", "rankings", "rank_changes"))
