"""Settings from mounted files: each plane takes its own, and a mount that holds another's stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.contracts.message import Plane
from libs.runtime.settings import SettingsError, adopt_secret_files


@pytest.mark.parametrize("name", ["DEALIX_LLM_OPENAI_KEY", "DEALIX_LLM_API_KEY", "DEALIX_LLM_BASE_URL"])
def test_models_keys_are_executions_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("not-a-real-key\n", encoding="utf-8")
    taken = {"DEALIX_SECRETS_DIR": str(tmp_path)}
    adopt_secret_files(taken, Plane.EXECUTION)
    assert taken[name] == "not-a-real-key"
    for plane in set(Plane) - {Plane.EXECUTION}:
        with pytest.raises(SettingsError, match=name):
            adopt_secret_files({"DEALIX_SECRETS_DIR": str(tmp_path)}, plane)
