"""One table for what planes tell: the rows of `control_facts` go over to `observations`.

This expands. Until the last trust of the release before is gone, what it still writes to `control_facts` is carried over by a trigger;
nothing of this release reads or writes that table. The next release contracts: it drops `control_facts` with its trigger, and the
events `OBSERVED_BEFORE` and `RECORDED_BEFORE` of `subjects.py`, which are heard for that long.
"""

from libs.runtime.migrate import run

revision = "trust_0021_one_family"
down_revision = "trust_0020_own_people"
branch_labels = None
depends_on = None

_CARRIED = """
create function trust.carry_control_fact() returns trigger language plpgsql set search_path = '' as $$
begin
  insert into trust.observations as o (tenant_id, plane, kind, subject, at, document)
  values (new.tenant_id, new.plane, new.kind, new.fact_id::text, new.at, new.document - 'kind' - 'fact_id')
  on conflict (tenant_id, kind, subject) do update set plane = excluded.plane, at = excluded.at, document = excluded.document
  where o.at <= excluded.at;
  return null;
end $$;
create trigger carry after insert or update on trust.control_facts for each row execute function trust.carry_control_fact();

-- Row security holds for the owner as well, and the owner is of no tenant.
alter table trust.control_facts no force row level security;
alter table trust.observations no force row level security;
insert into trust.observations (tenant_id, plane, kind, subject, at, document)
select tenant_id, plane, kind, fact_id::text, at, document - 'kind' - 'fact_id' from trust.control_facts;
alter table trust.control_facts force row level security;
alter table trust.observations force row level security;
"""


def upgrade() -> None:
    run(_CARRIED)
