"""An account that is known by a name alone is found as an import finds it."""

import pytest

from services.data.importing.domain.clusters import KnownAccount
from services.data.importing.domain.matching import account_view
from services.data.importing.domain.records import AccountFields, ExistingRecord
from services.data.matching.named import choose

FIRST, SECOND = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"


def stored(id: str, name: str) -> KnownAccount:
    return KnownAccount((ExistingRecord(id, AccountFields(name=name)),))


@pytest.mark.parametrize("spelled", ["شركة الواحة للتقنية", "الواحه للتقنية", "شركة الواحة للتقنية المحدودة"])
def test_a_name_in_another_spelling_means_the_account_that_is_there(spelled: str) -> None:
    found = choose(account_view(AccountFields(name=spelled)), [stored(FIRST, "شركة الواحة للتقنية")])
    assert str(found.sure) == FIRST and found.likely == ()


def test_of_two_namesakes_the_oldest_is_meant() -> None:
    known = [stored(SECOND, "شركة الواحة للتقنية"), stored(FIRST, "شركة الواحة للتقنية")]
    assert str(choose(account_view(AccountFields(name="الواحة للتقنية")), known).sure) == FIRST


def test_a_name_that_says_little_joins_nothing_and_waits_for_a_person() -> None:
    found = choose(account_view(AccountFields(name="Trading Company")), [stored(FIRST, "Trading Company")])
    assert found.sure is None and [str(one.account_id) for one in found.likely] == [FIRST]


def test_another_company_is_neither() -> None:
    found = choose(account_view(AccountFields(name="مؤسسة النخيل")), [stored(FIRST, "شركة الواحة للتقنية")])
    assert found == (None, ())
