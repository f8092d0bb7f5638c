"""Statistics on demand: after a long import the planner would go by a table that was empty a moment ago."""

from libs.runtime.migrate import run

revision = "data_crm_0004"
down_revision = "data_crm_0003"
branch_labels = None
depends_on = None

# Only an owner may analyse a table, and the plane owns none.
_FUNCTION = """
create function data.refresh_statistics() returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
  analyze data.accounts; analyze data.contacts; analyze data.leads; analyze data.import_rows; analyze data.match_keys;
end $$;
revoke all on function data.refresh_statistics() from public;
grant execute on function data.refresh_statistics() to dealix_data;
"""


def upgrade() -> None:
    run(_FUNCTION)
