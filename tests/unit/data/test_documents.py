"""What a document says, and what is no document."""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest

from services.data.knowledge.domain.chunks import LONGEST, chunked, query_words
from services.data.knowledge.domain.extract import Block, Refused, extract

_DOCX = (
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>الأسعار</w:t></w:r></w:p>'
    "<w:p><w:r><w:t>الباقة الأولى </w:t></w:r><w:r><w:t>بألف ريال.</w:t></w:r></w:p></w:body></w:document>"
)


def _zip(**files: bytes | str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"), body)
    return content.getvalue()


_LINE = b"BT /F1 12 Tf 72 720 Td (The price list is valid until March.) Tj ET"


def _pdf(extra: bytes = b"", *, stream: bytes = _LINE, packed: bytes = b"") -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R " + extra + b">>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length " + str(len(stream)).encode() + packed + b" >>\nstream\n" + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += str(number).encode() + b" 0 obj\n" + each + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        body
        + b"xref\n0 6\n0000000000 65535 f \n"
        + table
        + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(body)
    )


def test_each_kind_of_document_gives_its_text_with_headings_and_pages() -> None:
    assert extract(_zip(word__document_xml=_DOCX)).blocks == (Block("الأسعار", 1), Block("الباقة الأولى بألف ريال."))
    assert "price list" in extract(_pdf()).blocks[0].text and extract(_pdf()).blocks[0].page == 1
    html = extract(b"<html><style>x{}</style><h2>SLA</h2><p>Two &amp; four hours</p></html>")
    assert html.blocks == (Block("SLA", 2), Block("Two & four hours"))
    assert extract("# عنوان\nنص".encode()).blocks == (Block("عنوان", 1), Block("نص"))
    assert extract("نص بترميز قديم يستعمل في الملفات العربية".encode("cp1256")).blocks[0].text.startswith("نص")


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (b"#!/bin/sh\nrm -rf /", "notes.txt", "script"),
        (b"MZ\x90\x00", "a.pdf", "script"),
        (b"print(1)", "tool.py", "script"),
        (b"<html><script>steal()</script></html>", "a.html", "script"),
        (b'<p onclick="x()">hello</p>', "a.html", "script"),
        (_pdf(b"/OpenAction << /S /JavaScript /JS (app.alert(1)) >> "), "a.pdf", "script"),
        (_pdf(b"/OpenAction << /S /J#61vaScript /J#53 (app.alert(1)) >> "), "a.pdf", "script"),
        (_pdf(b"/AA << /WC << /S /#4caunch /F (cmd.exe) >> >> "), "a.pdf", "script"),
        (
            _pdf(
                b"/Names << /#45mbeddedFiles << /Names [(a) << /Type /Filespec /EF << /F << /Type /Embedde#64File >> >> >>] >> >> "
            ),
            "a.pdf",
            "script",
        ),
        (
            b'<svg xmlns="http://www.w3.org/2000/svg"><script>steal()</script><text>price list</text></svg>',
            "a.svg",
            "script",
        ),
        (b'<?xml version="1.0"?><a><b>price list</b></a>', "a.txt", "unknown"),
        (b"{\\rtf1\\ansi price list \\par }", "a.txt", "unknown"),
        (_zip(word__document_xml=_DOCX, word__vbaProject_bin=b"x"), "a.docx", "script"),
        (_zip(word__document_xml=b"0" * 20_000_000), "a.docx", "bomb"),
        (_zip(word__document_xml='<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><a>&d;</a>'), "a.docx", "bomb"),
        (_pdf(stream=zlib.compress(b"0 " * 100_000_000), packed=b" /Filter /FlateDecode"), "a.pdf", "bomb"),
        (_zip(other_xml="<a/>"), "a.zip", "unknown"),
        (b"PK\x03\x04 broken", "a.docx", "broken"),
        (b"%PDF-1.7 nothing", "a.pdf", "broken"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "a.md", "unknown"),
        (b"  \n ", "a.txt", "empty"),
        (b"x" * (20 * 1024**2 + 1), "a.txt", "too_large"),
    ],
)
def test_what_is_no_document_is_refused_with_its_reason(content: bytes, name: str, why: str) -> None:
    with pytest.raises(Refused) as refused:
        extract(content, name)
    assert refused.value.why == why


def test_a_piece_never_crosses_a_heading_or_a_page_and_is_never_too_long() -> None:
    blocks = [Block("One", 1), Block("a. " * 900), Block("Two", 1), Block("b", page=1), Block("c", page=2)]
    pieces = chunked(blocks, "Title")
    assert max(len(piece.text) for piece in pieces) <= LONGEST
    assert [(p.heading, p.page, p.text) for p in pieces[-2:]] == [("Two", 1, "b"), ("Two", 2, "c")]


def test_common_words_do_not_choose_and_spellings_are_one() -> None:
    assert query_words("ما هي أسعارُ الباقة؟") == query_words("اسعار الباقه")
    assert query_words("what is the") == ["what", "is", "the"]
