"""People, sessions, API keys, failed attempts, answers kept for repeated requests."""

from libs.runtime.migrate import delivery_tables, row_security, run

revision = "gateway_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
-- Keyed hashes and ids only, of all tenants: which tenant an e-mail address, a cookie or an API key leads to.
create table gateway.doors (
  door bytea primary key, kind text not null check (kind in ('email', 'session', 'key')),
  tenant_id uuid not null, subject_id uuid not null);
create index doors_subject on gateway.doors (tenant_id, subject_id);

create table gateway.users (
  tenant_id uuid not null, user_id uuid not null, email text not null, name text not null,
  roles text[] not null, business_role text, password_hash text not null, must_change boolean not null default false,
  totp_secret bytea, totp_on boolean not null default false, totp_step bigint not null default 0,
  disabled boolean not null default false, version int not null default 1,
  created_at timestamptz not null default now(), created_by text not null,
  primary key (tenant_id, user_id));

create table gateway.sessions (
  tenant_id uuid not null, session_id uuid not null, user_id uuid not null,
  created_at timestamptz not null default now(), seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (tenant_id, session_id));
create index sessions_user on gateway.sessions (tenant_id, user_id);

create table gateway.api_keys (
  tenant_id uuid not null, key_id uuid not null, user_id uuid not null, personal boolean not null, name text not null,
  secret_hash bytea not null, scopes text[] not null, created_at timestamptz not null default now(), created_by text not null,
  expires_at timestamptz, revoked_at timestamptz, used_at timestamptz,
  primary key (tenant_id, key_id));

-- By keyed hash of what was tried (an address, a network address): no person is named.
create table gateway.attempts (
  door bytea primary key, failures int not null, last_at timestamptz not null default now(), locked_until timestamptz);

create table gateway.idempotency (
  tenant_id uuid not null, principal text not null, route text not null, key text not null, body_hash bytea not null,
  reservation_id uuid not null, locked_until timestamptz, status int, answer bytea,
  created_at timestamptz not null default now(),
  primary key (tenant_id, principal, route, key));
create index idempotency_age on gateway.idempotency (tenant_id, created_at);
"""


def upgrade() -> None:
    run(delivery_tables("gateway"))
    run(_TABLES)
    run(row_security("gateway", "users", "sessions", "api_keys", "idempotency"))
