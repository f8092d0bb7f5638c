"""The watch over tenants' records, and drafts for more than a first message."""

from libs.runtime.migrate import run

revision = "decision_cards_0002"
down_revision = "decision_0001"
branch_labels = None
depends_on = None

_TABLES = """
-- Ids only, of all tenants: who is looked at for cards, and when next.
create table decision.watch_queue (tenant_id uuid primary key, due_at timestamptz not null default now(), lease_until timestamptz);
-- Put off: the card is shown again from then on.
alter table decision.cards add column hidden_until timestamptz;
-- A lead may get a first message, a follow-up of its deal and answers to what it said: each once a channel.
alter table decision.drafts add column purpose text not null default 'first';
drop index decision.drafts_open;
create unique index drafts_open on decision.drafts (tenant_id, lead_id, channel, purpose);
"""


def upgrade() -> None:
    run(_TABLES)
