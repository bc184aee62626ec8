"""Adds the balancers of the default fleet: HAProxy before the orchestrators, nginx before RPC."""

from __future__ import annotations

from typing import Final

from lptui.sim.world.balancer import (
    Backend,
    BackendServer,
    Frontend,
    HaproxyProcess,
    NginxProcess,
)
from lptui.sim.world.machine import Listening, SystemdUnit
from lptui.sim.world.world import World

HAPROXY_SOCKET: Final = "/run/haproxy/admin.sock"
NGINX_CONFIG: Final = "/etc/nginx/nginx.conf"
NGINX_STATUS_PORT: Final = 8080
RPC_POOL_PORT: Final = 8545


def add_haproxy(world: World, service_host: str) -> None:
    """A TCP frontend for the orchestrators' public port, weighted by their capacity."""
    machine = world.machines["edge-1"]
    unit = _unit(world, "edge-1", "haproxy.service", "/usr/sbin/haproxy", "haproxy")
    balancer = HaproxyProcess("edge", "edge-1", HAPROXY_SOCKET, unit.since, unit.pid or 0)
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
    balancer.frontends.append(Frontend("livepeer", "tcp", "0.0.0.0", 8935, "orchestrators"))  # noqa: S104
    balancer.stats_port = 8404
    world.haproxies[balancer.name] = balancer
    world.names[service_host] = machine.address
    machine.unix_sockets[HAPROXY_SOCKET] = balancer.name
    machine.listeners.append(Listening("0.0.0.0", 8935, unit.pid))  # noqa: S104
    machine.listeners.append(Listening("127.0.0.1", 8404, unit.pid))


def add_nginx(world: World) -> None:
    """An HTTP upstream of the two Arbitrum nodes, and stub_status on loopback."""
    machine = world.machines["rpc-edge"]
    unit = _unit(world, "rpc-edge", "nginx.service", "/usr/sbin/nginx", "root")
    process = machine.processes[unit.pid or 0]
    process.argv = ("nginx: master process /usr/sbin/nginx -g daemon on; master_process on;",)
    members = [rpc for rpc in world.rpcs.values() if rpc.layer == 2 and rpc.host]
    servers = "".join(
        f"    server {world.machines[rpc.host].address}:{rpc.port} max_fails=2 fail_timeout=5s"
        f"{' backup' if place else ''};\n"
        for place, rpc in enumerate(members)
    )
    nginx = NginxProcess("rpc-edge", "rpc-edge", NGINX_STATUS_PORT, {}, started=unit.since)
    nginx.config[NGINX_CONFIG] = _MAIN
    nginx.config["/etc/nginx/sites-enabled/rpc.conf"] = _SITE.replace("SERVERS", servers)
    world.nginxes[nginx.name] = nginx
    for number in range(machine.cpus):
        machine.start_process(("nginx: worker process",), unit.since + number, user="www-data")
    machine.listeners.append(Listening("0.0.0.0", RPC_POOL_PORT, unit.pid))  # noqa: S104
    machine.listeners.append(Listening("127.0.0.1", NGINX_STATUS_PORT, unit.pid))


def _unit(world: World, host: str, name: str, program: str, user: str) -> SystemdUnit:
    from lptui.sim.world.build import add_unit

    return add_unit(world, world.machines[host], name, (program,), user)


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
