"""Each image holds `libs/`, its plane and its extra, and that is enough to start and serve. No engine is needed to find out."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from dev.deploy import images
from dev.deploy.compose import plane_files
from dev.directory import any_free_port
from dev.embedded import embedded_servers
from dev.prepare import authorization
from dev.secrets import MIGRATOR, Secrets, load_or_create
from libs.contracts.message import Plane
from tests.deploy.processes import clean, started, wait_ready

pytestmark = [pytest.mark.live, pytest.mark.timeout(400)]

IMPORT_ALL = """
import importlib, json, pkgutil, sys
names = []
for top in ("libs", "services"):
    package = importlib.import_module(top)
    for module in pkgutil.walk_packages(package.__path__, top + "."):
        if not module.name.endswith("__main__") and ".migrations.versions" not in module.name:
            importlib.import_module(module.name)
            names.append(module.name)
print(json.dumps(names))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Image-shaped folders: `app` and `venv` each, as the Dockerfile makes them. The wheels come out of one cache."""
    out = {}
    for name in images.NAMES:
        folder = tmp_path_factory.mktemp(name)
        images.assemble(name, folder / "app")
        (folder / "plane.lock").write_text(images.requirements(name))
        _uv("venv", "--python", sys.executable, str(folder / "venv"))
        _uv("pip", "sync", "--require-hashes", "--python", str(python(folder)), str(folder / "plane.lock"))
        out[name] = folder
    _run(out["gateway"], "-m", "services.gateway.console.assets")
    return out


def python(folder: Path) -> Path:
    return folder / "venv" / "bin" / "python"


def _uv(*arguments: str) -> None:
    done = subprocess.run([str(images.UV), *arguments, "-q"], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr


def _run(folder: Path, *arguments: str, **more: str) -> str:
    command = [str(python(folder)), *arguments]
    done = subprocess.run(
        command, cwd=folder / "app", env=clean(**more), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", images.NAMES)
def test_every_module_of_an_image_finds_what_it_imports(built: dict[str, Path], name: str) -> None:
    modules = json.loads(_run(built[name], "-c", IMPORT_ALL))
    assert "libs.runtime.plane" in modules
    others = {plane.value for plane in Plane} - {name}
    strangers = [module for module in modules for other in others if module.startswith(f"services.{other}.")]
    if name != MIGRATOR:
        assert f"services.{name}.app" in modules
        assert strangers == [], "an image holds its own plane only"
    else:
        assert not [module for module in modules if module.endswith((".handlers", ".app"))]


def test_an_undeclared_import_is_caught(built: dict[str, Path], tmp_path: Path) -> None:
    planted = built["decision"] / "app" / "services" / "decision" / "planted.py"
    planted.write_text("import phonenumbers  # data's, not ours\n")
    try:
        with pytest.raises(AssertionError, match="No module named 'phonenumbers'"):
            _run(built["decision"], "-c", IMPORT_ALL)
    finally:
        planted.unlink()


async def test_the_migrator_and_every_plane_start_and_serve_from_their_images(
    built: dict[str, Path], tmp_path: Path
) -> None:
    secrets = load_or_create(tmp_path / "secrets.json")
    async with embedded_servers(
        tmp_path / "servers", authorization=authorization(secrets.nats_public_keys())
    ) as servers:
        _run(
            built[MIGRATOR],
            "main.py",
            DEALIX_DATABASE_URL=servers.admin_url,
            DEALIX_NATS_URL=servers.nats_url,
            DEALIX_MIGRATOR_NATS_SEED=secrets.nats_seeds[MIGRATOR],
            DEALIX_MIGRATOR_PASSWORDS=json.dumps(dict(secrets.database_passwords)),
        )
        console = any_free_port("127.0.0.1")
        doors = {plane: any_free_port("127.0.0.1") for plane in Plane}
        with ExitStack() as running:
            for plane in Plane:
                folder = built[plane.value]
                mounted = mount(folder / "secrets", plane, secrets, servers.admin_url)
                environ = clean(
                    DEALIX_NATS_URL=servers.nats_url,
                    DEALIX_SECRETS_DIR=str(mounted),
                    DEALIX_DATA_DIR=str(folder / "data"),
                    DEALIX_HEALTH_HOST="127.0.0.1",
                    DEALIX_HEALTH_PORT=str(doors[plane]),
                    DEALIX_HTTP_PORT=str(console),
                )
                (folder / "data").mkdir(exist_ok=True)
                running.enter_context(started([str(python(folder)), "main.py"], folder / "app", environ))
            for plane in Plane:
                assert wait_ready(doors[plane]), f"{plane.value} did not become ready"
                _run(built[plane.value], "probe.py", DEALIX_HEALTH_PORT=str(doors[plane]))
            assert wait_ready(console), "the gateway does not find every plane ready"


def mount(folder: Path, plane: Plane, secrets: Secrets, admin_url: str) -> Path:
    """A plane's secret as a cluster mounts it: one file a setting."""
    folder.mkdir(exist_ok=True)
    for name, value in plane_files(plane.value, secrets, admin_url).items():
        (folder / name).write_text(value + "\n")
    return folder


def test_bills_of_materials_and_provenance_are_written_without_an_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "OUT", tmp_path / "out")
    monkeypatch.setattr(images, "engine", lambda: None)
    assert images.main(["trust", "migrator"]) == 2
    bill = json.loads((tmp_path / "out" / "trust.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    named = {component["name"]: component for component in bill["components"]}
    assert named.keys() >= {"cedarpy", "nats-py", "pydantic"}
    assert "openpyxl" not in named, "another plane's library"
    statement = json.loads((tmp_path / "out" / "trust.provenance.json").read_text())
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    images.assemble("trust", tmp_path / "app")
    assert statement["subject"] == [
        {"name": "dealix/trust/app", "digest": {"sha256": images.tree_digest(tmp_path / "app")}}
    ]
    changed = tmp_path / "app" / "services" / "trust" / "app.py"
    changed.write_text(changed.read_text() + "\n")
    assert statement["subject"][0]["digest"]["sha256"] != images.tree_digest(tmp_path / "app")


def test_an_engine_that_fails_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = tmp_path / "docker"
    failing.write_text("#!/bin/sh\n[ $1 = info ] || exit 125\n")
    failing.chmod(0o755)
    monkeypatch.setattr(images, "OUT", tmp_path / "out")
    monkeypatch.setattr(images, "engine", lambda: str(failing))
    assert images.main(["trust"]) == 1
    said = capsys.readouterr().err
    assert "docker could not build trust (exit code 125)" in said
    assert "DEALIX_IMAGES_BASE" in said
