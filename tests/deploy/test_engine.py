"""The images, the Compose file and the main job by a real engine; what `make engine` does, for machines that are asked to."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.live, pytest.mark.timeout(1800)]


@pytest.mark.skipif(
    not os.environ.get("DEALIX_TEST_ENGINE"),
    reason="takes minutes and an engine; DEALIX_TEST_ENGINE=1 asks for it (`make engine`)",
)
def test_the_images_run_by_a_real_engine_and_the_main_job_runs_in_them() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine"], capture_output=True, text=True, timeout=1700, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_without_an_engine_the_run_says_so_and_ends_with_two() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine"], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PATH": "/nonexistent"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "engine: no engine that runs containers answers (docker or podman)\n")
