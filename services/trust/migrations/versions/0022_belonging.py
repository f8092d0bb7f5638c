"""Decisions say which flow asked for them and which record they are about; the ledger's rows are found by it, also once their text is erased."""

from libs.runtime.migrate import run
from services.trust.ledger.tables import BELONGING

revision = "trust_0022_belonging"
down_revision = "trust_0021_one_family"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(BELONGING)
