"""The key that an identity provider has for a person."""

from libs.runtime.migrate import run

revision = "gateway_scim"
down_revision = "gateway_0002_proof_webhooks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("alter table gateway.users add column external_id text;")
