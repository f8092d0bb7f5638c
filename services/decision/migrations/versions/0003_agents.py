"""Runs of agents: who asked, which version answered, what came of it. Never what was asked or answered."""

from libs.runtime.migrate import row_security, run

revision = "decision_agents_0003"
down_revision = "decision_cards_0002"
branch_labels = None
depends_on = None

_TABLES = """
create table decision.ai_conversations (
  tenant_id uuid not null, conversation_id uuid not null, at timestamptz not null, asked_by text not null, via text not null, agent text not null,
  version text not null, engine text not null, input_digest text not null, output_schema text not null, verdict text not null, code text not null,
  to_role text not null, confidence real not null, cost_sar numeric(12,2) not null, latency_ms real not null, trace_id text not null,
  primary key (tenant_id, conversation_id));
create index ai_conversations_agent on decision.ai_conversations (tenant_id, agent, conversation_id desc);
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("decision", "ai_conversations"))
