"""Everything that the host probes send to a host, each with an example of what comes back.

Shell functions are POSIX, run in dash, bash and busybox, and are one line each: the readings
that recur every two seconds must not fork (a fork costs a node more than reading all of `/proc`).
Their variables begin with `x_`: the shell that runs them has its own. Standard error is dropped
unless a command says otherwise. Commands asked for together have timeouts that fit together into
a reading's deadline.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.transport.protocols import Command, ShellFunction

VITALS_FUNCTION: Final = ShellFunction(
    "lptui_vitals",
    "lptui_vitals() { set --; "
    'IFS= read -r x_l </proc/uptime && set -- "$@" "uptime $x_l"; '
    'IFS= read -r x_l </proc/loadavg && set -- "$@" "load $x_l"; '
    'IFS= read -r x_l </proc/stat && set -- "$@" "$x_l"; '
    "while IFS= read -r x_l; do case $x_l in "
    'MemTotal:*) set -- "$@" "$x_l";; '
    'MemAvailable:*) set -- "$@" "$x_l"; break;; esac; done </proc/meminfo; '
    "printf '%s\\n' \"$@\"; }",
)

VITALS: Final = Command(("lptui_vitals",), timeout_s=0.0, function=VITALS_FUNCTION)
"""Prints (dash reads byte by byte, a system call each: only what changes within seconds is here,
and nothing under /proc/sys, whose files end after one byte):

    uptime 1462.87 2808.87
    load 0.52 0.58 0.59 1/389 12345
    cpu  6327 0 4022 280890 512 0 88 13 0 0
    MemTotal:       24684092 kB
    MemAvailable:   23001234 kB
"""

UNIT_PROPERTIES: Final = (
    "Id,LoadState,ActiveState,SubState,Result,UnitFileState,NRestarts,MainPID,ExecMainStatus,"
    "ActiveEnterTimestampMonotonic,MemoryCurrent,TasksCurrent,NeedDaemonReload,Restart,InvocationID,"
    "FragmentPath,TimeoutStopUSec,TriggeredBy,RefuseManualStart,RefuseManualStop,WantedBy,RequiredBy,"
    "BoundBy,UpheldBy,OnFailureOf,OnSuccessOf,CanReload,ReloadResult,StateChangeTimestampMonotonic,"
    "WatchdogUSec,LimitNOFILESoft"
)
"""Those that a systemd does not know yet (UpheldBy, OnSuccessOf: 249) it leaves out."""


def show_units(names: Sequence[str]) -> Command:
    """Properties of units, one block a unit in the order asked, an empty line between blocks.

    systemd orders the lines within a block as it likes. An unknown unit has
    `LoadState=not-found` (status 0). Real, shortened to one unit:

        Type=…  (never: only the properties asked for)
        Restart=on-failure
        NRestarts=2
        Result=success
        ExecMainStatus=0
        MainPID=812
        MemoryCurrent=104857600          (or `[not set]`)
        TasksCurrent=17                  (or `[not set]`)
        Id=livepeer-o.service
        LoadState=loaded
        ActiveState=active
        SubState=running
        UnitFileState=enabled            (empty for an unknown unit)
        NeedDaemonReload=no
        InvocationID=0d6f5c1a…           (empty when it never ran)
        ActiveEnterTimestampMonotonic=5213456   (µs since boot; 0 when it never was active)
        FragmentPath=/etc/systemd/system/livepeer-o.service
        TimeoutStopUSec=1min 30s         (or `infinity`)
        RefuseManualStart=no
        RefuseManualStop=no
        WantedBy=multi-user.target       (so are the other lists: names, a space between)
        TriggeredBy=livepeer-o.timer
        CanReload=yes
        ReloadResult=success
        StateChangeTimestampMonotonic=5213456   (µs since boot; a reload changes it as well)
        WatchdogUSec=30s                 (0, or `infinity` from systemd 249 on, for none)
        LimitNOFILESoft=50000            (or `infinity`)

    Without systemd, status 1 and: `System has not been booted with systemd as init system (PID 1).
    Can't operate.`
    """
    argv = ("systemctl", "show", "--no-pager", "-p", UNIT_PROPERTIES, "--", *names)
    return Command(argv, timeout_s=2.0, merge_stderr=True)


LINKED_FUNCTION: Final = ShellFunction(
    "lptui_linked",
    'lptui_linked() { for x_u in "$@"; do x_f=/etc/systemd/system/$x_u; if [ -L "$x_f" ]; then '
    'printf \'%s %s\\n\' "$x_u" "$(readlink -f "$x_f")"; fi; done; }',
)


def linked_units(names: Sequence[str]) -> Command:
    """Where a unit is linked from, of those that are links: systemd tells only the link.

    livepeer-o.service /srv/fleet/livepeer-o.service
    masked.service /dev/null
    """
    return Command(("lptui_linked", *names), timeout_s=0.0, function=LINKED_FUNCTION)


def show_triggers(names: Sequence[str]) -> Command:
    """What starts a unit besides those that want it, like `show_units`:

    Id=livepeer-o.timer
    ActiveState=active
    UnitFileState=enabled
    LoadState=loaded
    """
    properties = "Id,LoadState,ActiveState,UnitFileState"
    argv = ("systemctl", "show", "--no-pager", "-p", properties, "--", *names)
    return Command(argv, timeout_s=2.0, merge_stderr=True)


_START_FLAGS: Final = (
    *("reward", "initializeRound", "config", "orchestrator", "transcoder", "redeemer"),
    *("gateway", "broadcaster", "aiWorker", "remoteSigner"),
)
"""What is read of a unit's command line and environment; nothing else of them leaves the host."""

_IN_WORDS: Final = "|".join(f"{name}|{name}=*" for name in _START_FLAGS)
_IN_UNIT: Final = "|".join(f"LP_{name.upper()}=*" for name in _START_FLAGS)
_IN_FILES: Final = f"^LP_({'|'.join(_START_FLAGS).upper()})="

STARTS_FUNCTION: Final = ShellFunction(
    "lptui_starts",
    'lptui_starts() { for x_u in "$@"; do printf \'unit %s\\n\' "$x_u"; '
    "timeout 2 systemctl show --no-pager -p ExecStart,Environment,EnvironmentFiles -- "
    '"$x_u" | { set -f; '
    "while IFS= read -r x_l; do case $x_l in "
    "ExecStart=*) x_a=${x_l#*argv\\[\\]=}; x_c=; for x_w in ${x_a%% ; ignore_errors=*}; do "
    'if [ -z "$x_c" ]; then x_c=1; printf \'program %s\\n\' "${x_w##*/}"; continue; fi; '
    "case $x_w in *\\$*) echo '?';; -*) x_n=${x_w#-}; x_n=${x_n#-}; case $x_n in "
    f"{_IN_WORDS}) printf -- '-%s\\n' \"$x_n\";; esac;; esac; done;; "
    'Environment=*) for x_w in ${x_l#*=}; do x_w=${x_w#\\"}; x_w=${x_w%\\"}; case $x_w in '
    f"{_IN_UNIT}) printf '+%s\\n' \"$x_w\";; esac; done;; "
    "EnvironmentFiles=*) x_f=${x_l#*=}; x_f=${x_f% \\(ignore_errors=*}; "
    f'if [ -r "$x_f" ]; then grep -E \'{_IN_FILES}\' "$x_f" | '
    "while IFS= read -r x_w; do printf '=%s\\n' \"$x_w\"; done; else echo '?'; fi;; "
    "esac; done; }; done; }",
)


def starts(names: Sequence[str]) -> Command:
    """What units give go-livepeer that makes it something, as they would start it now.

    `?` stands for what cannot be told: a word with a variable in it, a file that is not to be read.

        unit livepeer-reward.service
        program livepeer
        -reward
        +LP_INITIALIZEROUND=true          (of Environment=; after a `=` those of its files)
        ?
    """
    return Command((STARTS_FUNCTION.name, *names), timeout_s=0.0, function=STARTS_FUNCTION)


FAILED_UNITS: Final = Command(
    (
        "systemctl",
        "list-units",
        "--state=failed",
        "--full",
        "--no-legend",
        "--plain",
        "--no-pager",
    ),
    timeout_s=2.0,
    merge_stderr=True,
)
"""One line a failed unit, nothing when there is none:

    certbot.service loaded failed failed Certbot
"""

FDS_FUNCTION: Final = ShellFunction(
    "lptui_fds",
    'lptui_fds() { for x_p in "$@"; do '
    "IFS= read -r x_i <\"/proc/$x_p/comm\" || continue; x_n='?'; x_s='?'; "
    'set -- /proc/"$x_p"/fd/*; '
    'if [ -L "$1" ]; then x_n=$#; else x_n=$(stat -c %s "/proc/$x_p/fd"); fi; '
    "while read -r x_a x_b x_c x_d x_e; do "
    'if [ "$x_a $x_b $x_c" = "Max open files" ]; then x_s=$x_d; break; fi; '
    'done <"/proc/$x_p/limits"; '
    'printf \'%s %s %s\\n\' "$x_p" "${x_n:-?}" "${x_s:-?}"; done; }',
)


def open_files(pids: Sequence[int]) -> Command:
    """Open files and the soft limit of processes: `PID USED LIMIT`; `?` is unknown.

    Where /proc/PID/fd may not be listed, its size is the count (Linux 6.2 and later; 0 before).
    A process that is gone has no line.

        812 42 65536
        901 0 unlimited
    """
    return Command(("lptui_fds", *(str(pid) for pid in pids)), timeout_s=0.0, function=FDS_FUNCTION)


CONTAINER_FORMAT: Final = (
    '{"name":{{json .Name}},"state":{{json .State}},"restarts":{{json .RestartCount}},'
    '"policy":{{json .HostConfig.RestartPolicy.Name}},"image":{{json .Config.Image}}}'
)


def inspect_containers(tool: str, names: Sequence[str]) -> Command:
    """State of containers by `docker` or `podman`, one JSON object a line.

    A name that does not exist gives an error line (`Error: No such container: x`, docker 24+:
    `Error response from daemon: No such container: x`) and status 1; the others are still
    printed. Environment variables are not asked for: they hold secrets.

        {"name":"/livepeer-t1","state":{"Status":"running","Running":true,"Paused":false,
        "Restarting":false,"OOMKilled":false,"Dead":false,"Pid":4242,"ExitCode":0,"Error":"",
        "StartedAt":"2026-11-01T10:00:00.123456789Z","FinishedAt":"0001-01-01T00:00:00Z"},
        "restarts":0,"policy":"unless-stopped","image":"livepeer/go-livepeer:v0.8.9"}   (one line)
    """
    argv = (tool, "container", "inspect", "--format", CONTAINER_FORMAT, *names)
    return Command(argv, timeout_s=3.0, merge_stderr=True)


_DF_PATIENCE_S: Final = 1.5

DF: Final = Command(("df", "-PTkl"), timeout_s=_DF_PATIENCE_S)
"""Local file systems in KiB. GNU df ends with status 1 when one mount may not be read, and prints
the others.

    Filesystem     Type     1024-blocks     Used Available Capacity Mounted on
    /dev/nvme0n1p2 ext4       264212084 13068020  82433244      14% /
    tmpfs          tmpfs       24684092        0  24684092       0% /dev/shm
"""

DF_INODES: Final = Command(("df", "-PTil"), timeout_s=_DF_PATIENCE_S)
"""Inodes of the same; btrfs and vfat show `0` and `-`.

    Filesystem     Type        Inodes  IUsed    IFree IUse% Mounted on
    /dev/nvme0n1p2 ext4      16777216 458980 16318236    3% /
"""

DF_PLAIN: Final = Command(("df", "-PTk"), timeout_s=_DF_PATIENCE_S)
DF_INODES_PLAIN: Final = Command(("df", "-PTi"), timeout_s=_DF_PATIENCE_S)
"""Where df does not know `-l` (busybox). Same columns."""


def df_of(path: str) -> Command:
    """One file system, wherever it is: a network mount that the operator named, say. Same columns.

    It hangs where its server does not answer.
    """
    return Command(("df", "-PTk", "--", path), timeout_s=1.0)


MOUNTS: Final = Command(("cat", "/proc/mounts"))
"""What is mounted, with its options; spaces in paths are `\\040`.

    /dev/nvme0n1p2 / ext4 rw,relatime 0 0
"""

SYSTEM_FUNCTION: Final = ShellFunction(
    "lptui_system",
    "lptui_system() { "
    'for x_f in hostname osrelease random/boot_id; do IFS= read -r x_l <"/proc/sys/kernel/$x_f" '
    '&& printf \'%s %s\\n\' "${x_f##*/}" "$x_l"; done; '
    "printf 'machine %s\\n' \"$(uname -m)\"; "
    "if IFS= read -r x_l </sys/devices/system/cpu/online; then printf 'cpus %s\\n' \"$x_l\"; "
    "else printf 'ncpus %s\\n' "
    '"$(getconf _NPROCESSORS_ONLN || nproc || grep -c ^processor /proc/cpuinfo)"; fi; '
    'while IFS= read -r x_l || [ -n "$x_l" ]; do case $x_l in PRETTY_NAME=*) '
    "printf 'os %s\\n' \"${x_l#*=}\"; break;; esac; done </etc/os-release; "
    'printf \'user %s\\ngroups %s\\n\' "$(id -un)" "$(id -nG)"; '
    "printf 'file-nr %s\\n' \"$(cat /proc/sys/fs/file-nr)\"; "
    "grep '^oom_kill ' /proc/vmstat; grep '^Swap[TF]' /proc/meminfo; "
    "for x_f in cpu memory io; do IFS= read -r x_l </proc/pressure/$x_f "
    "&& printf 'psi_%s %s\\n' $x_f \"$x_l\"; done; "
    "if IFS= read -r x_l </etc/machine-id; then printf 'machine_id %s\\n' \"$x_l\"; fi; "
    "if [ -d /run/systemd/system ]; then echo systemd yes; else echo systemd no; fi; "
    "for x_f in /run /var/run; do if [ -e $x_f/reboot-required ]; then echo reboot required; "
    "while IFS= read -r x_l; do printf 'package %s\\n' \"$x_l\"; "
    "done <$x_f/reboot-required.pkgs; break; fi; done; "
    # Left behind by a kernel that was removed, a folder holds no list of built-in modules.
    "for x_f in /lib/modules/*; do "
    'if [ -e "$x_f/modules.builtin" ]; then printf \'modules %s\\n\' "${x_f##*/}"; fi; done; }',
)

SYSTEM: Final = Command(("lptui_system",), timeout_s=0.0, function=SYSTEM_FUNCTION)
"""Prints (`ncpus 8` instead of `cpus` where /sys says nothing; psi_* only on kernels with PSI;
`reboot` and `package` only when a reboot is due):

    hostname edge-1
    osrelease 6.1.0-18-amd64
    boot_id 7f0c3f2e-9d3c-4e7e-9b0f-2f8f3a1c5d6e
    machine x86_64
    cpus 0-15
    os "Debian GNU/Linux 12 (bookworm)"
    user ops
    groups ops adm docker
    file-nr 592\t0\t2466177
    oom_kill 0
    SwapTotal:       1048572 kB
    SwapFree:        1048572 kB
    psi_cpu some avg10=0.00 avg60=0.12 avg300=0.20 total=12345
    psi_memory some avg10=0.00 avg60=0.00 avg300=0.00 total=0
    psi_io some avg10=0.00 avg60=0.00 avg300=0.01 total=345
    machine_id 365fadc8ce354f009628ec84b844178d
    systemd yes
    reboot required
    package linux-image-6.1.0-18-amd64
    modules 6.1.0-18-amd64                 (one line for each installed kernel)
"""

DATE: Final = Command(
    ("lptui_date",),
    timeout_s=0.0,
    # A function, so that it need not wait in the shell behind commands that take their time.
    function=ShellFunction("lptui_date", "lptui_date() { date +%s.%N; }"),
)
"""`1763668800.123456789`; busybox without nanoseconds prints `1763668800.%N` or `1763668800.`."""

CHRONY: Final = Command(("chronyc", "-c", "-n", "tracking"), timeout_s=4.0)
"""One CSV line; the last field is Normal, Insert second, Delete second or Not synchronised.

    C0000201,192.0.2.1,3,1763668790.5,0.000012,-0.00001,0.00002,-5.1,0.0,0.02,0.01,0.001,64.5,Normal

Without the daemon: status 1, `506 Cannot talk to daemon`.
"""

TIMEDATE: Final = Command(
    ("timedatectl", "show", "-p", "NTP", "-p", "NTPSynchronized"), timeout_s=4.0
)
"""Asked only where chronyc does not answer:

    NTP=yes
    NTPSynchronized=yes
"""

SS: Final = Command(("ss", "-ltne"))
"""Listening TCP sockets, header line first. Whose they are is told by control group from Linux 5.9
and iproute2 5.10 on, to every login; their processes only to root.

    State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
    LISTEN 0      4096       127.0.0.1:7935       0.0.0.0:* cgroup:/system.slice/o.service <->
    LISTEN 0      128            [::]:22             [::]:*
    LISTEN 0      4096              *:8935              *:*
    LISTEN 0      4096  127.0.0.53%lo:53         0.0.0.0:*
"""

NETSTAT: Final = Command(("netstat", "-ltn"))
"""Asked only where there is no ss.

    Active Internet connections (only servers)
    Proto Recv-Q Send-Q Local Address           Foreign Address         State
    tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN
    tcp6       0      0 :::8935                 :::*                    LISTEN
"""

SS_ESTABLISHED: Final = Command(("ss", "-Htn", "state", "established"))
"""Established TCP sockets; the state, the same of all, is left out.

    0      0              192.0.2.21:41234      192.0.2.11:8935
    0      36    [::ffff:192.0.2.21]:22    [2001:db8::7]:50122
"""

NETSTAT_ESTABLISHED: Final = Command(("netstat", "-tn"))
"""Asked only where there is no ss.

    Active Internet connections (w/o servers)
    Proto Recv-Q Send-Q Local Address           Foreign Address         State
    tcp        0      0 192.0.2.21:41234        192.0.2.11:8935         ESTABLISHED
    tcp6       0      0 2001:db8::21:22         2001:db8::7:50122       TIME_WAIT
"""
