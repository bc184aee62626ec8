"""Tries the ways between the fleet's parts: TCP and TLS connections that say nothing."""

from __future__ import annotations

from lptui.probes.links.closed import ClosedPortsProbe
from lptui.probes.links.public import PublicAddressesProbe
from lptui.probes.links.redeemer import RedeemerLinkProbe
from lptui.probes.probe import Probe

PROBES: tuple[Probe, ...] = (RedeemerLinkProbe(), PublicAddressesProbe(), ClosedPortsProbe())
