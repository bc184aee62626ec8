"""What a host's processor, disks and sockets do, and what is installed on it, in words."""

from __future__ import annotations

from typing import Final

from lptui.fleet.facts.activity import DiskActivity, HostPrograms, TcpSockets
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.host import HostVitals
from lptui.present.words import percent, size

UNKNOWN: Final = "?"
MOST_DISKS: Final = 12

_STATES: Final = (
    ("established", "established"),
    ("listening", "listening"),
    ("time_wait", "time-wait"),
    ("close_wait", "close-wait"),
    ("syn_sent", "syn-sent"),
    ("syn_received", "syn-received"),
    ("fin_wait", "fin-wait"),
    ("last_ack", "last-ack"),
    ("closing", "closing"),
    ("closed", "closed"),
    ("orphaned", "orphaned"),
)
_ALWAYS: Final = frozenset({"established", "listening", "time_wait", "close_wait"})
"""Of the others, only those that there are."""


def cpu_words(value: HostVitals) -> str:
    """`user 8.1%, system 2.0%, waiting for disks 0.4%, taken by the hypervisor 0%`."""
    shares = (
        ("user", value.cpu_user),
        ("system", value.cpu_system),
        ("waiting for disks", value.cpu_iowait),
        ("taken by the hypervisor", value.cpu_steal),
    )
    return ", ".join(f"{name} {_share(share)}" for name, share in shares)


def disk_words(disk: DiskActivity) -> str:
    """`busy 34%, 12M/s read, 4.1M/s written, 320 requests/s, 1.2 ms each`."""
    wait = "" if disk.wait_s is None else f", {disk.wait_s * 1000:.1f} ms each"
    rate = disk.requests_per_second
    return (
        f"busy {_share(disk.busy)}, {_rate(disk.read_bytes_per_second)} read, "
        f"{_rate(disk.written_bytes_per_second)} written, "
        f"{UNKNOWN if rate is None else f'{rate:.0f}'} requests/s{wait}"
    )


def socket_words(sockets: TcpSockets | None) -> str:
    """`81 established, 17 listening, 12 time-wait, 0 close-wait`."""
    if sockets is None:
        return UNKNOWN
    if sockets.established is None:
        told = ((sockets.open, "open"), (sockets.time_wait, "time-wait"))
        counts = ", ".join(f"{UNKNOWN if n is None else n} {name}" for n, name in told)
        return f"{counts} (too many to be counted by state)"
    found = ((name, getattr(sockets, name), words) for name, words in _STATES)
    return ", ".join(
        f"{UNKNOWN if number is None else number} {words}"
        for name, number, words in found
        if number or name in _ALWAYS
    )


def program_words(value: HostPrograms) -> str:
    """`livepeer 0.8.9, ffmpeg not installed (no node needs it)`."""
    livepeer = {None: f"livepeer {UNKNOWN}", "": "livepeer not in the login's path"}
    ffmpeg = {None: f"ffmpeg {UNKNOWN}", "": "ffmpeg not installed (no node needs it)"}
    return ", ".join(
        (
            livepeer.get(value.livepeer) or f"livepeer {value.livepeer}",
            ffmpeg.get(value.ffmpeg) or f"ffmpeg {value.ffmpeg}",
        )
    )


def driver_words(value: HostGpus) -> str:
    """`driver 550.54.14, CUDA up to 12.4`."""
    return f"driver {value.driver or UNKNOWN}, CUDA up to {value.cuda or UNKNOWN}"


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else percent(value)


def _rate(value: float | None) -> str:
    return UNKNOWN if value is None else f"{size(value)}/s"
