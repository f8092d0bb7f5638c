"""Backups that were made, and those that were restored and proven whole. They are of the whole installation."""

from libs.runtime.migrate import run

revision = "operating_0002_recoveries"
down_revision = "operating_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(
        "create table operating.recoveries (kind text not null check (kind in ('backup', 'restore_test')), digest text not null, "
        "at timestamptz not null, rows bigint not null, leaves bigint not null, by text not null, "
        "recorded_at timestamptz not null default now(), primary key (kind, digest, at));"
    )
