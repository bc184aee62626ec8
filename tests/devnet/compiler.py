"""Compiles the stand-in contracts, and remembers the result until a source changes."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.devnet.anvil import REPOSITORY

CONTRACTS = Path(__file__).parent / "contracts"
CACHE = REPOSITORY / ".devtools" / "vyper-cache"


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the compiler made of one contract."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: str
    selectors: dict[str, str]


def compile_contract(name: str) -> Compiled:
    """The contract in `contracts/<name>.vy`."""
    source = (CONTRACTS / f"{name}.vy").read_text(encoding="utf-8")
    key = hashlib.sha256(f"{version('vyper')}\n{source}".encode()).hexdigest()
    kept = CACHE / f"{name}-{key[:32]}.json"
    try:
        output = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        output = _compile(source)
        _keep(kept, output)
    return Compiled(name, output["abi"], output["bytecode"], output["method_identifiers"])


def _compile(source: str) -> dict[str, Any]:
    # Imported late: a cached contract needs no compiler.
    import vyper

    formats = ["abi", "bytecode", "method_identifiers"]
    return dict(vyper.compile_code(source, output_formats=formats))


def _keep(path: Path, output: dict[str, Any]) -> None:
    # Several test processes may get here at once: each replaces the file whole.
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(output), encoding="utf-8")
    draft.replace(path)
