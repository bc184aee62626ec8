"""What nginx is configured to do, whether its servers answer, and what it holds open to them."""

from __future__ import annotations

from lptui.probes.nginx.config import NginxConfigProbe
from lptui.probes.nginx.connections import NginxConnectionsProbe
from lptui.probes.nginx.probe import NginxProbe
from lptui.probes.probe import Probe

PROBES: tuple[Probe, ...] = (NginxConfigProbe(), NginxProbe(), NginxConnectionsProbe())
