"""The JSON Schema for editors agrees with what is accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from lptui.config import find_mistakes, json_schema
from lptui.config.load import parse_document

EXAMPLE = Path(__file__).parents[3] / "config.example.yaml"


def plain(value: object) -> Any:
    """A tree of the file as JSON has it."""
    return json.loads(json.dumps(value))


def accepts(text: str) -> bool:
    validator = jsonschema_rs.Draft202012Validator(json_schema())
    return bool(validator.is_valid(plain(parse_document(text, "f").root)))


def test_it_is_a_schema() -> None:
    jsonschema_rs.meta.validate(json_schema())
    assert json.dumps(json_schema())


def test_it_accepts_the_example() -> None:
    data = plain(parse_document(EXAMPLE.read_text(encoding="utf-8"), "f").root)
    jsonschema_rs.Draft202012Validator(json_schema()).validate(data)


def test_every_key_is_described() -> None:
    schema = json_schema()
    sections = [schema, *schema["$defs"].values()]
    sections += [option for section in sections for option in section.get("anyOf", ())]
    for section in sections:
        for key, value in section.get("properties", {}).items():
            assert value.get("description"), f"{section.get('title')}.{key}"


@pytest.mark.parametrize(
    "text",
    [
        "hosts: {a: {local: true}}",
        "hosts: {a: {address: b, jump: c.example.org}}",
        "hosts: {a: {address: b, jump: [c.example.org]}}",
        "hosts: {a: {local: true}}\nnodes: {n: {host: a, role: transcoder, cli: 6935}}",
        "hosts: {a: {local: true}}\nnodes: {n: {host: a, role: transcoder, cli: none}}",
        "hosts: {a: {local: true}}\nnodes: {n: {host: a, role: transcoder, cli: {url: 'b:1'}}}",
        "x-mine: 1\nhosts: {a: {local: true}}",
        "hosts: {a: {address: '[2001:db8::1]'}, b: {address: fe80::1%eth0}}",
        "hosts: {a: {local: true}}\nthresholds: {balance_warn: 1 eth, balance_critical: 5GWEI}",
        "hosts: {a: {local: true}}\n"
        "nodes: {n: {host: a, role: orchestrator, service_uri: 'a.example.org:8935'}}",
        "hosts: {a: {local: true}}\nintervals: {fast: 1m30s}\nthresholds: {disk_warn: 85 %}",
        "hosts: {a: {local: true}}\nguards: {windows: 02:00-06:00, lock_hosts: a, cool_down: 5m}",
        "hosts: {a: {local: true}}\nguards: {windows: [mon sat 22:00-24:00, 00:00-06:30]}",
        "hosts: {a: {local: true}}\ncommands: {c: {run: [ls, ' x '], on: a, effect: read}}",
        "hosts: {a: {local: true}}\n"
        "commands: {c: {run: [ls], on: [a], effect: write, check: [x], timeout: 5s}}",
    ],
)
def test_both_accept(text: str, tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(text)
    assert find_mistakes(path) == ()
    assert accepts(text)


@pytest.mark.parametrize(
    "text",
    [
        "host: {a: {local: true}}",
        "hosts: {a: {local: yes}}",
        "hosts: {a: {address: me@b}}",
        "hosts: {a: {address: a b}}",
        "hosts: {a b: {local: true}}",
        "hosts: {a: {local: true}}\nnodes: {n: {host: a, role: orchestator}}",
        "hosts: {a: {local: true}}\nnodes: {n: {host: a, role: transcoder, cli: 70000}}",
        "hosts: {a: {local: true}}\nintervals: {fast: 2}",
        "hosts: {a: {local: true}}\nthresholds: {balance_warn: 0.05}",
        "hosts: {a: {local: true}}\nrpcs: {a: {url: 'http://b', key: secret}}",
        "hosts: {a: {local: true}}\nrpcs: {a: {url: 'ftp://b'}}",
        "hosts: {a: {local: true}}\nrpcs: {a: {url: 'http://b', key: {env: A, file: B}}}",
        "hosts: {a: {local: true}}\nguards: {windows: [2-6]}",
        "hosts: {a: {local: true}}\nguards: {windows: 02:00-24:30}",
        "hosts: {a: {local: true}}\nguards: {min_backends: 0}",
        "hosts: {a: {local: true}}\ncommands: {c: {run: ls, on: a, effect: read}}",
        "hosts: {a: {local: true}}\ncommands: {c: {run: [ls], on: a, effect: maybe}}",
        "hosts: {a: {local: true}}\ncommands: {c: {run: [], on: a, effect: read}}",
    ],
)
def test_both_refuse(text: str, tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(text)
    assert find_mistakes(path)
    assert not accepts(text)
