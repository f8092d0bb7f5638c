"""What runs and agents have read, for rules about sequences."""

from libs.runtime.migrate import row_security, run

revision = "trust_0008_policy_sessions"
down_revision = "trust_0007_policy_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(
        "create table trust.session_reads (tenant_id uuid not null, session text not null, people int not null, "
        "last_at timestamptz not null default now(), primary key (tenant_id, session));"
    )
    run(row_security("trust", "session_reads", batches=True))
