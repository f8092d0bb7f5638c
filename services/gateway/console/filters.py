"""Jinja filters: every left-to-right value, name, date and amount reaches a page through one of these.

In a right-to-left line an unisolated `+966 50 123 4567` or `-1,250` is drawn reversed, and no accessibility checker
notices. So values are wrapped in `<bdi>` here and nowhere else. Digits are Latin in both languages.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from gettext import NullTranslations

from babel.dates import format_date
from babel.numbers import format_decimal
from hijridate import Gregorian
from markupsafe import Markup, escape

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.words import effect_title, word
from services.gateway.console.actors import actor, connector
from services.gateway.console.views import Lang, Value, ValueKind

CURRENCY_AR = {"SAR": "ر.س"}
HASH_EDGE = 4  # characters of a shortened hash shown at each end
MAX_INDENT = 6  # deepest indentation the style sheet knows
HIJRI_KNOWN = (date(1924, 8, 1), date(2077, 11, 16))
_LEFT_TO_RIGHT = re.compile(
    r"\+\d[\d ]{6,}\d|\d{4}-\d{2}-\d{2}|(?<![\w.])[-−+]\d(?:[\d,.]*\d)?|[\w.+-]+@[\w-]+\.[\w.-]+\w|\b\d{1,2}:\d{2}\b|\d+(?: \d+)+|\bhttps?://\S+"
)
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^{}\[\],:"]+')

# Grouping and decimal signs are those of English in both languages, as Saudi business writing uses Latin digits.
_NUMBERS = "en"


def bdi_ltr(value: object) -> Markup:
    """A left-to-right value: phone, e-mail, signed number, hash, code, clock time."""
    return Markup('<bdi dir="ltr" class="ltr">{}</bdi>').format(value)


def bdi_name(value: object) -> Markup:
    """A name, whose direction comes from its first strong letter."""
    return Markup("<bdi>{}</bdi>").format(value)


def mixed(value: object) -> Markup:
    """A sentence in which phones, signed numbers, dates, times, addresses and rows of numbers keep their direction."""
    text, out, at = str(value), [], 0
    for found in _LEFT_TO_RIGHT.finditer(text):
        out += [escape(text[at : found.start()]), bdi_ltr(found[0])]
        at = found.end()
    return Markup().join([*out, escape(text[at:])])


def num(value: float | Decimal) -> Markup:
    """A number with grouping: `1,250`. Negative ones keep their sign on the left."""
    text = format_decimal(value, format="#,##0.###", locale=_NUMBERS)
    return bdi_ltr(text) if value < 0 else Markup(text)


def percent(value: float | Decimal) -> Markup:
    """A percentage given as a fraction: 0.12 → `12%`."""
    return bdi_ltr(format_decimal(Decimal(str(value)) * 100, format="#,##0.#", locale=_NUMBERS) + "%")


def sha_short(value: str) -> Markup:
    """First and last characters of a hash, in the fixed-width face, with the whole hash as its title."""
    bare = value.removeprefix("sha256:")
    short = bare if len(bare) <= 2 * HASH_EDGE + 1 else f"{bare[:HASH_EDGE]}…{bare[-HASH_EDGE:]}"
    return Markup('<bdi dir="ltr" class="hash" title="{}">{}</bdi>').format(bare, short)


def sha_label(value: str) -> Markup:
    """A shortened hash with its algorithm, as one isolated run: `sha256:9f2c…a81e`."""
    bare = value.removeprefix("sha256:")
    short = f"{bare[:HASH_EDGE]}…{bare[-HASH_EDGE:]}"
    return Markup('<bdi dir="ltr" class="hash" title="{}">sha256:{}</bdi>').format(bare, short)


def sha_full(value: str) -> Markup:
    return Markup('<bdi dir="ltr" class="hash hash-full">{}</bdi>').format(value.removeprefix("sha256:"))


def canonical_json(text: str) -> Markup:
    """Canonical JSON laid out line by line without changing one character of it.

    The lines are block spans, so what is copied, hashed or compared is still the one-line text; every string is isolated,
    because Arabic values would otherwise reorder the punctuation around them.
    """
    lines: list[tuple[int, list[Markup]]] = [(0, [])]
    tokens = _JSON_TOKEN.findall(text)
    depth = 0
    for at, token in enumerate(tokens):
        if token in "}]":
            depth -= 1
            if tokens[at - 1] not in "{[":
                lines.append((depth, []))
        shown = Markup("<bdi>{}</bdi>").format(token) if token.startswith('"') else escape(token)
        lines[-1][1].append(shown)
        if token in "{[":
            depth += 1
            if tokens[at + 1 : at + 2] not in (["}"], ["]"]):
                lines.append((depth, []))
        elif token == ",":
            lines.append((depth, []))
    span = Markup('<span class="json-line json-{}">{}</span>')
    return Markup().join(span.format(min(level, MAX_INDENT), Markup().join(parts)) for level, parts in lines)


def clock(value: datetime) -> Markup:
    """Time of day in Riyadh, `14:05`."""
    local = value.astimezone(RIYADH)
    return Markup('<time datetime="{}"><bdi dir="ltr" class="ltr">{:%H:%M}</bdi></time>').format(_iso(value), local)


def filters(lang: Lang, messages: NullTranslations) -> Mapping[str, Callable[..., object]]:
    """All filters for pages in `lang`."""

    def gregorian(value: date) -> str:
        return format_date(_day(value), "d MMMM y", locale=lang)

    def hijri(value: date) -> str:
        """Empty outside the years that the Umm al-Qura calendar is published for."""
        day = _day(value)
        if not HIJRI_KNOWN[0] <= day <= HIJRI_KNOWN[1]:
            return ""
        moon = Gregorian(day.year, day.month, day.day).to_hijri()
        era = "هـ" if lang == "ar" else "AH"
        return f"{moon.day} {moon.month_name(lang)} {moon.year} {era}"

    def date_both(value: date) -> Markup:
        """`11 جمادى الآخرة 1448 هـ · 21 نوفمبر 2026`; the second alone where there is no first."""
        if not hijri(value):
            return date_short(value)
        return Markup('<time class="date" datetime="{}"><bdi>{}</bdi> · <bdi>{}</bdi></time>').format(
            _day(value).isoformat(), hijri(value), gregorian(value)
        )

    def date_short(value: date) -> Markup:
        """Gregorian date only, for dense lists: `21 نوفمبر 2026`."""
        return Markup('<time class="date" datetime="{}"><bdi>{}</bdi></time>').format(
            _day(value).isoformat(), gregorian(value)
        )

    def moment(value: datetime) -> Markup:
        """Both dates and the time of day."""
        return date_both(value) + " · " + clock(value)

    def money(value: Decimal | int, currency: str = "SAR") -> Markup:
        """`1,250,000.00 ر.س`; the number is isolated, so that a sign stays in front of it."""
        number = format_decimal(Decimal(value), format="#,##0.00", locale=_NUMBERS)
        if lang == "ar":
            unit = CURRENCY_AR.get(currency, currency)
            return Markup('<span class="money"><bdi dir="ltr">{}</bdi> <span class="unit">{}</span></span>').format(
                number, unit
            )
        return Markup('<span class="money"><bdi dir="ltr"><span class="unit">{}</span> {}</bdi></span>').format(
            currency, number
        )

    def duration(minutes: int) -> Markup:
        """A span of minutes, without sign: `2 س 58 د`, `42 د`, `3 ي 4 س`."""
        left = abs(minutes)
        days, hours, rest = left // 1440, left % 1440 // 60, left % 60
        units = (
            (days, messages.pgettext("unit", "d")),
            (hours, messages.pgettext("unit", "h")),
            (rest, messages.pgettext("unit", "min")),
        )
        shown = [f"{amount} {unit}" for amount, unit in units if amount][:2] or [f"0 {units[2][1]}"]
        return Markup('<span class="nowrap">{}</span>').format(" ".join(shown))

    def effect(name: str) -> str:
        """What people call an action type."""
        called = effect_title(name)
        return called.ar if lang == "ar" else called.en

    def word_of(value: object, group: str) -> str:
        """A value of the catalogue's words, such as the state of an action."""
        called = word(group, str(value))
        return called.ar if lang == "ar" else called.en

    def value(given: Value, kind: ValueKind = "text") -> Markup:
        """A fact's value, shown by its declared kind."""
        if kind == "money" and isinstance(given, (Decimal, int)):
            return money(given)
        if kind == "percent" and isinstance(given, (Decimal, int)):
            return percent(given)
        if kind == "number" and isinstance(given, (Decimal, int)):
            return num(given)
        if isinstance(given, datetime):
            return moment(given)
        if isinstance(given, date):
            return date_both(given)
        if kind == "ltr":
            return bdi_ltr(given)
        return bdi_name(given) if kind == "name" else escape(given)

    return {
        "bdi_ltr": bdi_ltr,
        "bdi_name": bdi_name,
        "mixed": mixed,
        "num": num,
        "percent": percent,
        "sha_short": sha_short,
        "sha_full": sha_full,
        "sha_label": sha_label,
        "clock": clock,
        "canonical_json": canonical_json,
        "hijri": hijri,
        "date_both": date_both,
        "date_short": date_short,
        "moment": moment,
        "money": money,
        "duration": duration,
        "value": value,
        "effect": effect,
        "word": word_of,
        "actor": lambda principal: bdi_name(actor(lang, str(principal), {})),
        "connector": lambda key: bdi_name(connector(lang, str(key))),
    }


def _day(value: date) -> date:
    return value.astimezone(RIYADH).date() if isinstance(value, datetime) else value


def _iso(value: datetime) -> str:
    return value.astimezone(RIYADH).isoformat(timespec="seconds")
