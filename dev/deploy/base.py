"""Makes the image that the others are built on without a registry: Debian by `debootstrap`, with its own Python.

python -m dev.deploy.base [--mirror URL] [--authority FILE.crt …]      needs root, debootstrap and an engine; prints the image's name

Then: DEALIX_IMAGES_BASE=localhost/dealix/base:bookworm make images
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dev.deploy.images import engine

SUITE = "bookworm"
NAME = f"localhost/dealix/base:{SUITE}"
MIRROR = "http://deb.debian.org/debian"
PACKAGES = ("python3", "python3-venv", "python-is-python3", "ca-certificates", "tzdata")
# What only installing more would need, or only reading.
LEFT_OUT = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale", "var/log")


def make(program: str, mirror: str, authorities: Sequence[Path] = ()) -> None:
    """Make the image `NAME`, which believes the certificates of `authorities` besides the usual ones.

    Raises CalledProcessError with the failing program's output shown.
    """
    with tempfile.TemporaryDirectory(prefix="dealix-base-") as name:
        root = Path(name) / "root"
        subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(root), mirror],
            check=True,
        )
        for authority in authorities:
            shutil.copy(authority, root / "usr/local/share/ca-certificates" / f"{authority.stem}.crt")
        # Our own environment names folders that are not in there.
        clean = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        subprocess.run(["chroot", str(root), "update-ca-certificates"], check=True, env=clean)
        for folder in LEFT_OUT:
            for entry in (root / folder).glob("*"):
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        archive = Path(name) / "root.tar"
        subprocess.run(["tar", "--numeric-owner", "-C", str(root), "-cf", str(archive), "."], check=True)
        changes = ["--change", "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        changes += ["--change", "ENV LANG=C.UTF-8", "--change", 'CMD ["python"]']
        subprocess.run([program, "import", *changes, str(archive), NAME], check=True)


def main() -> int:
    """0 when the image is there, 2 where something that is needed is missing."""
    parser = argparse.ArgumentParser(prog="python -m dev.deploy.base", description=__doc__)
    parser.add_argument("--mirror", default=MIRROR, help="where Debian's packages are")
    parser.add_argument(
        "--authority", type=Path, action="append", default=[], help="a certificate to believe, PEM, *.crt"
    )
    given = parser.parse_args()
    program = engine()
    if program is None or Path(program).name == "buildah":
        print("No engine that imports an image answers (docker or podman).", file=sys.stderr)
        return 2
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        print("Making a base image needs root and debootstrap.", file=sys.stderr)
        return 2
    make(program, given.mirror, given.authority)
    print(NAME)
    return 0


if __name__ == "__main__":
    sys.exit(main())
