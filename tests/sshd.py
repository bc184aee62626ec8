"""A real sshd for tests: own keys, own configuration, loopback, a free port, no privileges needed.

`start_sshd` gives a running server; `Sshd.ssh()` is how the console reaches it.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from lptui.fleet.topology import Fleet, Host, Ssh
from tests.ports import free_port

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def need(program: str | None, name: str) -> str:
    """The program's path; without it the test is skipped, or fails where everything is required."""
    if program:
        return program
    if os.environ.get("LPTUI_REQUIRE_REAL") == "1":
        pytest.fail(f"{name} is required and not installed")
    pytest.skip(f"{name} is not installed")


@dataclass
class Sshd:
    """A running sshd. `identity` is a key that its user may log in with."""

    host: str
    port: int
    user: str
    folder: Path
    identity: Path
    known_hosts: Path
    process: subprocess.Popen[bytes]
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def log(self) -> str:
        return (self.folder / "sshd.log").read_text(errors="replace")

    def ssh(self, alias: str = "node", **changes: object) -> Ssh:
        """How the console reaches it: everything explicit, no configuration of the user's."""
        base = Ssh(
            alias=alias,
            address=self.host,
            port=self.port,
            user=self.user,
            identities=(str(self.identity),),
            known_hosts=str(self.known_hosts),
            config_files=(),
        )
        return replace(base, **changes)  # type: ignore[arg-type]

    def fleet(self, names: Sequence[str] = ("node",), **changes: object) -> Fleet:
        """A fleet of hosts that are all this server."""
        return Fleet("test", {name: Host(name, self.ssh(name, **changes)) for name in names})

    def sessions(self) -> list[int]:
        """Processes that serve logged-in connections."""
        return descendants(self.process.pid)

    def freeze(self) -> list[int]:
        """Stops every process of its connections: the peer is there and says nothing."""
        pids = self.sessions()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        return pids

    def cut(self) -> None:
        """Kills the processes of its connections; the server goes on."""
        for pid in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """Ends the server and its connections."""
        pids = descendants(self.process.pid)
        self.process.terminate()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)


def descendants(pid: int) -> list[int]:
    """All processes below one, from /proc."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                stat = (entry / "stat").read_text()
                parents[int(entry.name)] = int(stat.rpartition(") ")[2].split()[1])
    found: list[int] = []
    level = [pid]
    while level:
        level = [child for child, parent in parents.items() if parent in level]
        found.extend(level)
    return found


def make_key(
    path: Path, kind: str = "ed25519", passphrase: str = "", comment: str = "test"
) -> Path:
    """An SSH key pair from ssh-keygen."""
    keygen = need(shutil.which("ssh-keygen"), "ssh-keygen")
    subprocess.run(
        [keygen, "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(path)], check=True
    )
    return path


def write_known_hosts(path: Path, host_key: Path, host: str, port: int) -> Path:
    """A known_hosts file with one host's key."""
    key = Path(f"{host_key}.pub").read_text().split()[:2]
    path.write_text(f"[{host}]:{port} {' '.join(key)}\n")
    return path


def start_sshd(
    folder: Path,
    options: Mapping[str, str] | None = None,
    *,
    port: int | None = None,
    host: str = "127.0.0.1",
    authorized: str | None = None,
    user: str | None = None,
) -> Sshd:
    """Starts sshd with keys made in `folder`. `options` are lines of sshd_config that win.

    `authorized` replaces the contents of authorized_keys; `{key}` in it is the public key.
    """
    sshd = need(SSHD, "sshd")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    host_key, identity = folder / "host_key", folder / "identity"
    for path in (host_key, identity):
        if not path.exists():
            make_key(path)
    public = Path(f"{identity}.pub").read_text().strip()
    keys = folder / "authorized_keys"
    keys.write_text((authorized or "{key}").replace("{key}", public) + "\n")
    port = port or free_port()
    lines = {
        "Port": str(port),
        "ListenAddress": host,
        "HostKey": str(host_key),
        "PidFile": "none",
        "AuthorizedKeysFile": str(keys),
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "LogLevel": "VERBOSE",
        "MaxStartups": "200",
        "MaxSessions": "10",
        "AcceptEnv": "none",
        "PrintMotd": "no",
        # No start-up files of whoever runs the tests.
        "SetEnv": f"HOME={folder}",
        "Subsystem": "sftp internal-sftp",
        **(options or {}),
    }
    config = folder / "sshd_config"
    config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    with (folder / "sshd.log").open("ab") as log:
        process = subprocess.Popen(
            [sshd, "-D", "-e", "-f", str(config)],
            stdin=subprocess.DEVNULL,
            stderr=log,
            stdout=subprocess.DEVNULL,
        )
    server = Sshd(
        host,
        port,
        user or getpass.getuser(),
        folder,
        identity,
        write_known_hosts(folder / "known_hosts", host_key, host, port),
        process,
        dict(options or {}),
    )
    wait_for_port(host, port, process, lambda: server.log)
    return server


def wait_for_port(host: str, port: int, process: subprocess.Popen[bytes], log: object) -> None:
    """Waits until something listens; fails with the server's log when it ends instead."""
    ends = time.monotonic() + 15
    while time.monotonic() < ends:
        if process.poll() is not None:
            text = log() if callable(log) else ""
            pytest.fail(f"the server ended with status {process.returncode}: {text}")
        with contextlib.suppress(OSError), socket.create_connection((host, port), 1):
            return
        time.sleep(0.02)
    process.kill()
    pytest.fail("the server does not listen")


@contextlib.contextmanager
def running_sshd(folder: Path, options: Mapping[str, str] | None = None) -> Iterator[Sshd]:
    """`start_sshd` that stops by itself."""
    server = start_sshd(folder, options)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """One sshd for the tests of a module."""
    if sys.platform == "win32":
        pytest.skip("no sshd")
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server
