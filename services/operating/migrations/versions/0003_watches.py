"""What was seen of the planes over time: stretches in which all answered or not all did, and releases when first heard of."""

from libs.runtime.migrate import run

revision = "operating_0003_watches"
down_revision = "operating_0002_recoveries"
branch_labels = None
depends_on = None

_TABLES = """
-- The platform's, not a tenant's. A stretch grows until it changes whether all planes answer; time in which nobody looked is one in
-- which they did not.
create table operating.watches (
  watch_id uuid primary key, since timestamptz not null, seen_at timestamptz not null, answering boolean not null,
  planes text[] not null default '{}', check (seen_at >= since));
create index watches_seen on operating.watches (seen_at desc);
create table operating.releases (
  plane text not null, version text not null, first_seen_at timestamptz not null default now(), primary key (plane, version));
"""


def upgrade() -> None:
    run(_TABLES)
