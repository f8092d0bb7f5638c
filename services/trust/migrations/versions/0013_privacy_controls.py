"""What the controls of privacy read beside registers: more of a consent, and facts that other planes tell."""

from libs.runtime.migrate import row_security, run

revision = "trust_0013_privacy_controls"
down_revision = "trust_0011_proof_briefs"
branch_labels = None
depends_on = None

_TABLES = """
alter table trust.consents add column explicit boolean, add column bundled_with_service boolean;
alter table trust.contact_facts add column last_verified_at timestamptz;

-- What a plane did that a control is judged by: which columns an import kept, who wrote a draft. Ids and names of fields alone.
create table trust.control_facts (
  tenant_id uuid not null, kind text not null, fact_id uuid not null, plane text not null, at timestamptz not null, document jsonb not null,
  primary key (tenant_id, kind, fact_id));
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "control_facts"))
