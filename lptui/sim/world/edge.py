"""Adds the balancers of the default fleet: HAProxy before the orchestrators, nginx before RPC."""

from __future__ import annotations

from typing import Final

from lptui.sim.world.balancer import Backend, BackendServer, Frontend, HaproxyProcess
from lptui.sim.world.machine import SystemdUnit
from lptui.sim.world.nginx import MAIN, MASTER, NginxProcess, load
from lptui.sim.world.watch import RPC_POOL_PORT
from lptui.sim.world.world import World

HAPROXY_SOCKET: Final = "/run/haproxy/admin.sock"
NGINX_STATUS_PORT: Final = 8080
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104
SITE: Final = "/etc/nginx/sites-available/rpc.conf"
"""The file with the upstream; a link in sites-enabled leads to it, as Debian has it."""


def add_haproxy(world: World, service_host: str) -> None:
    """A TCP frontend for the orchestrators' public port, weighted by their capacity."""
    machine = world.machines["edge-1"]
    listens = ((EVERYWHERE, 8935), ("127.0.0.1", 8404))
    unit = _unit(world, "edge-1", "haproxy.service", "/usr/sbin/haproxy", "haproxy", listens)
    balancer = HaproxyProcess(
        "edge", "edge-1", unit.name, HAPROXY_SOCKET, unit.since, unit.pid or 0
    )
    servers = []
    orchestrators = [world.nodes[f"orch-{number}"] for number in (1, 2, 3)]
    most = max(node.capacity for node in orchestrators) or 1
    for node in orchestrators:
        weight = max(1, round(100 * node.capacity / most))
        address = world.machines[node.host].address
        server = BackendServer(node.name, address, 8935, node.name, weight, weight)
        server.changed = unit.since
        server.total = 4_000 + 37 * weight
        servers.append(server)
    balancer.backends.append(Backend("orchestrators", "tcp", "leastconn", servers))
    balancer.frontends.append(Frontend("livepeer", "tcp", EVERYWHERE, 8935, "orchestrators"))
    balancer.stats_port = 8404
    world.haproxies[balancer.name] = balancer
    world.names[service_host] = machine.address
    machine.unix_sockets[HAPROXY_SOCKET] = balancer.name


def add_nginx(world: World) -> None:
    """An HTTP upstream of the two Arbitrum nodes, and stub_status on loopback."""
    machine = world.machines["rpc-edge"]
    members = [rpc for rpc in world.rpcs.values() if rpc.layer == 2 and rpc.host]
    servers = "".join(
        f"    server {world.machines[rpc.host].address}:{rpc.port} max_fails=2 fail_timeout=5s"
        f"{' backup' if place else ''};\n"
        for place, rpc in enumerate(members)
    )
    machine.files.add(MAIN, _MAIN, machine.boot_time)
    machine.files.add(SITE, _SITE.replace("SERVERS", servers), machine.boot_time)
    machine.files.link("/etc/nginx/sites-enabled/rpc.conf", SITE)
    machine.files.add("/var/log/nginx/error.log", "", machine.boot_time)
    listens = ((EVERYWHERE, RPC_POOL_PORT), ("127.0.0.1", NGINX_STATUS_PORT))
    unit = _unit(world, "rpc-edge", "nginx.service", MASTER, "root", listens)
    nginx = NginxProcess("rpc-edge", "rpc-edge", unit.name, NGINX_STATUS_PORT)
    load(nginx, machine, unit.since)
    world.nginxes[nginx.name] = nginx


def _unit(
    world: World,
    host: str,
    name: str,
    program: str,
    user: str,
    listens: tuple[tuple[str, int], ...],
) -> SystemdUnit:
    from lptui.sim.world.build import add_unit

    unit = add_unit(world, world.machines[host], name, (program,), user, listens)
    unit.can_reload = True
    return unit


_MAIN: Final = """user www-data;
worker_processes auto;
pid /run/nginx.pid;
events {
  worker_connections 1024;
}
http {
  include /etc/nginx/sites-enabled/*;
}
"""
_SITE: Final = """upstream arbitrum_rpc {
    least_conn;
SERVERS    keepalive 16;
}
server {
    listen 8545;
    location / {
        proxy_pass http://arbitrum_rpc;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
    }
}
server {
    listen 127.0.0.1:8080;
    location = /nginx_status {
        stub_status;
    }
}
"""
