"""What is known of a host. Sizes are bytes, times seconds, unless a name says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lptui.fleet.units import Percent


@dataclass(frozen=True, slots=True)
class HostVitals:
    """The readings that recur every two seconds, from `/proc` alone.

    Ticks count since boot, those of `user` with nice ones and of `system` with interrupts; the
    shares (`cpu_busy` and its parts, and what waited for disks) are between this reading and the
    one before, None on the first. `cpu_steal` is what the hypervisor gave to others.
    """

    uptime_s: float
    load_1m: float
    load_5m: float
    load_15m: float
    tasks_running: int
    tasks: int
    cpu_busy_ticks: int
    cpu_total_ticks: int
    cpu_iowait_ticks: int
    memory_total: int
    memory_available: int
    cpu_busy: Percent | None = None
    cpu_user_ticks: int | None = None
    cpu_system_ticks: int | None = None
    cpu_steal_ticks: int | None = None
    cpu_user: Percent | None = None
    cpu_system: Percent | None = None
    cpu_iowait: Percent | None = None
    cpu_steal: Percent | None = None

    @property
    def memory_used(self) -> Percent:
        """Memory that cannot be had without swapping, in percent."""
        if not self.memory_total:
            return Percent(0.0)
        return Percent(100.0 * (1 - self.memory_available / self.memory_total))


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system, as `df` shows it."""

    path: str
    device: str
    fs_type: str
    size: int
    used: int
    available: int
    read_only: bool = False
    inodes_used: Percent | None = None

    @property
    def used_percent(self) -> Percent:
        """As df counts it: used of what an ordinary user could use."""
        whole = self.used + self.available
        return Percent(100.0 * self.used / whole) if whole else Percent(0.0)


@dataclass(frozen=True, slots=True)
class HostDisks:
    """File systems, and which of the configured mount points are not mounted.

    `silent` are configured ones that are mounted and did not answer; `incomplete` that some file
    system made df hang, so that only `/` and the configured ones are here.
    """

    mounts: tuple[Mount, ...]
    missing: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class HostSystem:
    """What hardly ever changes, and what is too dear to ask every two seconds.

    `files_open` and `files_max` are of the whole system; `oom_kills` are the processes that the
    kernel killed for memory since boot. `newer_kernel` is installed and not yet running. PSI are
    the one-minute averages of "some". None when not known. `machine_key` is a hash of the
    machine's id, by which the same machine is known again; "" when it has none.
    """

    hostname: str
    kernel: str
    machine: str
    os_name: str
    cpus: int
    boot_id: str
    user: str
    groups: tuple[str, ...]
    has_systemd: bool
    reboot_required: bool
    reboot_packages: tuple[str, ...] = ()
    newer_kernel: str = ""
    files_open: int | None = None
    files_max: int | None = None
    oom_kills: int | None = None
    swap_total: int | None = None
    swap_free: int | None = None
    psi_cpu: Percent | None = None
    psi_memory: Percent | None = None
    psi_io: Percent | None = None
    machine_key: str = ""


@dataclass(frozen=True, slots=True)
class HostClock:
    """The host's clock against the operator's.

    `offset_s` is positive when the host is ahead; the true value lies within ± `uncertainty_s`
    (half the round trip). `synchronised` is what the host's time daemon says, None if unknown.
    """

    offset_s: float
    uncertainty_s: float
    synchronised: bool | None
    source: str = ""


class UnitLoad(StrEnum):
    LOADED = "loaded"
    NOT_FOUND = "not-found"
    MASKED = "masked"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Trigger:
    """A timer, socket or path unit that starts another unit."""

    name: str
    active: str
    enabled: str

    @property
    def is_live(self) -> bool:
        """Whether it would start the other: now, or after the next boot."""
        return self.active not in ("inactive", "failed") or self.enabled.startswith("enabled")


@dataclass(frozen=True, slots=True)
class Unit:
    """A systemd unit, or a container presented as one.

    Attributes:
        active: systemd's ActiveState (active, inactive, failed, activating, …).
        sub: SubState (running, dead, auto-restart, …).
        result: Result (success, exit-code, signal, timeout, oom-kill, start-limit-hit, …).
        restarts: automatic restarts since the last manual start; None when not counted.
        since_s: seconds since the unit became active, None when it is not.
        fd_used, fd_limit: open files of the main process and the soft limit that it really has.
        invocation: changes with every start.
        container: the image when this is a container.
        file: the unit's own file; where it is a link, what it leads to.
        stop_timeout_s: how long it may take to stop before it is killed; infinite for ever,
            None when not known.
        pulled_in_by: units that start it when they start, or keep it started.
        triggers: units that start it for a reason of their own.
        refuses_start, refuses_stop: it may not be started or stopped by hand.
        can_reload: it knows how to read its configuration again; `reload_result` is how that
            ended the last time, like `result`.
        changed_us: when its state last changed, a reload included, in microseconds since boot.
        watchdog_s: within how many seconds it must give a sign of life, or is killed; 0 when
            nothing watches it.
        fd_promised: the soft limit of open files that the unit asks for; None for no limit.
        start_flags: of a go-livepeer service that does not run: the flags that make it something,
            as the unit would give them (`reward`, `initializeRound=false`).

    None is not known, unless it says otherwise.
    """

    name: str
    load: UnitLoad
    active: str
    sub: str
    result: str = ""
    enabled: str = ""
    restarts: int | None = None
    main_pid: int | None = None
    since_s: float | None = None
    exit_status: int | None = None
    memory: int | None = None
    tasks: int | None = None
    fd_used: int | None = None
    fd_limit: int | None = None
    restart_policy: str = ""
    needs_reload: bool = False
    invocation: str = ""
    container: str | None = None
    file: str = ""
    stop_timeout_s: float | None = None
    pulled_in_by: tuple[str, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    refuses_start: bool = False
    refuses_stop: bool = False
    can_reload: bool = False
    reload_result: str = ""
    changed_us: int | None = None
    watchdog_s: float | None = None
    fd_promised: int | None = None
    start_flags: tuple[str, ...] | None = None

    @property
    def is_running(self) -> bool:
        return self.active == "active" and self.sub in ("running", "exited", "listening", "mounted")


@dataclass(frozen=True, slots=True)
class HostUnits:
    """The watched units and containers, and the names of all failed units of the host.

    `failed` None: not known, as `problems` say, or there is no systemd on the host.
    """

    units: tuple[Unit, ...]
    failed: tuple[str, ...] | None = None
    problems: tuple[str, ...] = ()

    def find(self, name: str) -> Unit | None:
        return next((unit for unit in self.units if unit.name == name), None)


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening TCP socket. `address` is as `ss` prints it without the port.

    `unit` is the systemd unit, else the control group, of the process that made it; "" where the
    host does not tell.
    """

    address: str
    port: int
    unit: str = ""

    @property
    def is_loopback(self) -> bool:
        bare = self.address.strip("[]").partition("%")[0]
        return bare.startswith("127.") or bare in ("::1", "::ffff:127.0.0.1")


@dataclass(frozen=True, slots=True)
class HostListeners:
    """Every listening TCP socket of the host."""

    listeners: tuple[Listener, ...]


class Origin(StrEnum):
    """Where a process has a setting from; of two, the later one here counts."""

    FILE = "configuration file"
    ENVIRONMENT = "environment"
    ARGUMENT = "command line"


@dataclass(frozen=True, slots=True)
class LivepeerProcess:
    """A running `livepeer` process with its settings. Secret values are removed.

    Attributes:
        flags: names without dashes and values ("" for a bare one), from wherever they are set;
            the last of a name counts.
        origins: where each of `flags` is from; () when all are from the command line.
        config_file: what `-config` names; "" for none.
        unread: which of its sources could not be read, so that a setting may be missing here.
        program: the executable's name where it is not go-livepeer itself.
    """

    pid: int
    user: str
    flags: tuple[tuple[str, str], ...]
    literal_password: bool = False
    unit: str = ""
    origins: tuple[Origin, ...] = ()
    config_file: str = ""
    unread: tuple[Origin, ...] = ()
    program: str = "livepeer"

    def flag(self, name: str) -> str | None:
        """The value that counts for a flag (names ignore case), None when it is absent."""
        found = self.setting(name)
        return None if found is None else found[0]

    def setting(self, name: str) -> tuple[str, Origin] | None:
        """As `flag`, with where it is from."""
        wanted = name.lower()
        found = None
        for at, (key, value) in enumerate(self.flags):
            if key.lower() == wanted:
                found = value, self.origins[at] if at < len(self.origins) else Origin.ARGUMENT
        return found


@dataclass(frozen=True, slots=True)
class HostProcesses:
    """The `livepeer` processes on a host.

    `hidden`: the host shows its processes to their own users alone, so that there may be others.
    `others` are related programs that are no nodes: `livepeer_router`, `livepeer_cli`.
    """

    livepeer: tuple[LivepeerProcess, ...]
    hidden: bool = False
    others: tuple[LivepeerProcess, ...] = ()
