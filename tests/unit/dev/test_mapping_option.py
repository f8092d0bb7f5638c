"""`dealix import --mapping` against a hand-written gateway: what is typed is what is asked for, and mistakes are named before anything is sent."""

from pathlib import Path

import httpx
import pytest

from dev.columns import read_mapping
from tests.unit.dev.fake_gateway import FakeGateway

DONE = {
    "import_id": "i1",
    "state": "completed",
    "progress": 1.0,
    "file_name": "list.csv",
    "counts": {"rows": 1, "created": 1},
}


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway({"POST /targeting/import": {"import_id": "i1"}, "GET /targeting/imports/i1": DONE})


@pytest.fixture
def leads(tmp_path: Path) -> Path:
    file = tmp_path / "list.csv"
    file.write_text("Firma,Wer\nNajd,Ali\n")
    return file


def sent(gateway: FakeGateway) -> str:
    (request,) = [one for one in gateway.asked if one.method == "POST"]
    return request.content.decode()


def test_pairs_and_files_travel_with_the_list(gateway: FakeGateway, leads: Path, tmp_path: Path) -> None:
    chosen = tmp_path / "columns.yaml"
    chosen.write_text("Firma: company\nNo: ignored\nYes:\n")
    ended = gateway.types("import", str(leads), "--mapping", str(chosen), "--mapping", "Wer=full_name")
    assert ended.exit_code == 0, ended.stderr
    assert '{"Firma": "company", "No": "ignored", "Yes": "", "Wer": "full_name"}' in sent(gateway)


def test_a_field_goes_by_the_name_that_people_see_too() -> None:
    assert read_mapping(["a=b=اسم الشركة", "Wer=Contact name", "x="]) == {"a=b": "company", "Wer": "full_name", "x": ""}


def test_without_a_mapping_none_is_sent(gateway: FakeGateway, leads: Path) -> None:
    assert gateway.types("import", str(leads)).exit_code == 0
    assert "mapping" not in sent(gateway)


@pytest.mark.parametrize(
    ("given", "named"),
    [("Firma", "Firma"), ("=company", "=company"), ("Firma=shoe size", "shoe size"), ("nowhere.json", "nowhere.json")],
)
def test_a_mistake_is_named_and_nothing_is_sent(gateway: FakeGateway, leads: Path, given: str, named: str) -> None:
    for lang in ("en", "ar"):
        refused = gateway.types("import", str(leads), "--mapping", given, "--lang", lang)
        assert refused.exit_code == 2 and named in refused.stderr
    assert gateway.asked == []


@pytest.mark.parametrize("text", ["[1]", '{"a": {"b": 1}}', "{", "a: [b"])
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_file_that_maps_nothing_is_named(leads: Path, gateway: FakeGateway, text: str, suffix: str) -> None:
    file = leads.with_name(f"columns.{suffix}")
    file.write_text(text)
    refused = gateway.types("import", str(leads), "--mapping", str(file))
    assert refused.exit_code == 2 and "columns." in refused.stderr


def test_what_the_server_says_of_a_column_reaches_the_person(leads: Path) -> None:
    said = {
        **DONE,
        "state": "refused",
        "error_code": "bad_mapping",
        "error_en": "no such column",
        "error_ar": "لا عمود",
    }
    gateway = FakeGateway(
        {"POST /targeting/import": httpx.Response(202, json={"import_id": "i1"}), "GET /targeting/imports/i1": said}
    )
    refused = gateway.types("import", str(leads), "--mapping", "Nope=company")
    assert refused.exit_code == 1 and "no such column" in refused.stderr


def test_what_was_not_read_of_a_file_is_said(leads: Path) -> None:
    notice = {"en": "Only the sheet “A” was read.", "ar": "قُرئت الورقة «A» وحدها."}
    answers = {
        "POST /targeting/import": {"import_id": "i1"},
        "GET /targeting/imports/i1": {**DONE, "notices": [notice]},
    }
    for lang in ("en", "ar"):
        assert notice[lang] in FakeGateway(answers).types("import", str(leads), "--lang", lang).stdout
