"""What a host does and what is installed on it, in one line each."""

from __future__ import annotations

from lptui.fleet.facts.activity import HostActivity
from lptui.fleet.facts.gpu import Gpu, HostGpus
from lptui.fleet.facts.upkeep import HostBackups, HostGrowth, HostImages, HostUnitTexts
from lptui.fleet.growth import days_words
from lptui.present.activity import MOST_DISKS, disk_words, driver_words, socket_words
from lptui.present.upkeep import backup_words, image_words


def activity(value: HostActivity) -> str:
    """Disks and sockets."""
    disks = [f"{disk.name} {disk_words(disk)}" for disk in value.disks[:MOST_DISKS]]
    return "; ".join((*disks, f"TCP {socket_words(value.sockets)}"))


def gpus(value: HostGpus) -> str:
    """Cards, and the driver under them."""
    fault = (value.fault,) if value.fault else ()
    if not value.gpus:
        return ": ".join(("no GPU" if value.tool else "no GPU tool", *fault))
    return "; ".join((*(_gpu(gpu) for gpu in value.gpus), driver_words(value), *fault))


def _gpu(gpu: Gpu) -> str:
    if gpu.problem:
        return f"{gpu.index} {gpu.name}: {gpu.problem}"
    heat = "unknown" if gpu.temperature_c is None else f"{gpu.temperature_c:g}"
    return (
        f"{gpu.index} {gpu.name}: {heat} C, encoder {share(gpu.encoder)}, "
        f"decoder {share(gpu.decoder)}, busy {share(gpu.utilisation)}"
        f"{', THROTTLED' if gpu.throttled else ''}"
    )


def share(percent: float | None) -> str:
    """A part of the whole."""
    return "unknown" if percent is None else f"{round(percent, 1):g} %"


def growth(value: HostGrowth) -> str:
    """How long the free space lasts."""
    told = [f"{one.path} full in: {days_words(one)}" for one in value.mounts]
    return "; ".join(told) or "no file system"


def backups(value: HostBackups) -> str:
    """The declared backups."""
    return "; ".join(f"{one.name}: {backup_words(one)}" for one in value.backups) or "none"


def unit_texts(value: HostUnitTexts) -> str:
    """The units of nodes, and what their files' text comes to."""
    told = [f"{one.name} {one.digest[:12] or 'files not read'}" for one in value.units]
    return "; ".join(told) or "none"


def images(value: HostImages) -> str:
    """The images of containers."""
    return "; ".join(f"{one.name}: {image_words(one)}" for one in value.images) or "none"
