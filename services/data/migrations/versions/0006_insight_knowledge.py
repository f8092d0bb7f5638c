"""Documents in pieces with words and vectors, and memories."""

from libs.runtime.migrate import row_security, run

revision = "data_insight_knowledge"
down_revision = "data_crm_0005"
branch_labels = None
depends_on = None

_TABLES = """
create table data.documents (
  tenant_id uuid not null, document_id uuid not null, title text not null, file_name text not null, media text not null, source text not null,
  bytes bigint not null, sha256 text not null, added_by text not null, added_at timestamptz not null,
  primary key (tenant_id, document_id), unique (tenant_id, sha256));
create table data.chunks (
  tenant_id uuid not null, chunk_id uuid not null, document_id uuid not null, position int not null, heading text not null, page int,
  body text not null, folded text not null,
  embedding public.vector(384), model_id text, primary key (tenant_id, chunk_id),
  foreign key (tenant_id, document_id) references data.documents on delete cascade);
create index chunks_document on data.chunks (tenant_id, document_id, position);
create index chunks_words on data.chunks using gin (to_tsvector('pg_catalog.simple', folded));
create index chunks_folded on data.chunks using gin (folded public.gin_trgm_ops);
create index chunks_embedding on data.chunks using hnsw (embedding public.vector_cosine_ops);
-- Tenants with pieces that have no vector of the present model; ids only.
create table data.embedding_queue (tenant_id uuid primary key);
-- A text that changes (a person was erased from it) loses what was made from it; the background makes it anew.
create function data.chunk_changed() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  new.embedding := null; new.model_id := null; new.folded := '';
  insert into data.embedding_queue (tenant_id) values (new.tenant_id) on conflict do nothing;
  return new;
end $$;
create trigger chunk_changed before update of body, heading on data.chunks for each row
  when (old.body is distinct from new.body or old.heading is distinct from new.heading) execute function data.chunk_changed();
create table data.memories (
  tenant_id uuid not null, memory_id uuid not null, subject text not null, body text not null, source text not null, noted_by text not null,
  noted_at timestamptz not null, expires_at timestamptz, primary key (tenant_id, memory_id));
create index memories_subject on data.memories (tenant_id, subject);

-- Row security keeps word indexes from being used, so that this one function reads past it and names the tenants of the unit of work
-- itself. Three lists (words, spellings, meaning) are fused by reciprocal rank: sum of 1 / (60 + rank).
create function data.knowledge_search(asked text[], meaning public.vector, model text, most int)
returns table (chunk_id uuid, score double precision, by_words boolean, by_spelling boolean, by_meaning boolean)
language plpgsql stable security definer set search_path = pg_catalog, public
set hnsw.iterative_scan = 'strict_order' set pg_trgm.word_similarity_threshold = '0.5' as $$
declare
  tenants uuid[] := string_to_array(nullif(current_setting('dealix.tenants', true), ''), ',')::uuid[];
  wanted tsquery;
  plain text := array_to_string(asked, ' ');
begin
  if tenants is null then return; end if;
  select to_tsquery('pg_catalog.simple', string_agg(quote_literal(w) || case when length(w) > 3 then ':*' else '' end, ' | '))
    into wanted from unnest(asked) as w;
  return query
  with w as (
    select c.chunk_id, row_number() over (order by
      (select count(*) from unnest(asked) a where c.folded like '%' || a || '%') desc, ts_rank_cd(to_tsvector('pg_catalog.simple', c.folded), wanted, 1) desc, c.chunk_id) as r
    from data.chunks c where c.tenant_id = any(tenants) and to_tsvector('pg_catalog.simple', c.folded) @@ wanted order by r limit 50
  ), s as (
    select c.chunk_id, row_number() over (order by word_similarity(plain, c.folded) desc, c.chunk_id) as r
    from data.chunks c where c.tenant_id = any(tenants) and plain <% c.folded order by r limit 50
  ), n as (
    select c.chunk_id, c.embedding <=> meaning as d from data.chunks c
    where meaning is not null and c.tenant_id = any(tenants) and c.model_id = model order by c.embedding <=> meaning limit 50
  ), m as (select n.chunk_id, row_number() over (order by n.d, n.chunk_id) as r from n)
  select i.chunk_id, (coalesce(1.0 / (60 + w.r), 0) + coalesce(1.0 / (60 + s.r), 0) + coalesce(1.0 / (60 + m.r), 0))::double precision,
    w.r is not null, s.r is not null, m.r is not null
  from (select w.chunk_id from w union select s.chunk_id from s union select m.chunk_id from m) i
  left join w on w.chunk_id = i.chunk_id left join s on s.chunk_id = i.chunk_id left join m on m.chunk_id = i.chunk_id
  order by 2 desc, 1 limit most;
end $$;
revoke all on function data.knowledge_search(text[], public.vector, text, int) from public;
grant execute on function data.knowledge_search(text[], public.vector, text, int) to dealix_data;
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("data", "documents", "chunks", "memories"))
