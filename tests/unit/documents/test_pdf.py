"""Documents come out as PDF in which Arabic is joined and in order, and the same contents give the same bytes."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from fpdf import FPDF
from pypdf import PdfReader

from libs.documents.model import Document, Facts, Heading, Paragraph, Section, Table
from libs.documents.pdf import FAMILY, font_file, render, shape

MADE = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def document(rows: int = 3) -> Document:
    table = Table(["الموضع", "النوع"], [[str(number), "approval.approved"] for number in range(rows)], empty="لا شيء")
    arabic = Section("ar", "حزمة أدلة", "ما تثبته", [Facts([("الهاتف", "+966 50 123 4567")]), Heading("القيود"), table])
    english = Section("en", "Evidence pack", "What it proves", [Paragraph("verify office file")])
    return Document(MADE, [arabic, english], "Dealix · action:1")


def pages(data: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(data)).pages]


def glyphs(text: str) -> list[str]:
    """Names of the glyphs that a text is set with, from left to right."""
    pdf = FPDF()
    pdf.add_font(FAMILY, "", str(font_file("Regular")))
    pdf.set_font(FAMILY, "", 12)
    shown = shape(pdf, text, "rtl")
    font = pdf.current_font
    names = font.ttfont.getGlyphOrder()  # type: ignore[union-attr]
    set_ = []
    for fragment in pdf._preload_bidirectional_text(shown, markdown=False):
        infos, _ = font.perform_harfbuzz_shaping(fragment.string, 12, pdf.text_shaping)  # type: ignore[union-attr]
        set_.append([names[info.codepoint] for info in infos])
    return [name for run in set_ for name in run]


def test_the_same_document_gives_the_same_bytes_in_another_process() -> None:
    program = "from tests.unit.documents.test_pdf import *; import hashlib; print(hashlib.sha256(render(document())).hexdigest())"
    seen = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=env).stdout
        for env in ({"PYTHONHASHSEED": "1", "LANG": "C", "TZ": "UTC"}, {"PYTHONHASHSEED": "2", "TZ": "Asia/Riyadh"})
    }
    assert len(seen) == 1


def test_each_language_begins_a_page_and_can_be_read() -> None:
    first, second = pages(render(document()))
    assert "+966 50 123 4567" in first
    assert "approval.approved" in first
    assert "verify office file" in second


def test_arabic_letters_are_joined() -> None:
    # Left to right: final teh marbuta, initial meem, final zain, initial hah. Set apart, each would be its isolated form.
    assert glyphs("حزمة") == ["uniFE94", "uniFEE3", "uniFEB0", "uniFEA3"]


def test_latin_inside_arabic_keeps_the_order_of_its_ligatures() -> None:
    names = glyphs("للتحقق verify")
    joined = next(name for name in names if name in {"fi", "f_i", "uniFB01"} or name in {"i", "f"})
    assert joined == "i", names  # v-e-r-i-f-y has "if", never "fi"


def test_headings_are_repeated_on_every_page_of_a_table() -> None:
    table = Table(["place", "kind"], [[str(number), "approval.approved"] for number in range(120)])
    read = pages(render(Document(MADE, [Section("en", "Entries", "", [table])])))
    assert len(read) > 2
    assert all("place" in page and "kind" in page for page in read)
    assert sum(page.count("approval.approved") for page in read) == 120


def test_an_identifier_longer_than_its_column_stays_inside_the_page() -> None:
    table = Table(["a", "b"], [["x" * 300, "y"]])
    text = "".join(pages(render(Document(MADE, [Section("en", "Long", "", [table])])))[0].split())
    assert text.count("x") == 300


def test_a_table_whose_rows_do_not_fit_its_headings_is_refused() -> None:
    with pytest.raises(ValueError):
        Table(["a", "b"], [["only one"]])
    with pytest.raises(ValueError):
        Document(MADE.replace(tzinfo=None), [Section("en", "t", "", [])])


@pytest.mark.parametrize("date", ["2026-11-22 09:00", "2026-11-22", "2026-10", "2026-Q4"])
def test_a_date_inside_arabic_text_keeps_its_parts_in_order(date: str) -> None:
    alone, within = glyphs(date), glyphs(f"موعده {date}")
    assert any(within[at : at + len(alone)] == alone for at in range(len(within)))
