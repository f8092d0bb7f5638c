"""Actions are kept by month; that an idempotency key means one action is kept beside them, for all months."""

from libs.runtime.migrate import row_security, run, split_by_month

revision = "execution_0010_months"
down_revision = "execution_0009_subscriptions"
branch_labels = None
depends_on = None

_KEYS = """
create table execution.action_keys (
  tenant_id uuid not null, idempotency_key text not null, action_id uuid not null,
  primary key (tenant_id, idempotency_key));
alter table execution.actions no force row level security;
insert into execution.action_keys select tenant_id, idempotency_key, action_id from execution.actions where idempotency_key is not null;
"""


def upgrade() -> None:
    run(_KEYS)
    run(row_security("execution", "action_keys", batches=True))
    split_by_month("execution", "actions", "action_id", without=("actions_idempotency",))
