"""Our own exports are known by what is in them, and nothing else is taken for one."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.catalogue.sources import sources
from libs.contracts.message import first_id, new_id
from services.data.importing.domain.detect import Limits
from services.data.importing.domain.messages import FileRefused
from services.data.importing.domain.records import RowRejected
from services.data.restoring.domain.archive import ORDER, Export, Line, open_export
from services.data.restoring.domain.items import Item, read_item

ID = "01930000-0000-7000-8000-00000000000"
LEAD = {"id": f"{ID}3", "account_id": f"{ID}1", "contact_id": f"{ID}2", "source": "event", "outcome": "created"}
FRAME = {
    "id": f"{ID}1",
    "version": 1,
    "custom": {},
    "created_at": "2026-11-22T00:00:00Z",
    "updated_at": "2026-11-22T00:00:00Z",
}


def _record(kind: RecordKind, **values: Any) -> dict[str, Any]:
    return {**dict.fromkeys(records().kinds[kind].fields), **FRAME, **values}


def _opened(tmp_path: Path, content: bytes, **more: Any) -> Export | None:
    file = tmp_path / "file"
    file.write_bytes(content)
    return open_export(file, **more)


def _zip(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    return out.getvalue()


def test_every_kind_has_its_place_after_what_it_refers_to() -> None:
    assert set(ORDER) == set(RecordKind)
    for kind in ORDER:
        for field in records().kinds[kind].fields.values():
            if field.to is not None:
                assert ORDER.index(field.to) < ORDER.index(kind), (kind, field.to)


@pytest.mark.parametrize("kind", list(RecordKind))
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_each_kind_is_known_by_its_columns_whatever_stands_between_them(
    tmp_path: Path, kind: RecordKind, delimiter: str
) -> None:
    header = [*_record(kind), "account_name"]
    found = _opened(
        tmp_path, ("\ufeff" + delimiter.join(header) + "\r\n" + delimiter.join("x" for _ in header)).encode()
    )
    assert found is not None and (found.kind, found.count) == (kind, 1)
    lines = _opened(tmp_path, json.dumps(_record(kind)).encode())
    assert lines is not None and lines.kind is kind


@pytest.mark.parametrize(
    "content",
    [
        b"company,name,mobile\nNajd,Ali,0501234567",
        b"id,version,name,custom,created_at,updated_at\n1,1,Najd,{},,",
        b'{"company": "Najd", "name": "Ali"}',
        b'{"id": 1',
        b"BEGIN:VCARD\nEND:VCARD",
        b"\xff\xfeA\x00",
        b"\xd4\xd1\xdf\xc9,\xc7\xe1\xc7\xd3\xe3\n\xe4\xcc\xcf,\xda\xe1\xed",
        _zip(xl_xml="<workbook/>"),
    ],
)
def test_other_files_are_read_as_lists(tmp_path: Path, content: bytes) -> None:
    assert _opened(tmp_path, content) is None


def test_what_would_not_fit_or_has_nothing_is_refused(tmp_path: Path) -> None:
    one = json.dumps(_record(RecordKind.ACCOUNT, name="Najd")) + "\n"
    for limits, content, code in (
        (Limits(unpacked_bytes=100), _zip(accounts_jsonl=one * 50), "zip_bomb"),
        (Limits(rows=3), _zip(accounts_jsonl=one * 4), "too_many_rows"),
        (Limits(), _zip(accounts_jsonl=""), "no_rows"),
        (Limits(), ",".join(_record(RecordKind.ACCOUNT)).encode(), "no_rows"),
    ):
        with pytest.raises(FileRefused) as refused:
            _opened(tmp_path, content, limits=limits)
        assert refused.value.code == code


def test_an_apostrophe_that_kept_a_cell_from_running_is_not_part_of_the_value(tmp_path: Path) -> None:
    header = list(_record(RecordKind.ACCOUNT))
    cells = ["'=cmd()" if name == "name" else "'s" if name == "city" else "" for name in header]
    found = _opened(tmp_path, (",".join(header) + "\n" + ",".join(cells)).encode())
    assert found is not None
    (line,) = found.lines()
    assert line.item is not None and (line.item["name"], line.item["city"]) == ("=cmd()", "'s")


@pytest.mark.parametrize("name", ['"a\\u0000b"', '"a\\ud800"'])
def test_what_the_database_cannot_keep_breaks_its_record_alone(tmp_path: Path, name: str) -> None:
    whole = json.dumps(_record(RecordKind.ACCOUNT, name="A😀"))
    found = _opened(tmp_path, (whole + "\n" + whole.replace(json.dumps("A😀"), name)).encode())
    assert found is not None
    first, second = found.lines()
    assert first.item is not None and first.item["name"] == "A😀" and second.item is None


def _read(of_file: str = "own_crm", /, kind: RecordKind = RecordKind.LEAD, **values: Any) -> Item | RowRejected:
    given = {**LEAD, **values} if kind is RecordKind.LEAD else values
    return read_item(Line(1, kind, given, ("raw",)), {}, sources()[of_file])


@pytest.mark.parametrize(
    ("source", "values", "outcome", "direct"),
    [
        ("own_crm", {}, "created", True),
        ("own_crm", {"outcome": "blocked"}, "blocked", True),
        ("own_crm", {"cold": True}, "blocked", True),
        ("own_crm", {"cold": "True", "outcome": None}, "blocked", True),
        ("own_crm", {"source": "purchased"}, "needs_review", False),
        ("own_crm", {"collected_directly": False}, "created", False),
        ("own_crm", {"source": "referral", "collected_directly": True}, "created", False),
        ("purchased", {"collected_directly": True}, "needs_review", False),
        ("opted_out", {}, "blocked", True),
    ],
)
def test_a_lead_never_comes_back_milder_than_it_went(
    source: str, values: dict[str, Any], outcome: str, direct: bool
) -> None:
    read = _read(source, **values)
    assert isinstance(read, Item)
    assert (read.outcome, read.beside["collected_directly"]) == (outcome, direct)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"source": "scraped"}, "source"),
        ({"source": None}, "source"),
        ({"account_id": "x"}, "account_id"),
        ({"outcome": "whatever"}, "outcome"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"custom": "[1]"}, "custom"),
    ],
)
def test_what_cannot_be_is_rejected_with_its_field_in_both_languages(values: dict[str, Any], field: str) -> None:
    read = _read(**values)
    assert isinstance(read, RowRejected)
    assert (read.field, read.raw) == (field, ("raw",)) and read.en and read.ar


def test_a_row_without_an_id_is_the_same_record_each_time_and_of_its_own_time() -> None:
    tenant, other = new_id(), new_id()

    def place(whose: UUID, *raw: str, **values: Any) -> UUID:
        given = {"name": "Najd", **values}
        read = read_item(Line(1, RecordKind.ACCOUNT, given, raw), {}, sources()["own_crm"])
        assert isinstance(read, Item)
        return read.own_id(whose)

    made = {"created_at": "2026-11-22T00:00:00Z"}
    assert (
        place(tenant, "a", **made)
        == place(tenant, "a", **made)
        not in (place(tenant, "b", **made), place(other, "a", **made))
    )
    assert place(tenant, "a", "b") != place(tenant, "a:b")
    at = datetime(2026, 11, 22, tzinfo=UTC)
    assert first_id(at) < place(tenant, "a", **made) < first_id(at + timedelta(milliseconds=1))
    assert place(tenant, "a") < place(tenant, "a", created_at="2001-01-01T00:00:00Z") < tenant
    assert place(tenant, "a", id=f"{ID}7") == UUID(f"{ID}7")


@pytest.mark.parametrize(
    "consents", ["{}x", [1], [{"channel": "email"}], [{"channel": "email", "given": True, "at": "soon"}]]
)
def test_consents_that_cannot_be_read_are_not_guessed(consents: Any) -> None:
    read = _read(kind=RecordKind.CONTACT, account_id=f"{ID}1", consents=consents)
    assert isinstance(read, RowRejected) and read.field == "consents"
