"""An import remembers what it wrote as it will stand: later rows are matched against that without reading it back."""

from datetime import date
from uuid import UUID

import pytest

from libs.contracts.message import new_id
from services.data.importing.domain.clusters import Filed
from services.data.importing.domain.detect import read_file
from services.data.importing.domain.keys import keys_of
from services.data.importing.domain.plan import plan_import
from services.data.importing.domain.records import (
    AccountFields,
    ContactFields,
    ExistingRecord,
    MergePlan,
    OptOut,
    ReadRows,
)
from services.data.importing.domain.rows import read_rows
from services.data.matching import remembered as remembered_module
from services.data.matching.remembered import Remembered

HEADER = "company,name,mobile,email\n"


def read(*lines: str) -> ReadRows:
    return read_rows(read_file((HEADER + "\n".join(lines)).encode()), source="own_crm", today=date(2026, 11, 21))


class Import:
    """Chunks planned one after the other against what is remembered."""

    def __init__(self) -> None:
        self.remembered = Remembered()
        self.met: list[UUID] = []
        self.contacts: list[UUID] = []
        self.filing: dict[UUID, list[int]] = {}

    def chunk(self, *lines: str) -> MergePlan:
        rows = read(*lines)
        filed = {row.row_number: Filed.of(row) for row in rows.leads}
        plan = plan_import(rows, (), (), filed, self.remembered.known(self.met))
        accounts = [UUID(one.existing_id) if one.existing_id else new_id() for one in plan.accounts]
        self.contacts = [UUID(one.existing_id) if one.existing_id else new_id() for one in plan.contacts]
        self.filing = dict(self.remembered.planned(plan, accounts, self.contacts, filed))
        self.met = sorted({*self.met, *accounts})
        return plan


def test_a_later_row_meets_what_an_earlier_chunk_made() -> None:
    carried = Import()
    carried.chunk("Najd Technology,Ali Saad,0501234567,ali@najd.example")
    later = carried.chunk("شركة نجد للتقنية,علي سعد,0501234567,ali@najd.example")
    assert (later.accounts[0].existing_id, later.counts.merged) == (str(carried.met[0]), 1)


def test_a_merged_account_is_remembered_with_all_its_names_and_people() -> None:
    carried = Import()
    carried.chunk("Najd Technology,Ali Saad,0501234567,ali@najd.example")
    carried.chunk("شركة نجد للتقنية,Sara Omar,0551234567,sara@najd.example")
    (account,) = carried.remembered.known(carried.met)
    assert {one.full_name for one in account.contacts} == {"Ali Saad", "Sara Omar"}
    assert "شركة نجد للتقنية" in {account.records[0].account.name_ar, *account.records[0].account_aliases}
    third = carried.chunk(
        "Najd Technology,Ali Saad,0501234567,ali@najd.example,", "شركة نجد للتقنية,Huda,,h@najd.example"
    )
    assert {one.existing_id for one in third.accounts} == {str(carried.met[0])}
    assert third.contacts[0].existing_id is not None


def test_an_account_is_filed_under_every_key_that_it_could_be_found_by_and_under_none_twice() -> None:
    carried = Import()
    carried.chunk("Najd Technology,Ali Saad,0501234567,ali@najd.example")
    first = set(carried.filing[carried.met[0]])
    carried.chunk("شركة نجد للتقنية,Sara Omar,0551234567,sara@najd.example")
    second = carried.filing[carried.met[0]]
    assert second and first.isdisjoint(second)
    (account,) = carried.remembered.known(carried.met)
    stored = account.records[0]
    wanted = set(keys_of(stored.account, account.contacts, stored.account_aliases))
    assert wanted <= first | set(second)
    assert carried.chunk("Najd Technology,Ali Saad,0501234567,ali@najd.example").counts.merged == 1
    assert carried.filing == {carried.met[0]: []}


def test_what_is_not_remembered_is_read_where_it_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    carried, stored = Import(), UUID(int=5)
    assert carried.remembered.missing([stored]) == ([], [stored])
    carried.remembered.read(
        [stored, UUID(int=6)],
        [ExistingRecord(str(stored), AccountFields("Najd Technology"), str(UUID(int=7)), ContactFields("Ali Saad"))],
    )
    assert carried.remembered.missing([stored, UUID(int=6)]) == ([], [])
    assert [one.records[0].account_id for one in carried.remembered.known([stored, UUID(int=6)])] == [str(stored)]
    carried.met = [stored]
    carried.chunk("Najd Technology,Ali Saad,0501234567,ali@najd.example", "Blue Whale Foods,Huda Omar,0551234567")
    monkeypatch.setattr(remembered_module, "MOST", 0)
    carried.remembered.forget()
    # Both were written by this import, in a transaction that is still open: one made, one changed.
    assert carried.remembered.missing([*carried.met, UUID(int=6)]) == (carried.met, [UUID(int=6)])


def test_an_opt_out_of_an_earlier_chunk_is_not_safe_in_a_later_one() -> None:
    carried = Import()
    carried.remembered.read(
        [UUID(int=5)],
        [
            ExistingRecord(
                str(UUID(int=5)), AccountFields("Najd Technology"), str(UUID(int=7)),
                ContactFields("Ali Saad", phone_e164="+966501234567", opted_out=OptOut.YES),
            )
        ],
    )  # fmt: skip
    carried.met = [UUID(int=5)]
    later = carried.chunk("Blue Whale Foods,Huda Omar,0501234567")
    assert later.counts.created == 0
