"""What a host is: name, kernel, CPUs, login, and whether it waits for a reboot."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import ClassVar, Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.host import HostSystem
from lptui.fleet.units import Percent
from lptui.probes.host import commands
from lptui.probes.host.base import HostProbe
from lptui.probes.numbers import count, percent
from lptui.probes.outcome import failure
from lptui.probes.probe import Answer, Asking
from lptui.text import clean

_MOST_PACKAGES: Final = 20
_MACHINE_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_LEADING: Final = re.compile(r"[0-9]+(?:[.-][0-9]+)*", re.ASCII)
_CPU_RANGE: Final = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", re.ASCII)


def parse(text: str) -> HostSystem:
    """From `name value` lines; raises BadAnswerError without a host name, boot id or CPU count."""
    values: dict[str, str] = {}
    packages: list[str] = []
    kernels: list[str] = []
    for line in text.split("\n"):
        name, _, value = line.partition(" ")
        if name == "package":
            packages.append(clean(value, 80))
        elif name == "modules":
            kernels.append(clean(value, 80))
        else:
            values.setdefault(name, clean(value, 200))
    cpus = cpu_count(values.get("cpus", "")) or count(values.get("ncpus", ""))
    if not cpus or not values.get("hostname") or not values.get("boot_id"):
        raise BadAnswerError("system facts", f"incomplete: {clean(text, 80)!r}")
    kernel = values.get("osrelease", "")
    newer = newer_kernel(kernel, kernels)
    files = [count(word) for word in values.get("file-nr", "").split()]
    return HostSystem(
        hostname=values["hostname"],
        kernel=kernel,
        machine=values.get("machine", ""),
        os_name=values.get("os", "").strip("\"'"),
        cpus=cpus,
        boot_id=values["boot_id"],
        user=values.get("user", ""),
        groups=tuple(values.get("groups", "").split()),
        has_systemd=values.get("systemd") == "yes",
        reboot_required="reboot" in values or bool(newer),
        reboot_packages=tuple(dict.fromkeys(filter(None, packages)))[:_MOST_PACKAGES],
        newer_kernel=newer,
        files_open=files[0] if len(files) == 3 else None,
        files_max=files[2] if len(files) == 3 else None,
        oom_kills=count(values.get("oom_kill", "")),
        swap_total=_kilobytes(values.get("SwapTotal:", "")),
        swap_free=_kilobytes(values.get("SwapFree:", "")),
        psi_cpu=_pressure(values.get("psi_cpu", "")),
        psi_memory=_pressure(values.get("psi_memory", "")),
        psi_io=_pressure(values.get("psi_io", "")),
        machine_key=_machine_key(values.get("machine_id", "")),
    )


def newer_kernel(running: str, installed: Sequence[str]) -> str:
    """The newest installed kernel of the running one's kind, where that is not running; else "".

    Kinds are told apart by what is no number: `6.1.0-21-amd64` is newer than `6.1.0-18-amd64`, and
    says nothing of `6.1.0-18-cloud-amd64`; `5.14.0-503.11.1.el9_5.x86_64` is of one kind with
    `5.14.0-503.el9.x86_64`, and newer. A kernel that is not installed itself is the matter of
    whoever runs this machine from outside.
    """
    if running not in installed:
        return ""
    rivals = [name for name in installed if _kind(name) == _kind(running)]
    newest = max(rivals, key=_version)
    return newest if _version(newest) > _version(running) else ""


def _machine_key(machine_id: str) -> str:
    """A hash: the id itself is to be confidential (machine-id(5)), and is not kept."""
    if not _MACHINE_ID.fullmatch(machine_id):
        return ""
    return hashlib.sha256(f"lptui {machine_id}".encode()).hexdigest()[:12]


def _kind(kernel: str) -> str:
    return re.sub(r"[0-9._]+", "", kernel)


def _version(kernel: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """First by the numbers that it begins with; `el9_5` and `deb12.4` have some as well."""
    first = _LEADING.match(kernel)
    begun = first[0] if first else ""
    return _numbers(begun), _numbers(kernel[len(begun) :])


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"[0-9]{1,12}", text))


def _kilobytes(text: str) -> int | None:
    """Bytes of `1048572 kB`."""
    value = count(text.strip().removesuffix(" kB"))
    return None if value is None else value * 1024


def _pressure(text: str) -> Percent | None:
    """The minute's average of "some"."""
    words = text.split()
    if words[:1] != ["some"]:
        return None
    return next((percent(word[6:]) for word in words if word.startswith("avg60=")), None)


def cpu_count(online: str) -> int | None:
    """How many CPUs `0-3,8-11` is; None when it is no such list."""
    total = 0
    for part in online.split(","):
        match = _CPU_RANGE.fullmatch(part.strip())
        if match is None:
            return None
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            return None
        total += last - first + 1
    return total


class HostSystemProbe(HostProbe):
    name: ClassVar[str] = "host-system"
    topic: ClassVar[type] = HostSystem
    asks: ClassVar[str] = "/proc, id, uname"

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        [output] = await asking.reach.shell(target).run([commands.SYSTEM], asking.deadline_s)
        if not output.stdout.strip():
            raise failure(f"system facts of {target}", output)
        return [Answer(self.key(target), parse(output.text))]
