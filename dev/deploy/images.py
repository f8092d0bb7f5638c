"""Builds one image a plane, with a bill of materials (CycloneDX) and a provenance statement (in-toto, SLSA 1.0) beside each.

python -m dev.deploy.images [PLANE …]     exit code 2 where no engine answers; what needs none is written all the same

DEALIX_IMAGES_BASE      the image to build on, instead of the official Python (a mirror's, or one made by `python -m dev.deploy.base`)
DEALIX_IMAGES_OPTIONS   further options of the engine's `build`, e.g. `--network host --build-arg UV_DEFAULT_INDEX=https://mirror/simple`
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "deploy" / "images"
OUT = ROOT / "build" / "images"
UV = Path(sysconfig.get_path("scripts")) / "uv"
NAMES = ("decision", "execution", "trust", "data", "operating", "gateway", "migrator")
ENGINES = ("docker", "podman", "buildah")
BUILD_TYPE = "https://dealix.example/build/dockerfile/v1"


def assemble(name: str, target: Path) -> None:
    """What the image's `/opt/dealix/app` holds, by the same program that the build runs."""
    _script("assemble").assemble(name, target)


def requirements(name: str) -> str:
    """What the image's environment is made of: lines of the project's lock, with hashes. Raises CalledProcessError, LookupError."""
    return str(_script("requirements").select(name, str(UV)))


def _script(name: str) -> Any:
    """One of the programs that also run inside the build, where nothing of ours is installed."""
    spec = importlib.util.spec_from_file_location(name, IMAGES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bill_of_materials(lines: str, out: Path) -> None:
    """CycloneDX 1.6 of the image's Python packages, with their hashes; `lines` are its requirements. Raises CalledProcessError."""
    program = Path(sysconfig.get_path("scripts")) / "cyclonedx-py"
    command = [
        str(program), "requirements", "-", "--pyproject", str(ROOT / "pyproject.toml"),
        "--output-reproducible", "--of", "JSON", "--spec-version", "1.6", "-o", str(out),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, input=lines.encode())


def provenance(
    name: str, subject: str, digest: str, lines: str, *, engine: str | None, finished: datetime
) -> dict[str, Any]:
    """What was built from what: an in-toto statement with SLSA's predicate. Signing it is the release pipeline's."""
    materials = [
        {"uri": "git+file", "digest": {"gitCommit": _git("rev-parse", "HEAD")}},
        {"uri": f"requirements.lock#{name}", "digest": {"sha256": _sha256(lines.encode())}},
        {"uri": "deploy/images/Dockerfile", "digest": {"sha256": _sha256((IMAGES / "Dockerfile").read_bytes())}},
    ]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": subject, "digest": {"sha256": digest}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"PLANE": name, "VERSION": version()},
                "internalParameters": {
                    "engine": engine or "none",
                    "uncommitted_changes": bool(_git("status", "--porcelain")),
                },
                "resolvedDependencies": materials,
            },
            "runDetails": {
                "builder": {"id": "https://dealix.example/builders/make-images"},
                "metadata": {"finishedOn": finished.isoformat(timespec="seconds")},
            },
        },
    }


def version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def tree_digest(folder: Path) -> str:
    """SHA-256 over every file's path and content, in order: the same tree has the same digest on every machine."""
    digest = hashlib.sha256()
    for path in _files(folder):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    return iter(sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def engine() -> str | None:
    """The first container engine that answers."""
    for name in ENGINES:
        found = shutil.which(name)
        if found and subprocess.run([found, "info"], capture_output=True, check=False, timeout=20).returncode == 0:
            return found
    return None


@dataclass(frozen=True)
class Built:
    """An image: its id, and the bytes of all its layers (0 where the engine does not say)."""

    id: str
    size: int


def build(program: str, name: str) -> Built:
    """Build one image. Raises CalledProcessError."""
    tag = f"dealix/{name}:{version()}"
    subprocess.run(command(program, name, os.environ), check=True)
    if Path(program).name == "buildah":
        shown = _said(program, "inspect", "--type", "image", "--format", "{{.FromImageID}}", tag)
        return Built(shown.removeprefix("sha256:"), 0)
    shown, size = _said(program, "image", "inspect", "--format", "{{.Id}} {{.Size}}", tag).split()
    return Built(shown.removeprefix("sha256:"), int(size))


def command(program: str, name: str, environ: Mapping[str, str]) -> list[str]:
    """How an engine is told to build an image."""
    arguments = [f"PLANE={name}", f"VERSION={version()}", f"REVISION={_git('rev-parse', 'HEAD')}"]
    if base := environ.get("DEALIX_IMAGES_BASE", ""):
        arguments.append(f"BASE={base}")
    options = [part for argument in arguments for part in ("--build-arg", argument)]
    if Path(program).name != "docker":
        # The OCI format has no health check, and its engines would leave ours out.
        options += ["--format", "docker"]
    options += shlex.split(environ.get("DEALIX_IMAGES_OPTIONS", ""))
    return [program, "build", "-f", str(IMAGES / "Dockerfile"), *options, "-t", f"dealix/{name}:{version()}", str(ROOT)]


def _said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def main(names: Sequence[str]) -> int:
    """0 when images were built, 1 when the engine could not build one, 2 without an engine."""
    program = engine()
    OUT.mkdir(parents=True, exist_ok=True)
    for name in names or NAMES:
        lines = requirements(name)
        bill_of_materials(lines, OUT / f"{name}.cdx.json")
        if program is None:
            with tempfile.TemporaryDirectory() as folder:
                assemble(name, Path(folder) / "app")
                subject, digest = f"dealix/{name}/app", tree_digest(Path(folder) / "app")
        else:
            try:
                built = build(program, name)
            except subprocess.CalledProcessError as error:
                print(
                    f"{Path(program).name} could not build {name} (exit code {error.returncode}); what it said stands above. Where no registry is "
                    "reached, DEALIX_IMAGES_BASE names another base: `python -m dev.deploy.base` makes one.",
                    file=sys.stderr,
                )
                return 1
            subject, digest = f"dealix/{name}:{version()}", built.id
            print(f"{subject}: {built.size / 1e6:.0f} MB" if built.size else subject)
        statement = provenance(name, subject, digest, lines, engine=program, finished=datetime.now(UTC))
        (OUT / f"{name}.provenance.json").write_text(json.dumps(statement, indent=1) + "\n", encoding="utf-8")
        print(f"{OUT}/{name}: bill of materials, provenance of {subject}")
    if program is None:
        print(
            f"No container engine answers ({', '.join(ENGINES)}): no image was built. Install one, or build elsewhere with "
            f"`docker build -f deploy/images/Dockerfile --build-arg PLANE=trust .`",
            file=sys.stderr,
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
