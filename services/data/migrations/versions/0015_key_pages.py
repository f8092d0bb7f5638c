"""Keys of accounts by the page: what one import files under neighbouring keys is one row."""

from libs.runtime.migrate import row_security, run

revision = "data_0015_key_pages"
down_revision = "data_0014_facts"
branch_labels = None
depends_on = None

# A row of `match_keys` a key was most of what an import wrote, and a tenant that the statistics did not know yet had its keys looked up by
# reading all of them once a key. Here a page is found by one index whatever the planner believes. `bucket` is the upper 12 bits of the key;
# `keys` are 64-bit digests and `accounts` the accounts filed under them, side by side.
#
# `match_keys` stays for replicas of the version before, empty: what they file is filed again by the version of the rules.
_TABLES = """
create table data.key_pages (
  tenant_id uuid not null, bucket int not null, batch_id uuid not null, page int not null, keys bigint[] not null, accounts uuid[] not null,
  primary key (tenant_id, bucket, batch_id, page));
truncate data.match_keys;
create or replace function data.refresh_statistics() returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
  analyze data.accounts; analyze data.contacts; analyze data.leads; analyze data.import_rows; analyze data.key_pages;
end $$;
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("data", "key_pages"))
