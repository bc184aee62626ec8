"""`nvidia-smi`: card and process queries in CSV, with its ways to say that a value is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from lptui.sim.world.machine import GpuCard, Machine
from lptui.sim.world.world import World

Result = tuple[str, int]
_CUDA: Final = "12.4"
FIELDS: Final[dict[str, Callable[[GpuCard], str]]] = {
    "index": lambda card: str(card.index),
    "uuid": lambda card: card.uuid,
    "pci.bus_id": lambda card: f"00000000:{card.index + 1:02X}:00.0",
    "pstate": lambda card: "P2" if card.load > 0.02 else "P8",
    "temperature.gpu": lambda card: f"{card.temperature:.0f}",
    "fan.speed": lambda card: f"{card.fan:.0f}",
    "power.draw": lambda card: f"{card.power:.2f}",
    "power.limit": lambda card: f"{card.power_limit:.2f}",
    "utilization.gpu": lambda card: f"{min(100, card.load * 47):.0f}",
    "utilization.memory": lambda card: f"{min(100, card.load * 21):.0f}",
    "utilization.encoder": lambda card: str(card.encoder),
    "utilization.decoder": lambda card: str(card.decoder),
    "encoder.stats.sessionCount": lambda card: str(card.sessions),
    "encoder.stats.averageFps": lambda card: "148" if card.sessions else "0",
    "encoder.stats.averageLatency": lambda card: "8123" if card.sessions else "0",
    "memory.used": lambda card: str(card.memory_used),
    "memory.total": lambda card: str(card.memory_total),
    "clocks.sm": lambda card: str(_clock(card)),
    "clocks.video": lambda card: str(_clock(card) * 8 // 9),
    "ecc.mode.current": lambda _: "[N/A]",
    "ecc.errors.uncorrected.volatile.total": lambda _: "[N/A]",
    "mig.mode.current": lambda _: "[N/A]",
    "clocks_event_reasons.active": lambda card: f"0x{card.throttle:016x}",
    "clocks_throttle_reasons.active": lambda card: f"0x{card.throttle:016x}",
    "compute_mode": lambda _: "Default",
}


def _clock(card: GpuCard) -> int:
    if card.throttle & 0xE8:
        return card.clock_max // 2
    return card.clock_max if card.load > 0.02 else 210


def nvidia_smi(world: World, machine: Machine, argv: Sequence[str]) -> Result:
    if not machine.driver:
        return "", 127
    query = next((word.partition("=")[2] for word in argv if word.startswith("--query-gpu=")), "")
    if query:
        return _cards(world, machine, query.split(","))
    if any(word.startswith("--query-compute-apps=") for word in argv):
        return _processes(world, machine)
    if tuple(argv[1:]) == ("-q", "-d", "COMPUTE"):
        return _driver(world, machine), 0
    if "-L" in argv:
        lines = [f"GPU {c.index}: {world.say(c.name)} (UUID: {c.uuid})\n" for c in _seen(machine)]
        return "".join(lines), 0
    return "", 2


def _seen(machine: Machine) -> list[GpuCard]:
    return [card for card in machine.gpus if not card.lost]


def _cards(world: World, machine: Machine, fields: Sequence[str]) -> Result:
    known = set(FIELDS) | {"name", "driver_version"}
    for field in fields:
        if field not in known:
            return f'Field "{field}" is not a valid field to query.\n\n', 2
    if not _seen(machine):
        return "No devices were found\n", 6
    named = {"name": lambda card: world.say(card.name).replace(",", " ")}
    named["driver_version"] = lambda _: world.say(machine.driver).replace(",", " ")
    lines = [
        ", ".join((named.get(field) or FIELDS[field])(card) for field in fields)
        for card in _seen(machine)
    ]
    return "\n".join(lines) + "\n", 0


def _driver(world: World, machine: Machine) -> str:
    """The head of the long report."""
    head = "=" * 14
    lines = [f"{'Driver Version':<42}: {world.say(machine.driver)}"]
    lines += [f"{'CUDA Version':<42}: {_CUDA}", f"{'Attached GPUs':<42}: {len(_seen(machine))}"]
    return f"{head}NVSMI LOG{head}\n\n" + "\n".join(lines) + "\n"


def _processes(world: World, machine: Machine) -> Result:
    livepeer = [p for p in machine.processes.values() if p.argv[0].endswith("livepeer")]
    lines = [
        f"{card.uuid}, {process.pid}, {process.argv[0]}, {card.memory_used - 300}\n"
        for card in _seen(machine)
        for process in livepeer
    ]
    return "".join(lines), 0
