"""File systems: sizes, inodes, read-only, and the configured mount points that are not mounted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.host import HostDisks, Mount
from lptui.fleet.facts.upkeep import HostGrowth
from lptui.fleet.growth import grown
from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet
from lptui.fleet.units import Percent
from lptui.probes.host import commands
from lptui.probes.host.base import HostProbe
from lptui.probes.outcome import failure, has_hung
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.text import clean
from lptui.transport.protocols import Output, Shell

_ROW: Final = re.compile(
    r"(?P<device>\S.*?)\s+(?P<type>\S+)\s+(?P<size>[0-9]{1,20}|-)\s+(?P<used>[0-9]{1,20}|-)\s+"
    r"(?P<free>-?[0-9]{1,20}|-)\s+(?P<share>[0-9]{1,4}%|-)\s+(?P<path>/.*)",
    re.ASCII,
)
_OCTAL: Final = re.compile(r"\\([01][0-7]{2})")
_KIB: Final = 1024
_MOST_ROWS: Final = 512
_PATH_LIMIT: Final = 1024
_MOST_SINGLE: Final = 4
"""Mount points that are asked for one by one: each may hang for a second."""

_PSEUDO: Final = frozenset(
    {
        "autofs",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "debugfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "fusectl",
        "hugetlbfs",
        "iso9660",
        "mqueue",
        "nsfs",
        "overlay",
        "proc",
        "pstore",
        "ramfs",
        "rpc_pipefs",
        "securityfs",
        "squashfs",
        "sysfs",
        "tmpfs",
        "tracefs",
        "udf",
    }
)
"""Not a disk that fills up, or full by nature; shown only where the operator asks for the mount."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of `df`: KiB or inodes, None for `-`."""

    device: str
    fs_type: str
    size: int | None
    used: int | None
    free: int | None
    path: str


def parse_df(text: str) -> tuple[Row, ...]:
    """The rows of `df -PT`; raises BadAnswerError where there is no table.

    A device or path may contain spaces; lines that are no rows (df's own complaints) are left out.
    """
    lines = text.split("\n")
    if not any(line.startswith("Filesystem") for line in lines):
        raise BadAnswerError("df", f"no table: {clean(text, 80)!r}" if text.strip() else "silence")
    return tuple(row for line in lines[:_MOST_ROWS] if (row := _row(line)) is not None)


def parse_mounts(text: str) -> dict[str, bool]:
    """Mount points of `/proc/mounts`, and whether what is on top there is read-only.

    Raises BadAnswerError where not a single line is one of that file.
    """
    found: dict[str, bool] = {}
    for line in text.split("\n"):
        words = line.split(" ")
        if len(words) >= 4 and words[1].startswith("/"):
            path = _OCTAL.sub(lambda code: chr(int(code[1], 8)), words[1])
            found[clean(path, _PATH_LIMIT)] = "ro" in words[3].split(",")
    if not found:
        raise BadAnswerError("/proc/mounts", f"no mounts in {clean(text, 80)!r}")
    return found


def combine(
    rows: Iterable[Row],
    inodes: Iterable[Row],
    mounted: Mapping[str, bool] | None,
    wanted: Sequence[str] = (),
    silent: Sequence[str] = (),
) -> HostDisks:
    """The file systems that can fill up, `/` and those that the operator named.

    Where a path is listed twice the last one counts: it lies on top. `silent` did not answer.
    """
    inode_shares = {row.path: share for row in inodes if (share := _share(row)) is not None}
    named = {_tidy(path) for path in wanted}
    mounts: dict[str, Mount] = {}
    for row in rows:
        is_asked_for = row.path == "/" or row.path in named
        if row.fs_type in _PSEUDO and not is_asked_for:
            continue
        if not row.size or row.used is None or row.free is None:
            continue
        mounts[row.path] = Mount(
            path=row.path,
            device=row.device,
            fs_type=row.fs_type,
            size=row.size * _KIB,
            used=row.used * _KIB,
            available=max(0, row.free) * _KIB,
            read_only=bool(mounted and mounted.get(row.path)),
            inodes_used=inode_shares.get(row.path),
        )
    present = set(mounted) if mounted is not None else {*mounts, *map(_tidy, silent)}
    missing = tuple(path for path in wanted if _tidy(path) not in present)
    unknown = tuple(path for path in wanted if path not in missing and _tidy(path) not in mounts)
    return HostDisks(tuple(mounts.values()), missing, unknown)


class HostDisksProbe(HostProbe):
    """Asks df and /proc/mounts, and follows what becomes of the free space.

    Of local file systems only, for a dead network mount would hang it; those that the operator
    named are asked for one by one where they are not among them, and all of them where df hangs.
    """

    name: ClassVar[str] = "host-disks"
    topic: ClassVar[type] = HostDisks
    asks: ClassVar[str] = "df"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (self.key(target), Key(HostGrowth, target))

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        disks = await self._disks(asking, target)
        reading = asking.latest.reading(HostGrowth, target)
        good = reading if reading.value is not None else reading.last_good
        before = good.value if good is not None else None
        growth = grown(before, disks, asking.clock.now())
        return [Answer(self.key(target), disks), Answer(Key(HostGrowth, target), growth)]

    async def _disks(self, asking: Asking, target: str) -> HostDisks:
        shell = asking.reach.shell(target)
        left = time_left(asking)
        wanted = asking.fleet.hosts[target].mounts
        blocks, inodes, mounts = await shell.run(
            [commands.DF, commands.DF_INODES, commands.MOUNTS], left()
        )
        if has_hung(blocks.status):
            disks = await _one_by_one(shell, mounts, wanted, left)
            if not disks.mounts:
                raise failure(f"df on {target}", blocks)
            return disks
        if not _has_table(blocks) and not blocks.stdout and blocks.status == 1:
            blocks, inodes = await shell.run([commands.DF_PLAIN, commands.DF_INODES_PLAIN], left())
        if not _has_table(blocks):
            raise failure(f"df on {target}", blocks)
        mounted = parse_mounts(mounts.text) if mounts.status == 0 else None
        inode_rows = parse_df(inodes.text) if _has_table(inodes) else ()
        rows = parse_df(blocks.text)
        remote = [
            path
            for path in wanted
            if mounted and _tidy(path) in mounted and not _is_among(path, rows)
        ]
        more, silent = await _rows_of(shell, remote, left)
        return combine((*rows, *more), inode_rows, mounted, wanted, silent)


async def _one_by_one(
    shell: Shell, mounts: Output, wanted: Sequence[str], left: Callable[[], float]
) -> HostDisks:
    """What is known where df as a whole hangs."""
    mounted = parse_mounts(mounts.text) if mounts.status == 0 else None
    paths = dict.fromkeys(("/", *map(_tidy, wanted)))
    here = [path for path in paths if mounted is None or path in mounted]
    rows, silent = await _rows_of(shell, here, left)
    return replace(combine(rows, (), mounted, wanted, silent), incomplete=True)


async def _rows_of(
    shell: Shell, paths: Sequence[str], left: Callable[[], float]
) -> tuple[list[Row], list[str]]:
    """The rows of single mount points, and those that gave none."""
    rows: list[Row] = []
    silent: list[str] = []
    for path in paths[:_MOST_SINGLE]:
        [output] = await shell.run([commands.df_of(_tidy(path))], left())
        own = (
            [row for row in parse_df(output.text) if row.path == _tidy(path)]
            if _has_table(output)
            else []
        )
        rows += own
        silent += [] if own else [path]
    return rows, silent


def _is_among(path: str, rows: Iterable[Row]) -> bool:
    return any(row.path == _tidy(path) for row in rows)


def _has_table(output: Output) -> bool:
    return b"Filesystem" in output.stdout


def _row(line: str) -> Row | None:
    match = _ROW.fullmatch(line.strip()) if len(line) < 4 * _PATH_LIMIT else None
    if match is None:
        return None
    size, used, free = (
        None if match[name] == "-" else int(match[name]) for name in ("size", "used", "free")
    )
    return Row(
        clean(match["device"], 200),
        clean(match["type"], 40),
        size,
        used,
        free,
        clean(match["path"], _PATH_LIMIT),
    )


def _share(row: Row) -> Percent | None:
    """Inodes used; None for file systems that have no fixed number of them."""
    if not row.size or row.used is None:
        return None
    return Percent(min(100.0, 100.0 * row.used / row.size))


def _tidy(path: str) -> str:
    return path.rstrip("/") or "/"
