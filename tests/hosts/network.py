"""Hosts as network namespaces on one bridge. Needs root and `ip`; everything is named after this process and removed at the end."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from dataclasses import dataclass

_CLONE_NEWNET = 0x40000000


class NoNamespaces(Exception):
    """Namespaces can't be made here; the message says why."""


@dataclass(frozen=True)
class Host:
    """A host: its namespace and its address."""

    name: str
    namespace: str
    address: str

    def command(self, *arguments: str) -> list[str]:
        """The same command, on this host."""
        return ["ip", "netns", "exec", self.namespace, *arguments]


class Lan:
    """A switch and the hosts on it."""

    def __init__(self, names: tuple[str, ...]) -> None:
        if os.geteuid() != 0 or shutil.which("ip") is None:
            raise NoNamespaces("several hosts need root and the program `ip` (iproute2)")
        self._mark = f"dx{os.getpid() % 100000}"
        self._switch = f"{self._mark}-lan"
        self.hosts = {
            name: Host(name, f"{self._mark}-{name}", f"10.77.0.{10 + number}") for number, name in enumerate(names)
        }

    def build(self) -> None:
        """Raises NoNamespaces."""
        try:
            _ip("netns", "add", self._switch)
            _ip("-n", self._switch, "link", "add", "bridge", "type", "bridge")
            _ip("-n", self._switch, "link", "set", "bridge", "up")
            for host in self.hosts.values():
                _ip("netns", "add", host.namespace)
                _ip(
                    "link",
                    "add",
                    "eth0",
                    "netns",
                    host.namespace,
                    "type",
                    "veth",
                    "peer",
                    "name",
                    host.name,
                    "netns",
                    self._switch,
                )
                _ip("-n", self._switch, "link", "set", host.name, "master", "bridge")
                _ip("-n", self._switch, "link", "set", host.name, "up")
                _ip("-n", host.namespace, "address", "add", f"{host.address}/24", "dev", "eth0")
                for device in ("lo", "eth0"):
                    _ip("-n", host.namespace, "link", "set", device, "up")
        except subprocess.CalledProcessError as error:
            self.remove()
            raise NoNamespaces(f"`{' '.join(error.cmd)}` failed: {error.stderr.strip()}") from error

    def remove(self) -> None:
        for namespace in (self._switch, *(host.namespace for host in self.hosts.values())):
            subprocess.run(["ip", "netns", "delete", namespace], capture_output=True, check=False)

    def cut(self, name: str) -> None:
        """Pull the host's cable: nothing is refused, nothing arrives."""
        _ip("-n", self._switch, "link", "set", name, "down")

    def mend(self, name: str) -> None:
        _ip("-n", self._switch, "link", "set", name, "up")

    def slow(self, name: str, rate: str) -> bool:
        """Limit what reaches the host to `rate` (tc's units). False where the kernel has no such queue."""
        command = ["qdisc", "replace", "dev", name, "root", "tbf", "rate", rate, "burst", "16kb", "latency", "400ms"]
        done = subprocess.run(["ip", "netns", "exec", self._switch, "tc", *command], capture_output=True, check=False)
        return done.returncode == 0

    def hurry(self, name: str) -> None:
        command = ["ip", "netns", "exec", self._switch, "tc", "qdisc", "delete", "dev", name, "root"]
        subprocess.run(command, capture_output=True, check=False)

    def enter(self, name: str) -> None:
        """Move this process to a host; children that name no host follow it."""
        libc = ctypes.CDLL(None, use_errno=True)
        fd = os.open(f"/var/run/netns/{self.hosts[name].namespace}", os.O_RDONLY)
        try:
            if libc.setns(fd, _CLONE_NEWNET) != 0:
                raise NoNamespaces(f"setns: {os.strerror(ctypes.get_errno())}")
        finally:
            os.close(fd)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True)
