"""What kind of file this is, by its content (never by its name), and how its text is encoded."""

from __future__ import annotations

import codecs
import re

from services.data.importing.domain.messages import FileRefused, say

# First bytes of the formats that people rename or upload by mistake.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"BM", "image"),
    (b"RIFF", "image"),
    (b"\x1f\x8b", "archive"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ", "archive"),
    (b"\x7fELF", "program"),
    (b"MZ\x90", "program"),
    (b"{\\rtf", "document"),
    (b"<!DOCTYPE", "web_page"),
    (b"<!doctype", "web_page"),
    (b"<html", "web_page"),
    (b"<HTML", "web_page"),
    (b"<table", "web_page"),
    (b"<?xml", "document"),
    (b"[", "json"),
)
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Everything but the control characters that no text has; a stray one costs its row, many make the file binary.
_PLAIN_BYTES = bytes(byte for byte in range(256) if byte >= 32 or byte in b"\t\n\v\f\r")
# In text read with the wrong single-byte code page, Arabic letters stick to Latin ones inside a word.
_MIXED = re.compile("[A-Za-z\u00c0-\u024f][\u0620-\u064a]|[\u0620-\u064a][A-Za-z\u00c0-\u024f]")
_ARABIC_LETTER = re.compile("[\u0620-\u064a]")
# C1 controls and symbols that no list of leads holds, but misread bytes do.
_ODD = re.compile(
    "[\u0080-\u009f\u00a1-\u00aa\u00ac\u00ae\u00af\u00b1-\u00b6\u00b8-\u00bf\u0192\u02c6\u2020\u2021\u2030\u0152\u0153]"
)


def file_kind(content: bytes) -> str:
    """`csv`, `vcard`, `jsonl`, or `xlsx` for anything packed as a zip (the workbook reader looks further).

    Raises FileRefused: empty_file, old_excel, not_a_table.
    """
    head = content[:1024]
    for bom, _ in _BOMS:
        if head.startswith(bom):
            head = head[len(bom) :]
    start = head.lstrip()
    if not start and not content.strip():
        raise FileRefused("empty_file")
    if content.startswith(_ZIP):
        return "xlsx"
    if content.startswith(_OLE):
        raise FileRefused("old_excel")
    if b"%PDF-" in head:
        raise FileRefused("not_a_table", kind=say("kind", "pdf"))
    plain = start.replace(b"\x00", b"")
    if plain[:11].upper() == b"BEGIN:VCARD":
        return "vcard"
    if plain.startswith(b"{") and not start.startswith(b"{\\rtf"):
        return "jsonl"
    for signature, kind in _SIGNATURES:
        # "BM" and "RIFF" may begin an honest header, but not one with zero bytes.
        if start.startswith(signature) and (signature not in (b"BM", b"RIFF") or b"\x00" in head):
            raise FileRefused("not_a_table", kind=say("kind", kind))
    return "csv"


def decode(content: bytes) -> tuple[str, str]:
    """The text of the file and the name of its encoding: UTF-8, UTF-16 or Windows-1256, each with or without a mark.

    Raises FileRefused: wrong_encoding, damaged_encoding (UTF-8 with some bad bytes), not_a_table, empty_file.
    """
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return _checked(_strictly(content[len(bom) :], encoding)), encoding
    sample = content[:4096]
    if sample.count(0) > len(sample) // 16:
        return _checked(_utf16_without_mark(content)), "utf-16"
    if len(sample.translate(None, _PLAIN_BYTES)) > 4 + len(sample) // 100:
        raise FileRefused("not_a_table", kind=say("kind", "binary"))
    try:
        return _checked(content.decode("utf-8")), "utf-8"
    except UnicodeDecodeError as error:
        _refuse_damaged_utf8(content, error)
    text = content.decode("windows-1256")
    arabic = len(_ARABIC_LETTER.findall(text))
    doubtful = len(_MIXED.findall(text)) + len(_ODD.findall(text))
    if doubtful > max(3, arabic // 20):
        raise FileRefused("wrong_encoding")
    return _checked(text), "windows-1256"


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8":
            _refuse_damaged_utf8(content, error)
        raise FileRefused("wrong_encoding") from error


def _utf16_without_mark(content: bytes) -> str:
    sample = content[:4096]
    odd, even = sample[1::2].count(0), sample[0::2].count(0)
    if min(odd, even) > max(odd, even) // 10:
        raise FileRefused("not_a_table", kind=say("kind", "binary"))
    return _strictly(content, "utf-16-le" if odd > even else "utf-16-be")


def _refuse_damaged_utf8(content: bytes, error: UnicodeDecodeError) -> None:
    """UTF-8 that broke in a place or two is not some other encoding: say where, rather than read letters that are not
    there."""
    sample = content[max(0, error.start - 20_000) : error.start + 20_000]
    text = sample.decode("utf-8", errors="replace")
    sound = sum(1 for c in text if c > "\x7f" and c != "\ufffd")
    if sound > 2 * text.count("\ufffd"):
        raise FileRefused("damaged_encoding", line=content.count(b"\n", 0, error.start) + 1) from error


def _checked(text: str) -> str:
    if not text.strip():
        raise FileRefused("empty_file")
    if text.count("\x00", 0, 4096) > 8:
        raise FileRefused("not_a_table", kind=say("kind", "binary"))
    return text
