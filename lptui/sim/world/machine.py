"""A simulated machine: what `/proc`, systemd, df and nvidia-smi would have to tell."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from typing import Final

from lptui.sim.world.files import Files

GIB: Final = 1024**3
TICKS_PER_SECOND: Final = 100


def stable_hex(text: str, digits: int = 32) -> str:
    """Hexadecimal digits that belong to a text: boot ids, invocation ids, serial numbers."""
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


@dataclass(slots=True)
class Disk:
    """A mounted file system; sizes in bytes."""

    path: str
    device: str
    fs_type: str
    size: int
    used: int
    inodes: int = 6_553_600
    inodes_used: int = 310_000
    read_only: bool = False


@dataclass(slots=True)
class Process:
    """A running program with its command line."""

    pid: int
    user: str
    argv: tuple[str, ...]
    started: float
    unit: str = ""
    files: int = 60
    file_limit: int = 65_536
    gpu_memory: int = 0


@dataclass(slots=True)
class Listening:
    """A TCP socket that a process listens on."""

    address: str
    port: int
    pid: int | None = None


@dataclass(slots=True)
class SystemdUnit:
    """A systemd unit as `systemctl show` presents it.

    Attributes:
        command, user, listens, files: of its process when it is started: the command line, the
            sockets (address, port), how many files it opens.
        enabled: its UnitFileState: enabled, disabled, masked…
        file_limit: its LimitNOFILE.
        folder: where its own file is.
        since: of its present state; changed: when it was last started, stopped or reloaded.
        starts: how often it was started since its host's boot.
    """

    name: str
    description: str
    command: tuple[str, ...] = ()
    user: str = "root"
    listens: tuple[tuple[str, int], ...] = ()
    files: int = 60
    file_limit: int = 65_536
    enabled: str = "enabled"
    folder: str = "/lib/systemd/system"
    active: str = "active"
    sub: str = "running"
    result: str = "success"
    restarts: int = 0
    pid: int | None = None
    since: float = 0.0
    changed: float = 0.0
    exit_status: int = 0
    memory: int = 600 * 1024**2
    tasks: int = 24
    restart_policy: str = "always"
    needs_reload: bool = False
    starts: int = 1
    can_reload: bool = False

    @property
    def invocation(self) -> str:
        return stable_hex(f"{self.name}/{self.starts}/{self.since:.3f}") if self.starts else ""


@dataclass(slots=True)
class GpuCard:
    """One GPU. Memory in MiB as nvidia-smi prints it; `load` is 0 to 1."""

    index: int
    uuid: str
    name: str
    memory_total: int
    power_limit: float
    temperature: float = 44.0
    load: float = 0.0
    sessions: int = 0
    fan: float = 30.0
    clock_max: int = 1920
    throttle: int = 0x1
    cooling: float = 1.0
    lost: bool = False
    encoder_floor: float = 0.0
    held_temperature: float | None = None

    @property
    def power(self) -> float:
        return 22.0 + (self.power_limit * 0.55 - 22.0) * self.load

    @property
    def encoder(self) -> int:
        return min(100, round(max(self.encoder_floor, 86.0 * self.load)))

    @property
    def decoder(self) -> int:
        return min(100, round(31.0 * self.load))

    @property
    def memory_used(self) -> int:
        return min(self.memory_total, 320 + self.sessions * 210)

    def tick(self, seconds: float, rng: random.Random) -> None:
        """Lets the card warm up or cool down towards what its load asks for."""
        target = 38.0 + 36.0 * self.load / self.cooling
        self.temperature += (target - self.temperature) * min(1.0, seconds / 25.0)
        self.temperature += rng.uniform(-0.3, 0.3)
        if self.held_temperature is not None:
            self.temperature = self.held_temperature + rng.uniform(-0.4, 0.4)
        self.fan = max(25.0, min(100.0, (self.temperature - 30.0) * 1.6))
        if self.temperature >= 90.0:
            self.throttle = 0x40
        elif self.throttle in (0x0, 0x1, 0x40):
            self.throttle = 0x0 if self.load > 0.02 else 0x1


@dataclass(slots=True)
class Machine:
    """A host. `clock_offset` is added to its clock; `reach` says how its SSH server behaves:

    "up", "mute" (accepts connections and never speaks), "refused", "slow" or "dropping".
    `boots_until` is when it will be there again while it reboots; `nvenc_cap` the encoder
    sessions that its driver allows all its cards together, None for any number.

    `updates` are packages that wait, each with its archive; `ssh_passwords` whether one is enough
    to log in, as anybody.

    `keystore_modes` are the permission bits of the folder with the keys, and of its files;
    `keyless` are units whose key was never copied here;
    `backup_age_s` is how old the newest file is wherever a backup is declared.
    """

    name: str
    address: str
    region: str
    cpus: int
    memory: int
    boot_time: float
    os_name: str = "Debian GNU/Linux 12 (bookworm)"
    kernel: str = "6.1.0-41-amd64"
    arch: str = "x86_64"
    user: str = "lptui"
    groups: tuple[str, ...] = ("lptui", "haproxy", "systemd-journal")
    disks: list[Disk] = field(default_factory=list)
    units: dict[str, SystemdUnit] = field(default_factory=dict)
    processes: dict[int, Process] = field(default_factory=dict)
    listeners: list[Listening] = field(default_factory=list)
    gpus: list[GpuCard] = field(default_factory=list)
    driver: str = ""
    nvenc_cap: int | None = None
    files: Files = field(default_factory=Files)
    unix_sockets: dict[str, str] = field(default_factory=dict)
    memory_base: float = 0.2
    memory_load: float = 0.3
    load: float = 0.1
    loads: tuple[float, float, float] = (0.2, 0.2, 0.2)
    busy_ticks: float = 0.0
    total_ticks: float = 0.0
    iowait_ticks: float = 0.0
    swap_total: int = 0
    swap_used: int = 0
    psi: tuple[float, float, float] = (0.0, 0.0, 0.0)
    oom_kills: int = 0
    clock_offset: float = 0.0
    synchronised: bool = True
    reboot_packages: tuple[str, ...] = ()
    updates: tuple[tuple[str, str], ...] = ()
    ssh_passwords: bool = False
    keystore_modes: tuple[int, int] = (0o700, 0o600)
    keyless: frozenset[str] = frozenset()
    backup_age_s: float = 14_400.0
    reach: str = "up"
    next_pid: int = 800
    boots_until: float | None = None

    @property
    def boot_id(self) -> str:
        digits = stable_hex(f"{self.name}/{self.boot_time:.2f}")
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32])
        return "-".join(parts)

    @property
    def memory_available(self) -> int:
        return int(self.memory * (1.0 - self.memory_base - self.memory_load * self.load))

    def start_process(
        self, argv: tuple[str, ...], now: float, *, user: str = "livepeer", unit: str = ""
    ) -> Process:
        """Adds a process with the next free pid."""
        self.next_pid += 37
        process = Process(self.next_pid, user, argv, now, unit)
        self.processes[process.pid] = process
        return process

    def end_process(self, pid: int | None) -> None:
        """Removes a process and the sockets that it listened on."""
        if pid is None:
            return
        self.processes.pop(pid, None)
        self.listeners = [one for one in self.listeners if one.pid != pid]

    def end_unit(self, name: str) -> None:
        """Ends all processes of a unit."""
        for process in tuple(self.processes.values()):
            if process.unit == name:
                self.end_process(process.pid)

    def listens_on(self, port: int, address: str) -> bool:
        """Whether something answers at `address:port` when asked from this machine's network."""
        return self.listener(port, address) is not None

    def listener(self, port: int, address: str) -> Listening | None:
        """The socket that answers there."""
        wildcards = (address, "0.0.0.0", "*", "[::]")  # noqa: S104
        found = (one for one in self.listeners if one.port == port and one.address in wildcards)
        return next(found, None)

    def tick(self, seconds: float, rng: random.Random) -> None:
        """Moves counters, loads and cards on by some seconds."""
        ticks = seconds * TICKS_PER_SECOND * self.cpus
        self.total_ticks += ticks
        self.busy_ticks += ticks * min(0.99, self.load + rng.uniform(0.0, 0.02))
        self.iowait_ticks += ticks * 0.002
        running = self.load * self.cpus
        one, five, fifteen = self.loads
        self.loads = (
            one + (running - one) * min(1.0, seconds / 60.0),
            five + (running - five) * min(1.0, seconds / 300.0),
            fifteen + (running - fifteen) * min(1.0, seconds / 900.0),
        )
        for card in self.gpus:
            card.tick(seconds, rng)
