"""One real fleet on loopback: sshd behind a jump host, HAProxy, nginx, a chain, go-livepeer nodes.

Six machines, each a sshd of its own; `bastion` is the jump host of `edge`, `orch-1`, `orch-2` and
`gpu-1`, `treasury` is reached directly. One thing a test can break at a time: either in the
servers, or by a configuration that leads elsewhere.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.backend import Backend, backend
from tests.devnet.anvil import AnvilOptions
from tests.devnet.call_log import CallLog
from tests.devnet.chain import Devnet
from tests.devnet.deploy import running_devnet
from tests.devnet.fixtures import require_anvil
from tests.devnet.livepeer import LivepeerNode, running_node
from tests.devnet.node.config import ConnectedTranscoder, NodeConfig, Role
from tests.e2e.command import Operator, Outcome
from tests.e2e.stage import Stage
from tests.haproxy import CHECKED, Haproxy, haproxy
from tests.held_socket import held_socket
from tests.nginx import Nginx, nginx
from tests.nginx import program as nginx_program
from tests.sshd import SSHD, Sshd, descendants, make_key, need, start_sshd
from tests.ticket_database import TicketDatabase

HOSTS = ("bastion", "edge", "orch-1", "orch-2", "gpu-1", "treasury")
BEHIND_JUMP = ("edge", "orch-1", "orch-2", "gpu-1")
NODES = ("orch-1", "orch-2", "transcoder-1", "redeemer", "reward")
RPCS = ("arb-1", "pool", "hosted")
SERVICE_URI = "https://livepeer.example.org:8935"
MACHINE = frozenset(
    {
        "disk",
        "load",
        "memory",
        "host-fd",
        "oom",
        "clock",
        "reboot-required",
        "password-visible",
        "unknown-process",
    }
)
"""Checks whose verdict is that of the machine that the tests run on, and of all its processes."""

Document = dict[str, Any]
Edit = Callable[[Document], object]


def nothing(_: Document) -> None:
    """The configuration as it is."""


@dataclass
class RealFleet:
    """The running fleet, and how to ask `lptui` about it."""

    folder: Path
    stage: Stage
    operator: Operator
    sshds: Mapping[str, Sshd]
    identity: Path
    net: Devnet
    nodes: Mapping[str, LivepeerNode]
    calls: CallLog
    haproxy: Haproxy
    nginx: Nginx
    backends: Mapping[str, Backend]
    database: TicketDatabase
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _healthy: Outcome | None = None

    @property
    def registered(self) -> str:
        return self.net.accounts[1]

    @property
    def document(self) -> Document:
        """The whole configuration; a copy to change."""
        return copy.deepcopy(_document(self))

    def config(self, edit: Edit = nothing) -> Path:
        """A configuration file, changed by `edit`."""
        document = self.document
        edit(document)
        path = self.folder / f"fleet-{next(self._numbers)}.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        return path

    def run(self, *words: str, edit: Edit = nothing, timeout_s: float = 60.0) -> Outcome:
        """`lptui --headless WORDS…` on this fleet."""
        config = str(self.config(edit))
        return self.operator.run(
            *("--config", config, "--headless", *words, "--timeout", str(timeout_s)),
            deadline_s=timeout_s,
        )

    def check(self, edit: Edit = nothing, *, timeout_s: float = 60.0, answer_s: int = 0) -> Outcome:
        """`lptui --headless check --format json`; the exit code is that of its own verdict.

        `answer_s` is the longest wait for one answer, where it is not the usual one.
        """

        def whole(document: Document) -> None:
            edit(document)
            if answer_s:
                document["intervals"] = {"timeout": f"{answer_s}s"}

        outcome = self.run("check", "--format", "json", edit=whole, timeout_s=timeout_s)
        assert outcome.out, outcome.err
        assert outcome.code == outcome.json["exit_code"], outcome.err
        assert outcome.err == ""
        for one in outcome.json["readings"]:
            assert one["source"], one
            assert one["age_seconds"] is not None, one
            assert (one["value"] is None) == (one["error"] is not None), one
        return outcome

    @property
    def healthy(self) -> Outcome:
        """A check of the whole fleet, made once, before anything is broken."""
        if self._healthy is None:
            self._healthy = self.check()
        return self._healthy

    def quiet(self) -> bool:
        """Whether nobody is logged in anywhere."""
        return not any(descendants(sshd.process.pid) for sshd in self.sshds.values())


@contextlib.contextmanager
def running_fleet(folder: Path, stage: Stage) -> Iterator[RealFleet]:
    """The fleet for the length of a block."""
    need(SSHD, "sshd")
    need(shutil.which("haproxy", path="/usr/sbin:/usr/bin:/sbin:/bin"), "haproxy")
    need(nginx_program(), "nginx")
    require_anvil()
    home = folder / "home"
    (home / ".ssh").mkdir(parents=True)
    identity = make_key(folder / "identity")
    with contextlib.ExitStack() as stack:
        sshds = stack.enter_context(_machines(folder, identity))
        log = CallLog()
        # Accounts of its own: the processes of another run on this machine are seen too.
        options = AnvilOptions(block_time_s=1, extra=("--mnemonic-random", "12"))
        net = stack.enter_context(stage.holding(running_devnet(options)))
        socket = stack.enter_context(held_socket())
        nodes = {
            # A transcoder knows no chain.
            config.name: stack.enter_context(
                stage.holding(
                    running_node(config, None if config.role is Role.TRANSCODER else net, log)
                )
            )
            for config in _node_configs(net, socket)
        }
        stage.do(_prepare(net))
        backends = {
            name: stack.enter_context(stage.holding(backend(name)))
            for name in ("orch-1", "orch-2", "arb-1", "arb-2")
        }
        lines = [f"o{number} {backends[f'orch-{number}'].address} {CHECKED}" for number in (1, 2)]
        proxy = stack.enter_context(stage.holding(haproxy(lines)))
        web = stack.enter_context(
            stage.holding(nginx(upstream(backends["arb-1"], backends["arb-2"])))
        )
        stage.do(proxy.until_status("web/o1", "UP"))
        stage.do(proxy.until_status("web/o2", "UP"))
        stack.enter_context(
            _guarded([proxy.process.pid, web.process.pid, *(s.process.pid for s in sshds.values())])
        )
        database = TicketDatabase(folder / "lpdb.sqlite3")
        stack.callback(database.close)
        yield RealFleet(
            *(
                folder,
                stage,
                Operator(home),
                sshds,
                identity,
                net,
                nodes,
                log,
                proxy,
                web,
                backends,
            ),
            database,
        )


@contextlib.contextmanager
def _guarded(pids: list[int]) -> Iterator[None]:
    """Ends these processes when this one dies, however it dies: its end of the pipe closes."""
    command = f"read _; kill {' '.join(map(str, pids))}"
    guard = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.kill()
        guard.wait()


def upstream(*servers: Backend) -> str:
    """nginx's configuration of a balancer over these servers."""
    lines = "".join(f"server {server.address};" for server in servers)
    return f"upstream rpc {{ {lines} }} server {{ listen 127.0.0.1:@port@; location / {{ \
proxy_pass http://rpc; }} }}"


@contextlib.contextmanager
def _machines(folder: Path, identity: Path) -> Iterator[dict[str, Sshd]]:
    """A sshd a host, all with the same login key and each with its own host key."""

    def start(name: str) -> Sshd:
        return machine(folder / name, identity)

    with ThreadPoolExecutor() as pool:
        started = dict(zip(HOSTS, pool.map(start, HOSTS), strict=True))
    try:
        lines = [sshd.known_hosts.read_text() for sshd in started.values()]
        (folder / "known_hosts").write_text("".join(lines))
        yield started
    finally:
        for sshd in started.values():
            sshd.stop()


def machine(folder: Path, identity: Path, options: Mapping[str, str] | None = None) -> Sshd:
    """A sshd that the fleet's key may log in to."""
    folder.mkdir(mode=0o700)
    for suffix in ("", ".pub"):
        shutil.copy(f"{identity}{suffix}", f"{folder / 'identity'}{suffix}")
    return start_sshd(folder, {"LogLevel": "INFO", **(options or {})})


def _node_configs(net: Devnet, socket: str) -> list[NodeConfig]:
    registered, first, second, redeemer = net.accounts[1:5]
    remote = [ConnectedTranscoder(socket)]
    return [
        NodeConfig(Role.ORCHESTRATOR, "orch-1", first, recipient=registered, transcoders=remote),
        NodeConfig(Role.ORCHESTRATOR, "orch-2", second, recipient=registered),
        NodeConfig(Role.TRANSCODER, "transcoder-1"),
        NodeConfig(Role.REDEEMER, "redeemer", redeemer, recipient=registered),
        NodeConfig(Role.REWARD, "reward", registered),
    ]


async def _prepare(net: Devnet) -> None:
    registered = net.accounts[1]
    await net.bond(registered)
    await net.set_service_uri(registered, SERVICE_URI)
    await net.reward(registered)


def _document(fleet: RealFleet) -> Document:
    net, url, account = fleet.net, fleet.net.url, fleet.net.accounts
    hosts: Document = {}
    for name, sshd in fleet.sshds.items():
        hosts[name] = {"address": "127.0.0.1", "port": sshd.port}
        if name in BEHIND_JUMP:
            hosts[name]["jump"] = "bastion"

    def node(name: str, host: str, roles: list[str], **more: object) -> Document:
        return {"host": host, "roles": roles, "cli": fleet.nodes[name].port, **more}

    arbs = {fleet.backends[name].address: name for name in ("arb-1", "arb-2")}
    return {
        "name": "e2e",
        "public_addresses": False,  # nobody knows their names here
        "ssh": {
            "user": fleet.sshds["edge"].user,
            "identity": str(fleet.identity),
            "known_hosts": str(fleet.folder / "known_hosts"),
            "config": [],
        },
        "hosts": hosts,
        "nodes": {
            "orch-1": node(
                *("orch-1", "orch-1", ["orchestrator"]),
                account=account[2],
                orchestrator="main",
                transcoders=1,
                rpc="arb-1",
            ),
            "orch-2": node(
                *("orch-2", "orch-2", ["orchestrator", "transcoder"]),
                account=account[3],
                orchestrator="main",
                rpc="arb-1",
            ),
            "transcoder-1": node("transcoder-1", "gpu-1", ["transcoder"]),
            "redeemer": node(
                *("redeemer", "treasury", ["redeemer"]),
                account=account[4],
                rpc="pool",
                database=str(fleet.database.path),
            ),
            "reward": node(
                *("reward", "treasury", ["reward", "round-initialiser"]),
                account=account[1],
                rpc="pool",
            ),
            "arb-1": {"host": "edge", "role": "rpc"},
            "arb-2": {"host": "edge", "role": "rpc"},
        },
        "rpcs": {
            "arb-1": {"url": url, "node": "arb-1"},
            "pool": {"url": url, "via": "treasury"},
            "hosted": {"url": url, "reference": True},
        },
        "chain": {
            "network": "devnet",
            "controller": net.controller.address,
            "chain_id": net.chain_id,
            "rpcs": ["arb-1", "pool", "hosted"],
            "orchestrators": {
                "main": {
                    "address": account[1],
                    "service_uri": SERVICE_URI,
                    "reward_caller": "reward",
                }
            },
        },
        "balancers": {
            "edge": {
                "kind": "haproxy",
                "host": "edge",
                "socket": fleet.haproxy.socket,
                "public_uri": SERVICE_URI,
                "backends": ["web"],
                "servers": {"o1": "orch-1", "o2": "orch-2"},
            },
            "rpc-edge": {
                "kind": "nginx",
                "host": "edge",
                "config": str(fleet.nginx.config),
                "stub_status": {"url": fleet.nginx.status_url, "via": "edge"},
                "servers": arbs,
            },
        },
    }
