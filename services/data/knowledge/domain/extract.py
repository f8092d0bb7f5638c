"""The text of a document, by what the file is and not by what it is called.

Scripts, macros, programs and archives that unpack to far too much are refused, never cleaned in silence.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from html.parser import HTMLParser

import pypdf
from charset_normalizer import from_bytes
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]  # the package has no annotations
from defusedxml.ElementTree import ParseError, fromstring  # type: ignore[import-untyped]  # the same
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

MAX_BYTES = 20 * 1024**2
MAX_UNPACKED = 100 * 1024**2
MAX_RATIO = 200
MAX_PAGES = 2000
MAX_TEXT = 5_000_000
_PROGRAMS = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa")
_ACTIVE_PDF = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|RichMedia)\b")
_ACTIVE_NAMES = frozenset({"/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/RichMedia"})
_MOST_OBJECTS = 200_000
_ACTIVE_HTML = re.compile(
    r"<\s*(script|iframe|object|embed)\b|\bon[a-z]{3,20}\s*=\s*[\"']|(?:href|src)\s*=\s*[\"']?\s*javascript:", re.I
)
_LOOKS_HTML = re.compile(r"^\s*(<!doctype html|<html|<head|<body|<article|<h1|<p\b|<div|<script)", re.I)
_NOT_TEXT = re.compile(r"^\s*(<\?xml|<svg\b|\{\\rtf)", re.I)
"""Formats that are written in letters and are no text for people: what is read of them would be their marks."""
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CODE_NAMES = (".js", ".mjs", ".py", ".sh", ".ps1", ".vbs", ".bat", ".cmd", ".php", ".rb", ".pl", ".jar", ".exe")


class Refused(Exception):
    """The document is not taken in. `why` is a key of `errors.DocumentRefused`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph. `level` is a heading's, 0 for text; `page` counts from 1 where the document has pages."""

    text: str
    level: int = 0
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Extracted:
    media: str
    blocks: tuple[Block, ...]


def extract(content: bytes, file_name: str = "") -> Extracted:
    """The paragraphs of a document. Raises Refused."""
    if len(content) > MAX_BYTES:
        raise Refused("too_large")
    if content.startswith(_PROGRAMS) or file_name.lower().endswith(_CODE_NAMES):
        raise Refused("script")
    if content.lstrip()[:5] == b"%PDF-":
        found = Extracted("application/pdf", tuple(_pdf(content)))
    elif content.startswith(b"PK\x03\x04"):
        media = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        found = Extracted(media, tuple(_docx(content)))
    else:
        found = _text(content, file_name)
    if not any(block.text.strip() for block in found.blocks):
        raise Refused("empty")
    if sum(len(block.text) for block in found.blocks) > MAX_TEXT:
        raise Refused("bomb")
    return found


def _pdf(content: bytes) -> list[Block]:
    if _ACTIVE_PDF.search(content):
        raise Refused("script")
    try:
        reader = pypdf.PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted:
            raise Refused("broken")
        if len(reader.pages) > MAX_PAGES:
            raise Refused("bomb")
        if _active(reader):
            raise Refused("script")
        return [
            Block(part, page=number)
            for number, page in enumerate(reader.pages, 1)
            for part in re.split(r"\n\s*\n", page.extract_text())
        ]
    except pypdf.errors.LimitReachedError as error:
        raise Refused("bomb") from error
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        # pypdf lets the mistakes of a damaged file through as these.
        raise Refused("broken") from error


def _active(reader: pypdf.PdfReader) -> bool:
    """Whether an object of the PDF is or names a script, a program or a file. Names are read as a viewer reads them (ISO 32000-2, 7.3.5:
    `/J#61vaScript` is `/JavaScript`), in compressed objects too, which the bytes alone do not show. Raises Refused (bomb)."""
    waiting: list[object] = [reader.trailer.get("/Root")]
    seen: set[int] = set()
    read = 0
    while waiting:
        one = waiting.pop()
        if isinstance(one, IndirectObject):
            if one.idnum in seen:
                continue
            seen.add(one.idnum)
            one = one.get_object()
        read += 1
        if read > _MOST_OBJECTS:
            raise Refused("bomb")
        if isinstance(one, DictionaryObject):
            kinds = {_resolved(one[name]) for name in ("/S", "/Type") if name in one}
            if not _ACTIVE_NAMES.isdisjoint(one) or not _ACTIVE_NAMES.isdisjoint(kinds):
                return True
            waiting.extend(dict.values(one))
        elif isinstance(one, ArrayObject):
            waiting.extend(one)
    return False


def _resolved(one: object) -> str:
    return str(one.get_object() if isinstance(one, IndirectObject) else one)


def _docx(content: bytes) -> list[Block]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * max(len(content), 1) or len(entries) > 5000:
                raise Refused("bomb")
            names = {entry.filename for entry in entries}
            if any("vbaProject" in name or "/embeddings/" in name or "/activeX/" in name for name in names):
                raise Refused("script")
            if "word/document.xml" not in names:
                raise Refused("unknown")
            root = fromstring(archive.read("word/document.xml"))
    except DefusedXmlException as error:
        raise Refused("bomb") from error
    except (zipfile.BadZipFile, ParseError, OSError, NotImplementedError, RuntimeError) as error:
        raise Refused("broken") from error
    return [_paragraph(element) for element in root.iter(f"{_W}p")]


def _paragraph(element: object) -> Block:
    text, level = "", 0
    for part in element.iter():  # type: ignore[attr-defined]  # an Element; defusedxml ships no types
        if part.tag == f"{_W}t":
            text += part.text or ""
        elif part.tag in (f"{_W}tab", f"{_W}br"):
            text += " "
        elif part.tag == f"{_W}pStyle":
            style = re.match(r"(?:Heading|heading )\s*(\d)", part.get(f"{_W}val") or "")
            level = int(style[1]) if style else level
    return Block(text, level)


def _text(content: bytes, file_name: str) -> Extracted:
    if b"\x00" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused("unknown")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        guess = from_bytes(content, cp_isolation=["utf_16", "cp1256", "cp1252"]).best()
        if guess is None:
            raise Refused("unknown") from None
        text = str(guess)
    if _NOT_TEXT.match(text):
        raise Refused("script" if _ACTIVE_HTML.search(text) else "unknown")
    if _LOOKS_HTML.match(text) or file_name.lower().endswith((".html", ".htm")):
        if _ACTIVE_HTML.search(text):
            raise Refused("script")
        reader = _Html()
        reader.feed(text)
        reader.close()
        return Extracted("text/html", tuple(reader.done()))
    return Extracted("text/markdown", tuple(_markdown(text)))


def _markdown(text: str) -> list[Block]:
    """Markdown; plain text is Markdown without marks."""
    blocks: list[Block] = []
    now: list[str] = []

    def end() -> None:
        if now:
            blocks.append(Block("\n".join(now)))
            now.clear()

    for line in text.replace("\r\n", "\n").split("\n"):
        heading = re.match(r"(#{1,6})\s+(.+)", line)
        if heading or not line.strip():
            end()
        if heading:
            blocks.append(Block(heading[2].strip(), len(heading[1])))
        elif line.strip():
            now.append(line.strip())
    end()
    return blocks


class _Html(HTMLParser):
    _BREAKS = frozenset({"p", "div", "li", "tr", "br", "section", "article", "table", "ul", "ol", "td", "th"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._blocks: list[Block] = []
        self._now = ""
        self._level = 0
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "title", "noscript", "template"):
            self._hidden += 1
        elif re.fullmatch(r"h[1-6]", tag):
            self._flush()
            self._level = int(tag[1])
        elif tag in self._BREAKS:
            self._flush()

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "title", "noscript", "template"):
            self._hidden = max(0, self._hidden - 1)
        elif tag in self._BREAKS or re.fullmatch(r"h[1-6]", tag):
            self._flush()
            self._level = 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._now += data

    def _flush(self) -> None:
        if text := " ".join(self._now.split()):
            self._blocks.append(Block(text, self._level))
        self._now = ""

    def done(self) -> list[Block]:
        self._flush()
        return self._blocks
