"""Every driver that there is."""

from __future__ import annotations

from lptui.actions.drivers.driver import Driver
from lptui.actions.drivers.haproxy import HaproxyDriver
from lptui.actions.drivers.nginx import NginxDriver
from lptui.fleet.topology import Balancer, BalancerKind

_DRIVERS: dict[BalancerKind, Driver] = {
    BalancerKind.HAPROXY: HaproxyDriver(),
    BalancerKind.NGINX: NginxDriver(),
}


def driver_of(balancer: Balancer) -> Driver:
    """The driver of a balancer's kind."""
    return _DRIVERS[balancer.kind]
