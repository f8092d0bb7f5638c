"""Which documents look like copies of identity documents."""

from __future__ import annotations

import pytest

from services.data.screening.domain.identity import identity_of

ID = """المملكة العربية السعودية
الهوية الوطنية
الاسم: محمد بن عبدالله
رقم الهوية ١٠١٢٣٤٥٦٧٨
تاريخ الميلاد 1405/01/01"""
IQAMA = "Kingdom of Saudi Arabia\nResident Identity\nID 2123456789\nDate of Birth 01/02/1990"
PASSPORT = "Passport No: A1234567\nDate of expiry 2030-01-01"
ZONE = "P<SAUALHARBI<<KHALID<MOHAMMED<<<<<<<<<<<<<<<"


@pytest.mark.parametrize(
    ("text", "kind"), [(ID, "national_id"), (IQAMA, "residence_permit"), (PASSPORT, "passport"), (ZONE, "passport")]
)
def test_a_copy_is_recognised_by_what_such_documents_print(text: str, kind: str) -> None:
    assert identity_of(["company profile", text]) == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "We ask every visitor for a passport or a national ID card at the gate.",
        "نطلب الهوية الوطنية عند الدخول، ورقم الاستفسار 1012345678",
        "Passport number and date of birth are needed for the visa.",
        "Invoice 2123456789, date of expiry 2026-12-31",
    ],
)
def test_a_text_that_only_speaks_of_one_is_none(text: str) -> None:
    assert identity_of([text]) == ""
