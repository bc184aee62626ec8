"""The example configuration: without mistakes, complete, and without real addresses."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lptui.config import find_mistakes, json_schema, load_fleet
from lptui.config.load import parse_document
from lptui.fleet.topology import Intervals, Role, Thresholds

EXAMPLE = Path(__file__).parents[3] / "config.example.yaml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
OPTION = re.compile(r"^( *)# ([a-z][a-z0-9_]*: [^#]+?)(?:  # .*)?$")
COMMENTED = [
    (number, f"{found[1]}{found[2]}")
    for number, line in enumerate(TEXT.splitlines())
    if (found := OPTION.fullmatch(line)) and number > 25
]


SCHEMA = json_schema()


def sections(schema: Any) -> list[Any]:
    """What a value with this schema may be: itself, and what it refers to."""
    if "$ref" in schema:
        return sections(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    return [schema, *(found for option in schema.get("anyOf", ()) for found in sections(option))]


def keys_of(schema: Any) -> set[tuple[str, str]]:
    """The keys of a section, with its name."""
    return {(str(schema.get("title")), key) for key in schema.get("properties", ())}


def keys_in(value: Any, schema: Any) -> set[tuple[str, str]]:
    """The schema's keys that stand in a value, each in its own section."""
    found: set[tuple[str, str]] = set()
    for section in sections(schema):
        properties = section.get("properties", {})
        others = [*section.get("patternProperties", {}).values()]
        others += [it for it in [section.get("additionalProperties")] if isinstance(it, dict)]
        for key, inner in value.items() if isinstance(value, dict) else ():
            if key in properties:
                found |= {(str(section.get("title")), key)} | keys_in(inner, properties[key])
            else:
                found |= {
                    it for other in others if other is not True for it in keys_in(inner, other)
                }
        for item in value if isinstance(value, list) else ():
            found |= keys_in(item, section.get("items", {}))
    return found


ALL_KEYS = {
    key
    for schema in [SCHEMA, *SCHEMA["$defs"].values()]
    for section in sections(schema)
    for key in keys_of(section)
}


def all_switched_on() -> str:
    """The example with all that is commented out."""
    lines = TEXT.splitlines()
    for number, line in COMMENTED:
        lines[number] = line
    return "\n".join(lines)


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


def test_it_shows_every_key_in_its_own_section() -> None:
    shown = keys_in(parse_document(all_switched_on(), "f").root, SCHEMA)
    assert len(ALL_KEYS) > 100
    assert shown == ALL_KEYS


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
