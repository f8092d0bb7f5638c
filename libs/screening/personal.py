"""Numbers and addresses of people in a text: national ids, IBANs, payment cards, phones and mail addresses, by their check digits
where they have any."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_ID = re.compile(r"(?<![\w+])[12]\d{9}(?!\w)")
_IBAN = re.compile(r"\bSA\d{2}(?:\s?[0-9A-Z]{4}){5}\b", re.IGNORECASE)
_CARD = re.compile(r"(?<!\w)(?:\d[ -]?){13,19}(?!\w)")
_PHONE = re.compile(r"(?<!\w)(?:\+966|00966|966|0)[ -]?5\d(?:[ -]?\d){7}(?!\w)")
_ANY = re.compile(r"@|\d[ -]?\d")
"""What every one of them holds: a mail address has an @, the others digits beside each other. Most texts have neither."""
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")


def personal(text: str, own: Collection[str] = ()) -> Iterator[str]:
    """`personal` for each piece of personal data in a text that is not among `own`, the parties' identifiers as they write them."""
    if not _ANY.search(text):
        return
    if not text.isascii():
        text = text.translate(_DIGITS)
    mine = {key for one in own for key in (one.casefold(), _national(one))}
    if (
        any(_luhn(match) for match in _ID.findall(text))
        or any(_iban(match) for match in _IBAN.findall(text))
        or any(_card(match) for match in _CARD.findall(text))
        or any(_national(match) not in mine for match in _PHONE.findall(text))
        or any(match.rstrip(".").casefold() not in mine for match in _MAIL.findall(text))
    ):
        yield "personal"


def _national(phone: str) -> str:
    """The nine digits of a Saudi mobile number, however it is written."""
    return re.sub(r"\D", "", phone.translate(_DIGITS))[-9:]


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B; Saudi national and residence numbers use it too."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _card(match: str) -> bool:
    digits = re.sub(r"\D", "", match)
    return 13 <= len(digits) <= 19 and digits[0] in "3456" and _luhn(digits)


def _iban(match: str) -> bool:
    """ISO 13616: the number moved to the end and read as digits leaves 1 when divided by 97."""
    plain = re.sub(r"\s", "", match).upper()
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1
