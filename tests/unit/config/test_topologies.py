"""Every way to lay out a fleet can be written, and means what its operator means.

The topologies are those of go-livepeer: which process holds which key, who calls reward, who
pays for redemption.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lptui.config import load_fleet
from lptui.fleet.topology import (
    BalancerKind,
    Endpoint,
    Fleet,
    Role,
    SecretRef,
    Service,
    SupervisorKind,
)

R = "0x" + "a" * 40
"""The registered account."""
HOT = "0x" + "b" * 40
REDEEMER = "0x" + "c" * 40
O1 = "0x" + "1" * 40
O2 = "0x" + "2" * 40

COMMON = f"""
hosts:
  h1: {{address: 192.0.2.1, tags: [eu]}}
  h2: {{address: 192.0.2.2}}
  h3: {{address: 192.0.2.3}}
  cold: {{ssh: cold}}
rpcs:
  arb: {{url: "http://127.0.0.1:8547", via: h1}}
chain:
  network: arbitrum-one-mainnet
  orchestrators:
    main: {{address: "{R}", service_uri: "https://lp.example.org:8935"}}
"""

LB = """
balancers:
  lb:
    kind: haproxy
    host: h1
    socket: /run/haproxy/admin.sock
    public_uri: https://lp.example.org:8935
    servers: {a: o1, b: o2}
"""


def fleet_of(tmp_path: Path, text: str) -> Fleet:
    path = tmp_path / "fleet.yaml"
    path.write_text(text)
    return load_fleet(path)


def signers(fleet: Fleet) -> dict[str, str]:
    """Who pays gas, by account, with its role."""
    return {signer.address: signer.role for signer in fleet.signers}


def test_1_one_orchestrator_and_a_redeemer(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        f"""{COMMON}
nodes:
  o: {{host: h1, roles: [orchestrator, transcoder], unit: livepeer, account: "{R}", rpc: arb}}
  red: {{host: h2, role: redeemer, cli: 7936, account: "{REDEEMER}", rpc: arb}}
""",
    )
    assert fleet.nodes["o"].cli == Endpoint("http://127.0.0.1:7935", "h1")
    assert fleet.nodes["o"].service == Service(SupervisorKind.SYSTEMD, "livepeer.service")
    assert fleet.nodes["red"].cli == Endpoint("http://127.0.0.1:7936", "h2")
    assert fleet.nodes["red"].recipient == R
    assert signers(fleet) == {R: "orchestrator", REDEEMER: "redeemer"}


def test_2_a_service_node_with_the_key_and_orchestrators_behind_a_balancer(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        f"""{COMMON}{LB}
nodes:
  service: {{host: cold, roles: [redeemer, reward], cli: 7936, account: "{R}", rpc: arb}}
  o1: {{host: h2, role: orchestrator, account: "{O1}", rpc: arb}}
  o2: {{host: h3, role: orchestrator, account: "{O2}", rpc: arb}}
""",
    )
    assert signers(fleet) == {R: "orchestrator"}, "the orchestrators' own keys only sign messages"
    assert {fleet.nodes[name].recipient for name in ("o1", "o2")} == {R}
    balancer = fleet.balancers["lb"]
    assert balancer.kind is BalancerKind.HAPROXY
    assert dict(balancer.servers) == {"a": "o1", "b": "o2"}
    assert balancer.public_uri == "https://lp.example.org:8935"


def test_3_redeemer_and_reward_node_apart(tmp_path: Path) -> None:
    text = COMMON.replace("8935}", "8935, reward_caller: reward}")
    text = text.replace('8935"}', '8935", reward_caller: reward}')
    fleet = fleet_of(
        tmp_path,
        f"""{text}{LB}
nodes:
  red: {{host: h1, role: redeemer, cli: 7936, account: "{REDEEMER}", rpc: arb}}
  reward: {{host: cold, role: reward, cli: 7937, account: "{R}", rpc: arb}}
  o1: {{host: h2, role: orchestrator, account: "{O1}", rpc: arb}}
  o2: {{host: h3, role: orchestrator, account: "{O2}", rpc: arb}}
""",
    )
    assert fleet.chain is not None
    assert fleet.chain.orchestrators[0].reward_caller == "reward"
    assert signers(fleet) == {R: "orchestrator", REDEEMER: "redeemer"}


def test_3b_a_hot_caller_and_a_cold_registered_key(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        f"""{COMMON}
nodes:
  red: {{host: h1, role: redeemer, cli: 7936, account: "{REDEEMER}", rpc: arb}}
  reward: {{host: cold, role: reward, cli: 7937, account: "{HOT}", orchestrator: main, rpc: arb}}
  o1: {{host: h2, role: orchestrator, account: "{O1}", rpc: arb}}
""",
    )
    assert fleet.nodes["reward"].recipient == R
    assert signers(fleet) == {REDEEMER: "redeemer", HOT: "reward"}, "the cold key needs no ETH"


def test_a_redeemer_pays_for_its_own_orchestrator_only(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        f"""
hosts: {{a: {{address: a}}, b: {{address: b}}}}
nodes:
  o1: {{host: a, role: orchestrator, account: "{O1}", orchestrator: one}}
  o2: {{host: b, role: orchestrator, account: "{O2}", orchestrator: two}}
  r1: {{host: a, role: redeemer, cli: 7936, account: "{REDEEMER}", orchestrator: one}}
rpcs: {{arb: {{url: "http://127.0.0.1:8547", via: a}}}}
chain:
  network: arbitrum-one-mainnet
  orchestrators: {{one: {{address: "{R}"}}, two: {{address: "{HOT}"}}}}
""",
    )
    assert signers(fleet) == {
        O2: "orchestrator",
        REDEEMER: "redeemer",
        R: "orchestrator",
        HOT: "orchestrator",
    }


def test_a_node_and_an_orchestrator_of_one_name_have_accounts_told_apart(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        f"""
hosts: {{a: {{address: a}}}}
nodes:
  orch: {{host: a, role: orchestrator, account: "{O1}"}}
  reward: {{host: a, role: reward, cli: 7937, account: "{R}"}}
  redeem: {{host: a, role: gateway, account: "{O2}"}}
rpcs: {{arb: {{url: "http://127.0.0.1:8547", via: a}}}}
chain: {{network: arbitrum-one-mainnet, orchestrators: {{orch: {{address: "{R}"}}}}}}
signers: {{redeem: {{address: "{REDEEMER}"}}}}
""",
    )
    assert {signer.name: signer.address for signer in fleet.signers} == {
        "redeem": REDEEMER,
        f"orch {O1[:8]}": O1,
        f"orch {R[:8]}": R,
        f"redeem {O2[:8]}": O2,
    }


def test_4_transcoders_apart(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        f"""{COMMON}
nodes:
  o: {{host: h1, role: orchestrator, account: "{R}", rpc: arb, transcoders: 3}}
  t1: {{host: h2, role: transcoder, unit: "t@1.service"}}
  t2: {{host: h2, role: transcoder, unit: "t@2.service", cli: 6936}}
  t3: {{host: h3, role: transcoder, container: t}}
""",
    )
    assert fleet.nodes["o"].transcoders == 3
    assert fleet.nodes["t1"].cli == Endpoint("http://127.0.0.1:6935", "h2")
    assert fleet.nodes["t3"].service == Service(SupervisorKind.CONTAINER, "t")
    assert fleet.units_on("h2") == ("t@1.service", "t@2.service")
    assert fleet.nodes["t1"].recipient is None
    assert signers(fleet) == {R: "orchestrator"}, "without a redeemer it pays for redemption too"


def test_5_a_gateway(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        f"""{COMMON}
nodes:
  gw: {{host: h1, role: gateway, account: "{HOT}", rpc: arb}}
""",
    )
    assert fleet.nodes["gw"].cli == Endpoint("http://127.0.0.1:5935", "h1")
    assert fleet.nodes["gw"].recipient is None
    assert signers(fleet)[HOT] == "gateway"


def test_7_an_orchestrator_that_advertises_others(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        f"""{COMMON}
nodes:
  front: {{host: h1, role: orchestrator, account: "{R}", rpc: arb,
           service_uri: "https://lp.example.org:8935"}}
  o1: {{host: h2, role: orchestrator, account: "{O1}", service_uri: "https://o1.example.org:8935"}}
  o2: {{host: h3, role: orchestrator, account: "{O2}", service_uri: "https://o2.example.org:8935"}}
""",
    )
    assert [node.service_uri for node in fleet.nodes_with(Role.ORCHESTRATOR)] == [
        "https://lp.example.org:8935",
        "https://o1.example.org:8935",
        "https://o2.example.org:8935",
    ]


def test_a_fleet_off_chain(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path, "hosts: {a: {local: true}}\nnodes: {o: {host: a, role: orchestrator}}\n"
    )
    assert fleet.chain is None
    assert fleet.hosts["a"].ssh is None
    assert fleet.name == "fleet"


def test_an_ethereum_cluster_without_livepeer(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        """
name: ethereum
hosts:
  edge: {address: edge.example.org}
  eth-1: {address: 192.0.2.11, jump: [edge], mounts: [/var/lib/geth, /var/lib/geth]}
  eth-2: {address: 192.0.2.12, jump: edge}
nodes:
  geth-1: {host: eth-1, role: rpc, unit: geth.service}
  geth-2: {host: eth-2, role: rpc, container: nethermind, rpc: eth-2-ws}
rpcs:
  eth-1: {url: "unix:///var/lib/geth/geth.ipc", node: geth-1, chain_id: 1}
  eth-2: {url: "http://127.0.0.1:8545", node: geth-2, chain_id: 1}
  eth-2-ws: {url: "ws://127.0.0.1:8546", chain_id: 1}
  pool: {url: "https://rpc.example.org", chain_id: 1, via: direct}
  public: {url: "https://public.example.org", chain_id: 1, reference: true}
balancers:
  lb:
    kind: nginx
    host: edge
    stub_status: 127.0.0.1:8080/status
    servers: {"192.0.2.11:8545": geth-1, "192.0.2.12:8545": geth-2}
""",
    )
    assert fleet.rpcs["eth-1"].via == "eth-1"
    assert fleet.nodes["geth-1"].rpc == "eth-1"
    assert fleet.rpcs["eth-2-ws"].node == "geth-2"
    assert fleet.rpcs["eth-2-ws"].via == "eth-2"
    assert fleet.rpcs["pool"].via is None
    assert fleet.rpcs["public"].reference
    assert fleet.hosts["eth-1"].mounts == ("/var/lib/geth",)
    balancer = fleet.balancers["lb"]
    assert balancer.config_path == "/etc/nginx/nginx.conf"
    assert balancer.stub_status == Endpoint("http://127.0.0.1:8080/status", "edge")
    assert fleet.chain is None


class TestChain:
    def test_a_network_of_ones_own(self, tmp_path: Path) -> None:
        fleet = fleet_of(
            tmp_path,
            f"""
rpcs: {{dev: {{url: "http://127.0.0.1:8545"}}}}
chain: {{network: devnet, controller: "{O1}", chain_id: 54321, block_time: 1s}}
""",
        )
        chain = fleet.chain
        assert chain is not None
        assert (chain.network, chain.chain_id, chain.controller) == ("devnet", 54321, O1)
        assert chain.block_seconds == 1.0
        assert chain.rpcs == ("dev",)
        assert fleet.rpcs["dev"].chain_id == 54321

    def test_known_networks_have_their_controller(self, tmp_path: Path) -> None:
        chain = fleet_of(tmp_path, COMMON).chain
        assert chain is not None
        assert chain.chain_id == 42161
        assert chain.controller == "0xd8e8328501e9645d16cf49539efc04f734606ee4"
        assert chain.block_seconds == 12.0

    def test_without_a_list_all_endpoints_of_the_chain_are_asked_references_last(
        self, tmp_path: Path
    ) -> None:
        fleet = fleet_of(
            tmp_path,
            """
rpcs:
  ref: {url: "https://ref.example.org", reference: true}
  l1: {url: "https://l1.example.org", chain_id: 1}
  b: {url: "https://b.example.org"}
  a: {url: "https://a.example.org", chain_id: 42161}
chain: {network: arbitrum-one-mainnet}
""",
        )
        assert fleet.chain is not None
        assert fleet.chain.rpcs == ("b", "a", "ref")
        assert fleet.rpcs["b"].chain_id == 42161
        assert fleet.rpcs["l1"].chain_id == 1

    def test_two_orchestrators_need_to_be_told_apart(self, tmp_path: Path) -> None:
        fleet = fleet_of(
            tmp_path,
            f"""{COMMON}\
    second: {{address: "{O2}"}}
nodes:
  o1: {{host: h1, role: orchestrator}}
  o2: {{host: h2, role: orchestrator, orchestrator: second}}
""",
        )
        assert fleet.nodes["o1"].recipient is None
        assert fleet.nodes["o2"].recipient == O2

    def test_a_signers_own_limits_are_kept(self, tmp_path: Path) -> None:
        fleet = fleet_of(
            tmp_path,
            f"""{COMMON}
nodes: {{red: {{host: h1, role: redeemer, cli: 1, account: "{REDEEMER}"}}}}
signers: {{mine: {{address: "{REDEEMER}", warn_below: 0.3 ETH, critical_below: 1 gwei}}}}
""",
        )
        first = fleet.signers[0]
        assert (first.name, first.warn_below, first.critical_below) == ("mine", 3 * 10**17, 10**9)
        assert len({signer.address for signer in fleet.signers}) == len(fleet.signers)


class TestReaching:
    def test_defaults_are_for_hosts_by_address_and_not_for_aliases(self, tmp_path: Path) -> None:
        fleet = fleet_of(
            tmp_path,
            """
ssh: {user: ops, port: 2022, identity: ~/k, known_hosts: hosts.txt, config: [a, /b]}
hosts:
  a: {address: a.example.org}
  b: {address: b.example.org, user: me, port: 22, identities: [x, y], known_hosts: other}
  c: {ssh: c-alias}
  d: {ssh: d-alias, user: me}
""",
        )
        a, b, c, d = (fleet.hosts[name].ssh for name in "abcd")
        assert a is not None
        assert b is not None
        assert c is not None
        assert d is not None
        assert (a.alias, a.address, a.user, a.port) == (
            "a.example.org",
            "a.example.org",
            "ops",
            2022,
        )
        assert a.identities == (str(Path("~/k").expanduser()),)
        assert a.known_hosts == fleet.known_hosts == str(tmp_path / "hosts.txt")
        assert a.config_files == (str(tmp_path / "a"), "/b")
        assert (b.user, b.port) == ("me", 22)
        assert b.identities == (str(tmp_path / "x"), str(tmp_path / "y"))
        assert b.known_hosts == str(tmp_path / "other")
        assert (c.alias, c.address, c.user, c.port, c.identities) == (
            "c-alias",
            None,
            None,
            None,
            (),
        )
        assert (d.user, d.port) == ("me", None)

    @pytest.mark.parametrize(("text", "files"), [("{config: []}", ()), ("{user: x}", None)])
    def test_ssh_configuration_files(
        self, tmp_path: Path, text: str, files: tuple[str, ...] | None
    ) -> None:
        fleet = fleet_of(tmp_path, f"ssh: {text}\nhosts: {{a: {{address: b}}}}\n")
        ssh = fleet.hosts["a"].ssh
        assert ssh is not None
        assert ssh.config_files == files

    def test_jump_chains(self, tmp_path: Path) -> None:
        fleet = fleet_of(
            tmp_path,
            """
hosts:
  a: {address: 192.0.2.1}
  b: {address: 192.0.2.2, jump: [a, "me@203.0.113.1:2222", "[2001:db8::1]:22", gw.example.org]}
""",
        )
        ssh = fleet.hosts["b"].ssh
        assert ssh is not None
        assert ssh.jump == ("a", "me@203.0.113.1:2222", "[2001:db8::1]:22", "gw.example.org")

    def test_endpoints_elsewhere(self, tmp_path: Path) -> None:
        fleet = fleet_of(
            tmp_path,
            """
hosts: {a: {address: a.example.org}, b: {address: b.example.org}}
nodes:
  o:
    host: a
    role: orchestrator
    cli: {url: "https://o.example.org:7935", via: direct, verify_tls: false, auth: {env: CLI}}
    metrics: {url: "http://127.0.0.1:9100/metrics", via: b}
  t: {host: a, role: transcoder, cli: none}
balancers:
  lb: {kind: haproxy, stats: {url: "http://lb.example.org:8404/stats;csv", auth: {file: s}}}
""",
        )
        node = fleet.nodes["o"]
        auth = SecretRef("env", "CLI")
        assert node.cli == Endpoint("https://o.example.org:7935", None, False, auth)
        assert node.metrics == Endpoint("http://127.0.0.1:9100", "b")
        assert fleet.nodes["t"].cli is None
        stats = fleet.balancers["lb"].stats
        assert stats == Endpoint(
            "http://lb.example.org:8404/stats", None, auth=SecretRef("file", str(tmp_path / "s"))
        )

    def test_secrets_stay_references(self, tmp_path: Path) -> None:
        fleet = fleet_of(
            tmp_path,
            """
rpcs:
  a:
    url: https://a.example.org/v2
    key: {env: KEY}
    headers: {X-Key: {command: [pass, show, a b]}, X-File: {file: ~/s}}
""",
        )
        rpc = fleet.rpcs["a"]
        assert rpc.key == SecretRef("env", "KEY")
        assert rpc.headers["X-Key"] == SecretRef("command", argv=("pass", "show", "a b"))
        assert rpc.headers["X-File"] == SecretRef("file", str(Path("~/s").expanduser()))


def test_tags_of_the_node_its_host_and_its_groups(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        f"""{COMMON}
nodes:
  o1: {{host: h1, role: orchestrator, tags: canary}}
  o2: {{host: h2, role: orchestrator}}
groups: {{all-os: [o1, o2], one: o2}}
""",
    )
    assert fleet.nodes["o1"].tags == {"canary", "eu", "all-os"}
    assert fleet.nodes["o2"].tags == {"all-os", "one"}


def test_thresholds_and_intervals(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        """
hosts: {a: {local: true}}
thresholds:
  reward_grace: 1h
  balance_warn: 1 ETH
  gpu_temperature_warn: 70 C
  disk_warn: 50%
  min_peers: 0
  load_warn_per_cpu: 1
  stale_intervals: 2.5
intervals: {fast: 500ms, slow: 5m}
production: true
""",
    )
    limits = fleet.thresholds
    assert limits.reward_grace_s == 3600
    assert limits.balance_warn == 10**18
    assert limits.gpu_temperature_warn_c == 70
    assert float(limits.disk_warn) == 50
    assert limits.min_peers == 0
    assert (limits.load_warn_per_cpu, limits.stale_intervals) == (1.0, 2.5)
    assert float(limits.disk_critical) == 95, "what is not written keeps its default"
    assert (fleet.intervals.fast, fleet.intervals.slow, fleet.intervals.rpc) == (0.5, 300, 4)
    assert fleet.production
    assert not fleet.demo


def test_empty_sections_and_keys_are_as_if_left_out(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        """
x-mine: {anything: [1, 2]}
hosts:
  a:
    local: true
    tags:
    region:
nodes:
rpcs:
chain:
balancers:
groups:
thresholds:
intervals:
""",
    )
    assert list(fleet.hosts) == ["a"]
    assert fleet.hosts["a"].tags == frozenset()
