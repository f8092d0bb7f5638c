"""`dealix up`, `down` and `status` as a person types them, over real servers and small fake planes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.directory import any_free_port
from dev.embedded import embedded_servers
from dev.processes import alive, belonging_to, inside
from dev.secrets import PLANES

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, str(Path(__file__).with_name("fake_system.py"))]


class Operator:
    """A person at a terminal with one data directory."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data_dir = home / "data"
        self.port = any_free_port()

    def environ(self, **more: str) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("DEALIX_", "LC_", "LANG"))}
        return {**clean, "PYTHONPATH": str(ROOT), **more}

    def types(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            env=self.environ(**environ),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def up(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        where = ("--data-dir", str(self.data_dir), "--port", str(self.port))
        return self.types("up", "--detach", *where, *arguments, **environ)

    def down(self) -> subprocess.CompletedProcess[str]:
        return self.types("down", "--data-dir", str(self.data_dir))

    def status(self) -> dict[str, Any]:
        done = self.types("status", "--json", "--data-dir", str(self.data_dir))
        return {"exit_code": done.returncode, **json.loads(done.stdout)}

    def left_over(self) -> list[int]:
        return belonging_to(self.data_dir) + inside(self.data_dir / "postgres" / "data")


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    person = Operator(tmp_path)
    yield person
    if (person.data_dir / "lock").exists():
        person.down()
    assert person.left_over() == []


def eventually(check: Callable[[], bool], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while not (met := check()) and time.monotonic() < until:
        time.sleep(0.05)
    return met


def killed(pid: int) -> bool:
    os.kill(pid, signal.SIGKILL)
    return eventually(lambda: not alive(pid))


def test_up_returns_when_healthy_and_down_leaves_nothing(operator: Operator) -> None:
    started = operator.up()
    assert started.returncode == 0, started.stderr
    assert f"http://127.0.0.1:{operator.port}" in started.stdout
    assert "password is shown once" in started.stdout
    status = operator.status()
    assert (status["exit_code"], status["healthy"], status["state"]) == (0, True, "ready")
    assert set(status["planes"]) == set(PLANES)
    assert {plane["version"] for plane in status["planes"].values()} == {"9.9.9"}
    assert status["servers"]["nats"]["address"].startswith("nats://127.0.0.1:")
    assert "@" not in json.dumps(status), "an address with a password in it"
    grandchild = int((operator.data_dir / "grandchild.pid").read_text())
    assert alive(grandchild)
    stopped = operator.down()
    assert (stopped.returncode, stopped.stdout.strip()) == (0, "Dealix is stopped.")
    assert operator.left_over() == [] and not alive(grandchild)
    assert "stopped cleanly" in (operator.data_dir / "logs" / "trust.log").read_text()


def test_a_second_start_keeps_ports_and_secrets(operator: Operator) -> None:
    assert operator.up().returncode == 0
    first, secrets = operator.status(), (operator.data_dir / "secrets.json").read_text()
    operator.down()
    assert operator.up().returncode == 0
    second = operator.status()
    assert [s["address"] for s in first["servers"].values()] == [s["address"] for s in second["servers"].values()]
    assert (operator.data_dir / "secrets.json").read_text() == secrets
    assert (operator.data_dir / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_a_plane_and_a_server_that_die_are_started_again(operator: Operator) -> None:
    assert operator.up().returncode == 0
    before = operator.status()
    assert killed(before["planes"]["trust"]["pid"])
    assert killed(before["servers"]["nats"]["pid"])
    assert killed(before["servers"]["postgres"]["pid"])
    assert eventually(lambda: operator.status()["healthy"])
    after = operator.status()
    assert after["planes"]["trust"]["restarts"] == 1
    assert after["planes"]["trust"]["pid"] != before["planes"]["trust"]["pid"]
    assert after["servers"]["nats"]["address"] == before["servers"]["nats"]["address"]
    assert after["servers"]["postgres"]["address"] == before["servers"]["postgres"]["address"]
    assert after["planes"]["data"]["restarts"] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="death signals are a Linux feature; elsewhere the sweep does it")
def test_nothing_outlives_a_supervisor_killed_with_sigkill_and_the_next_start_recovers(operator: Operator) -> None:
    assert operator.up().returncode == 0
    assert killed(operator.status()["pid"])
    # All but the planes' own children, which the next start or `down` sweeps up.
    grandchild = int((operator.data_dir / "grandchild.pid").read_text())
    assert eventually(lambda: set(operator.left_over()) <= {grandchild})
    assert operator.status()["exit_code"] == 3
    assert operator.up().returncode == 0
    assert not alive(grandchild)
    assert operator.status()["healthy"]


def test_ctrl_c_stops_everything_and_succeeds(operator: Operator) -> None:
    arguments = [*COMMAND, "up", "--data-dir", str(operator.data_dir), "--port", str(operator.port)]
    process = subprocess.Popen(
        arguments, env=operator.environ(), cwd=operator.home, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    output = []
    for line in process.stdout:
        output.append(line)
        if "Ctrl-C" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert any(line.startswith("gateway   │ INFO serving") for line in output)
    assert "trust     │ stopped cleanly" in rest
    assert operator.left_over() == []


def test_ctrl_c_in_the_middle_of_the_start_leaves_nothing_and_is_no_success(operator: Operator) -> None:
    arguments = [*COMMAND, "up", "--data-dir", str(operator.data_dir), "--port", str(operator.port)]
    process = subprocess.Popen(
        arguments, env=operator.environ(), cwd=operator.home, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Starting NATS")
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert operator.left_over() == []


def test_a_second_up_is_refused_and_the_first_goes_on(operator: Operator) -> None:
    assert operator.up().returncode == 0
    second = operator.up()
    assert second.returncode == 1
    assert "already runs" in second.stderr and len(second.stderr.strip().splitlines()) == 1
    assert operator.status()["healthy"]


def test_a_port_in_use_is_one_sentence_with_a_port_that_works(operator: Operator) -> None:
    with socket.create_server(("127.0.0.1", operator.port)):
        refused = operator.up()
        assert refused.returncode == 1
        assert refused.stderr.strip().splitlines()[-1].startswith(f"Port {operator.port} is in use")
        in_arabic = operator.up("--lang", "ar")
        assert f"المنفذ {operator.port} مشغول" in in_arabic.stderr
    assert operator.left_over() == []
    suggested = refused.stderr.strip().rsplit(" ", 1)[1]
    operator.port = int(suggested)
    assert operator.up().returncode == 0


def test_a_plane_that_cannot_start_fails_the_start_with_its_last_words(operator: Operator) -> None:
    operator.data_dir.mkdir()
    (operator.data_dir / "crash-trust").touch()
    failed = operator.up()
    assert failed.returncode == 1
    assert "The trust plane did not start" in failed.stderr and "cannot read the policy bundle" in failed.stderr
    assert operator.left_over() == []
    assert operator.status()["exit_code"] == 3
    (operator.data_dir / "crash-trust").unlink()
    assert operator.up().returncode == 0


def test_no_plane_receives_admin_credentials_or_anothers(operator: Operator) -> None:
    environ = {"DEALIX_LLM_API_KEY": "llm-key", "DEALIX_TRACE_RATIO": "0.5", "PGPASSWORD": "mine"}
    assert operator.up(**environ).returncode == 0
    secrets = json.loads((operator.data_dir / "secrets.json").read_text())
    superuser = (operator.data_dir / "postgres" / "superuser.password").read_text().strip()
    for plane in PLANES:
        given = json.loads((operator.data_dir / f"env-{plane}.json").read_text())
        everything = json.dumps(given)
        assert given[f"DEALIX_{plane.upper()}_NATS_SEED"] == secrets["nats_seeds"][plane]
        assert f"dealix_{plane}:" in given[f"DEALIX_{plane.upper()}_DATABASE_URL"]
        assert given["DEALIX_TRACE_RATIO"] == "0.5"
        assert superuser not in everything and secrets["nats_seeds"]["migrator"] not in everything
        for other in set(PLANES) - {plane}:
            assert secrets["nats_seeds"][other] not in everything
            assert secrets["database_passwords"][other] not in everything
        assert ("DEALIX_TRUST_KEYS" in given) == (plane == "trust")
        assert ("DEALIX_SECRET_KEY" in given) == (plane in ("gateway", "execution"))
        assert ("DEALIX_LLM_API_KEY" in given) == (plane == "execution")
        assert "PGPASSWORD" not in given


def test_one_process_is_started_the_same_way(operator: Operator) -> None:
    assert operator.up("--one-process").returncode == 0
    status = operator.status()
    assert set(status["planes"]) == {"one_process"} and status["healthy"]
    given = json.loads((operator.data_dir / "env-one_process.json").read_text())
    assert all(f"DEALIX_{plane.upper()}_DATABASE_URL" in given for plane in PLANES)


def test_servers_given_by_the_environment_are_used_and_left_running(operator: Operator, tmp_path: Path) -> None:
    async def check() -> None:
        async with embedded_servers(tmp_path / "elsewhere") as servers:
            environ = {"DEALIX_NATS_URL": servers.nats_url, "DEALIX_DATABASE_URL": servers.admin_url}
            started = await asyncio.to_thread(operator.up, **environ)
            assert started.returncode == 0, started.stderr
            given = json.loads((operator.data_dir / "env-trust.json").read_text())
            assert given["DEALIX_NATS_URL"] == servers.nats_url
            assert f":{servers.postgres.port}/dealix" in given["DEALIX_TRUST_DATABASE_URL"]
            assert not (operator.data_dir / "nats").exists() and not (operator.data_dir / "postgres").exists()
            await asyncio.to_thread(operator.down)
            assert servers.nats.child is not None and servers.nats.child.exit_code is None
            assert servers.postgres.child is not None and servers.postgres.child.exit_code is None

    asyncio.run(check())


def test_down_with_nothing_running_says_so_and_succeeds(operator: Operator) -> None:
    done = operator.down()
    assert done.returncode == 0 and "not running" in done.stdout
    assert not operator.data_dir.exists()


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"DEALIX_HTTP_HOST": "no such host"}, "DEALIX_HTTP_HOST"),
        ({"DEALIX_HTTP_HOST": "192.0.2.1"}, "not an address of this machine"),
        ({"DEALIX_NATS_URL": "localhost"}, "DEALIX_NATS_URL"),
        ({"DEALIX_DATABASE_URL": "postgresql://me:hunter2@"}, "DEALIX_DATABASE_URL"),
        ({"DEALIX_SECRET_KEY": "short"}, "32 characters"),
        ({"DEALIX_TRUST_NATS_SEED": "SUwrong"}, "DEALIX_TRUST_NATS_SEED"),
        ({"DEALIX_TRUST_KEYS": "{}"}, "DEALIX_TRUST_KEYS"),
        ({"DEALIX_LANG": "fr"}, "DEALIX_LANG"),
        ({"DEALIX_START_SECONDS": "soon"}, "DEALIX_START_SECONDS"),
    ],
)
def test_a_setting_that_makes_no_sense_stops_the_start_with_its_name(
    operator: Operator, environ: dict[str, str], words: str
) -> None:
    refused = operator.up(**environ)
    assert refused.returncode == 2
    assert words in refused.stderr and "Traceback" not in refused.stderr and "hunter2" not in refused.stderr


def test_a_data_directory_that_is_a_file_or_has_damaged_secrets_is_refused(operator: Operator) -> None:
    operator.data_dir.write_text("not a directory")
    refused = operator.up()
    assert refused.returncode == 1 and "is not a directory" in refused.stderr
    operator.data_dir.unlink()
    operator.data_dir.mkdir()
    (operator.data_dir / "secrets.json").write_text('{"secret_key": ')
    refused = operator.up()
    assert refused.returncode == 1 and "secrets.json is damaged" in refused.stderr
    assert (operator.data_dir / "secrets.json").read_text() == '{"secret_key": '
