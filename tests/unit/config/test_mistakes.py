"""Mistakes: each at its line and column, all at once, with what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from lptui.config import ConfigMistakes, Mistake, find_mistakes, load_fleet
from lptui.config.mistakes import MISTAKE_LIMIT
from lptui.errors import ConfigError, ProblemKind

ACCOUNT = "0x4444444444444444444444444444444444444444"
OTHER = "0x5555555555555555555555555555555555555555"

BASE = f"""\
hosts:
  edge: {{address: 192.0.2.1}}
  gpu: {{address: 192.0.2.2, jump: edge}}
  here: {{local: true}}
rpcs:
  arb: {{url: "http://127.0.0.1:8547", via: edge}}
chain:
  network: arbitrum-one-mainnet
  orchestrators:
    main: {{address: "{ACCOUNT}"}}
nodes:
  o1: {{host: edge, role: orchestrator}}
"""
"""Without mistakes; `nodes:` comes last, so that a line put below it is one more node."""

AFTER = BASE.count("\n") + 1
"""The line of what is put below it."""


def mistakes_of(tmp_path: Path, text: str) -> tuple[Mistake, ...]:
    path = tmp_path / "f.yaml"
    path.write_text(text)
    return find_mistakes(path)


def told(found: tuple[Mistake, ...]) -> list[tuple[int, int, str]]:
    """Mistakes as line, column and what is printed behind them."""
    return [(it.line, it.column, str(it).split(": ", 1)[1]) for it in found]


def test_the_base_of_these_tests_has_none(tmp_path: Path) -> None:
    assert mistakes_of(tmp_path, BASE) == ()


SINGLE = [
    # (line put below the base, column, what is said)
    # Words and keys.
    (
        "  x: {host: edge, role: orchestator, cli: 1}",
        25,
        "unknown role 'orchestator', did you mean 'orchestrator'?",
    ),
    (
        "  x: {host: edge, role: broadcaster, cli: 1}",
        25,
        "unknown role 'broadcaster', did you mean 'gateway'?",
    ),
    (
        "  x: {host: edge, roles: [transcoder, zzz]}",
        39,
        "unknown role 'zzz'; known: 'orchestrator', 'transcoder', 'redeemer', 'reward', "
        "'round-initialiser', 'gateway' or 'rpc'",
    ),
    ("  x: {hots: edge, host: gpu, role: transcoder}", 7, "unknown key 'hots'"),
    ("  x: {role: transcoder}", 3, "node 'x' has no `host`"),
    ("  x: {host: gpu}", 3, "node 'x' has no `role`"),
    ("  x: 5", 6, "expected a mapping, not '5'"),
    ("  x: [a]", 6, "expected a mapping, not a list"),
    ("  x y: {host: gpu, role: transcoder}", 3, "'x y' is not a name"),
    ("  o1: {host: gpu, role: transcoder}", 3, "'o1' is here twice (first on line 12)"),
    ("  x: {host: gpu, role: [transcoder]}", 24, "expected one role, not a list; several are wri"),
    ("  x: {host: gpu, roles: 'O, T'}", 25, "unknown role 'O, T', did you mean '[orchestrator, tr"),
    ("  x: {host: gpu, role: nitro}", 24, "unknown role 'nitro', did you mean 'rpc'?"),
    (
        "  x: {host: gpu, role: transcoder, systemd: a}",
        36,
        "unknown key 'systemd', did you mean 'un",
    ),
    (
        "  x: {host: gpu, role: transcoder, cliAddr: 1}",
        36,
        "unknown key 'cliAddr', did you mean 'cli",
    ),
    ("  x: host:gpu", 6, "expected a mapping, not 'host:gpu', did you mean 'host: gpu'?"),
    # References.
    (
        "  x: {host: gpv, role: transcoder}",
        13,
        "unknown host 'gpv', did you mean 'gpu'?",
    ),
    ("  x: {host: gpu, role: transcoder, rpc: arp}", 41, "unknown rpc 'arp'"),
    (
        "  x: {host: gpu, role: orchestrator, orchestrator: mian}",
        52,
        "unknown orchestrator 'mian', did you mean 'main'?",
    ),
    (
        "  x: {host: gpu, role: orchestrator, cli: {url: '1.example.org:1', via: egde}}",
        73,
        "unknown host 'egde', did you mean 'edge'?",
    ),
    (
        f'  x: {{host: gpu, role: orchestrator, recipient: "{OTHER}"}}',
        49,
        "the recipient is not an orchestrator of `chain`",
    ),
    # Roles.
    (
        "  x: {host: gpu, roles: [redeemer, orchestrator], cli: 1}",
        18,
        "one process cannot be redeemer and orchestrator",
    ),
    (
        "  x: {host: gpu, roles: [transcoder, gateway]}",
        18,
        "one process cannot be transcoder and gateway",
    ),
    ("  x: {host: gpu, roles: [rpc, transcoder]}", 18, "an RPC node is a process of its"),
    ("  x: {host: gpu, roles: [reward, reward], cli: 1}", 18, "the same role twice"),
    ("  x: {host: gpu, role: rpc, roles: [rpc]}", 29, "either `role` or `roles`, not both"),
    # CLI addresses.
    ("  x: {host: gpu, role: redeemer}", 3, "redeemer 'x' has no `cli`"),
    ("  x: {host: gpu, role: reward}", 3, "reward 'x' has no `cli`"),
    ("  x: {host: gpu, role: reward, cli: none}", 32, "reward 'x' has no `cli`"),
    ("  x: {host: gpu, role: round-initialiser}", 3, "round-initialiser 'x' has no `cli`"),
    (
        "  x: {host: edge, role: orchestrator}",
        3,
        "node 'x' has the same CLI address as 'o1' (127.0.0.1:7935 is the default of role",
    ),
    (
        "  x: {host: edge, role: reward, cli: 'http://localhost:7935/'}",
        38,
        "node 'x' has the same CLI address as 'o1'",
    ),
    ("  x: {host: gpu, role: transcoder, cli: 70000}", 41, "port 70000 is outside 1 to 65535"),
    ("  x: {host: gpu, role: transcoder, cli: localhost}", 41, "no port: -cliAddr says which"),
    ("  x: {host: gpu, role: transcoder, cli: ':6935'}", 41, "a port alone is written without"),
    ("  x: {host: gpu, role: transcoder, cli: '6935'}", 41, "a port alone is written without"),
    ("  x: {host: gpu, role: rpc, cli: 1}", 29, "an RPC node has no `cli`"),
    ("  x: {host: gpu, role: transcoder, metrics: none}", 36, "`metrics` cannot be 'none'"),
    # What keeps it running.
    (
        "  x: {host: gpu, role: transcoder, unit: a.timer}",
        42,
        "'a.timer' is a timer: a process is kept running by a service, did you mean 'a.service'?",
    ),
    (
        "  x: {host: gpu, role: transcoder, unit: a.servce}",
        42,
        "unknown unit type '.servce'",
    ),
    ("  x: {host: gpu, role: transcoder, unit: 'a b'}", 42, "'a b' is not the name of a systemd"),
    ("  x: {host: gpu, role: transcoder, unit: -a}", 42, "'-a' is not the name of a systemd"),
    ("  x: {host: gpu, role: transcoder, container: '-a'}", 47, "'-a' is not the name of a cont"),
    (
        "  x: {host: gpu, role: transcoder, unit: a, container: a}",
        45,
        "either `unit` or `container`, not both",
    ),
    # What only some roles have.
    ("  x: {host: gpu, role: transcoder, transcoders: 1}", 36, "only orchestrators have"),
    (
        "  x: {host: gpu, role: transcoder, service_uri: 'https://a.example.org:1'}",
        36,
        "only orchestrators, gateways and redeemers have a service URI",
    ),
    (f"  x: {{host: gpu, role: rpc, account: '{OTHER}'}}", 29, "an RPC node has no `account`"),
    (
        "  x: {host: gpu, role: orchestrator, service_uri: 'http://a.example.org:1'}",
        51,
        "'http://a.example.org:1' must be https: gateways only dial TLS, did you mean "
        "'https://a.example.org:1'?",
    ),
    ("  x: {host: gpu, role: orchestrator, account: 0x12}", 47, "'0x12' is not an account"),
    (
        f"  x: {{host: gpu, role: orchestrator, account: '0x{'0' * 40}'}}",
        47,
        "the zero address is nobody's account",
    ),
    (
        "  x: {host: gpu, role: orchestrator, service_uri: none}",
        51,
        "leave it out where -serviceAddr is none",
    ),
    (
        "  x: {host: gpu, role: orchestrator, transcoders: '2'}",
        51,
        "expected a whole number, not '2': leave out the quotes",
    ),
    ("  x: {host: gpu, role: orchestrator, transcoders: -1}", 51, "-1 is out of bounds"),
    ("  x: {host: gpu, role: transcoder, tags: [a b]}", 43, "'a b' is not a name"),
    # Hosts.
    ("hosts2: {}", 1, "unknown key 'hosts2', did you mean 'hosts'?"),
    # Other sections.
    ("production: yes", 13, "expected true or false, not 'yes', did you mean 'true'?"),
    ("production: 'true'", 13, "expected true or false, not 'true': leave out the quotes"),
    ("name: ''", 7, "expected text, not nothing"),
    ("name: 5", 7, "expected text, not 5; put it in quotes"),
    ("groups: {a: [o1, o2]}", 18, "unknown node 'o2'; known: 'o1'"),
    (
        "intervals: {fast: 2}",
        19,
        "'2' is not a duration like 2s, 500ms or 1m30s, did you mean '2s'",
    ),
    ("intervals: {fast: 1ms}", 19, "`fast` must be between 200ms and 1d"),
    ("intervals: {fats: 2s}", 13, "unknown key 'fats', did you mean 'fast'?"),
    ("thresholds: {balance_warn: 0.05}", 28, "'0.05' is not an amount like 0.05 ETH, did you mean"),
    ("thresholds: {disk_warn: 99%}", 25, "`disk_critical` must not be below `disk_warn`"),
    ("thresholds: {disk_warn: 101%}", 25, "'101%' is more than 100%"),
    (
        "thresholds: {balance_critical: 1 ETH}",
        32,
        "`balance_critical` must not be above `balance_w",
    ),
    ("thresholds: {min_peers: 1.5}", 25, "expected a whole number, not '1.5'"),
    ("thresholds: {stale_intervals: 0}", 31, "0 is out of bounds: it must be more than 0"),
    ("thresholds: {stale_intervals: .nan}", 31, "expected a number, not '.nan'"),
    ("ssh: {identity: a, identities: [b]}", 20, "either `identity` or `identities`, not both"),
    ("ssh: {user: 'a b'}", 13, "'a b' is not a login name"),
    (
        f"signers: {{a: {{address: '{ACCOUNT}', warn_below: 1 ETH, critical_below: 2 ETH}}}}",
        105,
        "`cr",
    ),
    ("signers: {a: {}}", 11, "signer 'a' has no `address`"),
    # Balancers.
    ("balancers: {a: {kind: haproxi}}", 23, "unknown kind of balancer 'haproxi', did you mean"),
    ("balancers: {a: {kind: haproxy}}", 13, "haproxy 'a' has neither `socket` nor `stats`"),
    ("balancers: {a: {kind: haproxy, socket: /x}}", 32, "a runtime socket is on a host"),
    ("balancers: {a: {kind: haproxy, host: edge, socket: x}}", 52, "'x' is neither /path nor"),
    (
        "balancers: {a: {kind: haproxy, host: edge, socket: 'unix:///run/a'}}",
        52,
        "'unix:///run/a' is neither /path nor address:port, did you mean '/run/a'?",
    ),
    ("balancers: {a: {kind: nginx}}", 13, "nginx 'a' has no `host`"),
    ("balancers: {a: {kind: nginx, host: edge, socket: /x}}", 42, "`socket` is for haproxy, and"),
    ("balancers: {a: {kind: nginx, host: egde}}", 36, "unknown host 'egde', did you mean 'edge'?"),
    (
        "balancers: {a: {kind: nginx, host: edge, servers: {s: o2}}}",
        55,
        "unknown node 'o2'; known: 'o1'",
    ),
    ("balancers: {a: {kind: nginx, host: edge, config: x}}", 50, "'x' is not an absolute path"),
    (
        "balancers: {a: {kind: haproxy, stats: {url: x.example.org, via: egde}}}",
        65,
        "unknown host 'egde', did you mean 'edge'?",
    ),
]


@pytest.mark.parametrize(("line", "column", "message"), SINGLE)
def test_one_mistake_is_told_once_at_its_place(
    tmp_path: Path, line: str, column: int, message: str
) -> None:
    found = told(mistakes_of(tmp_path, f"{BASE}{line}\n"))
    assert len(found) == 1, found
    assert found[0][:2] == (AFTER, column)
    assert found[0][2].startswith(message)


HOSTS = [
    ("a: {}", 3, "host 'a' does not say how it is reached"),
    ("a:", 5, "expected a mapping, not nothing"),
    ("a: {address: 1.2.3}", 16, "'1.2.3' is neither a host name nor an IP address"),
    ("a: {address: 'b:22'}", 16, "'b:22' has a port in it; write `port: 22`, did you mean 'b'?"),
    ("a: {address: me@b}", 16, "'me@b' has a user in it; write `user: me`, did you mean 'b'?"),
    ("a: {address: b, jump: 'edge,gpu'}", 25, "'edge,gpu' is several hosts: write them as a list"),
    ("a: {hostname: b, ssh: c}", 7, "unknown key 'hostname', did you mean 'address'?"),
    (
        "a: a.example.org",
        6,
        "expected a mapping, not 'a.example.org', did you mean '{address: a.ex",
    ),
    ("a: {address: b, port: 0}", 25, "port 0 is outside 1 to 65535"),
    ("a: {address: b, port: '22'}", 25, "expected a port number, not '22'"),
    ("a: {address: b, jump: a}", 25, "host 'a' cannot jump through itself"),
    ("a: {address: b, jump: [edeg]}", 26, "unknown host 'edeg', did you mean 'edge'?"),
    ("a: {address: b, jump: 'x@'}", 25, "'x@' is not [user@]address[:port]"),
    ("a: {address: b, jump: 'x:99999'}", 25, "'x:99999' is not [user@]address[:port]"),
    ("a: {address: b, jump: here}", 25, "host 'here' is local"),
    ("a: {ssh: 'b c'}", 12, "'b c' is not the name of a Host"),
    ("a: {ssh: me@b}", 12, "'me@b' is not the name of a Host, did you mean 'b'?"),
    ("a: {ssh: '*'}", 12, "'*' is not the name of a Host"),
    ("a: {ssh: -oProxyCommand=x}", 12, "'-oProxyCommand=x' is not the name of a Host"),
    ("a: {local: true, user: x}", 20, "a local host is not reached by SSH: `user`"),
    ("a: {address: b, identity: x, identities: [y]}", 32, "either `identity` or `identities`"),
    ("a: {address: b, mounts: [data]}", 28, "'data' is not an absolute path"),
    ("a: {address: b, gpus: 4.5}", 25, "expected a whole number, not '4.5'"),
    ("a: {address: b, privilege: su}", 30, "unknown privilege 'su', did you mean 'sudo'?"),
    ("all: {address: b}", 3, "'all' has a meaning of its own"),
]


@pytest.mark.parametrize(("line", "column", "message"), HOSTS)
def test_mistakes_in_a_host(tmp_path: Path, line: str, column: int, message: str) -> None:
    found = told(mistakes_of(tmp_path, BASE.replace("hosts:\n", f"hosts:\n  {line}\n")))
    assert len(found) == 1, found
    assert found[0][:2] == (2, column)
    assert found[0][2].startswith(message)


RPCS = [
    ("a: {url: 'htp://x'}", 12, "expected a URL with 'http://'"),
    ("a: {url: 'http://x', via: egde}", 29, "unknown host 'egde', did you mean 'edge'?"),
    ("a: {url: 'http://x', node: o1}", 30, "node 'o1' has not the role rpc"),
    ("a: {url: 'http://x', node: o2}", 30, "unknown node 'o2'; known: 'o1'"),
    ("a: http://x", 6, "expected a mapping, not 'http://x', did you mean '{url: http://x}'?"),
    ("a: {url: 'x:8545'}", 12, "expected a URL with 'http://', 'https://', 'ws://', 'wss://' or "),
    ("a: {url: 'http://x/${KEY}'}", 12, "no variable is put into a URL"),
    ("a: {url: 'http://x', key: {env: $KEY}}", 35, "`env` takes the name of an environment var"),
    ("a: {url: 'http://x?a=b', key: {env: KEY}}", 28, "`key` is put at the end of a path"),
    ("a: {url: unix:///x}", 12, "a unix socket is on a host: say `via: HOST`"),
    ("a: {url: unix:///x, via: edge, key: {env: X}}", 34, "a unix socket takes no `key`"),
    ("a: {url: 'http://x', headers: {'a b': {env: X}}}", 34, "'a b' is not a header's name"),
    ("a: {url: 'http://127.0.0.1:8547/', via: edge}", 12, "the same endpoint as 'b'"),
    ("a: {url: 'http://x', key: {env: A, file: B}}", 29, "a secret has exactly one of"),
    ("a: {url: 'http://x', key: {}}", 29, "a secret has exactly one of"),
    ("a: {url: 'http://x', key: {command: []}}", 39, "an empty list"),
    ("a: {url: 'http://x', key: {command: 'a b'}}", 39, "a command is a list: [program, argum"),
    ("a: {url: 'http://x', key: {evn: A}}", 30, "unknown key 'evn', did you mean 'env'?"),
    ("a: {url: 'http://x', chain_id: 0}", 34, "0 is out of bounds: it must be at least 1"),
    ("a: {url: 'http://x', reference: 1}", 35, "expected true or false, not '1'"),
]


@pytest.mark.parametrize(("line", "column", "message"), RPCS)
def test_mistakes_in_an_endpoint(tmp_path: Path, line: str, column: int, message: str) -> None:
    above = '  b: {url: "http://127.0.0.1:8547", via: edge}\n'
    text = BASE.replace('  arb: {url: "http://127.0.0.1:8547", via: edge}\n', f"{above}  {line}\n")
    found = told(mistakes_of(tmp_path, text))
    assert len(found) == 1, found
    assert found[0][:2] == (7, column)
    assert found[0][2].startswith(message)


CHAINS = [
    (
        "network: arbitrum-one-mainet",
        (8, 12),
        "unknown network 'arbitrum-one-mainet'; a network of your own needs `controller` and "
        "`chain_id`, did you mean 'arbitrum-one-mainnet'?",
    ),
    (
        "network: arbitrum",
        (8, 12),
        "unknown network 'arbitrum'; a network of your own needs `controller` and `chain_id`, did "
        "you mean 'arbitrum-one-mainnet'?",
    ),
    ("network: mainnet\n  rpcs: ['https://x/k']", (9, 10), "'https://x/…' is a URL: give it an en"),
    ("network: offchain", (8, 12), "a fleet off chain has no `chain` section"),
    ("network: rinkeby", (8, 12), "network 'rinkeby' does not exist any more"),
    (
        "network: mainnet\n  chain_id: 42161",
        (9, 13),
        "chain 42161 is not that of mainnet (1), did you mean '1'?",
    ),
    ("network: devnet\n  chain_id: 5", (8, 12), "unknown network 'devnet'; a network of your own"),
    ("rpcs: [arb]", (7, 1), "`chain` has no `network`"),
    ("network: mainnet\n  rpcs: []", (9, 9), "an empty list"),
    ("network: mainnet\n  rpcs: [arp]", (9, 10), "unknown rpc 'arp', did you mean 'arb'?"),
    ("network: mainnet\n  rpcs: [arb, arb]", (9, 15), "'arb' is here twice"),
    ("network: mainnet\n  block_time: 1h", (9, 15), "`block_time` must be between"),
    (
        f"network: mainnet\n  orchestrators: {{a: {{address: '{OTHER}', reward_caller: x}}}}",
        (9, 93),
        "unknown node 'x'",
    ),
]


@pytest.mark.parametrize(("text", "place", "message"), CHAINS)
def test_mistakes_in_the_chain(
    tmp_path: Path, text: str, place: tuple[int, int], message: str
) -> None:
    old = BASE[BASE.index("network:") : BASE.index("nodes:")]
    found = told(mistakes_of(tmp_path, BASE.replace(old, f"{text}\n")))
    assert len(found) == 1, found
    assert found[0][:2] == place
    assert found[0][2].startswith(message)


class TestBetweenEntries:
    def test_jump_hosts_in_a_circle_are_told_once(self, tmp_path: Path) -> None:
        text = """\
hosts:
  a: {address: 192.0.2.1, jump: b}
  b: {address: 192.0.2.2, jump: [x@192.0.2.9, c]}
  c: {address: 192.0.2.3, jump: a}
  d: {address: 192.0.2.4, jump: a}
"""
        found = told(mistakes_of(tmp_path, text))
        assert found == [(2, 27, "jump hosts in a circle: a → b → c → a")]

    def test_two_nodes_with_the_registered_key(self, tmp_path: Path) -> None:
        text = f"""{BASE}\
  r1: {{host: gpu, role: reward, cli: 1, account: "{ACCOUNT}"}}
  r2: {{host: here, role: redeemer, cli: 1, account: "{ACCOUNT}"}}
  t: {{host: here, role: transcoder, account: "{ACCOUNT}"}}
"""
        (found,) = mistakes_of(tmp_path, text)
        assert (found.line, found.column) == (AFTER + 1, 53)
        assert "nodes 'r1' and 'r2' both hold the registered key of orchestrator 'main'" in str(
            found
        )

    def test_a_transcoder_on_chain_with_the_registered_key_counts(self, tmp_path: Path) -> None:
        text = f"""{BASE}\
  r1: {{host: gpu, role: reward, cli: 1, account: "{ACCOUNT}"}}
  t: {{host: here, role: transcoder, account: "{ACCOUNT}", rpc: arb}}
"""
        assert "both hold the registered key" in str(mistakes_of(tmp_path, text))

    def test_one_unit_runs_one_node(self, tmp_path: Path) -> None:
        text = f"""{BASE}\
  a: {{host: gpu, role: transcoder, unit: lp}}
  b: {{host: gpu, role: reward, cli: 1, unit: lp.service}}
  c: {{host: here, role: reward, cli: 1, unit: lp.service}}
"""
        (found,) = mistakes_of(tmp_path, text)
        assert (found.line, found.column) == (AFTER + 1, 46)
        assert "'lp.service' also runs node 'a'" in found.message

    def test_a_reward_caller_must_be_able_to(self, tmp_path: Path) -> None:
        text = BASE.replace(f'"{ACCOUNT}"}}', f'"{ACCOUNT}", reward_caller: t}}')
        found = told(mistakes_of(tmp_path, text + "  t: {host: gpu, role: transcoder}\n"))
        assert [message for *_, message in found] == [
            "node 't' cannot call reward: its role is another"
        ]

    def test_an_endpoint_that_the_chain_asks_must_be_on_it(self, tmp_path: Path) -> None:
        text = BASE.replace("via: edge}", "via: edge, chain_id: 1}").replace(
            "mainnet\n", "mainnet\n  rpcs: [arb]\n"
        )
        (found,) = mistakes_of(tmp_path, text)
        assert (found.line, found.value) == (6, "1")
        assert "not that of `chain` (42161)" in found.message

    def test_a_chain_without_any_endpoint(self, tmp_path: Path) -> None:
        text = "hosts: {a: {local: true}}\nchain: {network: mainnet}\n"
        assert told(mistakes_of(tmp_path, text)) == [
            (2, 1, "`chain` without `rpcs`: the chain can only be read by RPC")
        ]

    def test_no_endpoint_of_this_chain(self, tmp_path: Path) -> None:
        text = BASE.replace("via: edge}", "via: edge, chain_id: 1}")
        assert told(mistakes_of(tmp_path, text)) == [
            (7, 1, "no endpoint of `rpcs` is on chain 42161")
        ]

    def test_an_endpoint_has_one_server(self, tmp_path: Path) -> None:
        text = f"""{BASE}\
  g1: {{host: gpu, role: rpc, rpc: arb}}
  g2: {{host: gpu, role: rpc, rpc: arb}}
"""
        assert told(mistakes_of(tmp_path, text)) == [
            (AFTER + 1, 35, "node 'g1' serves 'arb' already")
        ]

    def test_a_node_with_the_name_of_an_orchestrator_that_it_does_not_work_for(
        self, tmp_path: Path
    ) -> None:
        text = BASE.replace(
            f'    main: {{address: "{ACCOUNT}"}}\n',
            f'    main: {{address: "{ACCOUNT}"}}\n    o1: {{address: "{OTHER}"}}\n',
        )
        one = text.replace("role: orchestrator}", "role: orchestrator, orchestrator: main}")
        ((_, _, message),) = told(mistakes_of(tmp_path, one))
        assert message.startswith("node 'o1' works for another orchestrator than 'o1'")
        other = text.replace("role: orchestrator}", "role: orchestrator, orchestrator: o1}")
        assert mistakes_of(tmp_path, other) == ()

    def test_the_same_account_twice(self, tmp_path: Path) -> None:
        text = f"""{BASE}
signers:
  a: {{address: "{OTHER}"}}
  b: {{address: "{OTHER}"}}
"""
        assert [message for *_, message in told(mistakes_of(tmp_path, text))] == [
            "the same account as 'a'"
        ]

    def test_nothing_to_watch(self, tmp_path: Path) -> None:
        found = told(mistakes_of(tmp_path, "name: x\n"))
        assert found == [(1, 1, "nothing to watch: no hosts, no nodes, no rpcs")]

    @pytest.mark.parametrize(
        "text", ["hosts: [a]\n", "rpcs: x\n", "Hosts: {a: {local: true}}\n", "nodes: 5\n"]
    )
    def test_a_section_with_a_mistake_is_not_missed(self, tmp_path: Path, text: str) -> None:
        (found,) = mistakes_of(tmp_path, text)
        assert "nothing to watch" not in found.message

    def test_endpoints_that_differ_in_a_secret_are_different(self, tmp_path: Path) -> None:
        text = f"""{BASE}
rpcs:
  a: {{url: "https://x.example.org", headers: {{X-Tenant: {{env: A}}}}}}
  b: {{url: "https://x.example.org", headers: {{X-Tenant: {{env: B}}}}}}
  c: {{url: "https://x.example.org", key: {{env: C}}}}
"""
        text = text.replace('rpcs:\n  arb: {url: "http://127.0.0.1:8547", via: edge}\n', "")
        assert mistakes_of(tmp_path, text) == ()

    def test_a_reference_to_an_entry_with_a_mistake_is_no_second_one(self, tmp_path: Path) -> None:
        text = BASE.replace("edge: {address: 192.0.2.1}", "edge: 5")
        assert [found.line for found in mistakes_of(tmp_path, text)] == [2]

    def test_what_a_mistake_took_away_is_not_missed(self, tmp_path: Path) -> None:
        text = f"{BASE}  x: {{host: gpu, role: redeemer, cli: 70000}}\n"
        assert len(mistakes_of(tmp_path, text)) == 1

    def test_a_node_with_one_mistake_still_has_its_others_told(self, tmp_path: Path) -> None:
        text = f"{BASE}  x: {{host: gpv, role: redeemer, rpc: arp, account: 0x1}}\n"
        found = [message.split(",")[0] for *_, message in told(mistakes_of(tmp_path, text))]
        assert found == [
            "redeemer 'x' has no `cli`: without -cliAddr go-livepeer would serve its CLI API on "
            "port 80 to everybody",
            "unknown host 'gpv'",
            "unknown rpc 'arp'",
            "'0x1' is not an account: 0x and 40 hexadecimal digits",
        ]


class TestAllAtOnce:
    TEXT = """\
nam: x
hosts:
  a: {address: b, prot: 22}
  a: {address: c}
nodes:
  n: {host: x, role: orchestator}
rpcs:
  r: {url: ftp://x}
intervals: {fast: 2}
"""

    def test_by_position(self, tmp_path: Path) -> None:
        found = mistakes_of(tmp_path, self.TEXT)
        assert [(it.line, it.column) for it in found] == [
            (1, 1),
            (3, 19),
            (4, 3),
            (6, 13),
            (6, 22),
            (8, 12),
            (9, 19),
        ]

    def test_the_error_tells_the_first_and_counts_the_rest(self, tmp_path: Path) -> None:
        path = tmp_path / "f.yaml"
        path.write_text(self.TEXT)
        with pytest.raises(ConfigMistakes) as caught:
            load_fleet(path)
        error = caught.value
        assert isinstance(error, ConfigError)
        assert error.problem().kind is ProblemKind.NOT_CONFIGURED
        assert "unknown key 'nam', did you mean 'name'? (and 6 more)" in str(error)
        assert "validate" in error.remedy

    def test_printed_for_editors(self, tmp_path: Path) -> None:
        first = mistakes_of(tmp_path, self.TEXT)[0]
        assert str(first) == f"{tmp_path}/f.yaml:1:1: unknown key 'nam', did you mean 'name'?"

    def test_no_more_than_can_be_read(self, tmp_path: Path) -> None:
        text = "".join(f"key{index}: 1\n" for index in range(2000))
        assert len(mistakes_of(tmp_path, text)) == MISTAKE_LIMIT


class TestSecrets:
    @pytest.mark.parametrize(
        "text",
        [
            "rpcs: {a: {url: 'http://x', key: hunter2}}",
            "rpcs: {a: {url: 'http://x', key: [hunter2]}}",
            "rpcs: {a: {url: 'http://x', key: 2.2}}\nname: hunter",
            "rpcs: {a: {url: 'http://x', headers: {Authorization: hunter2}}}",
            "rpcs: {a: {url: 'http://x', headers: hunter2}}",
            "rpcs: {a: {url: 'http://x', key: {env: [hunter2]}}}",
            "rpcs: {a: {url: 'http://x', key: {command: hunter2}}}",
            "rpcs: {a: {url: 'http://u:hunter2@x'}}",
            "rpcs: {a: {url: 'http://x/hunter2hunter2hunter2hunter2'}}",
            "rpcs: {a: {url: 'hunter2'}}",
            "rpcs: {a: {url: 'http://x', password: hunter2}}",
            "balancers: {a: {kind: haproxy, stats: {url: x.example.org, auth: hunter2}}}",
            "balancers: {a: {kind: haproxy, stats: 'http://u:hunter2@x'}}",
            "rpcs: {a: 'https://x/v2/hunter2'}",
            "rpcs: ['https://x/v2/hunter2']",
            "rpcs: https://x/v2/hunter2",
            "rpcs: {'https://x/v2/hunter2': {url: 'http://y'}}",
            "chain: {network: mainnet, rpcs: ['https://x/v2/hunter2']}",
            "chain: {network: mainnet, rpcs: https://hunter2@x}",
            "nodes: {n: {host: h, role: orchestrator, rpc: 'https://x/?k=hunter2'}}",
            "nodes: {n: {host: h, role: orchestrator, service_uri: 'http://u:hunter2@x:1'}}",
            "  i: {address: 'u:hunter2@x'}",
            "  i: {address: x, jump: 'u:hunter2@x'}",
            "  i: {ssh: 'u:hunter2@x'}",
            "  i: 'ssh://u:hunter2@x'",
            "rpcs: {a: {url: 'https://x/?network=arbitrum&dkey=hunter2'}}",
            "rpcs: {a: {url: 'http://x', key: {env: 'hunter2/hunter2'}}}",
            "password: hunter2",
            "ssh: {password: hunter2}",
            "rpcs: {a: {url: 'http://x', key: !secret 'hunter2'}}",
        ],
    )
    def test_written_down_are_refused_and_never_repeated(self, tmp_path: Path, text: str) -> None:
        found = mistakes_of(tmp_path, f"hosts:\n  h: {{local: true}}\n{text}\n")
        assert found
        assert "twice" not in repr(found)
        assert "hunter2" not in repr(found)

    def test_a_private_key_is_not_repeated(self, tmp_path: Path) -> None:
        key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
        for written in (f"'{key}'", f"0x{key}"):
            text = f"{BASE}  x: {{host: gpu, role: orchestrator, account: {written}}}\n"
            (found,) = mistakes_of(tmp_path, text)
            assert "private key" in found.message
            assert key[:8] not in repr(found)

    def test_the_mistake_says_how_to_refer_to_it(self, tmp_path: Path) -> None:
        (found,) = mistakes_of(tmp_path, "rpcs: {a: {url: 'http://x', key: hunter2}}\n")
        assert "{env: NAME}, {file: PATH} or {command:" in found.message


def test_texts_of_the_file_are_safe_to_print(tmp_path: Path) -> None:
    text = 'hosts: {"\\e[2J\\u202eevil": {adress: "\\a"}}\nnodes: {n: {host: "[red]\\e[31m"}}\n'
    found = mistakes_of(tmp_path, text)
    assert found
    assert all(str(it).isprintable() for it in found)


def test_long_values_are_cut(tmp_path: Path) -> None:
    found = mistakes_of(tmp_path, f"hosts: {{{'h' * 900}: {{address: {'a.' * 400}}}}}\n")
    assert len(found) == 2
    assert all(len(str(it)) < 400 for it in found)
