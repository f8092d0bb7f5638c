"""The inbox as a list: the soonest due first, tickets only near their clock, pages that neither repeat nor skip."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.business_time import STANDARD, Hours
from libs.contracts.catalogue.inbox import Inbox, inbox
from libs.contracts.catalogue.roles import roles
from libs.contracts.errors import NotFound
from libs.contracts.inbox import InboxItem, InboxKind, InboxRow, WaitingVote
from libs.contracts.message import Principal
from services.decision.inbox.desk import _names
from services.decision.inbox.domain.listing import of_rows, of_votes, page

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)  # a Sunday, noon in Riyadh


def row(kind: InboxKind, number: int, **fields: Any) -> InboxRow:
    values: dict[str, Any] = {"title": "عنوان", "since": NOW - timedelta(hours=1), **fields}
    return InboxRow(kind=kind, id=UUID(int=number), **values)


def listed(*rows: InboxRow, hours: Any = STANDARD) -> list[InboxItem]:
    return of_rows(rows, inbox(), NOW, hours)


def test_an_answer_is_due_after_hours_of_work_from_the_first_message() -> None:
    (asked,) = listed(row(InboxKind.MESSAGE, 1, since=datetime(2026, 11, 19, 13, tzinfo=UTC)))
    # One hour of Thursday is left, Friday and Saturday are closed: seven hours of Sunday.
    assert asked.due_at == datetime(2026, 11, 22, 13, tzinfo=UTC) and not asked.late


def test_a_ticket_is_listed_when_its_clock_is_near_and_late_when_it_has_run_out() -> None:
    calm = row(InboxKind.TICKET, 1, priority="P3")
    near = row(InboxKind.TICKET, 2, priority="P1")
    late = row(InboxKind.TICKET, 3, priority="P0", since=NOW - timedelta(hours=2, minutes=59))
    found = {one.id.int: one for one in listed(calm, near, late)}
    assert set(found) == {2, 3}
    assert not found[2].late and found[3].late
    answered = listed(row(InboxKind.TICKET, 4, priority="P1", answered=True))
    assert answered == []
    always = Hours(opens_minute=0, closes_minute=1440, days=tuple(range(7)))
    assert [one.id.int for one in listed(row(InboxKind.TICKET, 5, priority="P0"), hours=always)] == [5]


def test_a_strangers_text_is_cut_and_its_invisible_marks_are_taken_out() -> None:
    (shown,) = listed(row(InboxKind.MESSAGE, 1, text="سعر\u202e\u200b" + "أ" * 900))
    assert "\u202e" not in shown.text and len(shown.text) <= 240


def test_pages_hold_everything_once_in_order_even_where_times_are_equal() -> None:
    rows = [row(InboxKind.TASK, n, due_at=NOW + timedelta(minutes=n // 3)) for n in range(1, 20)]
    items, seen, cursor = listed(*rows), [], None
    while True:
        shown, cursor = page(items, cursor, 4)
        seen += [one.id.int for one in shown]
        if cursor is None:
            break
    assert seen == list(range(1, 20))


@pytest.mark.parametrize("cursor", ["x", "2026-11-22|no", "2026-11-22T09:00:00|" + str(UUID(int=1)), "|", "٢"])
def test_a_cursor_that_is_not_ours_is_refused_in_both_languages(cursor: str) -> None:
    with pytest.raises(NotFound) as raised:
        page([], cursor, 10)
    assert raised.value.code == "bad_cursor" and raised.value.ar


def test_a_request_for_approval_is_named_by_what_would_happen() -> None:
    vote = WaitingVote(
        approval_id=UUID(int=1), action_type="send_email", role="sales_manager", risk="medium", target="شركة نجد", value_sar=None,
        requested_at=NOW, due_at=NOW - timedelta(minutes=1),
    )  # fmt: skip
    (shown,) = of_votes([vote], NOW)
    assert shown.what is not None and shown.what.ar and shown.late and shown.title == "شركة نجد"


def person(role: str | None, *system: str) -> Principal:
    return Principal(
        id="user:1", kind="user", tenant_id=UUID(int=2), roles=system or ("member",), business_role=role, name=" Nora "
    )


def test_each_role_sees_the_unassigned_rows_that_concern_it() -> None:
    rules = inbox()
    assert rules.unassigned(person("support")) == {InboxKind.MESSAGE, InboxKind.TASK, InboxKind.TICKET}
    assert InboxKind.TICKET not in rules.unassigned(person("sales_manager"))
    assert InboxKind.MESSAGE not in rules.unassigned(person("ceo"))
    assert rules.unassigned(person("ceo", "owner")) == set(InboxKind)
    for role in roles().business_roles:
        assert rules.unassigned(person(role)), role


def test_a_person_is_known_by_id_name_address_and_role() -> None:
    assert _names(person("support"), ("Nora@Example.com",)) == ("user:1", "1", "nora", "support", "nora@example.com")


def test_a_catalogue_that_leaves_a_kind_out_or_names_a_role_that_is_not_there_is_refused() -> None:
    whole = inbox().model_dump()
    fewer = {**whole, "kinds": {key: value for key, value in whole["kinds"].items() if key is not InboxKind.TASK}}
    with pytest.raises(ValueError, match="described once"):
        Inbox.model_validate(fewer)
    with pytest.raises(ValueError, match="a role that there is not"):
        Inbox.model_validate({**whole, "every_kind": ("king",)})
