"""The queue's key begins with the action: a batch takes its rows out by their ids alone, whatever PostgreSQL supposes the queue to hold."""

from libs.runtime.migrate import run

revision = "execution_0012_queue_key"
down_revision = "execution_0011_models"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("alter table execution.work drop constraint work_pkey, add primary key (action_id, tenant_id)")
