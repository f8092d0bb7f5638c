"""Growth: experiments as they were stated, who was drawn into which arm and what came of it, and weeks' reports as they were made."""

from libs.runtime.migrate import row_security, run

revision = "decision_0008_growth"
down_revision = "decision_0007_models"
branch_labels = None
depends_on = None

_TABLES = """
create table decision.experiments (
  tenant_id uuid not null, experiment_id uuid not null, plan jsonb not null, state text not null default 'running', started_by text not null,
  started_at timestamptz not null, met_at timestamptz, outcome jsonb, decision text not null default '', decided_by text not null default '',
  decided_at timestamptz, note text not null default '', primary key (tenant_id, experiment_id));
create unique index experiments_running on decision.experiments (tenant_id) where state = 'running';
create table decision.experiment_subjects (
  tenant_id uuid not null, experiment_id uuid not null, account_id uuid not null, lead_id uuid not null, contact_id uuid not null,
  arm text not null, assigned_at timestamptz not null, action_id uuid, reached_at timestamptz, answered boolean not null default false,
  counted boolean not null default false, primary key (tenant_id, experiment_id, account_id),
  foreign key (tenant_id, experiment_id) references decision.experiments (tenant_id, experiment_id));
create index experiment_subjects_contact on decision.experiment_subjects (tenant_id, contact_id);
create table decision.weekly_reports (
  tenant_id uuid not null, week date not null, document jsonb not null, made_at timestamptz not null, primary key (tenant_id, week));
"""


def upgrade() -> None:
    run(_TABLES)
    for table in ("experiments", "experiment_subjects", "weekly_reports"):
        run(row_security("decision", table))
