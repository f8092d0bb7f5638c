"""Every public signing key that there ever was. The platform's, no tenant's."""

from libs.runtime.migrate import run

revision = "trust_0007_policy_keys"
down_revision = "trust_0005_policy_receipts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(
        "create table trust.signing_keys (kid text primary key, use text not null check (use in ('grant', 'checkpoint', 'statement')), "
        "public_key bytea not null unique, introduced_at timestamptz not null default now(), retired_at timestamptz, "
        "compromised boolean not null default false);"
    )
