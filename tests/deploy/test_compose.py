"""The Compose file is one, keeps the planes apart, and what it mounts lets each of them in."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from dev.deploy import compose
from dev.nats import nats_binary
from libs.contracts.message import Plane
from libs.runtime.nats_config import public_key
from libs.runtime.settings import adopt_secret_files, load

FILE = compose.FOLDER / "compose.yaml"


def text() -> str:
    """The file after interpolation with nothing set, as `docker compose config` does it."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", FILE.read_text(encoding="utf-8"))


def services() -> dict[str, Any]:
    return dict(yaml.safe_load(text())["services"])


def test_it_is_a_compose_file_whose_references_resolve() -> None:
    options = compose_spec.PyOptions()
    options.apply_merge = True
    judged = options.from_yaml(text())
    judged.validate()
    assert set(judged.service_names()) == {
        *(plane.value for plane in Plane),
        "migrator",
        "nats",
        "postgres",
        "collector",
    }
    for wrong in ("interval: 5s", "context: ../.."):
        with pytest.raises(ValueError):
            options.from_yaml(text().replace(wrong, "intervall: soon" if "interval" in wrong else "contxt: 1"))


@pytest.mark.parametrize("plane", list(Plane))
def test_each_plane_is_confined(plane: Plane) -> None:
    service = services()[plane.value]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == f"{compose.USER}:{compose.USER}"
    assert service["volumes"] == [f"./secrets/{plane.value}:/run/secrets/dealix:ro"], "its own secret and no other"
    assert service["build"]["args"] == {"PLANE": plane.value}
    assert service["depends_on"] == {"migrator": {"condition": "service_completed_successfully"}}


def test_only_execution_has_a_way_out_and_only_the_gateway_a_door() -> None:
    networks = yaml.safe_load(text())["networks"]
    assert networks["inside"] == {"internal": True}
    outside = {name for name, service in services().items() if set(service["networks"]) - {"inside"}}
    assert outside == {"execution", "gateway"}
    assert [name for name, service in services().items() if "ports" in service] == ["gateway"]
    assert services()["gateway"]["ports"] == ["127.0.0.1:8080:8080"]


@pytest.fixture
def own_environment() -> Iterator[None]:
    """What a test takes into the environment by itself, so past monkeypatch, is gone after it."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_what_is_mounted_lets_each_plane_in_and_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_environment: None
) -> None:
    compose.write(tmp_path)
    mounted = tmp_path / "secrets"
    before = {path: path.read_bytes() for path in sorted(mounted.rglob("*")) if path.is_file()}
    compose.write(tmp_path)
    assert {path: path.read_bytes() for path in sorted(mounted.rglob("*")) if path.is_file()} == before
    server = (mounted / "nats.conf").read_text()
    for plane in Plane:
        for name in [name for name in os.environ if name.startswith("DEALIX_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("DEALIX_SECRETS_DIR", str(mounted / plane.value))
        adopt_secret_files(os.environ, plane)
        settings = load(plane)
        assert public_key(settings.nats_seed) in server
        assert f"dealix_{plane.value}:" in settings.database_url
        for other in set(Plane) - {plane}:
            assert not (mounted / plane.value / f"DEALIX_{other.value.upper()}_NATS_SEED").exists()
            monkeypatch.delenv(f"DEALIX_{other.value.upper()}_NATS_SEED", raising=False)
    config = tmp_path / "nats.conf"
    config.write_text(server.replace('"/data"', f'"{tmp_path}/js"'))
    done = subprocess.run(
        [str(nats_binary()), "-t", "-c", str(config)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load((tmp_path / "collector.yaml").read_text())["exporters"].keys() == {"debug"}
