"""Arabic nouns with their number. English has two forms, Arabic six: "{n} يوم" is wrong for most numbers, so texts ask here."""

from __future__ import annotations

from dataclasses import dataclass


def counted(number: int, *, one: str, two: str, few: str, many: str, other: str) -> str:
    """An Arabic noun with its number, by the plural rules of CLDR for Arabic (zero is written like `other`).

    `one` and `two` are whole phrases ("يوم واحد", "يومين"); the rest are nouns that follow the number: 3–10 `few` ("أيام"),
    11–99 `many` ("يومًا"), hundreds `other` ("يوم").
    """
    if number == 1:
        return one
    if number == 2:
        return two
    last = number % 100
    noun = few if 3 <= last <= 10 else many if 11 <= last <= 99 else other
    return f"{number:,} {noun}"


@dataclass(frozen=True)
class Noun:
    """A noun as it stands after a preposition or a verb («بعد يومين»، «أضف صفّين»)."""

    one: str
    two: str
    few: str
    many: str
    other: str

    def __call__(self, number: int) -> str:
        """The noun with its number."""
        return counted(number, one=self.one, two=self.two, few=self.few, many=self.many, other=self.other)


DAYS = Noun("يوم واحد", "يومين", "أيام", "يومًا", "يوم")
HOURS = Noun("ساعة واحدة", "ساعتين", "ساعات", "ساعة", "ساعة")
SECONDS = Noun("ثانية واحدة", "ثانيتين", "ثوانٍ", "ثانية", "ثانية")
MONTHS = Noun("شهر واحد", "شهرين", "أشهر", "شهرًا", "شهر")
YEARS = Noun("سنة واحدة", "سنتين", "سنوات", "سنة", "سنة")
RECORDS = Noun("سجل واحد", "سجلين", "سجلات", "سجلًا", "سجل")
ROWS = Noun("صف واحد", "صفّين", "صفوف", "صفًا", "صف")
POINTS = Noun("نقطة واحدة", "نقطتين", "نقاط", "نقطة", "نقطة")
TIMES = Noun("مرة واحدة", "مرتين", "مرات", "مرة", "مرة")
ENTRIES = Noun("قيد واحد", "قيدين", "قيود", "قيدًا", "قيد")
FLOWS = Noun("مسار واحد", "مسارين", "مسارات", "مسارًا", "مسار")
