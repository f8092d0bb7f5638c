"""Vendor assets: named by content, rebuilt only when something changed, and never taken half-made."""

import json
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from services.gateway.console import assets


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("vendor")
    assets.build(target)
    return target


def test_every_file_carries_the_hash_of_its_content(built: Path) -> None:
    manifest = json.loads((built / assets.MANIFEST).read_text())["files"]
    assert {"htmx.js", "htmx-sse.js", "fonts.css", "IBMPlexMono-Regular.woff2"} <= set(manifest)
    for name in manifest.values():
        assert sha256((built / name).read_bytes()).hexdigest()[:12] in name


def test_fonts_are_woff2_with_every_glyph_kept(built: Path) -> None:
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # fontTools ships no types

    face = assets.FACES[0]
    name = json.loads((built / assets.MANIFEST).read_text())["files"][f"{face.stem}.woff2"]
    assert (built / name).read_bytes()[:4] == b"wOF2"
    original = assets._source(face.distribution, face.source)
    with TTFont(built / name) as made, TTFont(original) as given:
        assert made.getGlyphOrder() == given.getGlyphOrder()


def test_a_second_call_makes_nothing_and_a_damaged_folder_is_made_whole(built: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in built.iterdir()}
    files = assets.ensure(built)
    assert {path.name: path.stat().st_mtime_ns for path in built.iterdir()} == before
    (built / files["htmx.js"]).unlink()
    assert assets.ensure(built) == files
    assert (built / files["htmx.js"]).is_file()


def test_django_is_never_imported(built: Path) -> None:
    assert "django" not in sys.modules


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(assets.AssetSourceMissing, match="no-such-wheel"):
        assets._distribution_version("no-such-wheel")


def test_own_files_change_their_address_with_their_content() -> None:
    address = assets.asset("app.css")
    digest = sha256((assets.STATIC / "app.css").read_bytes()).hexdigest()[:12]
    assert address == f"app.css?v={digest}"
