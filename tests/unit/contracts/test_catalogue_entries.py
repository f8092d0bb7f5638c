"""Every entry of the smaller catalogues is one that something uses, and says in both languages what it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.credentials import credential_fields
from libs.contracts.catalogue.lineage import lineage

SERVICES = Path(__file__).resolve().parents[3] / "services"
ARABIC = re.compile(r"[\u0600-\u06ff]")


@pytest.mark.parametrize("connector", sorted(credential_fields()))
def test_a_credential_is_of_a_connector_that_an_effect_leaves_by(connector: str) -> None:
    assert connector in {effect.connector for effect in effects().values() if effect.external}
    for field in credential_fields()[connector]:
        assert field.en, field
        assert ARABIC.search(field.ar), field
        re.compile(field.pattern or "")
        assert field.kind != "number" or field.least < field.most, field
        assert field.kind != "choice" or field.choices, field


@pytest.mark.parametrize("how", sorted(lineage().hows))
def test_a_word_of_lineage_is_one_that_a_plane_says(how: str) -> None:
    said = (path for path in SERVICES.rglob("*.py") if re.search(rf"\b{how}\b", path.read_text(encoding="utf-8")))
    assert next(said, None) is not None
    assert lineage().hows[how].en
    assert ARABIC.search(lineage().hows[how].ar)
