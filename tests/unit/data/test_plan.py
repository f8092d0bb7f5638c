"""Which rows become one, which wait for a person, and that every row is accounted for."""

from collections import Counter
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.data.importing.domain.detect import read_file
from services.data.importing.domain.plan import plan_import
from services.data.importing.domain.records import (
    AccountFields,
    ConsentClaim,
    ContactFields,
    ExistingRecord,
    MergePlan,
    OptOut,
    Outcome,
    ReadRows,
)
from services.data.importing.domain.rows import read_rows

TODAY = date(2026, 11, 21)
HEADER = (
    "company,name,mobile,email,source,opted_out,cr,city,whatsapp_opt_in,whatsapp_opt_in_at,website,office phone,cold"
)


def read(*lines: str) -> ReadRows:
    width = HEADER.count(",")
    padded = [line + "," * (width - line.count(",")) for line in lines]
    return read_rows(read_file("\n".join([HEADER, *padded]).encode()), source="own_crm", today=TODAY)


def plan(*lines: str, existing: tuple[ExistingRecord, ...] = ()) -> MergePlan:
    return plan_import(read(*lines), existing)


def outcomes(plan: MergePlan) -> list[str]:
    return [decision.outcome.value for decision in plan.decisions]


# -- sure matches ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Najd Co,Ali Saad,0501234567", "Najd Co,Ali Saad,0501234567"),
        ("Najd Co,Ali Saad,0501234567", "NAJD,Ali Saad,+966501234567"),
        ("شركة نجد,علي سعد,0501234567", "شركه نجد المحدودة,على سعد,٠٥٠١٢٣٤٥٦٧"),
        ("شركة نجد للتقنية,علي سعد,,ali@najd.example", "Najd Technology,Ali Saad,,ALI@najd.example"),
        ("شركة نجد,علي سعد,0501234567,,,,1010123456", "Najd LLC,Ali Saad,0501234567,,,,1010123456"),
        ("Najd Technology,Ali Saad,0501234567", "Najd Technologies Co,Ali Saad,0501234567"),
    ],
)
def test_sure_duplicates_merge(first: str, second: str) -> None:
    result = plan(first, second)
    assert outcomes(result) == ["created", "merged"]
    assert len(result.accounts) == len(result.contacts) == len(result.leads) == 1
    assert result.reviews == ()


def test_two_people_of_one_company_share_the_account_and_stay_two() -> None:
    result = plan("Najd Co,Ali Saad,0501234567", "Najd Co,Sara Omar,0551234567")
    assert outcomes(result) == ["created", "created"]
    assert (len(result.accounts), len(result.contacts)) == (1, 2)


def test_two_people_of_one_company_with_one_phone_stay_two() -> None:
    result = plan("Najd Co,Ali Saad,0112345678", "Najd Co,Sara Omar,0112345678")
    assert (len(result.accounts), len(result.contacts)) == (1, 2)
    assert result.reviews == ()


def test_later_rows_fill_blanks_and_overwrite_nothing() -> None:
    result = plan(
        "شركة نجد,Ali Saad,0501234567,,,,1010123456", "Najd,Ali Saad,0501234567,ali@najd.example,,,1010123456,Jeddah"
    )
    assert result.accounts[0].fields.name == "شركة نجد"
    assert result.accounts[0].fields.city == "jeddah"
    assert result.accounts[0].aliases == ("Najd",)
    assert result.contacts[0].fields.email == "ali@najd.example"
    assert result.contacts[0].rows == (2, 3)


# -- what must not merge -----------------------------------------------------------------------------------------------


def test_a_shared_switchboard_does_not_make_two_companies_one() -> None:
    result = plan(
        "Najd Technology,Ali Saad,0112345678",
        "Blue Whale Foods,Sara Omar,0112345678",
        "Zad Contracting,Huda Ali,,h@zad.example,,,,,,,,0112345678",
    )
    assert outcomes(result) == ["created"] * 3
    assert len(result.accounts) == 3


def test_one_name_with_two_registrations_waits_for_a_person() -> None:
    result = plan(
        "Najd Technology,Ali Saad,0501234567,,,,1010123456", "Najd Technology,Sara Omar,0551234567,,,,4030123456"
    )
    assert outcomes(result) == ["created", "needs_review"]
    assert len(result.accounts) == 2
    assert [said.code for said in result.reviews[0].why] == ["similar_name", "different_cr"]


def test_one_registration_under_two_names_waits_for_a_person() -> None:
    result = plan(
        "Najd Technology,Ali Saad,0501234567,,,,1010123456", "Blue Whale Foods,Sara Omar,0551234567,,,,1010123456"
    )
    assert outcomes(result) == ["created", "needs_review"]
    assert len(result.accounts) == 2


def test_a_name_across_scripts_alone_waits_for_a_person() -> None:
    result = plan("شركة نجد للتقنية,علي سعد,0501234567", "Najd Technology,Sara Omar,0551234567")
    assert outcomes(result) == ["created", "needs_review"]
    (pair,) = result.reviews
    assert (pair.kind, pair.row_number, pair.other_row) == ("account", 3, 2)
    assert result.decisions[1].reasons[0].code == "likely_duplicate"
    assert "2" in result.decisions[1].reasons[0].ar


def test_namesakes_in_two_cities_wait_for_a_person() -> None:
    result = plan("Najd Technology,Ali Saad,0501234567,,,,,Riyadh", "Najd Technology,Sara Omar,0551234567,,,,,Jeddah")
    assert outcomes(result) == ["created", "needs_review"]
    assert len(result.accounts) == 2


def test_one_address_under_two_names_waits_for_a_person() -> None:
    result = plan("Najd Technology,Ali Saad,,boss@najd.example", "Najd Technology,Sara Omar,,boss@najd.example")
    assert outcomes(result) == ["created", "needs_review"]
    assert [pair.kind for pair in result.reviews] == ["contact"]


def test_a_desk_s_mailbox_is_shared_without_fuss() -> None:
    result = plan("Najd Technology,Ali Saad,,info@najd.example", "Najd Technology,Sara Omar,,info@najd.example")
    assert outcomes(result) == ["created", "created"]


def test_one_person_at_two_companies_waits_for_a_person() -> None:
    result = plan("Najd Technology,Ali Saad,0501234567", "Blue Whale Foods,Ali Saad,0501234567")
    assert outcomes(result) == ["created", "needs_review"]
    assert len(result.contacts) == 2


def test_a_chain_of_likenesses_never_joins_two_registrations() -> None:
    result = plan(
        "Najd Technology,Ali Saad,0501234567,,,,1010123456,,,,najd.example",
        "Najd Technology,Sara Omar,0551234567,,,,,,,,najd.example",
        "Najd Technology,Huda Ali,0561234567,,,,4030123456,,,,najd.example",
    )
    for account in result.accounts:
        assert len(account.rows) < 3
    assert {account.fields.cr for account in result.accounts} == {"1010123456", "4030123456"}


# -- consent and opt-out -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_on_merge_an_opt_out_in_either_row_wins(order: tuple[int, int]) -> None:
    lines = ("Najd,Ali Saad,0501234567,,own_crm,", "Najd,Ali Saad,0501234567,,event,نعم")
    result = plan(*(lines[i] for i in order))
    assert outcomes(result) == ["blocked", "merged"]
    assert result.contacts[0].fields.opted_out is OptOut.YES
    assert result.leads[0].outcome is Outcome.BLOCKED


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_on_merge_a_withheld_consent_wins(order: tuple[int, int]) -> None:
    lines = ("Najd,Ali Saad,0501234567,,,,,,yes,2026-01-01", "Najd,Ali Saad,0501234567,,,,,,no,")
    result = plan(*(lines[i] for i in order))
    assert [claim.given for claim in result.contacts[0].fields.consents] == [False]


def test_on_merge_the_older_consent_counts() -> None:
    result = plan("Najd,Ali Saad,0501234567,,,,,,yes,2026-05-01", "Najd,Ali Saad,0501234567,,,,,,yes,2026-01-01")
    assert result.contacts[0].fields.consents == (ConsentClaim("whatsapp", True, date(2026, 1, 1), None),)


def test_a_number_that_opted_out_is_not_safe_under_another_name() -> None:
    result = plan("Najd Technology,Ali Saad,0501234567,,,yes", "Blue Whale Foods,Sara Omar,0501234567")
    assert outcomes(result) == ["blocked", "needs_review"]
    assert [said.code for said in result.decisions[1].reasons] == ["shared_address_opted_out"]


def test_a_purchased_copy_of_our_own_customer_stays_our_customer() -> None:
    for lines in (("own_crm", "purchased"), ("purchased", "own_crm")):
        result = plan(*(f"Najd,Ali Saad,0501234567,,{source}" for source in lines))
        assert outcomes(result) == ["created", "merged"]
        assert result.leads[0].fields.source == "own_crm"
        assert set(result.leads[0].sources) == {"own_crm", "purchased"}


def test_a_suppression_list_outweighs_every_other_source() -> None:
    for lines in (("own_crm", "suppression list"), ("suppression list", "own_crm")):
        result = plan(*(f"Najd,Ali Saad,0501234567,,{source}" for source in lines))
        assert outcomes(result) == ["blocked", "merged"]
        assert result.leads[0].fields.source == "opted_out"


def test_a_cold_mark_blocks() -> None:
    assert outcomes(plan("Najd,Ali Saad,0501234567" + "," * 10 + "yes")) == ["blocked"]


def test_a_row_both_blocked_and_doubtful_is_blocked_and_keeps_all_reasons() -> None:
    result = plan("Najd,Ali Saad,0501234567,,purchased,yes")
    assert outcomes(result) == ["blocked"]
    assert [said.code for said in result.decisions[0].reasons] == ["opted_out", "source_needs_review"]


# -- what the tenant has already ---------------------------------------------------------------------------------------


def stored(number: str = "1", **fields: object) -> ExistingRecord:
    account = {"name": "شركة نجد للتقنية", "domain": "najd.example"} | {
        k: v for k, v in fields.items() if k in ("name", "domain", "cr")
    }
    contact = {"full_name": "علي سعد", "phone_e164": "+966501234567", "email": "ali@najd.example"}
    contact |= {k: v for k, v in fields.items() if k in ("full_name", "phone_e164", "email", "opted_out", "consents")}
    return ExistingRecord(f"account-{number}", AccountFields(**account), f"contact-{number}", ContactFields(**contact))  # type: ignore[arg-type]  # only known fields


def test_a_row_that_means_a_stored_contact_merges_into_it() -> None:
    result = plan("Najd Technology,Ali Saad,0501234567,ali@najd.example", existing=(stored(),))
    assert outcomes(result) == ["merged"]
    assert (result.accounts[0].existing_id, result.contacts[0].existing_id) == ("account-1", "contact-1")
    assert result.accounts[0].fields.name == "شركة نجد للتقنية"


def test_a_stored_opt_out_survives_a_new_row_and_a_new_opt_out_reaches_the_stored_contact() -> None:
    kept = plan("Najd Technology,Ali Saad,0501234567", existing=(stored(opted_out=OptOut.YES),))
    assert kept.contacts[0].fields.opted_out is OptOut.YES
    learned = plan("Najd Technology,Ali Saad,0501234567,ali@najd.example,,yes", existing=(stored(),))
    assert learned.contacts[0].existing_id == "contact-1"
    assert learned.contacts[0].fields.opted_out is OptOut.YES


def test_a_number_that_a_stored_contact_opted_out_with_is_not_safe_for_a_new_one() -> None:
    result = plan("Blue Whale Foods,Huda Omar,0501234567", existing=(stored(opted_out=OptOut.YES),))
    assert outcomes(result) == ["needs_review"]
    assert [said.code for said in result.decisions[0].reasons] == ["shared_address_opted_out"]


def test_a_new_person_joins_the_stored_account() -> None:
    result = plan("Najd Technology,Sara Omar,0551234567,sara@najd.example", existing=(stored(),))
    assert outcomes(result) == ["created"]
    assert (result.accounts[0].existing_id, result.contacts[0].existing_id) == ("account-1", None)


def test_an_import_never_joins_two_stored_accounts() -> None:
    existing = (
        stored("1", cr="1010123456", domain="one.example"),
        stored("2", domain="najd.example", full_name="x", email=None, phone_e164=None),
    )
    result = plan("شركة نجد للتقنية,Huda Ali,0561234567,h@najd.example,,,1010123456", existing=existing)
    assert len({account.existing_id for account in result.accounts}) == len(result.accounts)
    assert {account.existing_id for account in result.accounts} <= {"account-1", "account-2"}


def test_a_likely_match_with_a_stored_record_waits_beside_it() -> None:
    result = plan("Najd Technology,Sara Omar,0551234567", existing=(stored(domain=None),))
    assert outcomes(result) == ["needs_review"]
    assert (result.reviews[0].other_id, result.reviews[0].other_row) == ("account-1", None)


# -- the whole ---------------------------------------------------------------------------------------------------------

COMPANIES = [
    "شركة نجد للتقنية",
    "Najd Technology",
    "Blue Whale Foods",
    "مؤسسة الجزيرة",
    "Aljazeera Est.",
    "Zad Contracting",
    "",
    "=1+1",
]
PEOPLE = ["علي سعد", "Ali Saad", "Sara Omar", "سارة عمر", ""]
PHONES = ["0501234567", "+966501234567", "0551234567", "0112345678", "12", ""]
EMAILS = ["ali@najd.example", "info@najd.example", "s@whale.example", "x@gmail.com", "bad", ""]
SOURCES = ["own_crm", "purchased", "scraped", "event", "", "suppression list"]
ANSWERS = ["", "no", "yes", "maybe"]
REGISTRATIONS = ["", "1010123456", "4030123456"]
CITIES = ["", "Riyadh", "جدة"]


def lists_of_leads(registrations: list[str], cities: list[str]) -> st.SearchStrategy[list[str]]:
    columns = (COMPANIES, PEOPLE, PHONES, EMAILS, SOURCES, ANSWERS, registrations, cities)
    return st.lists(st.tuples(*map(st.sampled_from, columns)).map(",".join), min_size=1, max_size=14)


LINES = lists_of_leads(REGISTRATIONS, CITIES)
# A row without address or number, under a name that two registrations or two cities share, may go to either of them.
TELLING_LINES = lists_of_leads(REGISTRATIONS[:2], CITIES[:2])


def test_a_stored_company_keeps_the_other_names_it_goes_by() -> None:
    known = ExistingRecord(
        "account-1",
        AccountFields("Najd Technology", cr="1010123456"),
        "contact-1",
        ContactFields("Ali Saad"),
        ("شركة نجد للتقنية",),
    )
    result = plan("Najd Tech Systems,Ali Saad,,,,,1010123456", existing=(known,))
    assert result.accounts[0].existing_id == "account-1"
    assert set(result.accounts[0].aliases) == {"شركة نجد للتقنية", "Najd Tech Systems"}


def as_existing(result: MergePlan) -> tuple[ExistingRecord, ...]:
    return tuple(
        ExistingRecord(
            f"a{contact.account}",
            result.accounts[contact.account].fields,
            f"c{contact.index}",
            contact.fields,
            result.accounts[contact.account].aliases,
        )
        for contact in result.contacts
    )


@settings(max_examples=120, deadline=None)
@given(LINES)
def test_every_row_has_exactly_one_outcome_and_the_counts_add_up(lines: list[str]) -> None:
    rows = read(*lines)
    result = plan_import(rows)
    counts = result.counts
    assert counts.rows == len(lines)
    assert counts.rows == counts.created + counts.merged + counts.needs_review + counts.blocked + counts.rejected
    numbers = Counter(
        [decision.row_number for decision in result.decisions] + [rejection.row_number for rejection in result.rejected]
    )
    assert numbers == Counter(range(2, len(lines) + 2))
    assert sorted(number for contact in result.contacts for number in contact.rows) == [
        d.row_number for d in result.decisions
    ]
    assert sorted(number for account in result.accounts for number in account.rows) == [
        d.row_number for d in result.decisions
    ]


@settings(max_examples=120, deadline=None)
@given(TELLING_LINES)
def test_importing_what_is_stored_already_creates_no_account_and_no_contact(lines: list[str]) -> None:
    rows = read(*lines)
    first = plan_import(rows)
    again = plan_import(rows, as_existing(first))
    assert all(account.existing_id for account in again.accounts)
    assert all(contact.existing_id for contact in again.contacts)
    assert again.counts.created == 0
    seen = plan_import(rows, as_existing(first), seen={row.fingerprint for row in rows.leads})
    assert (seen.accounts, seen.contacts, seen.leads, seen.decisions, seen.reviews) == ((), (), (), (), ())
    assert seen.counts.merged == seen.counts.unchanged == len(rows.leads)


@settings(max_examples=60, deadline=None)
@given(LINES)
def test_the_same_file_twice_in_one_file_adds_nobody(lines: list[str]) -> None:
    once, twice = plan_import(read(*lines)), plan_import(read(*lines, *lines))
    assert len(twice.accounts) == len(once.accounts)
    assert len(twice.contacts) == len(once.contacts)


@settings(max_examples=60, deadline=None)
@given(LINES)
def test_an_opt_out_in_any_row_of_a_contact_is_the_contact_s(lines: list[str]) -> None:
    rows = read(*lines)
    result = plan_import(rows)
    opted_out = {row.row_number for row in rows.leads if row.contact.opted_out is OptOut.YES}
    for contact, lead in zip(result.contacts, result.leads, strict=True):
        assert (contact.fields.opted_out is OptOut.YES) == bool(opted_out & set(contact.rows))
        assert lead.outcome is Outcome.BLOCKED or contact.fields.opted_out is not OptOut.YES


@settings(max_examples=60, deadline=None)
@given(LINES)
def test_no_account_holds_two_registration_numbers(lines: list[str]) -> None:
    rows = {row.row_number: row for row in read(*lines).leads}
    for account in plan_import(ReadRows(tuple(rows.values()), ())).accounts:
        assert len({rows[number].account.cr for number in account.rows} - {None}) <= 1
