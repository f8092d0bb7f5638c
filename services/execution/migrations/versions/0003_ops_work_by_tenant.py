"""The queue names an action as everything else does: by its tenant and its id. Two tenants may choose the same id."""

from libs.runtime.migrate import run

revision = "execution_ops_work"
down_revision = "execution_people_erasure"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("alter table execution.work drop constraint work_pkey, add primary key (tenant_id, action_id)")
