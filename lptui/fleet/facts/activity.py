"""What a host's disks and TCP sockets do. Sizes are bytes; None is "not known", never zero."""

from __future__ import annotations

from dataclasses import dataclass

from lptui.fleet.units import Percent


@dataclass(frozen=True, slots=True)
class DiskActivity:
    """A whole disk's counters since boot, and its rates since the reading before.

    `io_ms` is how long requests took together, `busy_ms` how long there was at least one. The
    rates are None in the first reading: `busy` is the share of time with a request under way (on
    a disk that works at many at once, 100 % is not yet its limit), `wait_s` what one took.
    """

    name: str
    reads: int
    writes: int
    bytes_read: int
    bytes_written: int
    io_ms: int
    busy_ms: int
    read_bytes_per_second: float | None = None
    written_bytes_per_second: float | None = None
    requests_per_second: float | None = None
    busy: Percent | None = None
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class TcpSockets:
    """TCP sockets, IPv4 and IPv6, by state.

    On a host with very many they are not counted one by one: then `open` (established or waiting
    to be closed by this side), `time_wait` and `orphaned` are known from the kernel's own counts,
    and the rest is None.
    """

    open: int | None = None
    orphaned: int | None = None
    time_wait: int | None = None
    established: int | None = None
    syn_sent: int | None = None
    syn_received: int | None = None
    fin_wait: int | None = None
    closed: int | None = None
    close_wait: int | None = None
    last_ack: int | None = None
    closing: int | None = None
    listening: int | None = None


@dataclass(frozen=True, slots=True)
class HostActivity:
    """Disks and sockets of a host, `uptime_s` after its boot."""

    uptime_s: float
    disks: tuple[DiskActivity, ...] = ()
    sockets: TcpSockets | None = None


@dataclass(frozen=True, slots=True)
class HostPrograms:
    """Versions of the programs that the login finds on a host.

    "" for one that is not installed, None for one that does not tell (a script is not asked).

    The file on disk may be newer than the process that runs: a node tells its own version.
    go-livepeer brings its codecs along, so that a node needs no `ffmpeg`.
    """

    livepeer: str | None = ""
    ffmpeg: str | None = ""
