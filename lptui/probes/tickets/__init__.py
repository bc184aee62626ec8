"""The queue of winning tickets in a node's database."""

from __future__ import annotations

from lptui.probes.probe import Probe
from lptui.probes.tickets.probe import TicketQueueProbe

PROBES: tuple[Probe, ...] = (TicketQueueProbe(),)
