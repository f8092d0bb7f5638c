"""What people were shown over WhatsApp, and what their replies did."""

from libs.runtime.migrate import row_security, run

revision = "trust_0011_proof_briefs"
down_revision = "trust_0011_gate_screening"
branch_labels = None
depends_on = None

_TABLES = """
create table trust.approval_briefs (
  tenant_id uuid not null, brief_id uuid not null, person text not null, made_at timestamptz not null, document jsonb not null,
  primary key (tenant_id, brief_id));
create index approval_briefs_person on trust.approval_briefs (tenant_id, person, made_at desc);

create table trust.approval_replies (
  tenant_id uuid not null, message_id text not null, person text not null, received_at timestamptz not null default now(), answer jsonb,
  primary key (tenant_id, message_id));
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "approval_briefs", "approval_replies"))
