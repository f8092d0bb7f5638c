"""People's word on launch gates, for each tenant and environment. A word is never changed: a newer one counts."""

from libs.runtime.migrate import row_security, run

revision = "operating_0006_launch"
down_revision = "operating_0005_data_signals"
branch_labels = None
depends_on = None

_TABLES = """
create table operating.gate_attestations (
  tenant_id uuid not null, attestation_id uuid not null, gate text not null, environment text not null, holds boolean not null,
  statement text not null, role text not null, attested_by text not null, attested_at timestamptz not null, expires_on date not null,
  primary key (tenant_id, attestation_id));
create index gate_attestations_newest on operating.gate_attestations (tenant_id, environment, gate, attested_at desc);
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("operating", "gate_attestations"))
