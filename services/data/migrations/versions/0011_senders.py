"""Finding a contact by the number or address that a message came from."""

from libs.runtime.migrate import run

revision = "data_0011_senders"
down_revision = "data_0010_money"
branch_labels = None
depends_on = None

_INDEXES = """
create index contacts_phone on data.contacts (tenant_id, phone) where phone is not null;
create index contacts_email on data.contacts (tenant_id, lower(email)) where email is not null;
"""


def upgrade() -> None:
    run(_INDEXES)
