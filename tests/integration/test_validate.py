"""`lptui --headless validate` and `lptui config schema`, run as an operator runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


def lptui(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(EXAMPLE.parent),
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-m", "lptui", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_example_is_fine(tmp_path: Path) -> None:
    ran = lptui("--config", str(EXAMPLE), "--headless", "validate", folder=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_mistakes_are_listed_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "lptui.yaml").write_text("hosts: {a: {prot: 1, local: yes}}\n")
    ran = lptui("--headless", "validate", folder=tmp_path)
    assert ran.returncode == 1
    lines = [line for line in ran.stdout.splitlines() if line.startswith("lptui.yaml:")]
    assert lines == [
        "lptui.yaml:1:13: unknown key 'prot', did you mean 'port'?",
        "lptui.yaml:1:29: expected true or false, not 'yes', did you mean 'true'?",
    ]


def test_a_file_that_is_none_is_told_without_traceback(tmp_path: Path) -> None:
    for path in (str(tmp_path), str(tmp_path / "none.yaml"), "/dev/zero", "/dev/null"):
        ran = lptui("--headless", "validate", folder=tmp_path, LPTUI_CONFIG=path)
        assert ran.returncode == 1, path
        assert path in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stdout + ran.stderr


def test_the_schema_is_json(tmp_path: Path) -> None:
    ran = lptui("config", "schema", folder=tmp_path)
    assert ran.returncode == 0
    assert "nodes" in json.loads(ran.stdout)["properties"]


def test_reading_a_configuration_imports_no_heavy_library(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lptui.config import load_fleet; "
        f"load_fleet(Path({str(EXAMPLE)!r})); "
        "print([it for it in ('textual', 'web3', 'asyncssh', 'httpx', 'eth_hash', 'Crypto') "
        "if it in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=EXAMPLE.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stdout.strip() == "[]"
