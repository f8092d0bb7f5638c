"""Room in the pages of what an import writes and soon touches again; and when a tenant's new records are put into the text."""

from libs.runtime.migrate import run

revision = "data_0012_room"
down_revision = "data_0011_senders"
branch_labels = None
depends_on = None

_CHANGES = """
-- Every new lead is updated once trust has said who may be contacted, every new account and contact once its text is indexed. With
-- room in its page the new version of a row needs no entry in any index.
alter table data.leads set (fillfactor = 55);
alter table data.accounts set (fillfactor = 60);
alter table data.contacts set (fillfactor = 60);
alter table data.search_queue add column due_at timestamptz not null default now();
"""


def upgrade() -> None:
    run(_CHANGES)
