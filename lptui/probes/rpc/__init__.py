"""What execution clients and RPC providers say of themselves over JSON-RPC."""

from __future__ import annotations

from lptui.probes.probe import Probe
from lptui.probes.rpc.probe import RpcProbe

PROBES: tuple[Probe, ...] = (RpcProbe(),)
