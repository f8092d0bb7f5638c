"""Messages of a sequence as a form states them, and exactly as they would be sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from libs.contracts.data import TenantProfile

MOST: Final = 6
"""Messages of one sequence; a flow of more is refused."""
LONGEST: Final = {"email": 8000, "whatsapp": 1024}
"""Characters of a body, with the line that says how to stop them (WhatsApp's own limit of a text)."""
TEMPLATE: Final = "dealix_outreach"
_ARABIC: Final = re.compile(r"[\u0600-\u06ff]")
_WAY_OUT: Final = re.compile(r"إيقاف|إلغاء الاشتراك|unsubscribe|\bSTOP\b", re.IGNORECASE)
_LINES: Final = {
    ("email", "ar"): "إن كنتم لا ترغبون في استلام رسائلنا، يمكنكم إلغاء الاشتراك من هنا: {link}",
    ("email", "en"): "If you'd rather not hear from us, you can unsubscribe here: {link}",
    ("whatsapp", "ar"): "لإيقاف رسائلنا أرسلوا: إيقاف",
    ("whatsapp", "en"): "Reply STOP to stop our messages.",
}


@dataclass(frozen=True)
class Typed:
    """One message as a person typed it. `number` is its place in the form, from 1."""

    number: int
    channel: str = "email"
    subject: str = ""
    body: str = ""
    hours: str = "16"

    @property
    def empty(self) -> bool:
        return not self.subject.strip() and not self.body.strip()


@dataclass(frozen=True)
class Addressed:
    """Who is written to, and what they are called."""

    email: str
    phone: str
    account: str


def typed(form: Mapping[str, Any], count: int) -> tuple[Typed, ...]:
    """The messages of a form, the empty ones too."""

    def text(name: str) -> str:
        return str(form.get(name, "")).replace("\r\n", "\n").strip()

    return tuple(
        Typed(at, text(f"channel_{at}") or "email", text(f"subject_{at}"), text(f"body_{at}"), text(f"hours_{at}"))
        for at in range(1, count + 1)
    )


def language(text: str) -> str:
    return "ar" if _ARABIC.search(text) else "en"


def rendered(one: Typed, to: Addressed, profile: TenantProfile, link: str) -> dict[str, Any]:
    """A message complete: a text that does not say how to stop messages ends with the line that does."""
    said = language(one.body)
    body = one.body
    if not _WAY_OUT.search(body):
        body = f"{body}\n\n{_LINES[one.channel, said].format(link=link)}"
    common = {"body": body, "from_name": profile.sender_name, "language": said, "account_name": to.account}
    if one.channel == "email":
        return {
            **common, "to": to.email, "subject": one.subject, "from_email": profile.sender_email, "opt_out_url": link,
        }  # fmt: skip
    return {**common, "to": to.phone, "template": TEMPLATE}


def wrong(one: Typed, to: Addressed) -> tuple[str, str] | None:
    """What a person has to mend in a message, in Arabic and in English; None where it can be sent as it is."""
    n = one.number
    if one.channel not in LONGEST:
        return f"الرسالة {n}: اختر القناة.", f"Message {n}: choose the channel."
    if not one.body:
        return f"الرسالة {n}: اكتب النص.", f"Message {n}: write the text."
    if one.channel == "email" and not one.subject:
        return f"الرسالة {n}: اكتب العنوان.", f"Message {n}: write the subject."
    if not one.hours.isascii() or not one.hours.isdigit() or int(one.hours) > 400:
        return f"الرسالة {n}: ساعات الانتظار من 0 إلى 400.", f"Message {n}: the wait is 0 to 400 hours."
    if one.channel == "email" and not to.email:
        return f"الرسالة {n}: لا بريد مسجّل لهذا الشخص.", f"Message {n}: no e-mail address is on record."
    if one.channel == "whatsapp" and not to.phone:
        return f"الرسالة {n}: لا رقم مسجّل لهذا الشخص.", f"Message {n}: no phone number is on record."
    if len(one.body) > LONGEST[one.channel] - 120:
        return f"الرسالة {n}: اختصر النص.", f"Message {n}: make the text shorter."
    return None
