"""What the vendor's own deliveries say of our templates and number reaches trust, and only when the vendor signed it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from libs.contracts.message import Plane
from libs.contracts.observed import NumberSeen, TemplateSeen
from libs.contracts.subjects import OBSERVED
from services.gateway.webhooks.news import UNLIMITED, told
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_webhooks import ACCOUNT, bind, deliver, signed

TEMPLATE = {
    "event": "APPROVED",
    "message_template_id": 7,
    "message_template_name": "hello",
    "message_template_language": "ar",
}


def delivery(field: str, value: Any) -> dict[str, Any]:
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": field, "value": value}]}],
    }


def of_template(**changes: Any) -> dict[str, Any]:
    return delivery("message_template_status_update", {**TEMPLATE, **changes})


def of_number(**value: Any) -> dict[str, Any]:
    return delivery("phone_number_quality_update", {"display_phone_number": "15550783881", **value})


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("APPROVED", "APPROVED"),
        ("PAUSED", "PAUSED"),
        ("REJECTED", "REJECTED"),
        ("PENDING_DELETION", "DISABLED"),
        ("IN_APPEAL", "PENDING"),
    ],
)
def test_a_template_is_what_its_last_event_says(event: str, status: str) -> None:
    seen = TemplateSeen(subject="hello/ar", name="hello", language="ar", status=status)
    assert told(of_template(event=event), ACCOUNT) == [seen]


@pytest.mark.parametrize(
    "document",
    [
        of_template(event="FLAGGED"), of_template(event=None), of_template(message_template_name=7), of_template(message_template_name="A B"),
        of_template(message_template_language="../x"), delivery("message_template_status_update", "x"), delivery("security", TEMPLATE),
        of_number(event="ONBOARDING", current_limit="TIER_NOT_SET"), of_number(current_limit="TIER_9999999999"), [], 7, None, {"entry": 7},
    ],
)  # fmt: skip
def test_what_says_nothing_clear_is_left_out(document: Any) -> None:
    assert told(document, ACCOUNT) == []


@pytest.mark.parametrize(
    ("value", "limit"),
    [
        ({"current_limit": "TIER_250"}, 250),
        ({"current_limit": "TIER_2K"}, 2000),
        ({"max_daily_conversations_per_business": "TIER_10K", "current_limit": "TIER_250"}, 10_000),
        ({"current_limit": "TIER_UNLIMITED"}, UNLIMITED),
    ],
)
def test_a_limit_is_read_from_its_tier(value: dict[str, str], limit: int) -> None:
    assert told(of_number(**value), ACCOUNT) == [
        NumberSeen(subject=f"{ACCOUNT}/limit", number=ACCOUNT, limit_per_day=limit)
    ]


def test_a_flagged_number_is_of_low_quality() -> None:
    low, limit = told(of_number(event="FLAGGED", current_limit="TIER_1K"), ACCOUNT)
    assert isinstance(low, NumberSeen) and isinstance(limit, NumberSeen)
    assert (low.quality, limit.limit_per_day) == ("RED", 1000)


async def test_news_of_a_vendor_goes_to_trust_and_a_forged_one_nowhere(site: Site) -> None:
    path = await bind(site)
    body = json.dumps(of_template()).encode()
    assert (await deliver(site, path, body, signed(body, "another-secret-of-nobody"))).status_code == 403
    assert reports(site) == []
    assert (await deliver(site, path, body)).json() == {"taken": []}
    (report,) = reports(site)
    assert [one["subject"] for one in report["facts"]] == ["hello/ar"]


def reports(site: Site) -> list[Any]:
    told_ = [one for one in site.planes.hub.published if one.event is OBSERVED[Plane.GATEWAY]]
    return [json.loads(one.body) for one in told_]
