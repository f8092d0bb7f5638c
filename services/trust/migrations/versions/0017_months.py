"""Decisions, grants' closures and ledger entries, which are kept for ever, are kept by month."""

from libs.runtime.migrate import run, split_by_month

revision = "trust_0017_months"
down_revision = "trust_0016_platform_witnesses"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A grant is one decision's, under an id that is made for it; its single use is kept by execution.dispatches, which stays whole.
    split_by_month("trust", "decisions", "action_id", without=("decisions_grant",))
    run("create index decisions_grant on trust.decisions (grant_id) where grant_id is not null")
    split_by_month("trust", "grant_closures", "grant_id")
    split_by_month("trust", "ledger_entries", "entry_id")
