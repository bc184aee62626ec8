"""Fifty logical hosts: one real sshd, reached by fifty names, with and without added latency.

The login's shell reads no start-up file, so that nobody is flattered: run as root, the lab makes
a user of its own for that and removes it again.
"""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

USER = "lptui-bench"
HOSTS = 50
WAIT_S = 10


@dataclass(frozen=True)
class Lab:
    """What the contestants need.

    `ports` maps the added round trip in milliseconds to the port that has it.
    """

    folder: Path
    user: str
    key: Path
    known_hosts: Path
    ports: dict[int, int]
    sshd_pid: int
    names: tuple[str, ...]

    def ssh_config(self, round_trip_ms: int, *, multiplexed: bool) -> Path:
        """An OpenSSH client configuration that reaches every name."""
        path = self.folder / f"ssh_config-{round_trip_ms}-{'mux' if multiplexed else 'cold'}"
        master = (
            f"ControlMaster auto\nControlPersist 600\n"
            f"ControlPath {self.folder}/cm-{round_trip_ms}-%n\n"
            if multiplexed
            else "ControlMaster no\n"
        )
        path.write_text(
            f"Host *\nHostName 127.0.0.1\nPort {self.ports[round_trip_ms]}\nUser {self.user}\n"
            f"IdentityFile {self.key}\nIdentitiesOnly yes\nUserKnownHostsFile {self.known_hosts}\n"
            f"StrictHostKeyChecking yes\nHostKeyAlias bench\nLogLevel ERROR\n{master}"
        )
        return path

    def lptui_config(self, round_trip_ms: int, dead: int = 0) -> Path:
        """An lptui configuration of the same hosts; the last `dead` of them answer nobody."""
        hole = _black_hole_port() if dead else 0
        ssh = f"ssh: {{user: {self.user}, known_hosts: {self.known_hosts}, config: []}}"
        lines = ["name: bench", ssh, "hosts:"]
        for place, name in enumerate(self.names):
            port = hole if place >= len(self.names) - dead else self.ports[round_trip_ms]
            lines.append(f"  {name}: {{address: 127.0.0.1, port: {port}, identity: {self.key}}}")
        path = self.folder / f"lptui-{round_trip_ms}-{dead}.yaml"
        path.write_text("\n".join(lines) + "\n")
        return path


@contextmanager
def lab(round_trips_ms: tuple[int, ...] = (0, 50)) -> Iterator[Lab]:
    """Starts sshd and a relay for each latency; ends and removes everything afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lptui-bench-")))
        folder.chmod(0o711)
        user, home = stack.enter_context(_login(folder))
        key, host_key = folder / "id", folder / "host_key"
        for path in (key, host_key):
            _quiet(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)])
        authorized = home / "authorized_keys"
        authorized.write_text(key.with_suffix(".pub").read_text())
        if os.geteuid() == 0:
            shutil.chown(authorized, user)
        port = free_port()
        known = folder / "known_hosts"
        kind, blob = host_key.with_suffix(".pub").read_text().split()[:2]
        ports = {0: port}
        sshd = stack.enter_context(_sshd(folder, port, host_key, authorized))
        for round_trip in round_trips_ms:
            if round_trip:
                ports[round_trip] = stack.enter_context(
                    relay(("127.0.0.1", port), round_trip / 1000)
                )
        aliases = ",".join(["bench", *(f"[127.0.0.1]:{value}" for value in ports.values())])
        known.write_text(f"{aliases} {kind} {blob}\n")
        names = tuple(f"n{place:02d}" for place in range(HOSTS))
        yield Lab(folder, user, key, known, ports, sshd, names)


@contextmanager
def _login(folder: Path) -> Iterator[tuple[str, Path]]:
    home = folder / "home"
    home.mkdir(mode=0o755)
    if os.geteuid() != 0:
        yield getpass.getuser(), home
        return
    _quiet(["useradd", "--no-create-home", "--home-dir", str(home), "--shell", "/bin/sh", USER])
    # A locked password keeps key logins out where sshd does not use PAM.
    _quiet(["usermod", "--password", "*", USER])
    os.chown(home, pwd.getpwnam(USER).pw_uid, pwd.getpwnam(USER).pw_gid)
    try:
        yield USER, home
    finally:
        subprocess.run(["userdel", "--force", USER], check=False, capture_output=True)


@contextmanager
def _sshd(folder: Path, port: int, host_key: Path, authorized: Path) -> Iterator[int]:
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\n"
        f"AuthorizedKeysFile {authorized}\nStrictModes no\nUsePAM no\nPidFile none\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "MaxStartups 300:30:300\nMaxSessions 20\nUseDNS no\nLogLevel ERROR\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    process = subprocess.Popen(
        [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", str(config)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait(WAIT_S)


@contextmanager
def relay(target: tuple[str, int], round_trip_s: float) -> Iterator[int]:
    """A relay to a target, or to ("echo", 0); the result is its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.relay", *map(str, target), str(round_trip_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.terminate()
        process.wait(WAIT_S)


def _black_hole_port() -> int:
    """A port that accepts into its backlog and never answers; open until this process ends."""
    hole = socket.socket()
    hole.bind(("127.0.0.1", 0))
    hole.listen(64)
    _HOLES.append(hole)
    port: int = hole.getsockname()[1]
    return port


_HOLES: list[socket.socket] = []


def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    import time

    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on port {port}")


def _quiet(argv: list[str]) -> None:
    subprocess.run(argv, check=True, capture_output=True)
