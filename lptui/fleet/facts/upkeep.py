"""What is known of a host's upkeep: how its disks grow, its backups, what its units are told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lptui.fleet.trend import Trend


@dataclass(frozen=True, slots=True)
class MountGrowth:
    """How the free space of a file system has moved.

    Attributes:
        size: bytes, as at the last reading: another one begins anew.
        samples: of each span of time (`GrowthSpan`), its number and the most bytes that were
            free in it, the oldest first. The last one is not over yet.
        trend: bytes a day that become used, over the spans that are over; None: too few yet.
        days_to_full: at the pace of the trend, and `soonest` and `latest` as far as it is sure;
            infinite where it does not grow then, None where no trend is known.
    """

    path: str
    device: str
    size: int
    available: int
    samples: tuple[tuple[int, int], ...] = ()
    trend: Trend | None = None
    days_to_full: float | None = None
    soonest: float | None = None
    latest: float | None = None


@dataclass(frozen=True, slots=True)
class HostGrowth:
    """How the file systems of a host have moved, from this run and earlier ones."""

    mounts: tuple[MountGrowth, ...]


@dataclass(frozen=True, slots=True)
class BackupState:
    """What there is of one declared backup: the newest file of its pattern.

    Attributes:
        file: its path; "" where none was found.
        closed: the folder that the login may not look into, so that nothing can be told.
        age_s: since it was last written, by the host's own clock.
        whole: whether its checksum file agrees; None: not known, or not asked for.
        unread: why the checksum is not known.
    """

    name: str
    file: str = ""
    closed: str = ""
    modified_at: float | None = None
    age_s: float | None = None
    size: int | None = None
    whole: bool | None = None
    unread: str = ""


@dataclass(frozen=True, slots=True)
class HostBackups:
    """The declared backups of a host, in the configuration's order."""

    backups: tuple[BackupState, ...]


class Change(StrEnum):
    """What became of a file since a process that read it was started."""

    NONE = "unchanged"
    WRITTEN = "written to"
    GONE = "gone"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class UnitFile:
    """A file that a unit's process takes settings from as it starts.

    Attributes:
        since: what became of it since the unit's main process was started.
        written_at: when it, or a link that leads to it, was last written, by the host's clock;
            None where that is not seen.
    """

    path: str
    since: Change
    written_at: float | None = None


@dataclass(frozen=True, slots=True)
class UnitText:
    """What a unit is told to start, as systemd has it loaded.

    Attributes:
        program: the executable; "" where there is none, or more than one command.
        flags: of its arguments, those that are no secrets; a bare switch has the value "".
        environment: it gives its process variables.
        plain: nothing in it is filled in at the start (no `$NAME`) or quoted.
        settings: its properties, by systemd's names.
        digest: SHA-256 of its files' text, drop-ins included; "" where they may not be read.
        files: its environment files and its node's configuration file.
    """

    name: str
    program: str = ""
    flags: tuple[tuple[str, str], ...] = ()
    environment: bool = True
    plain: bool = False
    settings: tuple[tuple[str, str], ...] = ()
    digest: str = ""
    files: tuple[UnitFile, ...] = ()


@dataclass(frozen=True, slots=True)
class HostUnitTexts:
    """The units of a host's go-livepeer nodes."""

    units: tuple[UnitText, ...]

    def find(self, name: str) -> UnitText | None:
        return next((unit for unit in self.units if unit.name == name), None)


@dataclass(frozen=True, slots=True)
class ContainerImage:
    """The image that a container was made of, and the one that its name means now.

    Attributes:
        reference: as the container was started with (`livepeer/go-livepeer:0.8.9`).
        running, current: ids; `current` is "" where the name means no image there any more.
        digests: of the running one in the registries that it came from.
    """

    name: str
    reference: str
    running: str
    current: str = ""
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostImages:
    """The images of a host's watched containers."""

    images: tuple[ContainerImage, ...]

    def find(self, name: str) -> ContainerImage | None:
        return next((image for image in self.images if image.name == name), None)
