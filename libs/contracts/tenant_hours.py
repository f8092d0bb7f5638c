"""When a tenant works: trust keeps the rules, execution waits by them."""

from __future__ import annotations

from datetime import date

from libs.contracts.message import Message, TenantId


class HoursRequest(Message):
    tenant_id: TenantId


class TenantHours(Message):
    """Opening hours as the tenant has set them. Minutes of a day count from midnight in Riyadh; `days` are 0 (Monday) to 6 (Sunday);
    `closed_on` stands beside the public holidays of Saudi Arabia."""

    opens_minute: int
    closes_minute: int
    days: tuple[int, ...]
    closed_on: tuple[date, ...] = ()
