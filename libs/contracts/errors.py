"""The exception tree. Every error that reaches a person carries both languages and an HTTP status.

DealixError
├── Invalid (422)     the request cannot be understood
├── NotFound (404)    no such thing for this tenant
├── Forbidden (403)   the principal lacks the role
├── Conflict (409)    the thing has changed, or is in another state
├── Busy (429)        backlog beyond the limit; try later
├── CallTimeout (504) no reply before the deadline
└── RemoteFault       what another plane answered, raised again at the caller
"""

from __future__ import annotations

from libs.contracts.message import Fault


class DealixError(Exception):
    """Base of all errors that Dealix raises on purpose."""

    status = 500
    retryable = False

    def __init__(self, code: str, en: str, ar: str) -> None:
        super().__init__(en)
        self.code = code
        self.en = en
        self.ar = ar

    def fault(self) -> Fault:
        """The error as it travels."""
        return Fault(code=self.code, message=self.en, message_ar=self.ar, status=self.status, retryable=self.retryable)


class Invalid(DealixError):
    status = 422


class NotFound(DealixError):
    status = 404

    def __init__(
        self, code: str = "not_found", en: str = "There is no such item.", ar: str = "لا يوجد عنصر بهذا المعرّف."
    ) -> None:
        super().__init__(code, en, ar)


class Forbidden(DealixError):
    status = 403

    def __init__(
        self,
        code: str = "forbidden",
        en: str = "Your role does not allow this.",
        ar: str = "دورك لا يسمح بهذا الإجراء.",
    ) -> None:
        super().__init__(code, en, ar)


class Conflict(DealixError):
    status = 409


class Busy(DealixError):
    status = 429
    retryable = True

    def __init__(
        self,
        en: str = "Too much work is waiting; try again shortly.",
        ar: str = "الأعمال المنتظرة كثيرة، حاول بعد قليل.",
    ) -> None:
        super().__init__("busy", en, ar)


class CallTimeout(DealixError):
    """No reply, a late reply or an unreadable reply. For trust this means deny."""

    status = 504
    retryable = True

    def __init__(self, subject: str) -> None:
        super().__init__("timeout", f"{subject} did not answer in time.", "لم يصل الرد في الوقت المحدد.")
        self.subject = subject


class RemoteFault(DealixError):
    """A fault that another plane answered with."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code, fault.message, fault.message_ar)
        self.status = fault.status
        self.retryable = fault.retryable
