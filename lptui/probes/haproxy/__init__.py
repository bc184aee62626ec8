"""What HAProxy says, by its runtime socket or its statistics page."""

from __future__ import annotations

from lptui.probes.haproxy.probe import HaproxyProbe
from lptui.probes.probe import Probe

PROBES: tuple[Probe, ...] = (HaproxyProbe(),)
