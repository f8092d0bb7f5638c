"""Keys by which stored accounts are found again, so that an import reads its candidates and not the tenant's whole stock."""

from libs.runtime.migrate import row_security, run

revision = "data_crm_0002"
down_revision = "data_0001"
branch_labels = None
depends_on = None

_TABLES = """
-- 64-bit digests, not the keys: a number or an address is not readable here. `loose` marks words of names.
create table data.match_keys (
  tenant_id uuid not null, key bigint not null, account_id uuid not null, loose boolean not null,
  primary key (tenant_id, key, account_id));
create index match_keys_account on data.match_keys (tenant_id, account_id);

-- The version of the key rules under which an account was filed; 0 asks for filing it anew.
alter table data.accounts add column keys_version int not null default 0;
create index accounts_unfiled on data.accounts (tenant_id, keys_version) where deleted_at is null;
create index contacts_account on data.contacts (tenant_id, account_id);
alter table data.imports add column cancel_requested boolean not null default false;
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("data", "match_keys"))
