"""Third-party console assets, made at set-up from wheels that are already installed.

htmx and its SSE extension come out of the `django-htmx` wheel (read as files: Django itself is never imported), IBM Plex
out of the `fontpkg-*` wheels, converted from TTF to WOFF2 whole, because the Open Font License reserves the name for
unmodified glyph sets. The result is `static/vendor/`, which is not committed. Every file carries the start of its
SHA-256 in its name and can therefore be cached for ever; `manifest.json` maps logical names to file names.

Run `python -m services.gateway.console.assets` to build by hand.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC: Final = Path(__file__).parent / "static"
VENDOR: Final = STATIC / "vendor"
MANIFEST: Final = "manifest.json"
RECIPE: Final = 1  # raise it when this module makes something else of the same wheels

FOREVER: Final = "public, max-age=31536000, immutable"


class AssetSourceMissing(RuntimeError):
    """A wheel that console assets come from is not installed, or does not hold the expected file."""


@dataclass(frozen=True)
class Face:
    """One font face: where its TTF lies in which distribution, and how CSS names it."""

    distribution: str
    source: str
    family: str
    weight: int

    @property
    def stem(self) -> str:
        return Path(self.source).stem


FACES: Final = (
    *(
        Face(
            "fontpkg-ibm-plex-sans-arabic", f"fontpkg_ibm_plex_sans_arabic/files/{name}.ttf", "IBM Plex Sans Arabic", w
        )
        for name, w in (
            ("IBMPlexSansArabic-Regular", 400),
            ("IBMPlexSansArabic-SemiBold", 600),
            ("IBMPlexSansArabic-Bold", 700),
        )
    ),
    Face("fontpkg-ibm-plex-mono", "fontpkg_ibm_plex_mono/files/IBMPlexMono-Regular.ttf", "IBM Plex Mono", 400),
)
COPIES: Final[Mapping[str, tuple[str, str]]] = {
    "htmx.js": ("django-htmx", "django_htmx/static/django_htmx/htmx-2.min.js"),
    "htmx-sse.js": ("django-htmx", "django_htmx/static/django_htmx/ext/hx-sse-2.min.js"),
    "OFL.txt": ("fontpkg-ibm-plex-sans-arabic", "fontpkg_ibm_plex_sans_arabic/LICENSE"),
}


def ensure(target: Path = VENDOR) -> Mapping[str, str]:
    """Logical name → file name of every vendor asset, building them first if they are missing or out of date.

    Safe to call from several processes at once. Raises AssetSourceMissing.
    """
    existing = _read_manifest(target)
    if existing is not None:
        return existing
    return build(target)


def build(target: Path = VENDOR) -> Mapping[str, str]:
    """Make every asset anew. The manifest is written last, so a half-made folder is never taken for a whole one."""
    target.mkdir(parents=True, exist_ok=True)
    files: dict[str, str] = {}
    for logical, (dist, source) in COPIES.items():
        files[logical] = _write(target, logical, _source(dist, source).read_bytes())
    rules = []
    for face in FACES:
        logical = f"{face.stem}.woff2"
        files[logical] = _write(target, logical, _woff2(_source(face.distribution, face.source)))
        rules.append(_font_face(face, files[logical]))
    files["fonts.css"] = _write(target, "fonts.css", "\n".join(rules).encode())
    manifest = {"stamp": _stamp(), "files": files}
    _replace(target / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
    keep = {*files.values(), MANIFEST}
    for stale in target.iterdir():
        if stale.name not in keep and not stale.name.startswith("."):
            stale.unlink(missing_ok=True)
    return files


@cache
def asset(name: str) -> str:
    """Path below the static root of a named asset, in a form that changes with its content.

    `vendor/htmx.js` → `vendor/htmx.72976….js`; own files get `?v=<hash>`. Raises KeyError or FileNotFoundError.
    """
    prefix, _, rest = name.partition("vendor/")
    if rest and not prefix:
        return f"vendor/{ensure()[rest]}"
    return f"{name}?v={_short(STATIC.joinpath(name).read_bytes())}"


class ConsoleStatic(StaticFiles):
    """Serves `static/` with `immutable` for names that carry a hash, and revalidation by ETag for the rest."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        hashed = path.startswith("vendor/") and not path.endswith(MANIFEST)
        versioned = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = FOREVER if hashed or versioned else "no-cache"
        return response


def _read_manifest(target: Path) -> Mapping[str, str] | None:
    try:
        manifest = json.loads((target / MANIFEST).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    if manifest.get("stamp") != _stamp():
        return None
    files: dict[str, str] = manifest["files"]
    return files if all((target / name).is_file() for name in files.values()) else None


def _stamp() -> str:
    """What the assets were made of: a new version of any wheel, or of this recipe, makes them stale."""
    names = sorted({dist for dist, _ in COPIES.values()} | {face.distribution for face in FACES})
    return " ".join([f"recipe={RECIPE}", *(f"{name}={_distribution_version(name)}" for name in names)])


def _distribution_version(name: str) -> str:
    try:
        return distribution(name).version
    except PackageNotFoundError as error:
        raise AssetSourceMissing(f"{name} is not installed: install the gateway extra") from error


def _source(dist: str, path: str) -> Path:
    _distribution_version(dist)
    found = Path(str(distribution(dist).locate_file(path)))
    if not found.is_file():
        raise AssetSourceMissing(f"{dist} {distribution(dist).version} has no {path}")
    return found


def _woff2(ttf: Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder, TTFont(ttf) as font:
        font.flavor = "woff2"
        # The head table's time would otherwise be that of the conversion, and the hash in the name with it.
        font.recalcTimestamp = False
        out = Path(folder) / "font.woff2"
        font.save(out)
        return out.read_bytes()


def _font_face(face: Face, file_name: str) -> str:
    return (
        f'@font-face{{font-family:"{face.family}";font-style:normal;font-weight:{face.weight};'
        f'font-display:swap;src:url("{file_name}") format("woff2")}}'
    )


def _write(target: Path, logical: str, data: bytes) -> str:
    stem, dot, suffix = logical.rpartition(".")
    name = f"{stem}.{_short(data)}{dot}{suffix}"
    _replace(target / name, data)
    return name


def _replace(path: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as part:
        part.write(data)
    os.chmod(part.name, 0o644)
    os.replace(part.name, path)


def _short(data: bytes) -> str:
    return sha256(data).hexdigest()[:12]


if __name__ == "__main__":
    for logical_name, file in sorted(ensure().items()):
        print(f"{logical_name:40} {file} {(VENDOR / file).stat().st_size:>8}")
