"""What a field may hold: every value checked and normalised by its type, all that is wrong said at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.records import FieldType, RecordField
from services.data.importing.domain import values
from services.data.importing.domain.text import clean

Wrong = tuple[str, str, str]
"""Field, what is wrong with it in English, and in Arabic."""
HIGHEST_AMOUNT = Decimal("9999999999.99")


class Unfit(Exception):
    """A value that its field cannot hold."""

    def __init__(self, en: str, ar: str) -> None:
        super().__init__(en)
        self.en, self.ar = en, ar


def check(
    fields: Mapping[str, RecordField], given: Mapping[str, Any], *, whole: bool
) -> tuple[dict[str, Any], list[Wrong]]:
    """Normalised values by field, and all that is wrong. `whole` also asks for the required ones.

    Dates, moments, decimals and ids come back as Python values; a field that is emptied comes back as None.
    """
    out: dict[str, Any] = {}
    wrong: list[Wrong] = []
    for name, value in given.items():
        field = fields.get(name)
        if field is None:
            wrong.append((name, "There is no such field.", "لا يوجد حقل بهذا الاسم."))
            continue
        if field.fixed:
            wrong.append((name, "It cannot be set directly.", "لا يُعدّل هذا الحقل مباشرة."))
            continue
        try:
            out[name] = _read(field, value)
        except Unfit as unfit:
            wrong.append((name, unfit.en, unfit.ar))
            continue
        if field.required and out[name] is None:
            wrong.append((name, "It is required.", "هذا الحقل مطلوب."))
    if whole:
        missing = [name for name, field in fields.items() if field.required and name not in given]
        wrong += [(name, "It is required.", "هذا الحقل مطلوب.") for name in missing]
    return out, wrong


def _read(field: RecordField, value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if field.type is FieldType.INTEGER:
        return _integer(field, value)
    if not isinstance(value, str | int | float | Decimal | UUID) or isinstance(value, bool):
        raise Unfit("It is not a plain value.", "القيمة غير صالحة.")
    return _READERS[field.type](field, str(value))


def _integer(field: RecordField, value: Any) -> int:
    try:
        number = int(str(value))
    except ValueError as error:
        raise Unfit("It is not a whole number.", "القيمة ليست عددًا صحيحًا.") from error
    if isinstance(value, bool) or not field.least <= number <= field.most:
        raise Unfit(f"It is from {field.least} to {field.most}.", f"القيمة من {field.least} إلى {field.most}.")
    return number


def _text(field: RecordField, value: str) -> str:
    if len(value) > field.max:
        raise Unfit(f"It is at most {field.max} characters long.", f"الحد الأقصى لعدد الحروف {field.max}.")
    if any(ord(c) < 32 and c not in "\n\r\t" for c in value):
        raise Unfit("It holds control characters.", "تحتوي القيمة على محارف غير صالحة.")
    return clean(value)


def _known(read: Callable[[str], str | None], en: str, ar: str) -> Callable[[RecordField, str], str]:
    def reader(_: RecordField, value: str) -> str:
        found = read(clean(value)) if len(value) <= 500 else None
        if found is None:
            raise Unfit(en, ar)
        return found

    return reader


def _money(_: RecordField, value: str) -> Decimal:
    try:
        amount = Decimal(value).quantize(Decimal("0.01"))
    except InvalidOperation:
        amount = values.amount(clean(value)) or Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= HIGHEST_AMOUNT:
        raise Unfit("It is not an amount.", "القيمة ليست مبلغًا صالحًا.")
    return amount


def _date(_: RecordField, value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise Unfit("It is not a date like 2026-11-30.", "اكتب التاريخ هكذا: 2026-11-30.") from error


def _moment(_: RecordField, value: str) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise Unfit("It is not a time like 2026-11-30T09:00:00Z.", "اكتب الوقت هكذا: 2026-11-30T09:00:00Z.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _choice(field: RecordField, value: str) -> str:
    if value not in field.choices:
        named = ", ".join(field.choices)
        raise Unfit(f"It is one of {named}.", f"القيمة واحدة من: {named}.")
    return value


def _reference(_: RecordField, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise Unfit("It is not an id.", "القيمة ليست معرّفًا.") from error


_READERS: dict[FieldType, Callable[[RecordField, str], Any]] = {
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _text,
    FieldType.EMAIL: _known(values.email, "It is not an e-mail address.", "البريد الإلكتروني غير صالح."),
    FieldType.PHONE: _known(values.phone, "It is not a phone number.", "رقم الهاتف غير صالح."),
    FieldType.DOMAIN: _known(values.domain, "It is not a website.", "الموقع غير صالح."),
    FieldType.CR: _known(values.cr_number, "It is not a 10-digit registration.", "السجل التجاري 10 أرقام."),
    FieldType.VAT: _known(values.vat_number, "It is not a 15-digit VAT number.", "الرقم الضريبي 15 رقمًا."),
    FieldType.MONEY: _money,
    FieldType.DATE: _date,
    FieldType.MOMENT: _moment,
    FieldType.CHOICE: _choice,
    FieldType.REFERENCE: _reference,
}


def shown(value: Any) -> Any:
    """A stored value as JSON has it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | Decimal | UUID):
        return str(value)
    return value
