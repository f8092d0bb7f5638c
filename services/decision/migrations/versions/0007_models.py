"""What asking models came to, beside each run of an agent."""

from libs.runtime.migrate import run

revision = "decision_0007_models"
down_revision = "decision_0006_reranking"
branch_labels = None
depends_on = None

_COLUMNS = """
-- A single run of a model costs less than a halala.
alter table decision.ai_conversations alter column cost_sar type numeric(16,6);
alter table decision.agent_usage alter column cost_sar type numeric(16,6);
alter table decision.ai_conversations
  add column provider text, add column model text, add column prompt_version text, add column temperature double precision, add column tokens_in int,
  add column tokens_out int, add column unfit int, add column fallbacks int;
create index ai_conversations_models on decision.ai_conversations (tenant_id, at) where provider is not null;
"""


def upgrade() -> None:
    run(_COLUMNS)
