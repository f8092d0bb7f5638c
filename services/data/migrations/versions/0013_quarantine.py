"""Documents in quarantine are not searched."""

from libs.runtime.migrate import run

revision = "data_0013_quarantine"
down_revision = "data_0012_room"
branch_labels = None
depends_on = None

_HELD = """
alter table data.chunks add column held boolean not null default false;
"""

# As before, without pieces that are held.
_SEARCH = """
create or replace function data.knowledge_search(asked text[], meaning public.vector, model text, most int)
returns table (chunk_id uuid, score double precision, by_words boolean, by_spelling boolean, by_meaning boolean)
language plpgsql stable security definer set search_path = pg_catalog, public
set hnsw.iterative_scan = 'strict_order' set pg_trgm.word_similarity_threshold = '0.5' as $$
declare
  tenants uuid[] := string_to_array(nullif(current_setting('dealix.tenants', true), ''), ',')::uuid[];
  everything float8;
  plain text := array_to_string(asked, ' ');
begin
  if tenants is null then return; end if;
  select count(*) into everything from data.chunks c where c.tenant_id = any(tenants) and not c.held;
  return query
  with terms as (
    select a, to_tsquery('pg_catalog.simple', quote_literal(a) || case when length(a) > 3 then ':*' else '' end) as t from unnest(asked) a
  ), hits as (
    select terms.a, c.chunk_id from terms join data.chunks c on c.tenant_id = any(tenants) and not c.held and to_tsvector('pg_catalog.simple', c.folded) @@ terms.t
  ), weights as (
    select terms.a, ln(1 + everything / greatest(count(hits.chunk_id), 1)) as weight from terms left join hits using (a) group by terms.a
  ), found as (
    select hits.chunk_id, sum(weight) / (select sum(weight) from weights) as share from hits join weights using (a) group by hits.chunk_id
  ), w as (
    select f.chunk_id, f.share, row_number() over (order by f.share desc, f.chunk_id) as r from found f order by r limit 50
  ), s as (
    select c.chunk_id, row_number() over (order by word_similarity(plain, c.folded) desc, c.chunk_id) as r, word_similarity(plain, c.folded)::float8 as share
    from data.chunks c where c.tenant_id = any(tenants) and not c.held and plain <% c.folded order by r limit 50
  ), n as (
    select c.chunk_id, c.embedding <=> meaning as d from data.chunks c
    where meaning is not null and c.tenant_id = any(tenants) and not c.held and c.model_id = model order by c.embedding <=> meaning limit 50
  ), m as (select n.chunk_id, row_number() over (order by n.d, n.chunk_id) as r from n)
  select i.chunk_id, coalesce(w.share ^ 3 / (60 + w.r), 0) + coalesce(s.share ^ 3 / (60 + s.r), 0) + coalesce(1.0 / (60 + m.r), 0)::double precision,
    w.r is not null, s.r is not null, m.r is not null
  from (select w.chunk_id from w union select s.chunk_id from s union select m.chunk_id from m) i
  left join w on w.chunk_id = i.chunk_id left join s on s.chunk_id = i.chunk_id left join m on m.chunk_id = i.chunk_id
  order by 2 desc, 1 limit most;
end $$;
"""


def upgrade() -> None:
    run(_HELD)
    run(_SEARCH)
