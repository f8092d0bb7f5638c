"""The second factor: time-based one-time passwords (RFC 6238), each usable once."""

from __future__ import annotations

from datetime import datetime

import pyotp
import pyotp.utils

ISSUER = "Dealix"
STEP_SECONDS = 30
DRIFT_STEPS = 1


def new_secret() -> str:
    return pyotp.random_base32()


def uri(secret: str, email: str) -> str:
    """What the authenticator app scans."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def matching_step(secret: str, code: str, now: datetime, last: int) -> int | None:
    """The time step that a code belongs to; None when it fits none, or one that was used (RFC 6238 section 5.2)."""
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        return None
    step = int(now.timestamp()) // STEP_SECONDS
    generator = pyotp.TOTP(secret)
    for candidate in range(step - DRIFT_STEPS, step + DRIFT_STEPS + 1):
        if candidate > last and pyotp.utils.strings_equal(code, generator.generate_otp(candidate)):
            return candidate
    return None
