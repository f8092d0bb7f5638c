"""Events that a plane could not take, of all tenants and of none."""

from libs.runtime.migrate import run

revision = "operating_0004_dead_events"
down_revision = "operating_0003_watches"
branch_labels = None
depends_on = None

_TABLES = """
create table operating.dead_events (
  dead_event_id uuid primary key, plane text not null, subject text not null, message_id text not null, tenant_ids uuid[] not null,
  error text not null, attempts int not null, trace_id text not null, body bytea, state text not null default 'open',
  arrived_at timestamptz not null default now(), ended_at timestamptz, ended_by text, note text not null default '',
  unique (plane, subject, message_id));
create index dead_events_open on operating.dead_events (dead_event_id) where state = 'open';
"""


def upgrade() -> None:
    run(_TABLES)
