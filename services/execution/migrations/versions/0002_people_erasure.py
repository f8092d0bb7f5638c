"""The one way to take a person out of the sandbox's record, which is append-only for everything else."""

from libs.runtime.migrate import run

revision = "execution_people_erasure"
down_revision = "execution_0001"
branch_labels = None
depends_on = None

_ERASE = """
create function execution.erase_sandbox(tenant uuid, actions uuid[]) returns int language plpgsql security definer
set search_path = execution, pg_temp as $$
declare gone int;
begin
    -- The tenant must be one that the caller's unit of work names: the function sees more than its caller.
    if not tenant = any (string_to_array(nullif(current_setting('dealix.tenants', true), ''), ',')::uuid[]) then
        raise exception 'a tenant that this unit of work does not name' using errcode = 'insufficient_privilege';
    end if;
    delete from execution.sandbox where tenant_id = tenant and action_id = any (actions);
    get diagnostics gone = row_count;
    return gone;
end $$;
revoke all on function execution.erase_sandbox(uuid, uuid[]) from public;
grant execute on function execution.erase_sandbox(uuid, uuid[]) to dealix_execution;
"""


def upgrade() -> None:
    run(_ERASE)
