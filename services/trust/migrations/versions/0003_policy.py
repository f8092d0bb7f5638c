"""Policy bundles by version, replays of decisions under another bundle."""

from libs.runtime.migrate import row_security, run

revision = "trust_0003_policy"
down_revision = "trust_people_approvals"
branch_labels = None
depends_on = None

_TABLES = """
-- The platform's policy texts by hash: no tenant's data.
create table trust.policy_texts (version text primary key, text text not null, recorded_at timestamptz not null default now());

create table trust.policy_bundles (
  tenant_id uuid not null, version text not null, additions text not null, text text not null, platform_version text not null,
  state text not null check (state in ('proposed', 'shadow', 'canary', 'active', 'retired', 'rolled_back')),
  title text not null, proposed_by text not null, proposed_at timestamptz not null default now(),
  settings jsonb not null default '{}', measured jsonb not null default '{}', changed_at timestamptz not null default now(),
  primary key (tenant_id, version));
create unique index policy_bundles_one on trust.policy_bundles (tenant_id, state) where state in ('shadow', 'canary', 'active');

-- Ids only, of all tenants: what every replica watches, so that it takes up a change.
create table trust.policy_switches (tenant_id uuid primary key, revision bigint not null);
create sequence trust.policy_revision;

create table trust.policy_replays (
  tenant_id uuid not null, replay_id uuid not null, version text not null, base text not null, since timestamptz not null,
  until timestamptz not null, state text not null, done bigint not null default 0, total bigint not null default 0,
  requested_by text not null, requested_at timestamptz not null default now(), report jsonb, sha256 text,
  primary key (tenant_id, replay_id));

-- Ids only: the queue of replays, of all tenants.
create table trust.policy_replay_queue (replay_id uuid primary key, tenant_id uuid not null, lease_until timestamptz);

create table trust.policy_changes (
  tenant_id uuid not null, replay_id uuid not null, seq bigint not null, kind text not null, action_id uuid not null,
  attempt int not null, effect text not null, subject text not null, decided_at timestamptz not null, before text not null,
  after text not null, policies text[] not null,
  primary key (tenant_id, replay_id, seq));

create index decisions_refused on trust.decisions (tenant_id, decision_id) where outcome = 'refused';
create index decisions_version on trust.decisions (tenant_id, policy_version, decided_at);

insert into trust.append_only values ('policy_texts');
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "policy_bundles", "policy_replays", "policy_changes"))
