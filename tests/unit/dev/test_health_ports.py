"""On one machine each plane can have a port of its own for what watches it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev.environment import Addresses, plane_environment
from dev.messages import BadSetting
from dev.secrets import PLANES, load_or_create
from dev.settings import load_settings

ADMIN = "postgresql://postgres:super@127.0.0.1:20001/dealix"


def test_each_plane_listens_on_the_next_port_of_this_machine_alone(tmp_path: Path) -> None:
    secrets = load_or_create(tmp_path / "secrets.json")
    where = Addresses("nats://127.0.0.1:20000", ADMIN, "0.0.0.0", 8080, tmp_path, health_ports=9101)
    given = [plane_environment(plane, {}, secrets, where) for plane in PLANES]
    assert [one["DEALIX_HEALTH_PORT"] for one in given] == ["9101", "9102", "9103", "9104", "9105", "9106"]
    assert {one["DEALIX_HEALTH_HOST"] for one in given} == {"127.0.0.1"}, (
        "metrics are for who runs it, not for the network"
    )


def test_none_listens_where_none_was_asked_for(tmp_path: Path) -> None:
    where = Addresses("nats://127.0.0.1:20000", ADMIN, "0.0.0.0", 8080, tmp_path)
    given = plane_environment("trust", {"DEALIX_HEALTH_PORT": "9000"}, load_or_create(tmp_path / "s.json"), where)
    assert "DEALIX_HEALTH_PORT" not in given


@pytest.mark.parametrize("value", ["80", "65535", "many"])
def test_ports_that_can_not_be_taken_are_refused_in_both_languages(value: str) -> None:
    with pytest.raises(BadSetting, match="DEALIX_HEALTH_PORTS") as refused:
        load_settings({"DEALIX_HEALTH_PORTS": value})
    assert "1024" in refused.value.sentence.ar
