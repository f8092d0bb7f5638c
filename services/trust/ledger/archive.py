"""A ZIP archive of which there is exactly one for given contents: stored, sorted, dated 1980, no optional field.

Written by hand (PKWARE APPNOTE 4.3.7, 4.3.12, 4.3.16), because the bytes of a library's archive change with its version, and
the verifier compares the whole archive with one that it builds anew.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

MAX_FILES = 0xFFFF
MAX_SIZE = 0xFFFF_FFFF

_VERSION = 20
_MADE_BY_UNIX = 3 << 8 | _VERSION
_DATE = 0x21  # 1 January 1980, the first that the form can say
_MODE = 0o100644 << 16


def fits(files: Mapping[str, bytes]) -> bool:
    """Whether the form can hold these files (without its 64-bit extension)."""
    total = sum(len(data) + 2 * len(name) + 76 for name, data in files.items()) + 22
    return len(files) <= MAX_FILES and total <= MAX_SIZE


def build_archive(files: Mapping[str, bytes]) -> bytes:
    """The archive of `files` (ASCII names). Raises ValueError for what does not fit, UnicodeEncodeError for other names."""
    if not fits(files):
        raise ValueError("too much for one archive")
    body, directory = bytearray(), bytearray()
    for name in sorted(files):
        data, encoded, offset = files[name], name.encode("ascii"), len(body)
        common = struct.pack(
            "<HHHHHLLLHH", _VERSION, 0, 0, 0, _DATE, zlib.crc32(data), len(data), len(data), len(encoded), 0
        )
        body += b"PK\x03\x04" + common + encoded + data
        directory += b"PK\x01\x02" + struct.pack("<H", _MADE_BY_UNIX) + common
        directory += struct.pack("<HHHLL", 0, 0, 0, _MODE, offset) + encoded
    end = struct.pack("<HHHHLLH", 0, 0, len(files), len(files), len(directory), len(body), 0)
    return bytes(body + directory + b"PK\x05\x06" + end)
