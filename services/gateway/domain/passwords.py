"""What a password must be (NIST SP 800-63B section 5.1.1.2: length and a blocklist, no composition rules)."""

from __future__ import annotations

import secrets

from libs.contracts.message import Text

SHORTEST = 12
LONGEST = 256

_COMMON = frozenset(
    {
        "password1234",
        "123456789012",
        "qwertyuiop12",
        "administrator",
        "letmein12345",
        "welcome12345",
        "changeme1234",
        "iloveyou1234",
    }
)

TOO_SHORT = Text(en=f"A password has at least {SHORTEST} characters.", ar=f"كلمة المرور {SHORTEST} حرفًا على الأقل.")
TOO_LONG = Text(en=f"A password has at most {LONGEST} characters.", ar=f"كلمة المرور {LONGEST} حرفًا على الأكثر.")
TOO_COMMON = Text(en="This password is easy to guess; choose another.", ar="كلمة المرور هذه سهلة التخمين؛ اختر غيرها.")
NAMES_YOU = Text(
    en="A password must not contain your e-mail address or the product's name.",
    ar="يجب ألا تحتوي كلمة المرور على بريدك أو اسم المنتج.",
)


def objection(password: str, email: str) -> Text | None:
    """Why a password is refused; None when it is not."""
    lowered = password.casefold()
    if len(password) < SHORTEST:
        return TOO_SHORT
    if len(password) > LONGEST:
        return TOO_LONG
    if lowered in _COMMON or len(set(lowered)) < 4:
        return TOO_COMMON
    local = email.partition("@")[0].casefold()
    if "dealix" in lowered or (len(local) >= 4 and local in lowered):
        return NAMES_YOU
    return None


def generate() -> str:
    """A first password: 96 bits, in groups that can be read out."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


def normal_email(text: str) -> str:
    """An address as it is compared: without case and surrounding space."""
    return text.strip().casefold()
