"""Sensitive data in texts (PDPL art. 1(11)): what puts a record in quarantine, and what is business as usual."""

from __future__ import annotations

import pytest

from libs.screening.screen import suspect


@pytest.mark.parametrize(
    "text",
    [
        "Note: he has diabetes, call in the morning",
        "was diagnosed with asthma last year",
        "Religion: Christian",
        "her ethnicity is unknown to us",
        "credit score: 540",
        "he has a criminal record",
        "العميل مصاب بالسكري ولا يحضر اجتماعات الصباح",
        "تعاني من مرض السرطان",
        "ديانته غير معروفة",
        "لديه سوابق جنائية",
        "وضعه سيئ وهو متعثر ائتمانيًا",
    ],
)
def test_sensitive_data_about_somebody_is_quarantined(text: str) -> None:
    assert "sensitive" in suspect(text)


@pytest.mark.parametrize(
    "text",
    [
        "King Faisal hospital has cancer centers in two cities",
        "They sell fingerprint devices and face recognition",
        "شركة أجهزة بصمة وحضور وانصراف",
        "لديهم سابقة أعمال مع جهات حكومية",
        "مهتم بنظام لإدارة العيادات ومرضى السكري",
        "The company suffers from slow response",
        "country of origin: SA",
        "ميادين التدريب بالرياض",
    ],
)
def test_ordinary_business_is_not(text: str) -> None:
    assert "sensitive" not in suspect(text)
