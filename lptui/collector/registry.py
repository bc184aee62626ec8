"""Every probe that there is. A new source is one file in probes/ and one line here."""

from __future__ import annotations

from lptui.fleet.topology import BalancerKind, Fleet
from lptui.probes.probe import Probe


def probes_for(fleet: Fleet) -> tuple[Probe, ...]:
    """The probes that have something to ask in this fleet; no others are even imported.

    A check from cron pays for every module: the chain's bring web3 along, nginx's a parser.
    """
    kinds = {balancer.kind for balancer in fleet.balancers.values()}
    probes: list[Probe] = []
    if fleet.hosts:
        from lptui.probes.gpu import PROBES as GPU
        from lptui.probes.host import PROBES as HOST
        from lptui.probes.lock import PROBES as LOCK

        probes += (*HOST, *GPU, *LOCK)
    if any(node.is_livepeer for node in fleet.nodes.values()):
        from lptui.probes.livepeer import PROBES as LIVEPEER

        probes += LIVEPEER
        from lptui.probes.tickets import PROBES as TICKETS

        probes += TICKETS
    if fleet.rpcs:
        from lptui.probes.rpc import PROBES as RPC

        probes += RPC
    if BalancerKind.HAPROXY in kinds:
        from lptui.probes.haproxy import PROBES as HAPROXY

        probes += HAPROXY
    if BalancerKind.NGINX in kinds:
        from lptui.probes.nginx import PROBES as NGINX

        probes += NGINX
    if fleet.chain is not None:
        from lptui.probes.chain import PROBES as CHAIN

        probes += CHAIN
        if fleet.chain.explorer is not None:
            from lptui.probes.explorer import PROBES as EXPLORER

            probes += EXPLORER
    if fleet.hosts or fleet.balancers:
        from lptui.probes.links import PROBES as LINKS

        probes += LINKS
    return tuple(probe for probe in probes if probe.targets(fleet))


def on_demand(fleet: Fleet) -> tuple[Probe, ...]:
    """Probes that are asked for a change alone, never by themselves."""
    if not fleet.commands:
        return ()
    from lptui.probes.declared import PROBES as DECLARED

    return tuple(probe for probe in DECLARED if probe.targets(fleet))
