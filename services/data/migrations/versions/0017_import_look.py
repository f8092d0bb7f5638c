"""What a person sees of a file before it is imported: how it was read, what of it was not, and its first rows until then."""

from libs.runtime.migrate import run

revision = "data_0017_import_look"
down_revision = "data_0016_onboarding"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(
        "alter table data.imports add column encoding text not null default '', add column notices jsonb not null default '[]', "
        "add column sample jsonb not null default '[]'"
    )
