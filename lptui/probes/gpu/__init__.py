"""What a host's GPUs say, by the vendor's tool."""

from __future__ import annotations

from lptui.probes.gpu.probe import GpuProbe
from lptui.probes.probe import Probe

PROBES: tuple[Probe, ...] = (GpuProbe(),)
