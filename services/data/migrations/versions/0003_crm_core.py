"""The CRM: deals, activities, tasks, history, merges, custom fields, saved views, and text to search in."""

from libs.runtime.migrate import row_security, run

revision = "data_crm_0003"
down_revision = "data_crm_0002"
branch_labels = None
depends_on = None

_COMMON = (
    "version bigint not null default 1, custom jsonb not null default '{}', indexed boolean not null default false, "
    "created_at timestamptz not null default now(), updated_at timestamptz not null default now(), deleted_at timestamptz"
)

_TABLES = f"""
alter table data.accounts add column custom jsonb not null default '{{}}', add column indexed boolean not null default false;
alter table data.contacts add column custom jsonb not null default '{{}}', add column indexed boolean not null default false;
alter table data.leads add column custom jsonb not null default '{{}}', add column version bigint not null default 1;
create index leads_account on data.leads (tenant_id, account_id);

create table data.deals (
  tenant_id uuid not null, deal_id uuid not null, account_id uuid not null, contact_id uuid, lead_id uuid, title text not null,
  stage text not null default 'new', amount numeric(12,2), currency text not null default 'SAR', expected_close date, owner text,
  closed_at timestamptz, closed_reason text, {_COMMON}, primary key (tenant_id, deal_id));
create index deals_account on data.deals (tenant_id, account_id);
create index deals_stage on data.deals (tenant_id, stage) where deleted_at is null;
create table data.activities (
  tenant_id uuid not null, activity_id uuid not null, type text not null, direction text, subject text not null, body text,
  at timestamptz not null, account_id uuid, contact_id uuid, lead_id uuid, deal_id uuid, {_COMMON},
  primary key (tenant_id, activity_id));
create table data.tasks (
  tenant_id uuid not null, task_id uuid not null, title text not null, body text, status text not null default 'open',
  due_at timestamptz, assignee text, account_id uuid, contact_id uuid, lead_id uuid, deal_id uuid, {_COMMON},
  primary key (tenant_id, task_id));

-- What was done to a record, by whom: before and after hold the fields that changed. `touches` has the record and all that it refers to.
create table data.changes (
  tenant_id uuid not null, change_id uuid not null, kind text not null, record_id uuid not null, version bigint not null,
  at timestamptz not null, actor text not null, actor_name text not null default '', what text not null,
  before jsonb not null default '{{}}', after jsonb not null default '{{}}', reason text not null default '', batch_id uuid,
  touches uuid[] not null, primary key (tenant_id, change_id));
create index changes_touches on data.changes using gin (touches);
create index changes_batch on data.changes (tenant_id, batch_id) where batch_id is not null;

create table data.merges (
  tenant_id uuid not null, merge_id uuid not null, kind text not null, kept_id uuid not null, gone_id uuid not null,
  at timestamptz not null, actor text not null, before jsonb not null, after jsonb not null, moved jsonb not null, undone_at timestamptz,
  primary key (tenant_id, merge_id));
alter table data.merge_reviews add column left_id uuid, add column right_id uuid, add column decided_at timestamptz,
  add column decided_by text, add column merge_id uuid;
update data.merge_reviews m set right_id = case when m.kind = 'account' then r.account_id else r.contact_id end,
  left_id = coalesce(m.other_id, (select case when m.kind = 'account' then o.account_id else o.contact_id end from data.import_rows o
    where o.tenant_id = m.tenant_id and o.import_id = m.import_id and o.row_number = m.other_row))
  from data.import_rows r where r.tenant_id = m.tenant_id and r.import_id = m.import_id and r.row_number = m.row_number;
create index merge_reviews_waiting on data.merge_reviews (tenant_id, state, review_id);
create index merge_reviews_pair on data.merge_reviews (tenant_id, left_id, right_id);

create table data.custom_fields (
  tenant_id uuid not null, kind text not null, key text not null, field jsonb not null, primary key (tenant_id, kind, key));
create table data.saved_views (
  tenant_id uuid not null, view_id uuid not null, kind text not null, owner text not null, shared boolean not null, name text not null,
  view jsonb not null, primary key (tenant_id, view_id));
create table data.import_mappings (
  tenant_id uuid not null, source text not null, header_key text not null, mapping jsonb not null, at timestamptz not null default now(),
  primary key (tenant_id, source, header_key));

-- Folded text of records. Row security keeps trigram indexes from being used, so that the one function below reads it past row
-- security, and names the tenants of the unit of work itself.
create table data.search_text (
  tenant_id uuid not null, kind text not null, record_id uuid not null, title text not null, subtitle text not null, body text not null,
  primary key (tenant_id, kind, record_id));
create index search_text_body on data.search_text using gin (body public.gin_trgm_ops);
-- Tenants with records that are not in the text yet; ids only.
create table data.search_queue (tenant_id uuid primary key);
insert into data.search_queue select tenant_id from data.slugs;

create function data.search(words text[], kinds text[], most int)
returns table (kind text, record_id uuid, title text, subtitle text, score real)
language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
  tenants uuid[] := string_to_array(nullif(current_setting('dealix.tenants', true), ''), ',')::uuid[];
  conditions text := '';
  word text;
begin
  if tenants is null or coalesce(cardinality(words), 0) = 0 then return; end if;
  foreach word in array words loop
    conditions := conditions || format(' and s.body like %L', '%' || word || '%');
  end loop;
  return query execute
    'select s.kind, s.record_id, s.title, s.subtitle, public.similarity(s.body, $4) from data.search_text s '
    'where s.tenant_id = any($1) and s.kind = any($2)' || conditions || ' order by 5 desc, 2 limit $3'
    using tenants, kinds, most, array_to_string(words, ' ');
  if found then return; end if;
  perform set_config('pg_trgm.word_similarity_threshold', '0.45', true);
  return query execute
    'select s.kind, s.record_id, s.title, s.subtitle, public.word_similarity($4, s.body) from data.search_text s '
    'where s.tenant_id = any($1) and s.kind = any($2) and $4 operator(public.<%) s.body order by 5 desc, 2 limit $3'
    using tenants, kinds, most, array_to_string(words, ' ');
end $$;
revoke all on function data.search(text[], text[], int) from public;
grant execute on function data.search(text[], text[], int) to dealix_data;
"""


def upgrade() -> None:
    run(_TABLES)
    tables = (
        "deals", "activities", "tasks", "changes", "merges", "custom_fields", "saved_views", "import_mappings", "search_text",
    )  # fmt: skip
    run(row_security("data", *tables))
