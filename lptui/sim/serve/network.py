"""The simulated network: what answers at an address and port, seen from one of its machines."""

from __future__ import annotations

from collections.abc import Callable

from lptui.fleet.topology import Role
from lptui.sim.serve.contracts import Contracts
from lptui.sim.serve.haproxy import HaproxyCli
from lptui.sim.serve.haproxy_tables import show_stat
from lptui.sim.serve.host.nginx import stub_status
from lptui.sim.serve.http import Handler, HttpReply, HttpRequest, http_service, text
from lptui.sim.serve.jsonrpc import IpcService, JsonRpcApi
from lptui.sim.serve.link import Link, Service, ServiceFactory, Sink, Spawn, Tied
from lptui.sim.serve.livepeer import LivepeerApi
from lptui.sim.serve.tls import over_tls
from lptui.sim.world.balancer import HaproxyProcess
from lptui.sim.world.livepeer import RPC_POOL_URL
from lptui.sim.world.machine import Machine
from lptui.sim.world.nginx import NginxProcess
from lptui.sim.world.watch import RPC_POOL_PORT, behind
from lptui.sim.world.world import World

LOCAL = ("127.0.0.1", "localhost", "::1")


class Network:
    """Finds the service behind an address; raises ConnectionRefusedError or LookupError."""

    def __init__(self, world: World, spawn: Spawn) -> None:
        self._world = world
        self._spawn = spawn
        self._open: set[Tied] = set()
        self._contracts = Contracts(world.ledger, lambda said: world.say(said))

    def tcp(self, machine: Machine, host: str, port: int) -> ServiceFactory:
        """What a machine reaches at `host:port`."""
        local = host in LOCAL or host == machine.address
        target = machine if local else self._world.machine_at(host)
        if target is None:
            raise LookupError("Name or service not known")
        socket = target.listener(port, "127.0.0.1" if host in LOCAL else target.address)
        if socket is None:
            raise ConnectionRefusedError("Connection refused")
        handler = self._http(target, port)
        factory: ServiceFactory = http_service(handler, self._spawn) if handler else Sink
        if self._is_secured(target, port):
            factory = over_tls(factory)
        return self._tied(factory, lambda: socket.pid in target.processes)

    def unix(self, machine: Machine, path: str) -> ServiceFactory:
        """What listens on a machine's unix socket."""
        name = machine.unix_sockets.get(path, "")
        balancer, rpc = self._world.haproxies.get(name), self._world.rpcs.get(name)
        if balancer is not None and balancer.running:
            return lambda link: self._cli(link, balancer)
        if rpc is not None and rpc.running:
            api = self.rpc_api(name)
            return self._tied(lambda link: IpcService(link, api), lambda: rpc.running)
        raise LookupError("open failed")

    def cut(self) -> None:
        """Ends the streams to processes that are gone."""
        self._open = {tied for tied in self._open if tied.is_open and not tied.cut()}

    def _tied(self, factory: ServiceFactory, lives: Callable[[], bool]) -> ServiceFactory:
        def begin(link: Link) -> Service:
            tied = Tied(link, factory, lives)
            self._open.add(tied)
            return tied

        return begin

    def rpc_api(self, name: str) -> JsonRpcApi:
        return JsonRpcApi(self._world, self._world.rpcs[name], self._contracts)

    def rpc_factory(self, name: str) -> ServiceFactory:
        """An execution client's HTTP interface."""
        return http_service(self.rpc_api(name).handle, self._spawn)

    def _cli(self, link: Link, balancer: HaproxyProcess) -> Service:
        return HaproxyCli(link, self._world, balancer)

    def _http(self, target: Machine, port: int) -> Handler | None:
        """The HTTP interface of whatever listens on a machine's port."""
        world = self._world
        for node in world.nodes_on(target.name):
            if node.cli_port == port and node.running:
                return LivepeerApi(world, node)
            if node.public_port == port:
                return _health
        for rpc in world.rpcs.values():
            if rpc.host == target.name and rpc.port == port:
                return self.rpc_api(rpc.name).handle
        for nginx in world.nginxes.values():
            if nginx.host == target.name:
                if port == nginx.status_port:
                    return _status_page(nginx)
                if port == RPC_POOL_PORT:
                    return self._pool()
        for balancer in world.haproxies.values():
            if balancer.host == target.name and port == balancer.stats_port:
                return self._stats(balancer)
        return None

    def _is_secured(self, target: Machine, port: int) -> bool:
        """Orchestrators and redeemers speak TLS on their public port, gateways do not."""
        nodes = self._world.nodes_on(target.name)
        return any(one.public_port == port and Role.GATEWAY not in one.roles for one in nodes)

    def _pool(self) -> Handler:
        """nginx in front of the Arbitrum nodes: whom it asks is in what it has loaded."""

        def handle(request: HttpRequest) -> HttpReply:
            rpc = behind(self._world, RPC_POOL_URL)
            if rpc is None:
                body = b"<html><head><title>502 Bad Gateway</title></head></html>"
                return HttpReply(body, 502, "text/html")
            return self.rpc_api(rpc.name).handle(request)

        return handle

    def _stats(self, balancer: HaproxyProcess) -> Handler:
        def handle(request: HttpRequest) -> HttpReply:
            if request.path.endswith(";csv"):
                return text(show_stat(self._world, balancer, only="", kinds=7) + "\n")
            return text("", 404)

        return handle


def _status_page(nginx: NginxProcess) -> Handler:
    return lambda _: text(stub_status(nginx))


def _health(request: HttpRequest) -> HttpReply:
    """A node's public port: `/healthz` is always 200 and says nothing."""
    return HttpReply() if request.path == "/healthz" else text("404 page not found\n", 404)
