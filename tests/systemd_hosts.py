"""Hosts with a real systemd: Debian in systemd-nspawn, each in a network namespace of its own.

`systemd_hosts(count)` gives running hosts. The tree that they are made of is built once with
debootstrap (a minute) and kept in the user's cache folder; a host is a writable layer over it and
boots in a second or two. Nothing of the machine's own systemd is used; it need not have one.

Their network is a bridge of this machine with a part of 198.51.100.0/24 for each run of the tests,
so that hosts reach each other, and what listens on the bridge's address.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import inspect
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import pytest

from lptui.fleet.topology import Host, Ssh
from tests.sshd import make_key, need

SUITE: Final = "bookworm"
PACKAGES: Final = "systemd,systemd-sysv,dbus,openssh-server,iproute2,procps,sudo,python3-minimal"
LOGIN: Final = "ops"
"""A login without privileges; what it may do with sudo is said by `SystemdHost.sudoers`."""

KEYS: Final = "/root/.lpData/offchain/keystore"
"""Where a node of root's looks for its key when its unit says nothing of that."""

UNITS: Final = "/etc/systemd/system"

RELOAD: Final = (
    'test "$(systemctl show --value --property=NeedDaemonReload "$1")" = no'
    " || systemctl daemon-reload"
)
"""A reload only where systemd goes by an older file: while one reload follows another, on a busy
machine, systemd gets to none of its jobs."""

STAND_IN: Final = Path(__file__).parent / "standin" / "livepeer"
BOOT_S: Final = 180.0
"""Twice what systemd gives one unit that does not start."""
REBOOT: Final = 133
"""How systemd-nspawn ends when its guest wants another boot (systemd-nspawn(1))."""
SLOTS: Final = 16

HostFactory = Callable[[int], tuple["SystemdHost", ...]]
"""Gives so many running hosts, the same ones every time."""


@dataclass
class SystemdHost:
    """A running host. `root` is its file system as this machine sees it.

    `run` is for what a test prepares and looks at; what is tested goes through SSH.
    """

    name: str
    address: str
    gateway: str
    root: Path
    identity: Path
    known_hosts: Path
    boot: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes]

    @property
    def init(self) -> int:
        """Its first process; 0 when there is none. While it begins, others come and go there."""
        return _child(self.process.pid)

    def boots_again(self) -> None:
        """Waits until it has asked for a reboot, which is its keeper's work, and boots it."""
        status = self.process.wait(BOOT_S)
        assert status == REBOOT, f"{self.name} has ended with {status}"
        self.process = self.boot()
        _wait_for_boot(self)

    def ssh(self, user: str = LOGIN) -> Ssh:
        """How the console reaches it: everything explicit, no configuration of the user's."""
        return Ssh(
            alias=self.name,
            address=self.address,
            user=user,
            identities=(str(self.identity),),
            known_hosts=str(self.known_hosts),
            config_files=(),
        )

    def host(self, user: str = LOGIN, privilege: str = "sudo") -> Host:
        """The same as a host of a fleet."""
        return Host(self.name, self.ssh(user), privilege=privilege)

    def run(self, *argv: str, check: bool = True) -> str:
        """What a command prints as root there, its errors included; it must end within 60 s."""
        command = ("nsenter", "--target", str(self.init), "--all", "--", *argv)
        done = subprocess.run(
            command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip
        if check and done.returncode != 0:
            raise AssertionError(f"{argv} on {self.name}: {done.returncode}: {done.stdout}")
        return done.stdout

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file of it, owned by root; nobody there sees it half written."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        new.write_text(text)
        new.chmod(mode)
        new.replace(file)

    def key(self, account: str, folder: str = KEYS) -> str:
        """A file with the name of an account's key, and nothing in it; its path. It stays."""
        path = f"{folder}/UTC--2026-01-01T00-00-00.000000000Z--{account[2:]}"
        self.write(path, "", 0o600)
        return path

    def unit(self, name: str, text: str, *, enabled: bool = False) -> None:
        """A unit file, which systemd goes by when this returns; `enabled`: a boot starts it."""
        self.write(f"{UNITS}/{name}", text)
        if enabled:
            wants = self.root / f"{UNITS}/multi-user.target.wants/{name}".lstrip("/")
            wants.symlink_to(f"{UNITS}/{name}")
        self.run("sh", "-c", RELOAD, "sh", name)

    def sudoers(self, *rules: str) -> None:
        """What the login may do as root, and nothing else: lines of sudoers without its name."""
        lines = [f"{LOGIN} ALL=(root) {rule}\n" for rule in rules]
        self.write("/etc/sudoers.d/lptui", "".join(lines) or "# nothing\n", 0o440)

    def state(self, unit: str) -> str:
        """`active`, `failed`…: a unit's state as systemd says it there."""
        return self.run("systemctl", "show", "-P", "ActiveState", unit).strip()

    def property(self, unit: str, name: str) -> str:
        return self.run("systemctl", "show", "-P", name, unit).strip()

    def remove_unit(self, name: str) -> None:
        """Kills and forgets a unit."""
        script = (
            'systemctl kill --signal=KILL "$1"; timeout 10 systemctl stop "$1";'
            f'cd {UNITS}; rm -rf "$1" "$1.d" *.wants/"$1";'
            f'systemctl reset-failed "$1"; {RELOAD}'
        )
        self.run("sh", "-c", script, "sh", name)


@dataclass
class _Site:
    """What the hosts of one run of the tests share."""

    tree: Path
    folder: Path
    slot: int
    lock: IO[str]
    identity: Path
    hosts: list[SystemdHost] = field(default_factory=list)

    @property
    def bridge(self) -> str:
        return f"lptui{self.slot}"

    def address(self, number: int) -> str:
        """Number 1 is the bridge's own."""
        return f"198.51.100.{16 * self.slot + number}"


@pytest.fixture(scope="module")
def systemd_hosts() -> Iterator[HostFactory]:
    """Hosts as they are asked for; all end with the tests of a module."""
    _need_tools()
    tree = _tree()
    with tempfile.TemporaryDirectory(prefix="lptui-hosts-", dir="/var/tmp") as name:
        folder = Path(name)
        slot, lock = _slot()
        _clear(slot, lock)
        lock.truncate(0)
        lock.write(name)
        lock.flush()
        site = _Site(tree, folder, slot, lock, make_key(folder / "identity"))
        with contextlib.ExitStack() as stack:
            stack.callback(lock.close)
            _bridge(site, stack)

            def hosts(count: int) -> tuple[SystemdHost, ...]:
                new = range(len(site.hosts), count)
                begun = [_begin(site, number, stack) for number in new]
                site.hosts += begun
                for host in begun:
                    _wait_for_boot(host)
                return tuple(site.hosts[:count])

            yield hosts


# The tree.


def _need_tools() -> None:
    """Skips where such hosts cannot be had; fails where they are required."""
    for name in ("debootstrap", "systemd-nspawn", "ip", "nsenter"):
        path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
        need(shutil.which(name, path=path), name)
    if os.getuid() != 0:
        _lacking("making hosts takes root")
    for what in ("bridge", "veth"):
        name = f"lp{what[0]}{os.getpid()}"  # others may be at it
        done = subprocess.run(["ip", "link", "add", name, "type", what], check=False)
        _forget(["ip", "link", "del", name])
        if done.returncode != 0:
            _lacking(f"making hosts takes a kernel with network devices of type {what}")


def _lacking(why: str) -> None:
    """As `need` does of a program."""
    if os.environ.get("LPTUI_REQUIRE_REAL") == "1":
        pytest.fail(why)
    pytest.skip(why)


def _cache() -> Path:
    """Where the tree is kept between runs, outside of the checkout."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "lptui-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _tree() -> Path:
    """The tree that hosts are layers over, built when there is none of this recipe."""
    recipe = hashlib.sha256(f"{SUITE} {PACKAGES} {inspect.getsource(_prepare)}".encode())
    tree = _cache() / f"{SUITE}-{recipe.hexdigest()[:12]}"
    with (_cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.exists():
            for old in _cache().glob(f"{SUITE}-*"):
                shutil.rmtree(old)
            building = _cache() / f"{SUITE}-building"
            _build(building)
            building.rename(tree)
    return tree


def _build(tree: Path) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(tree)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        pytest.fail(f"debootstrap failed: {(done.stdout + done.stderr)[-2000:]}")
    _prepare(tree)


def _prepare(tree: Path) -> None:
    """What is the same on all hosts."""
    inside = ["chroot", str(tree)]
    subprocess.run([*inside, "useradd", "--create-home", "--shell", "/bin/bash", LOGIN], check=True)
    # Nobody waits for a network that is there from the start, or for the disks of the machine.
    # Nobody is asked for a password: what watches for that takes two of the few inotify objects
    # that the kernel gives to all hosts together (fs.inotify.max_user_instances). No unit mounts
    # anything: its job waits while mounts change fast, and now and then for ever (systemd 28264).
    mask = [*inside, "systemctl", "mask", "systemd-timesyncd.service", "apt-daily.timer",
            "apt-daily-upgrade.timer", "e2scrub_all.timer", "fstrim.timer",
            "systemd-ask-password-console.path", "systemd-ask-password-wall.path",
            "dev-hugepages.mount", "dev-mqueue.mount", "sys-kernel-config.mount",
            "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
            "sys-fs-fuse-connections.mount"]  # fmt: skip
    subprocess.run(mask, check=True, capture_output=True)
    # Nor is there anything for generators to find, which each boot and each reload waits for.
    masked = tree / "etc/systemd/system-generators"
    masked.mkdir()
    for generator in (tree / "usr/lib/systemd/system-generators").iterdir():
        (masked / generator.name).symlink_to("/dev/null")
    config = tree / "etc/ssh/sshd_config.d/tests.conf"
    config.write_text(
        "HostKey /etc/ssh/tests/host_key\n"
        "AuthorizedKeysFile /etc/ssh/tests/authorized_keys\n"
        "PasswordAuthentication no\n"
        "MaxStartups 200\n"
        "UseDNS no\n"
    )
    for key in (tree / "etc/ssh").glob("ssh_host_*"):
        key.unlink()


# The network.


def _slot() -> tuple[int, IO[str]]:
    """A part of the addresses that no other run of the tests uses; its lock goes with the file."""
    for slot in range(SLOTS):
        lock = (_cache() / f"slot-{slot}").open("a+")
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return slot, lock
        lock.close()
    pytest.fail(f"{SLOTS} runs of the tests have hosts already")


def _clear(slot: int, lock: IO[str]) -> None:
    """Ends what a run that was killed has left of the slot."""
    for base in _group_bases():
        for group in base.glob(f"lptui{slot}-*"):
            _remove_group(group)
    for space in Path("/run/netns").glob(f"lptui{slot}-*"):
        _forget(["ip", "netns", "del", space.name])
    for link in Path("/sys/class/net").glob(f"lptui{slot}v*"):
        _forget(["ip", "link", "del", link.name])
    _forget(["ip", "link", "del", f"lptui{slot}"])
    lock.seek(0)
    folder = lock.read()
    if Path(folder).name.startswith("lptui-hosts-"):
        for line in Path("/proc/mounts").read_text().splitlines():
            if line.split()[1].startswith(f"{folder}/"):
                _forget(["umount", "--lazy", line.split()[1]])
        shutil.rmtree(folder, ignore_errors=True)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.fail(f"ip {' '.join(words)}: {done.stderr}")


def _bridge(site: _Site, stack: contextlib.ExitStack) -> None:
    _ip("link", "add", site.bridge, "type", "bridge")
    stack.callback(_forget, ["ip", "link", "del", site.bridge])
    _ip("addr", "add", f"{site.address(1)}/28", "dev", site.bridge)
    _ip("link", "set", site.bridge, "up")


def _namespace(site: _Site, number: int, stack: contextlib.ExitStack) -> str:
    """A namespace on the bridge with the address of a host."""
    space, link = f"lptui{site.slot}-{number}", f"lptui{site.slot}v{number}"
    _ip("netns", "add", space)
    stack.callback(_forget, ["ip", "netns", "del", space])
    _ip("link", "add", link, "type", "veth", "peer", "name", "host0", "netns", space)
    _ip("link", "set", link, "master", site.bridge, "up")
    inside = ("-n", space)
    _ip(*inside, "addr", "add", f"{site.address(number + 2)}/28", "dev", "host0")
    _ip(*inside, "link", "set", "host0", "up")
    _ip(*inside, "link", "set", "lo", "up")
    return space


def _forget(command: Sequence[str]) -> None:
    subprocess.run(command, check=False, capture_output=True)


# A host.


def _begin(site: _Site, number: int, stack: contextlib.ExitStack) -> SystemdHost:
    """Starts to boot one."""
    name, address = f"h{number + 1}", site.address(number + 2)
    own = site.folder / name
    own.mkdir()
    space = _namespace(site, number, stack)
    root = _layer(site.tree, own, stack)
    host_key = make_key(own / "host_key")
    _individual(site, root, name, host_key)
    known_hosts = own / "known_hosts"
    key = Path(f"{host_key}.pub").read_text().split()[:2]
    known_hosts.write_text(f"{address} {' '.join(key)}\n")
    machine = f"lptui{site.slot}-{name}"
    groups = _control_groups(machine, stack)
    command = ["systemd-nspawn", "--quiet", f"--directory={root}", f"--machine={machine}",
               "--register=no", "--keep-unit", f"--network-namespace-path=/run/netns/{space}",
               f"--hostname={name}", "--console=pipe", "--boot"]  # fmt: skip

    def in_groups() -> None:
        for group in groups:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    def boot() -> subprocess.Popen[bytes]:
        with (own / "console").open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=in_groups,
                start_new_session=True,
            )

    host = SystemdHost(
        name, address, site.address(1), root, site.identity, known_hosts, boot, boot()
    )
    stack.callback(_end, host, machine)
    return host


def _layer(tree: Path, own: Path, stack: contextlib.ExitStack) -> Path:
    """A writable copy of the tree; a whole one where layers cannot lie on this file system."""
    root, upper, work = own / "root", own / "upper", own / "work"
    for folder in (root, upper, work):
        folder.mkdir()
    options = f"lowerdir={tree},upperdir={upper},workdir={work}"
    mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(root)]
    if subprocess.run(mount, check=False, capture_output=True).returncode == 0:
        stack.callback(_forget, ["umount", "--lazy", str(root)])
    else:
        subprocess.run(
            ["cp", "-a", "--reflink=auto", f"{tree}/.", str(root)], check=True, timeout=120
        )
    return root


def _individual(site: _Site, root: Path, name: str, host_key: Path) -> None:
    """What makes it a host of its own."""
    folder = root / "etc/ssh/tests"
    folder.mkdir()
    shutil.copy(host_key, folder / "host_key")
    shutil.copy(f"{site.identity}.pub", folder / "authorized_keys")
    (root / "etc/hostname").write_text(f"{name}\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {name}\n")
    # One of its own from the start: what systemd does at a first boot is not needed.
    (root / "etc/machine-id").write_text(f"{secrets.token_hex(16)}\n")
    program = root / "usr/local/bin/livepeer"
    shutil.copy(STAND_IN, program)
    program.chmod(0o755)


def _control_groups(machine: str, stack: contextlib.ExitStack) -> list[Path]:
    """A control group of its own in each hierarchy that a systemd needs: hosts must not share."""
    groups = [base / f"{machine}-{os.getpid()}" for base in _group_bases()]
    for group in groups:
        group.mkdir()
        stack.callback(_remove_group, group)
    return groups


def _group_bases() -> list[Path]:
    """This process's own groups in those hierarchies."""
    found = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, names, path = line.split(":", 2)
        mounts = {"0": ("unified", "."), "name=systemd": ("systemd",)}
        for mount in mounts.get(number if number == "0" else names, ()):
            group = Path("/sys/fs/cgroup") / mount / path.lstrip("/")
            if (group / "cgroup.procs").exists():
                found.append(group)
                break
    return found


def _remove_group(group: Path) -> None:
    """Ends what is left in it; what does not end within 5 s is left there."""
    ends = time.monotonic() + 5
    while group.exists() and time.monotonic() < ends:
        for folder, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                pids = map(int, (Path(folder) / "cgroup.procs").read_text().split())
                for pid in filter(None, pids):  # 0 is one that cannot be seen from here
                    os.kill(pid, signal.SIGKILL)
                Path(folder).rmdir()
        time.sleep(0.01)


def _wait_for_boot(host: SystemdHost) -> None:
    """Until sshd answers; fails with what the console and the host itself tell."""
    ends = time.monotonic() + BOOT_S
    while time.monotonic() < ends and host.process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((host.address, 22), 1) as sock:
            sock.settimeout(2)
            if host.init and sock.recv(4) == b"SSH-":
                return
        time.sleep(0.05)
    console = (host.root.parent / "console").read_text(errors="replace")
    pytest.fail(f"{host.name} has not booted: {console[-2000:]}\n{_what_it_does(host)}")


def _what_it_does(host: SystemdHost) -> str:
    """For people: the processes, the jobs that wait, and the end of the journal of a host."""
    if not host.init:
        return f"it has no first process; its keeper's status is {host.process.poll()}"
    asked = (
        ("ps", "axf", "-o", "pid,stat,wchan:24,time,args"),
        ("systemctl", "--no-pager", "list-jobs"),
        ("journalctl", "--no-pager", "--lines=60"),
    )
    said = []
    for argv in asked:
        with contextlib.suppress(subprocess.TimeoutExpired):
            said.append(host.run(*argv, check=False))
    return "\n".join(said)


def _child(pid: int) -> int:
    """The first process inside; 0 when it is not there yet."""
    with contextlib.suppress(OSError, ValueError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else 0
    return 0


def _end(host: SystemdHost, machine: str) -> None:
    """At once: killing the first process ends all others inside."""
    with contextlib.suppress(ProcessLookupError):
        inside = _child(host.process.pid)
        if inside:
            os.kill(inside, signal.SIGKILL)
    try:
        host.process.wait(10)
    except subprocess.TimeoutExpired:
        host.process.kill()
        host.process.wait(10)
    # Left behind where /run is not a file system of its own.
    for place in ("propagate", "unix-export"):
        shutil.rmtree(f"/run/systemd/nspawn/{place}/{machine}", ignore_errors=True)
