"""What execution refuses."""

from __future__ import annotations

from uuid import UUID

from libs.contracts.errors import Conflict, DealixError


class NotAdmitted(Exception):
    """A grant did not pass the gate; the message names the check. Nothing was sent."""


class GrantExpired(NotAdmitted):
    """The grant was real, and its time is over: nothing was sent, and trust is asked again."""

    def __init__(self, grant_id: UUID) -> None:
        super().__init__("expiry does not fit the grant")
        self.grant_id = grant_id


class NotCancellable(Conflict):
    def __init__(self, state: str) -> None:
        super().__init__(
            "not_cancellable",
            f"An action that is {state} can't be cancelled.",
            "لا يمكن إلغاء هذا الإجراء في حالته الحالية.",
        )


class ConnectorError(DealixError):
    """A vendor or the way to it failed. `sent` says what is known of the effect: False, or None when it is not known."""

    status = 502
    sent: bool | None = False


class VendorRejected(ConnectorError):
    """The vendor said no; trying again would not help."""


class VendorUnavailable(ConnectorError):
    """Nothing was sent; it may be tried again, after `retry_after` seconds where the vendor said so."""

    retryable = True

    def __init__(self, code: str, en: str, ar: str, *, retry_after: float | None = None) -> None:
        super().__init__(code, en, ar)
        self.retry_after = retry_after


class OutcomeUnknown(ConnectorError):
    """The request left, and no answer came back: it may have had its effect."""

    sent = None
