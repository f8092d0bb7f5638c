"""What witnesses cosigned of the platform's own log."""

from libs.runtime.migrate import row_security, run

revision = "trust_0016_platform_witnesses"
down_revision = "trust_0015_sequence_approvals"
branch_labels = None
depends_on = None

# No tenant's rows: that independent witnesses saw the same platform log is for everybody to read. Who handed a line in is kept by
# tenant, apart from it.
_TABLES = """
create table trust.platform_cosignatures (
  size bigint not null, root bytea not null, name text not null, public_key bytea not null, line text not null,
  signed_at timestamptz not null, recorded_at timestamptz not null default now(), primary key (size, name, public_key));

create table trust.platform_witnesses (
  tenant_id uuid not null, name text not null, public_key bytea not null, added_by text not null,
  added_at timestamptz not null default now(), primary key (tenant_id, name));

insert into trust.append_only values ('platform_cosignatures'), ('platform_witnesses');
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "platform_witnesses"))
