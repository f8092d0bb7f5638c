"""The shipped list holds what the main job has to cope with, and enough that may be contacted."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from services.data.importing.domain.detect import read_file
from services.data.importing.domain.plan import plan_import
from services.data.importing.domain.records import MergePlan, Outcome, ParsedFile
from services.data.importing.domain.rows import read_rows

LEADS = Path(__file__).parents[3] / "examples" / "leads.csv"
TODAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def parsed() -> ParsedFile:
    return read_file(LEADS.read_bytes())


@pytest.fixture(scope="module")
def plan(parsed: ParsedFile) -> MergePlan:
    return plan_import(read_rows(parsed, source="own_crm", today=TODAY))


def test_every_column_of_the_example_is_recognised(parsed: ParsedFile) -> None:
    assert [column.header for column in parsed.columns if column.field is None] == []
    assert parsed.language == "mixed"


def test_the_example_has_two_hundred_rows_that_add_up(plan: MergePlan) -> None:
    counts = plan.counts
    assert counts.rows == 200
    assert counts.rows == counts.created + counts.merged + counts.needs_review + counts.blocked + counts.rejected
    assert min(counts.merged, counts.needs_review, counts.blocked, counts.rejected) >= 8


def test_the_example_shows_every_kind_of_trouble(plan: MergePlan) -> None:
    rejected = Counter(rejection.code for rejection in plan.rejected)
    assert rejected == {"source_refused": 5, "missing_name": 1, "missing_company": 1, "broken_row": 1, "formula": 1}
    reasons = {said.code for decision in plan.decisions for said in decision.reasons}
    assert reasons >= {"opted_out", "unclear_opt_out", "source_needs_review", "likely_duplicate", "no_identifier"}
    notes = {note.code for decision in plan.decisions for note in decision.notes}
    assert notes >= {"invalid_phone", "invalid_email", "invalid_amount", "unclear_consent"}


def test_enough_of_the_example_may_be_contacted_by_email(plan: MergePlan) -> None:
    def consented(index: int) -> bool:
        contact = plan.contacts[index].fields
        return bool(contact.email) and any(
            c.channel == "email" and c.given and c.at and c.how for c in contact.consents
        )

    assert 60 <= sum(1 for lead in plan.leads if lead.outcome is Outcome.CREATED and consented(lead.contact)) <= 100


def test_three_companies_behind_one_switchboard_stay_three(plan: MergePlan) -> None:
    shared = {contact.account for contact in plan.contacts if contact.fields.phone_e164 == "+966110000500"}
    assert len(shared) == 3


def test_importing_the_example_twice_changes_nothing(parsed: ParsedFile) -> None:
    rows = read_rows(parsed, source="own_crm", today=TODAY)
    again = plan_import(rows, seen={row.fingerprint for row in rows.leads})
    assert (again.accounts, again.contacts, again.leads, again.reviews) == ((), (), (), ())
    assert again.counts.merged == again.counts.unchanged == len(rows.leads)
