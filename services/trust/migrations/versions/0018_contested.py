"""Who contests their data is looked up in every decision about a person."""

from libs.runtime.migrate import run

revision = "trust_0018_contested"
down_revision = "trust_0017_months"
branch_labels = None
depends_on = None

_INDEX = """
create index rights_contested on trust.rights_requests (tenant_id, contact_id) where kind = 'correction' and state = 'identified';
"""


def upgrade() -> None:
    run(_INDEX)
