"""Tenants, accounts, contacts, leads, and the imports they came by."""

from libs.runtime.migrate import delivery_tables, row_security, run

revision = "data_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
create table data.tenants (tenant_id uuid primary key, slug text not null, profile jsonb not null, created_at timestamptz not null default now());
-- Slugs of all tenants, so that one is taken once; ids only.
create table data.slugs (slug text primary key, tenant_id uuid not null);

create table data.accounts (
  tenant_id uuid not null, account_id uuid not null, name text not null, name_ar text, fields jsonb not null,
  aliases text[] not null default '{}', import_id uuid, version bigint not null default 1,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(), deleted_at timestamptz,
  primary key (tenant_id, account_id));

create table data.contacts (
  tenant_id uuid not null, contact_id uuid not null, account_id uuid, full_name text, title text, phone text, email text,
  opted_out text not null, fields jsonb not null, import_id uuid, version bigint not null default 1,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(), deleted_at timestamptz,
  primary key (tenant_id, contact_id));

create table data.leads (
  tenant_id uuid not null, lead_id uuid not null, account_id uuid not null, contact_id uuid, source text not null,
  collected_directly boolean not null, cold boolean not null, obtained_at date, last_activity date, notes text, interest text,
  source_detail text, estimated_value numeric(12,2), outcome text not null, reasons jsonb not null,
  contactability jsonb not null default '{}', import_id uuid, row_number int,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(), deleted_at timestamptz,
  primary key (tenant_id, lead_id));
create index leads_contact on data.leads (tenant_id, contact_id);
create index leads_import on data.leads (tenant_id, import_id);

create table data.imports (
  tenant_id uuid not null, import_id uuid not null, request jsonb not null, state text not null, counts jsonb not null,
  progress real not null default 0, mapping jsonb not null default '[]', header jsonb not null default '[]',
  error_code text, error_en text, error_ar text,
  started_at timestamptz not null default now(), finished_at timestamptz, trace_id text not null default '',
  primary key (tenant_id, import_id));
create table data.import_queue (
  import_id uuid primary key, tenant_id uuid not null, lease_until timestamptz, tries int not null default 0,
  created_at timestamptz not null default now());
create table data.import_rows (
  tenant_id uuid not null, import_id uuid not null, row_number int not null, outcome text not null, account_id uuid, contact_id uuid,
  fingerprint text not null, reasons jsonb not null, notes jsonb not null,
  primary key (tenant_id, import_id, row_number));
create index import_rows_fingerprint on data.import_rows (tenant_id, fingerprint);
create table data.import_rejects (
  tenant_id uuid not null, import_id uuid not null, row_number int not null, field text not null, code text not null,
  en text not null, ar text not null, raw jsonb not null,
  primary key (tenant_id, import_id, row_number, field, code));
create table data.merge_reviews (
  tenant_id uuid not null, review_id uuid not null, import_id uuid not null, kind text not null, row_number int not null,
  other_id uuid, other_row int, score real not null, why jsonb not null, state text not null default 'waiting',
  primary key (tenant_id, review_id));
"""


def upgrade() -> None:
    run(delivery_tables("data"))
    run(_TABLES)
    tables = ("tenants", "accounts", "contacts", "leads", "imports", "import_rows", "import_rejects", "merge_reviews")
    run(row_security("data", *tables))
