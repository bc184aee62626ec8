"""What the configuration says of changes: guards, stand-bys, environment files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.config import find_mistakes, load_fleet
from lptui.config.windows import window
from lptui.fleet.guards import DAYS, USUAL_GUARDS, Guards, Window
from lptui.fleet.topology import Environment, Fleet
from tests.unit.config.refusal import refusal

KEY = "0x4444444444444444444444444444444444444444"
OTHER = "0x5555555555555555555555555555555555555555"

BASE = f"""\
hosts:
  a: {{address: 192.0.2.1}}
  b: {{address: 192.0.2.2}}
  here: {{local: true}}
rpcs:
  arb: {{url: "http://127.0.0.1:8547", via: a}}
chain:
  network: arbitrum-one-mainnet
  orchestrators: {{main: {{address: "{KEY}"}}, second: {{address: "{OTHER}"}}}}
nodes:
  r1: {{host: a, role: reward, cli: 7937, unit: r, account: "{KEY}", orchestrator: main}}
  arb: {{host: b, role: rpc, unit: nitro}}
  bare: {{host: b, role: reward, cli: 7938}}
"""
AFTER = BASE.count("\n") + 1


def fleet_of(tmp_path: Path, more: str) -> Fleet:
    path = tmp_path / "f.yaml"
    path.write_text(BASE + more)
    return load_fleet(path)


def told(tmp_path: Path, more: str) -> list[tuple[int, int, str]]:
    path = tmp_path / "f.yaml"
    path.write_text(BASE + more)
    return [(it.line, it.column, str(it).split(": ", 1)[1]) for it in find_mistakes(path)]


MISTAKES = [
    ("guards: {min_backends: 0}", 24, "0 is out of bounds: it must be at least 1"),
    ("guards: {max_unavailable: 1.5}", 27, "expected a whole number, not '1.5'"),
    ("guards: {cool_down: 5}", 21, "'5' is not a duration like 2s, 500ms or 1m30s, did you mean"),
    ("guards: {cool_down: 2d}", 21, "`cool_down` must be at most 1d"),
    ("guards: {windows: []}", 19, "an empty list"),
    (
        "guards: {windows: [Sat 2-6]}",
        20,
        "'Sat 2-6' is not a window like '02:00-06:00' or 'sat sun 02:00-06:00', in UTC, "
        "did you mean 'sat 02:00-06:00'?",
    ),
    ("guards: {windows: 02:00-02:00}", 19, "'02:00-02:00' ends when it begins, did you mean '00:"),
    ("guards: {lock_hosts: [a, c2]}", 26, "unknown host 'c2'"),
    ("guards: {lock_hosts: heer}", 22, "unknown host 'heer', did you mean 'here'?"),
    ("guards: {lock_hosts: [a, a]}", 26, "'a' is here twice"),
    ("guards: {lock_hosts: here}", 22, "host 'here' is this machine: a lock there is seen by no"),
    ("guards: {min_backend: 1}", 10, "unknown key 'min_backend', did you mean 'min_backends'?"),
    (
        "  x: {host: b, role: reward, cli: 7937, unit: r, standby_for: bear}",
        63,
        "unknown node 'bear', did you mean 'bare'?",
    ),
    (
        "  x: {host: b, role: reward, cli: 7937, unit: r, standby_for: x}",
        63,
        "node 'x' cannot stand by for itself",
    ),
    (
        "  x: {host: b, role: reward, cli: 7937, standby_for: r1}",
        41,
        "node 'x' has no `unit` or `container` to be stopped and started by",
    ),
    (
        "  x: {host: b, role: reward, cli: 7937, unit: r, standby_for: bare}",
        50,
        "node 'bare' has no `unit` or `container` to be stopped and started by",
    ),
    (
        "  x: {host: b, role: redeemer, cli: 7937, unit: r, standby_for: r1}",
        65,
        "node 'r1' has no role in common with 'x'",
    ),
    ("  x: {host: a, role: rpc, unit: n, standby_for: arb}", 36, "an RPC node holds no key to"),
    (
        f"  x: {{host: b, role: reward, cli: 7937, unit: r, account: '{OTHER}', standby_for: r1}}",
        59,
        "stands by for 'r1', which acts as 0x4444…4444: it takes over that account",
    ),
    (
        "  x: {host: b, role: transcoder, environment: {rpc: A}}",
        34,
        "`environment` names the variables of an `environment_file`, which is missing",
    ),
    (
        "  x: {host: b, role: transcoder, environment_file: etc/x}",
        52,
        "'etc/x' is not an absolute path on the host",
    ),
    (
        "  x: {host: b, role: transcoder, environment_file: /etc/}",
        52,
        "'/etc/' is not a file",
    ),
    (
        "  x: {host: b, role: transcoder, environment_file: /e, environment: {rpc: $A}}",
        75,
        "'$A' is not the name of a variable, did you mean 'A'?",
    ),
    (
        "  x: {host: b, role: transcoder, environment_file: /e, "
        "environment: {rpc: A, orchestrator: A}}",
        92,
        "the same variable as `rpc`",
    ),
    (
        "  x: {host: a, role: rpc, environment_file: /e}",
        27,
        "an RPC node has no `environment_file`",
    ),
]


@pytest.mark.parametrize(("line", "column", "message"), MISTAKES)
def test_one_mistake_is_told_once_at_its_place(
    tmp_path: Path, line: str, column: int, message: str
) -> None:
    found = told(tmp_path, f"{line}\n")
    assert len(found) == 1, found
    assert found[0][:2] == (AFTER, column)
    assert found[0][2].startswith(message)


def test_a_standby_of_a_standby_is_none(tmp_path: Path) -> None:
    (found,) = told(
        tmp_path,
        "  r2: {host: b, role: reward, cli: 7937, unit: r, standby_for: r1}\n"
        "  r3: {host: b, role: reward, cli: 7940, unit: s, standby_for: r2}\n",
    )
    assert found[:2] == (AFTER + 1, 64)
    assert found[2] == "node 'r2' is a stand-by itself, did you mean 'r1'?"


def test_a_standby_holds_the_key_of_the_one_that_it_stands_by_for(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        f"  r2: {{host: b, role: reward, cli: 7937, unit: r, standby_for: r1, account: '{KEY}'}}\n"
        "  r3: {host: b, role: reward, cli: 7940, unit: s, standby_for: r1}\n",
    )
    assert [fleet.nodes[name].account for name in ("r2", "r3")] == [KEY, KEY]
    assert [fleet.nodes[name].recipient for name in ("r2", "r3")] == [KEY, KEY]
    assert [node.name for node in fleet.standbys_of("r1")] == ["r2", "r3"]
    assert fleet.standbys_of("r2") == ()


def test_two_holders_of_a_key_are_still_a_mistake_when_neither_stands_by(tmp_path: Path) -> None:
    (found,) = told(
        tmp_path, f"  r2: {{host: b, role: reward, cli: 7937, unit: r, account: '{KEY}'}}\n"
    )
    assert "nodes 'r1' and 'r2' both hold the registered key" in found[2]


def test_a_key_that_two_nodes_share_is_called_by_the_one_that_works(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(f"""\
hosts: {{a: {{address: 192.0.2.1}}, b: {{address: 192.0.2.2}}}}
nodes:
  spare: {{host: b, role: redeemer, cli: 7936, unit: r, standby_for: main}}
  main: {{host: a, role: redeemer, cli: 7936, unit: r, account: "{OTHER}"}}
""")
    assert [signer.name for signer in load_fleet(path).signers] == ["main"]


def test_environment_files_and_their_variables(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        "  t1: {host: a, role: transcoder, environment_file: /etc/default/t}\n"
        "  t2: {host: b, role: transcoder, environment_file: /e, environment: {rpc: ETH_URL}}\n",
    )
    assert fleet.nodes["r1"].environment_file is None
    assert fleet.nodes["t1"].environment_file == "/etc/default/t"
    assert fleet.nodes["t1"].environment == Environment("LP_ETHURL", "LP_ORCHADDR")
    assert fleet.nodes["t2"].environment == Environment("ETH_URL", "LP_ORCHADDR")


def test_guards(tmp_path: Path) -> None:
    assert fleet_of(tmp_path, "").guards == USUAL_GUARDS
    fleet = fleet_of(
        tmp_path,
        "guards:\n  min_backends: 2\n  max_unavailable: 3\n  cool_down: 5m\n"
        "  windows: [sun sat 22:00-02:00, 02:00-24:00]\n  lock_hosts: [b, a]\n",
    )
    windows = (Window(1320, 120, ("sat", "sun")), Window(120, 1440))
    assert fleet.guards == Guards(2, 3, 300.0, windows, ("b", "a"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2:00-6:00", "02:00-06:00"),
        ("02:00 - 06:00 UTC", "02:00-06:00"),
        ("Mon-Wed 02:00-06:00", "mon tue wed 02:00-06:00"),
        ("fri-mon 1-2", "fri sat sun mon 01:00-02:00"),
        ("Saturday, Sunday 02:00-06:00", "sat sun 02:00-06:00"),
        ("daily 2-6", "02:00-06:00"),
        ("25:00-26:00", ""),
        ("at night", ""),
        ("funday 02:00-06:00", ""),
    ],
)
def test_windows_in_other_words(written: str, meant: str) -> None:
    assert refusal(window, written)[1] == meant
    if meant:
        window(meant)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_windows(text: str) -> None:
    try:
        found = window(text)
    except ValueError:
        return
    assert set(found.days) <= set(DAYS)
