"""`dealix flags` against a hand-written gateway."""

from __future__ import annotations

from tests.unit.dev.fake_gateway import FakeGateway

FLAG = {
    "name": "whatsapp_brief", "kind": "setting", "value": False, "source": "tenant", "split": True, "default": True, "locked": False,
    "owner": "admin", "en": "Offer the daily brief", "ar": "إتاحة الموجز", "platform": None,
    "tenant": {"value": False, "share": 25, "starts_at": None, "expires_at": "2027-01-01T00:00:00Z", "changed_by": "user:1", "state": "counts"},
}  # fmt: skip


def gateway() -> FakeGateway:
    return FakeGateway(
        {"GET /flags": {"items": [FLAG], "next_cursor": None}, "PUT /flags/whatsapp_brief": FLAG, "DELETE /flags/whatsapp_brief": FLAG}
    )  # fmt: skip


def test_flags_are_listed_with_whose_word_it_is_and_for_how_many() -> None:
    english = gateway().types("flags", "list", "--lang", "en").stdout
    assert all(
        word in english for word in ("whatsapp_brief", "Offer the daily brief", "no", "yours", "25", "2027-01-01")
    )
    arabic = gateway().types("flags", "list", "--lang", "ar").stdout
    assert all(word in arabic for word in ("إتاحة الموجز", "منشأتكم"))


def test_a_flag_is_set_and_taken_back() -> None:
    at = gateway()
    assert at.types("flags", "set", "whatsapp_brief", "--off", "--share", "25").exit_code == 0
    assert at.bodies("PUT", "/flags/whatsapp_brief") == [
        {"value": False, "share": 25, "starts_at": None, "expires_at": None}
    ]
    assert at.types("flags", "drop", "whatsapp_brief").exit_code == 0


def test_a_share_beyond_a_hundred_is_refused_before_anybody_is_asked() -> None:
    at = gateway()
    assert at.types("flags", "set", "whatsapp_brief", "--off", "--share", "101").exit_code != 0
    assert at.bodies("PUT", "/flags/whatsapp_brief") == []
