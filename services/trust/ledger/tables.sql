-- The ledger's tables. Executed once, by trust's first migration, inside schema trust; row security on ledger_entries is added
-- by the migration with the rule that all tenant tables share. The other tables hold ids and hashes only, of all tenants.

create table trust.ledger_entries (
    tenant_id  uuid        not null,
    entry_id   uuid        not null,
    kind       text        not null,
    actor      text        not null,
    target     text        not null,
    at         timestamptz not null,
    trace_id   text        not null,
    body       bytea,                 -- canonical entry; null once erased
    salt       bytea,                 -- erased with the body: without it the leaf says nothing about the entry
    erased_at  timestamptz,
    primary key (tenant_id, entry_id),
    check ((body is null) = (erased_at is not null) and (salt is null) = (erased_at is not null))
);
create index ledger_entries_target on trust.ledger_entries (tenant_id, target, entry_id);

-- Written in the caller's transaction, emptied by the sequencer in order of position. One row for all that one statement recorded:
-- a queue of single entries would cost an insert and a delete each, and bloat.
create table trust.ledger_pending (
    position     bigint generated always as identity primary key,
    log_ids      uuid[]  not null,
    entry_ids    uuid[]  not null,
    leaf_hashes  bytea[] not null check (cardinality(log_ids) = cardinality(entry_ids) and cardinality(log_ids) = cardinality(leaf_hashes))
);

create table trust.ledger_leaves (
    log_id     uuid   not null,
    seq        bigint not null check (seq >= 0),
    entry_id   uuid   not null,
    leaf_hash  bytea  not null,
    primary key (log_id, seq)
);
create unique index ledger_leaves_entry on trust.ledger_leaves (log_id, entry_id);

-- Complete subtrees of 256 leaves and more.
create table trust.ledger_nodes (
    log_id  uuid     not null,
    level   smallint not null check (level >= 8),
    idx     bigint   not null,
    hash    bytea    not null,
    primary key (log_id, level, idx)
);

create table trust.ledger_heads (
    log_id             uuid    primary key,
    size               bigint  not null,
    root               bytea   not null,
    frontier           bytea   not null,   -- the hashes of the right edge, joined
    checkpointed_size  bigint  not null default 0
);
create index ledger_heads_uncheckpointed on trust.ledger_heads (log_id) where size > checkpointed_size;

create table trust.ledger_checkpoints (
    log_id      uuid        not null,
    size        bigint      not null,
    note        text        not null,
    created_at  timestamptz not null default now(),
    primary key (log_id, size)
);

create function trust.ledger_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'table % is append-only', tg_table_name using errcode = 'restrict_violation'; end
$$;

create trigger append_only before update or delete or truncate on trust.ledger_leaves
    for each statement execute function trust.ledger_append_only();
create trigger append_only before update or delete or truncate on trust.ledger_nodes
    for each statement execute function trust.ledger_append_only();
create trigger append_only before update or delete or truncate on trust.ledger_checkpoints
    for each statement execute function trust.ledger_append_only();
create trigger append_only before delete or truncate on trust.ledger_entries
    for each statement execute function trust.ledger_append_only();
