"""How somebody came in: with a second factor or not, by which way, from this network or from outside."""

from libs.runtime.migrate import run

revision = "gateway_0004_session_facts"
down_revision = "gateway_scim"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(
        "alter table gateway.sessions add column second_factor boolean, add column remote boolean, "
        "add column by text not null default '';"
    )
