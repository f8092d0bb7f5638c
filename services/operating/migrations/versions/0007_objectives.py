"""What planes count of service level objectives: by process, summed up by five minutes, and levels as they are read."""

from libs.runtime.migrate import run

revision = "operating_0007_objectives"
down_revision = "operating_0006_launch"
branch_labels = None
depends_on = None

_TABLES = """
-- The platform's, not a tenant's. A process's counts only grow, so that a lost message costs nothing and one that comes twice adds nothing.
create table operating.slo_processes (
  process text not null, name text not null, good bigint not null, bad bigint not null, at timestamptz not null default now(),
  primary key (process, name));
create table operating.slo_sums (
  name text not null, since timestamptz not null, good bigint not null, bad bigint not null, primary key (name, since));
create index slo_sums_since on operating.slo_sums (since);
create table operating.slo_levels (
  name text not null, plane text not null, value double precision not null, at timestamptz not null default now(), over_since timestamptz,
  primary key (name, plane));
"""


def upgrade() -> None:
    run(_TABLES)
