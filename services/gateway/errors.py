"""What the gateway itself refuses, each with both languages.

Refusal
├── Unauthenticated (401)
│   ├── NotSignedIn · WrongCredentials · SecondFactorRequired · WrongCode · SessionEnded
│   ├── SsoRequired
│   └── UnknownKey · KeyExpired
├── SsoFailed (400) · SsoRefused (403)
├── LockedOut (429)
├── MissingRole · CsrfFailed · PasswordChangeRequired (403)
├── BadRequest (400) · BodyTooLarge (413) · BadCursor (422)
├── IdempotencyMismatch (422) · IdempotencyInProgress (409)
├── EditConflict (412) · EmailTaken · LastOwner (409)
└── Unavailable (503)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from libs.contracts.arabic import SECONDS
from libs.contracts.errors import DealixError


class Refusal(DealixError):
    """An error of the gateway: `headers` and `extra` (members of the problem document) travel with it."""

    def __init__(
        self,
        code: str,
        en: str,
        ar: str,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code, en, ar)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


class Unauthenticated(Refusal):
    status = 401

    def __init__(self, code: str, en: str, ar: str, **more: Any) -> None:
        super().__init__(code, en, ar, headers={"WWW-Authenticate": 'Bearer realm="dealix"'}, **more)


class NotSignedIn(Unauthenticated):
    def __init__(self) -> None:
        super().__init__(
            "not_signed_in",
            "Sign in, or send an API key as `Authorization: Bearer <key>`.",
            "سجّل الدخول أو أرسل مفتاح API في الترويسة Authorization.",
        )


class WrongCredentials(Unauthenticated):
    """The same words whether the address is unknown, the password is wrong or the account is closed."""

    def __init__(self) -> None:
        super().__init__(
            "wrong_credentials",
            "The e-mail address or password is wrong.",
            "البريد الإلكتروني أو كلمة المرور غير صحيحة.",
        )


_SSO_REFUSALS = {
    "no_email": (
        "Your organisation's sign-in sent no e-mail address; ask your administrator.",
        "لم ترسل جهتك بريدًا إلكترونيًا عند الدخول؛ راجع مسؤول النظام.",
    ),
    "unverified_email": (
        "Your organisation has not verified your e-mail address; ask your administrator.",
        "لم تؤكّد جهتك بريدك الإلكتروني؛ راجع مسؤول النظام.",
    ),
    "no_group": (
        "None of your groups has a role here; ask your administrator.",
        "لا توجد لمجموعاتك أي صلاحية هنا؛ راجع مسؤول النظام.",
    ),
    "other_account": (
        "This e-mail address has an account with a password here; sign in with the password.",
        "لهذا البريد حساب بكلمة مرور هنا؛ سجّل الدخول بكلمة المرور.",
    ),
    "disabled": (
        "This account is closed; ask your administrator.",
        "هذا الحساب مغلق؛ راجع مسؤول النظام.",
    ),
}


class SsoFailed(Refusal):
    """The way to the identity provider and back did not work, or was not this browser's; the log says why."""

    status = 400

    def __init__(self) -> None:
        super().__init__(
            "sso_failed",
            "Signing in with your organisation did not work; try again.",
            "تعذّر الدخول بحساب جهتك؛ أعد المحاولة.",
        )


class SsoRefused(Refusal):
    """The provider vouched for somebody who has no way in here. `why` is a key of the table above."""

    status = 403

    def __init__(self, why: str) -> None:
        en, ar = _SSO_REFUSALS[why]
        super().__init__(f"sso_{why}", en, ar)


class SsoRequired(Unauthenticated):
    """Passwords are for the break-glass owner only."""

    def __init__(self) -> None:
        super().__init__(
            "sso_required",
            "Sign in with your organisation; passwords are for emergencies.",
            "سجّل الدخول بحساب جهتك؛ كلمات المرور للطوارئ فقط.",
        )


class SecondFactorRequired(Unauthenticated):
    """The password was right; `challenge` and the six digits go to `/auth/login/code`, or the digits as `code` with the login."""

    def __init__(self, challenge: str) -> None:
        super().__init__(
            "second_factor_required",
            "Type the six digits that your authenticator app shows now.",
            "اكتب الأرقام الستة التي يعرضها تطبيق المصادقة الآن.",
            extra={"challenge": challenge},
        )


class WrongCode(Unauthenticated):
    def __init__(self) -> None:
        super().__init__(
            "wrong_code", "The six digits are wrong or were used already.", "الأرقام الستة غير صحيحة أو سبق استخدامها."
        )


class SessionEnded(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("session_ended", "Your session has ended; sign in again.", "انتهت جلستك؛ سجّل الدخول من جديد.")


class UnknownKey(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("unknown_key", "This API key is not valid.", "مفتاح API هذا غير صالح.")


class KeyExpired(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("key_expired", "This API key has expired.", "انتهت صلاحية مفتاح API هذا.")


class LockedOut(Refusal):
    status = 429
    retryable = True

    def __init__(self, wait: timedelta) -> None:
        seconds = max(1, math.ceil(wait.total_seconds()))
        super().__init__(
            "locked_out",
            f"Too many wrong attempts; try again in {seconds} seconds.",
            f"محاولات خاطئة كثيرة؛ حاول بعد {SECONDS(seconds)}.",
            headers={"Retry-After": str(seconds)},
            extra={"retry_after": seconds},
        )
        self.wait = wait


class MissingRole(Refusal):
    status = 403

    def __init__(self, capability: str, holders: tuple[str, ...]) -> None:
        names = ", ".join(holders)
        super().__init__(
            "forbidden",
            f"Your role does not allow this; it needs {capability}, which these roles have: {names}.",
            f"دورك لا يسمح بهذا؛ الصلاحية المطلوبة {capability} متاحة للأدوار: {names}.",
            extra={"capability": capability, "roles": list(holders)},
        )


class PasswordChangeRequired(Refusal):
    status = 403

    def __init__(self) -> None:
        super().__init__(
            "password_change_required",
            "Choose a password of your own first: POST /api/v1/me/password.",
            "اختر كلمة مرور خاصة بك أولًا: POST /api/v1/me/password.",
        )


class CsrfFailed(Refusal):
    status = 403

    def __init__(self) -> None:
        super().__init__(
            "csrf_failed",
            "This form is out of date or comes from another site; reload the page and try again.",
            "النموذج قديم أو مصدره موقع آخر؛ أعد تحميل الصفحة وحاول من جديد.",
        )


class BadRequest(Refusal):
    status = 400


class BodyTooLarge(Refusal):
    status = 413

    def __init__(self, limit: int) -> None:
        megabytes = limit // (1024 * 1024)
        super().__init__(
            "body_too_large",
            f"The request is larger than {megabytes} MB.",
            f"حجم الطلب أكبر من {megabytes} ميغابايت.",
        )


class Unprocessable(Refusal):
    status = 422


class BadCursor(Unprocessable):
    def __init__(self) -> None:
        super().__init__("bad_cursor", "The cursor is not one of ours.", "مؤشر الصفحة غير صالح.")


class IdempotencyMismatch(Unprocessable):
    """The key came with another body before (draft-ietf-httpapi-idempotency-key-header section 2.7)."""

    def __init__(self) -> None:
        super().__init__(
            "idempotency_mismatch",
            "This Idempotency-Key was used for another request.",
            "سبق استخدام Idempotency-Key هذا لطلب آخر.",
        )


class IdempotencyInProgress(Refusal):
    status = 409
    retryable = True

    def __init__(self) -> None:
        super().__init__(
            "idempotency_in_progress",
            "The first request with this Idempotency-Key is still being worked on.",
            "ما زال الطلب الأول بهذا المفتاح قيد التنفيذ.",
            headers={"Retry-After": "1"},
        )


class EditConflict(Refusal):
    status = 412

    def __init__(self) -> None:
        super().__init__(
            "edit_conflict", "It was changed meanwhile; load it again.", "تغيّر هذا العنصر في هذه الأثناء؛ أعد تحميله."
        )


class EmailTaken(Refusal):
    status = 409

    def __init__(self) -> None:
        super().__init__("email_taken", "This e-mail address has an account already.", "لهذا البريد حساب مسجّل.")


class LastOwner(Refusal):
    status = 409

    def __init__(self) -> None:
        super().__init__("last_owner", "The last owner cannot be taken away.", "لا يمكن الاستغناء عن آخر مالك.")


class Unavailable(Refusal):
    status = 503
    retryable = True

    def __init__(
        self,
        code: str = "unavailable",
        en: str = "This can't be answered just now; try again.",
        ar: str = "تعذّر الرد الآن؛ حاول بعد قليل.",
    ) -> None:
        super().__init__(code, en, ar, headers={"Retry-After": "2"})
