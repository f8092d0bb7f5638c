"""Incidents and their timelines: the system's are the platform's rows, what people write is their tenant's."""

from libs.runtime.migrate import row_security, run

revision = "operating_0008_incidents"
down_revision = "operating_0007_objectives"
branch_labels = None
depends_on = None

_TABLES = """
create table operating.incidents (
  tenant_id uuid not null, incident_id uuid primary key, kind text not null check (kind in ('outage', 'objective', 'reported')),
  severity text not null check (severity in ('page', 'ticket')), subject text not null, title_en text not null, title_ar text not null,
  opened_at timestamptz not null, opened_by text not null, ended_at timestamptz, check (ended_at >= opened_at));
create unique index incidents_open on operating.incidents (tenant_id, kind, subject) where ended_at is null;
create index incidents_newest on operating.incidents (tenant_id, incident_id desc);
create table operating.incident_entries (
  tenant_id uuid not null, entry_id uuid primary key, incident_id uuid not null, at timestamptz not null default now(), kind text not null,
  by text not null, en text not null, ar text not null);
create index incident_entries_of on operating.incident_entries (incident_id, at);
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("operating", "incidents", "incident_entries"))
