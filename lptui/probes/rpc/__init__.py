"""What execution clients and RPC providers say of themselves over JSON-RPC."""

from __future__ import annotations

from lptui.probes.probe import Probe
from lptui.probes.rpc.probe import RpcProbe
from lptui.probes.rpc.usage import RpcUsageProbe
from lptui.probes.rpc.vantage import RpcVantageProbe

PROBES: tuple[Probe, ...] = (RpcProbe(), RpcVantageProbe(), RpcUsageProbe())
