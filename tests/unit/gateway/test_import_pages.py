"""The pages around an import: what a file holds before it is imported, and what was left out of it afterwards."""

from __future__ import annotations

import pytest

from libs.contracts import subjects
from libs.contracts.data import (
    ColumnMapping,
    ImportCounts,
    ImportRequest,
    ImportsReply,
    ImportState,
    ImportStatus,
    RejectsReply,
)
from libs.contracts.import_rows import Remark, RemarkedRow, RemarksReply
from libs.contracts.message import Text, new_id
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio

LOOK = new_id()


def _status(site: Site, **changes: object) -> ImportStatus:
    base = ImportStatus(
        import_id=LOOK, tenant_id=site.tenant.tenant_id, file_name="leads.xlsx", source="own_crm", state=ImportState.COMPLETED,
        counts=ImportCounts(), progress=1.0, started_at=site.clock(), finished_at=site.clock(), dry_run=True,
        mapping=(
            ColumnMapping(column="العميل الكريم", field=None, confidence=0.0),
            ColumnMapping(column="تلفونه", field="phone", confidence=1.0),
        ),
        fields={"company": Text(en="Company", ar="اسم الشركة"), "phone": Text(en="Mobile", ar="الجوال")},
    )  # fmt: skip
    made: ImportStatus = base.evolve(**changes)
    return made


async def test_the_columns_are_shown_with_what_the_file_has_in_them(site: Site) -> None:
    await enter(site, "operator")
    sample = (("شركة الغيم", "+966 50 123 9876"), ("شركة المطر", ""))
    notice = Text(en="Only the sheet “A” was read.", ar="قُرئت الورقة «A» وحدها.")
    counts = ImportCounts(rows=2, created=1, rejected=1)
    seen = _status(site, sample=sample, notices=(notice,), encoding="windows-1256", counts=counts)
    site.planes.answer(subjects.IMPORT_STATUS, seen)
    page = await site.client.get(f"/console/targeting/imports/{LOOK}/map")
    assert page.status_code == 200, page.text
    for said in ("شركة الغيم", "شركة المطر", "windows-1256", notice.ar, "ما سيفعله الاستيراد"):
        assert said in page.text
    assert '<bdi dir="ltr" class="ltr">+966 50 123 9876</bdi>' in page.text


async def test_a_file_without_a_known_company_column_can_be_mapped_by_hand(site: Site) -> None:
    token = await enter(site, "operator")
    refused = _status(
        site, state=ImportState.REFUSED, error_code="no_company_column", error_en="No column.", error_ar="لا يوجد عمود لاسم الشركة."
    )  # fmt: skip
    site.planes.answer(subjects.IMPORT_STATUS, refused)
    page = await site.client.get(f"/console/targeting/imports/{LOOK}/map")
    assert page.status_code == 200 and "لا يوجد عمود لاسم الشركة." in page.text
    assert 'name="map.العميل الكريم"' in page.text and "استورد بهذه الأعمدة" in page.text
    site.planes.answer(subjects.IMPORT, lambda request: _status(site, import_id=request.import_id, dry_run=False))
    form = {"csrf": token, "map.العميل الكريم": "company", "map.تلفونه": "phone"}
    answer = await site.client.post(f"/console/targeting/imports/{LOOK}/start", data=form)
    assert answer.status_code == 303, answer.text
    asked = site.planes.requests(subjects.IMPORT)[-1]
    assert isinstance(asked, ImportRequest) and not asked.dry_run
    assert asked.mapping == {"العميل الكريم": "company", "تلفونه": "phone"}


async def test_a_file_that_is_damaged_is_refused_without_a_form(site: Site) -> None:
    await enter(site, "operator")
    refused = _status(
        site, state=ImportState.REFUSED, mapping=(), error_code="zip_bomb", error_en="A bomb.", error_ar="ملف مفخخ."
    )
    site.planes.answer(subjects.IMPORT_STATUS, refused)
    site.planes.answer(subjects.IMPORTS, ImportsReply(items=()))
    page = await site.client.get(f"/console/targeting/imports/{LOOK}/map")
    assert page.status_code == 422 and "ملف مفخخ." in page.text and 'name="map.' not in page.text


async def test_the_report_says_what_was_left_out_and_why_rows_wait(site: Site) -> None:
    await enter(site, "operator")
    contact = new_id()
    left = Remark(field="phone", code="invalid_phone", en="“12” is no phone.", ar="«12» ليس رقم هاتف صحيحًا.")
    why = Remark(code="opted_out", en="Asked not to be contacted.", ar="طلب هذا الشخص عدم التواصل معه.")
    rows = (
        RemarkedRow(row_number=7, outcome="created", person="سارة", contact_id=contact, left_out=(left,)),
        RemarkedRow(row_number=9, outcome="blocked", company="شركة الأفق", reasons=(why,)),
    )
    site.planes.answer(subjects.IMPORT_STATUS, _status(site, dry_run=False))
    site.planes.answer(subjects.IMPORT_REJECTS, RejectsReply(header=(), rows=()))
    site.planes.answer(subjects.IMPORT_REMARKS, RemarksReply(rows=rows, next_cursor="9"))
    page = await site.client.get(f"/console/targeting/imports/{LOOK}")
    assert page.status_code == 200, page.text
    assert f'href="/console/crm/contacts/{contact}"' in page.text
    assert "الجوال: «12» ليس رقم هاتف صحيحًا." in page.text and why.ar in page.text
    assert f"/console/targeting/imports/{LOOK}?after=9" in page.text
    await site.client.get(f"/console/targeting/imports/{LOOK}?after=9")
    assert site.planes.requests(subjects.IMPORT_REMARKS)[-1].page.cursor == "9"
