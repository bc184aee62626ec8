"""Every probe that there is. A new source is one file in probes/ and one line here."""

from __future__ import annotations

from lptui.fleet.topology import Fleet
from lptui.probes.probe import Probe


def probes_for(fleet: Fleet) -> tuple[Probe, ...]:
    """The probes that have something to ask in this fleet.

    The chain's probes are imported only for a fleet with a chain: they bring web3 along.
    """
    from lptui.probes.gpu import PROBES as GPU
    from lptui.probes.haproxy import PROBES as HAPROXY
    from lptui.probes.host import PROBES as HOST
    from lptui.probes.livepeer import PROBES as LIVEPEER
    from lptui.probes.nginx import PROBES as NGINX
    from lptui.probes.rpc import PROBES as RPC

    probes: tuple[Probe, ...] = (*HOST, *GPU, *LIVEPEER, *RPC, *HAPROXY, *NGINX)
    if fleet.chain is not None:
        from lptui.probes.chain import PROBES as CHAIN

        probes += CHAIN
    return tuple(probe for probe in probes if probe.targets(fleet))
