"""What go-livepeer nodes say of themselves, through their CLI API and metrics pages."""

from __future__ import annotations

from lptui.probes.livepeer.probes import NodeIdentityProbe, NodeMetricsProbe, NodeStatusProbe
from lptui.probes.livepeer.reward import NodeRewardProbe
from lptui.probes.probe import Probe

PROBES: tuple[Probe, ...] = (
    NodeStatusProbe(),
    NodeMetricsProbe(),
    NodeIdentityProbe(),
    NodeRewardProbe(),
)
