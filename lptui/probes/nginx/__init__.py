"""What nginx is configured to do, and whether its servers answer."""

from __future__ import annotations

from lptui.probes.nginx.config import NginxConfigProbe
from lptui.probes.nginx.probe import NginxProbe
from lptui.probes.probe import Probe

PROBES: tuple[Probe, ...] = (NginxConfigProbe(), NginxProbe())
