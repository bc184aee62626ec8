"""What is known of a host's GPUs. None is "the driver does not say", never zero."""

from __future__ import annotations

from dataclasses import dataclass

from lptui.fleet.units import Percent

THROTTLE_HARMFUL = 0x8 | 0x20 | 0x40 | 0x80
"""HW slowdown, SW thermal, HW thermal, HW power brake (NVML's event reasons bitmask)."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One card. Memory in bytes, temperature in °C, power in watts, clocks in MHz."""

    index: int
    uuid: str
    name: str
    temperature_c: float | None = None
    fan: Percent | None = None
    power_w: float | None = None
    power_limit_w: float | None = None
    utilisation: Percent | None = None
    memory_utilisation: Percent | None = None
    encoder: Percent | None = None
    decoder: Percent | None = None
    encoder_sessions: int | None = None
    encoder_fps: float | None = None
    encoder_latency_us: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    clock_sm_mhz: float | None = None
    clock_video_mhz: float | None = None
    performance_state: str | None = None
    throttle_reasons: int | None = None
    ecc_uncorrected: int | None = None
    mig: bool = False
    problem: str = ""
    """What the driver says instead of values ("GPU requires reset"); "" when it is well."""

    @property
    def throttled(self) -> bool | None:
        """Slowed down for heat, power brake or a hardware fault; None when unknown."""
        if self.throttle_reasons is None:
            return None
        return bool(self.throttle_reasons & THROTTLE_HARMFUL)

    @property
    def throttle_words(self) -> str:
        """The harmful reasons in words, "" when there are none."""
        names = ((0x8, "hw slowdown"), (0x20, "sw thermal"), (0x40, "hw thermal"), (0x80, "power"))
        mask = self.throttle_reasons or 0
        return ", ".join(word for bit, word in names if mask & bit)


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process that has memory on a card."""

    gpu_uuid: str
    pid: int
    name: str
    memory: int | None


@dataclass(frozen=True, slots=True)
class HostGpus:
    """The cards of a host. `tool` is "" when no vendor tool is installed: not an error.

    `fault` is what the tool says of a driver that does not work, or of a card that it can no
    longer list; `advice` what to do about it. `processes` None: not known. `cuda` is the newest
    CUDA that the driver runs; "" when it does not say, None when it is not known.
    """

    gpus: tuple[Gpu, ...] = ()
    processes: tuple[GpuProcess, ...] | None = None
    driver: str = ""
    tool: str = ""
    fault: str = ""
    advice: str = ""
    cuda: str | None = None
