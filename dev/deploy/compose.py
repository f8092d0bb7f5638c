"""Writes what the Compose file mounts: secrets of a new installation, one folder a container, and the Collector's configuration.

python -m dev.deploy.compose      what is there already is kept
"""

from __future__ import annotations

import json
import os
import secrets as random
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from dev.deploy.surroundings import collector_configuration
from dev.secrets import MIGRATOR, PLANES, Secrets, load_or_create
from libs.runtime.nats_config import authorization

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "compose"
USER = 10001
"""The containers' account: a mounted file of another account could not be read by it."""


def write(folder: Path) -> None:
    """Write everything below `folder`; keys and passwords that are there stay."""
    mounted = folder / "secrets"
    mounted.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = load_or_create(mounted / "installation.json")
    password = mounted / "postgres"
    if not password.exists():
        # Read by an account of the server's image; the folder above it is ours alone.
        _file(password, random.token_urlsafe(24), mode=0o644)
    admin = f"postgresql://postgres:{password.read_text().strip()}@postgres:5432/dealix"
    _file(mounted / "nats.conf", _nats(kept), mode=0o644)
    for plane in PLANES:
        _folder(mounted / plane, plane_files(plane, kept, admin))
    _folder(
        mounted / MIGRATOR,
        {
            "DEALIX_DATABASE_URL": admin,
            "DEALIX_MIGRATOR_NATS_SEED": kept.nats_seeds[MIGRATOR],
            "DEALIX_MIGRATOR_PASSWORDS": json.dumps(dict(kept.database_passwords)),
        },
    )
    collector = collector_configuration()
    # Nobody to pass traces on to: the last words of each are printed.
    collector["exporters"] = {"debug": {"verbosity": "basic"}}
    for pipeline in collector["service"]["pipelines"].values():
        pipeline["exporters"] = ["debug"]
    _file(folder / "collector.yaml", yaml.safe_dump(collector, sort_keys=False), mode=0o644)


def plane_files(plane: str, kept: Secrets, admin_url: str) -> dict[str, str]:
    """A plane's secret, one file a setting: its own credentials, and what it holds alone."""
    prefix = f"DEALIX_{plane.upper()}_"
    out = {f"{prefix}NATS_SEED": kept.nats_seeds[plane], f"{prefix}DATABASE_URL": kept.database_url(plane, admin_url)}
    if plane == "trust":
        out["DEALIX_TRUST_KEYS"] = kept.trust_keys_json()
    if plane in ("gateway", "execution"):
        out["DEALIX_SECRET_KEY"] = kept.secret_key
    return out


def _nats(kept: Secrets) -> str:
    return (
        'server_name: "nats"\nport: 4222\nhttp: "127.0.0.1:8222"\nmax_payload: 8MB\n'
        'jetstream {\n  store_dir: "/data"\n  sync_interval: always\n}\n' + authorization(kept.nats_public_keys())
    )


def _folder(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True, mode=0o700)
    _give(folder)
    for name, value in files.items():
        _file(folder / name, value)
        _give(folder / name)


def _file(path: Path, text: str, *, mode: int = 0o600) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "w") as file:
        file.write(text if text.endswith("\n") else text + "\n")


def _give(path: Path) -> None:
    """To the containers' account, where we may. Otherwise the engine must map accounts (rootless engines do)."""
    if os.geteuid() == 0:
        os.chown(path, USER, USER)


if __name__ == "__main__":
    write(FOLDER)
    print(f"{FOLDER}: secrets and the Collector's configuration are there")
    sys.exit(0)
