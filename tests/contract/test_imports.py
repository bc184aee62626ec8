"""What is loaded when: cron's path carries no screen, no web3, no codec that nothing needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

LOCAL = "name: here\nhosts:\n  here: {local: true}\n"

SPY = """
import sys
from lptui.cli import run
code = run(sys.argv[1:])
print("\\n".join(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
sys.exit(code)
"""


def loaded(*words: str) -> set[str]:
    """The top-level modules in memory after a command."""
    done = subprocess.run(
        [sys.executable, "-c", SPY, *words], capture_output=True, text=True, timeout=60, check=False
    )
    return set(done.stderr.split())


@pytest.fixture(autouse=True)
def no_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LPTUI_STATE", str(tmp_path / "state"))


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "lptui.yaml"
    path.write_text(LOCAL)
    return str(path)


def test_check_loads_neither_the_screen_nor_web3_nor_ssh_that_nothing_needs(config: str) -> None:
    modules = loaded("--headless", "check", "--config", config)
    assert "asyncio" in modules
    assert not modules & {"textual", "rich", "web3", "eth_abi", "plotext", "asyncssh", "crossplane"}


def test_a_node_without_a_chain_loads_http_and_no_more_than_that(tmp_path: Path) -> None:
    path = tmp_path / "lptui.yaml"
    node = "nodes:\n  o: {host: here, role: orchestrator, cli: 1}\n"
    path.write_text(LOCAL + node + "rpcs:\n  r: {url: 'http://127.0.0.1:1'}\n")
    modules = loaded("--headless", "check", "--config", str(path))
    assert "httpx" in modules
    assert not modules & {"textual", "rich", "click", "web3", "eth_abi", "aiohttp", "requests"}


def test_a_chain_is_read_with_the_codec_and_no_more_of_web3(tmp_path: Path) -> None:
    path = tmp_path / "lptui.yaml"
    rpc = "rpcs:\n  r: {url: 'http://127.0.0.1:1'}\n"
    orchestrator = f"{{o: {{address: '0x{'4' * 40}'}}}}"
    chain = f"{{network: arbitrum-one-mainnet, rpcs: [r], orchestrators: {orchestrator}}}"
    path.write_text(f"{LOCAL}{rpc}chain: {chain}\n")
    modules = loaded("--headless", "check", "--config", str(path))
    assert "eth_abi" in modules
    assert not modules & {"web3", "eth_account", "aiohttp", "requests"}


def test_validate_loads_no_transport(config: str) -> None:
    modules = loaded("--headless", "validate", "--config", config)
    assert not modules & {"textual", "web3", "asyncssh", "httpx"}


@pytest.mark.parametrize("words", [("--version",), ("--help",)])
def test_asking_for_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    modules = loaded(*words)
    assert not modules & {"textual", "web3", "asyncssh", "httpx", "pydantic", "yaml"}


def test_nothing_but_the_screens_core_is_loaded_before_the_first_frame() -> None:
    code = "import sys, lptui.tui.main; print(*{n.partition('.')[0] for n in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert "textual" in modules
    assert not modules & {"web3", "asyncssh", "httpx", "pydantic", "yaml", "plotext", "crossplane"}


def test_imports_flow_one_way() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
