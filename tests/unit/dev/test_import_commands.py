"""`dealix rows` against a hand-written gateway."""

from tests.unit.dev.fake_gateway import FakeGateway

ROW = {
    "row_number": 7, "outcome": "needs_review", "company": "Ofoq", "person": "", "account_id": None, "contact_id": None,
    "left_out": [{"field": "phone", "code": "invalid_phone", "en": "Not a phone.", "ar": "ليس رقم هاتف."}],
    "reasons": [{"field": "", "code": "no_identifier", "en": "No number.", "ar": "لا رقم."}],
}  # fmt: skip


def test_rows_are_listed_with_what_is_said_of_them_in_the_readers_language() -> None:
    gateway = FakeGateway({"GET /targeting/imports/i1/rows": {"items": [ROW], "next_cursor": None}})
    english = gateway.types("rows", "i1", "--outcome", "needs_review").stdout
    assert "Ofoq" in english and "Not a phone." in english and "No number." in english
    assert gateway.asked[-1].url.params["outcome"] == "needs_review"
    arabic = gateway.types("rows", "i1", "--lang", "ar").stdout
    assert "ليس رقم هاتف." in arabic and "Not a phone." not in arabic


def test_an_import_of_which_there_is_nothing_to_say_says_so() -> None:
    gateway = FakeGateway({"GET /targeting/imports/i1/rows": {"items": [], "next_cursor": None}})
    assert "Every row was taken in as it stands." in gateway.types("rows", "i1").stdout
