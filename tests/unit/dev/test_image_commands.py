"""How each engine is told to build an image."""

from __future__ import annotations

import re

import pytest

from dev.deploy import images


def _options(program: str, **environ: str) -> list[str]:
    return images.command(f"/usr/bin/{program}", "trust", environ)


@pytest.mark.parametrize("program", images.ENGINES)
def test_every_engine_gets_the_plane_and_a_tag(program: str) -> None:
    command = _options(program)
    assert command[:2] == [f"/usr/bin/{program}", "build"]
    assert "PLANE=trust" in command
    assert command[command.index("-t") + 1] == f"dealix/trust:{images.version()}"
    assert not [word for word in command if word.startswith("BASE=")], "the recipe's own base"


def test_engines_whose_own_format_knows_no_health_check_build_the_one_that_does() -> None:
    assert "--format" not in _options("docker")
    for program in ("podman", "buildah"):
        command = _options(program)
        assert command[command.index("--format") + 1] == "docker"


def test_a_mirrors_base_and_further_options_reach_the_engine() -> None:
    command = _options(
        "podman",
        DEALIX_IMAGES_BASE="registry.example/python:3.11",
        DEALIX_IMAGES_OPTIONS="--network host --build-arg 'PIP_INDEX_URL=https://mirror.example/a b'",
    )
    assert command[command.index("BASE=registry.example/python:3.11") - 1] == "--build-arg"
    assert command[command.index("--network") + 1] == "host"
    assert "PIP_INDEX_URL=https://mirror.example/a b" in command


def test_the_recipe_declares_every_setting_that_it_is_given() -> None:
    text = (images.IMAGES / "Dockerfile").read_text(encoding="utf-8")
    build, final = text.split("\nFROM ${BASE}\n")
    declared = set(re.findall(r"^ARG (\w+)", build, re.MULTILINE))
    assert declared == {"BASE", "PLANE", "PIP_INDEX_URL", "PIP_CERT", "UV_DEFAULT_INDEX", "SSL_CERT_FILE"}
    kept = set(re.findall(r"^ARG (\w+)", final, re.MULTILINE))
    assert kept == {"BASE", "PLANE", "VERSION", "REVISION"}, "where packages came from is not in the image"
    assert "docker.io/library/python:3.11" in text
