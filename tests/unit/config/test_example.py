"""The example configuration: without mistakes, complete, and without real addresses."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lptui.config import find_mistakes, json_schema, load_fleet
from lptui.fleet.topology import Intervals, Role, Thresholds

EXAMPLE = Path(__file__).parents[3] / "config.example.yaml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
OPTION = re.compile(r"^( *)# ([a-z_]+: [^#]+?)(?:  # .*)?$")
COMMENTED = [
    (number, f"{found[1]}{found[2]}")
    for number, line in enumerate(TEXT.splitlines())
    if (found := OPTION.fullmatch(line)) and number > 25
]


def schema_keys() -> list[tuple[str, str]]:
    """Every key that there is, with the section that it is in."""
    schema = json_schema()
    keys = [("", key) for key in schema["properties"]]
    for name, section in schema["$defs"].items():
        found: dict[str, Any] = section.get("properties", {})
        for option in section.get("anyOf", ()):
            found = found or option.get("properties", {})
        keys += [(name, key) for key in found]
    return keys


def test_it_has_no_mistakes() -> None:
    assert find_mistakes(EXAMPLE) == ()


def test_it_is_ordinary_yaml() -> None:
    assert yaml.safe_load(TEXT)["name"] == "example"


def test_it_is_the_topology_with_redeemer_and_reward_node_apart() -> None:
    fleet = load_fleet(EXAMPLE)
    assert {role for node in fleet.nodes.values() for role in node.roles} == set(Role) - {
        Role.GATEWAY
    }
    assert len(fleet.nodes_with(Role.ORCHESTRATOR)) == 3
    assert len(fleet.balancers) == 2
    assert fleet.chain is not None
    assert len([rpc for rpc in fleet.rpcs.values() if rpc.reference]) == 1


@pytest.mark.parametrize(("section", "key"), schema_keys())
def test_it_shows_every_key(section: str, key: str) -> None:
    assert re.search(rf"(?:^|[\s{{#]){key}:", TEXT, re.MULTILINE), (
        f"{key} of {section or 'the top'}"
    )


def test_it_shows_every_role() -> None:
    assert all(re.search(rf"\b{role}\b", TEXT) for role in Role)


@pytest.mark.parametrize(("number", "line"), COMMENTED)
def test_what_is_commented_out_can_be_switched_on(number: int, line: str, tmp_path: Path) -> None:
    lines = TEXT.splitlines()
    key = line.split(":")[0].strip()
    if key == "identities":
        # It stands for the key above it.
        lines[number - 1] = ""
    lines[number] = line
    path = tmp_path / "f.yaml"
    path.write_text("\n".join(lines))
    assert find_mistakes(path) == ()


def test_defaults_that_are_commented_out_are_the_defaults(tmp_path: Path) -> None:
    lines = TEXT.splitlines()
    start = lines.index("thresholds:")
    for number, line in COMMENTED:
        if number > start:
            lines[number] = line
    path = tmp_path / "f.yaml"
    path.write_text("\n".join(lines))
    everything = load_fleet(path)
    sparse = load_fleet(EXAMPLE)
    assert everything.thresholds == sparse.thresholds
    assert everything.intervals == sparse.intervals == Intervals()
    assert sparse.thresholds != Thresholds()


def test_addresses_are_for_documentation() -> None:
    networks = [ipaddress.ip_network(it) for it in ("192.0.2.0/24", "127.0.0.0/8", "2001:db8::/32")]
    addresses = re.findall(r"\b\d+\.\d+\.\d+\.\d+\b|\b2001:[0-9a-f:]+", TEXT)
    assert addresses
    for text in addresses:
        address = ipaddress.ip_address(text)
        assert any(address in network for network in networks if network.version == address.version)
    domains = set(re.findall(r"[\w-]+\.(?:org|com|net|io|dev)\b", TEXT))
    assert domains == {"example.org"}
