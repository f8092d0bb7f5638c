"""What an evidence pack holds, by type, as its own manifest and entries say."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter

from libs.contracts.trust import PackContents


def contents_of(pack: bytes) -> PackContents:
    """Counts of a pack: its files by folder, and its entries by kind (`entry.<kind>`).

    Raises zipfile.BadZipFile or KeyError for what is no pack of ours.
    """
    counts: Counter[str] = Counter()
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        for name in manifest["files"]:
            folder, _, rest = name.partition("/")
            if rest:
                counts[folder] += 1
            if folder == "entries" and rest:
                counts[f"entry.{json.loads(archive.read(name))['kind']}"] += 1
    checkpoint = manifest["checkpoint"]
    return PackContents(
        counts=dict(sorted(counts.items())), checkpoint=f"{checkpoint['size']}:{checkpoint['root']}",
        cosignatures=len(manifest["witness"] or ()), erased=len(manifest["erased"]),
    )  # fmt: skip
