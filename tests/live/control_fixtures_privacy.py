"""Rows for the controls of `checks_privacy.yaml`, as `control_fixtures` writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.live.control_fixtures import (
    ACTIVITY,
    BREACH,
    NOON,
    PROCESSOR,
    TRANSFER,
    Write,
    consents,
    contacts,
    entries,
    message,
    nothing,
    requests,
)

P = "processing-activities"
_ON_TIME = {"authority_notified_at": "2026-01-02T00:00:00+03:00", "report_ref": "R-1"}
_YEARS_AGO, _RECENT = (datetime.now(UTC) - timedelta(days=900)).date(), (datetime.now(UTC) - timedelta(days=9)).date()
_TODAY = datetime.now(UTC).date().isoformat()
_DPIA = ("dpias", {"subject": "Outreach", "risk": "low", "measures": "m", "assessed_on": _TODAY})
_NIGHT = NOON + timedelta(hours=12)
_NOW_BREACH = {**BREACH, "aware_at": datetime.now(UTC).isoformat()}

# control: (rows with which it holds, rows with which it fails, rows with which it can't be told). None: something that it needs has no
# record yet, so that nothing makes it pass.
PRIVACY: dict[str, tuple[Write | None, Write, Write]] = {
    "PDPL-06": (contacts({}, activity=ACTIVITY), contacts({}), nothing()),
    "PDPL-IR11": (None, consents(purpose="marketing,profiling"), consents()),
    "PDPL-IR12": (None, message(withdrawn=True), message()),
    "PDPL-25": (message(), message(sender_identity=False), nothing()),
    "PDPL-26": (message(), message(consented=False), entries(effect="send_email")),
    "PDPL-10": (contacts({}), contacts({"source": "scraped"}), contacts({"collected_directly": False})),
    "PDPL-IR3": (requests(days_ago=3, done=True), requests(days_ago=40, done=False), nothing()),
    "PDPL-18": (
        contacts({"obtained_at": _RECENT}, rule={"keep_days": 365}), contacts({"obtained_at": _YEARS_AGO}, rule={"keep_days": 365}), contacts({}),
    ),
    "PDPL-20-1": (entries(("incidents", {**BREACH, **_ON_TIME})), entries(("incidents", BREACH)), nothing()),
    "PDPL-20-2": (
        entries(("incidents", {**BREACH, "no_harm_reason": "it was encrypted"})), entries(("incidents", BREACH)), entries(("incidents", _NOW_BREACH)),
    ),
    "PDPL-22": (entries((P, ACTIVITY), _DPIA), entries((P, ACTIVITY)), nothing()),
    "PDPL-IR16": (
        entries((P, ACTIVITY)), entries((P, {**ACTIVITY, "legal_basis": "legitimate_interest", "purpose": "Marketing"})),
        entries((P, {**ACTIVITY, "legal_basis": "legitimate_interest"})),
    ),
    "PDPL-08": (
        entries(("processors", PROCESSOR), effect="send_email"),
        entries(("processors", {**PROCESSOR, "agreement_expires_on": "2026-01-01"}), effect="send_email"), nothing(),
    ),
    "PDPL-29": (
        entries(("processors", {**PROCESSOR, "country": "DE"}), ("transfers", {**TRANSFER, "risk_assessment_ref": "RA-1"}), effect="send_email"),
        entries(("processors", {**PROCESSOR, "country": "DE"}), ("transfers", TRANSFER), effect="send_email"), entries(effect="send_email"),
    ),
    "PDPL-31": (entries((P, ACTIVITY), effect="send_email"), entries((P, {**ACTIVITY, "recipients": ["x"]}), effect="send_email"), nothing()),
    "SDAIA-AI-3": (message(), message(approved=False), nothing()),
    "SDAIA-AI-7": (None, message(same=False), message()),
    "CST-469-1": (message(), message(at=_NIGHT), nothing()),
    "LI-8-2": (contacts({}), contacts({"source": "scraped"}), nothing()),
}  # fmt: skip
