"""One node's CLI API broken at a time: the right word for it, and everything else still read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Outcome, SideBySide
from tests.e2e.fleet import MACHINE, Document, Edit, RealFleet
from tests.e2e.servers import unused_port
from tests.rawserver import http_server, ok
from tests.waiting import until

VICTIM = "orch-1"
BIG = 2**256 - 1
EVIL = "\x1b]0;owned\x07\x1b[2J[bold red]v9[/] \u202e\x9b31m\r\n\x00 [@click=app.quit]x[/]"
Answer = Callable[[bytes], bytes | None]


def cli_at(port: int) -> Edit:
    """The victim's CLI address leads to another port of its host."""

    def edit(document: Document) -> None:
        document["nodes"][VICTIM]["cli"] = port

    return edit


def status(**changes: Any) -> bytes:
    """An answer of /status with some members changed."""
    whole = {
        "Version": "0.9.1",
        "RegisteredTranscodersNumber": 1,
        "RegisteredTranscoders": [{"Address": "198.51.100.7:41234", "Capacity": 10}],
        "LocalTranscoding": False,
        "BroadcasterPrices": {},
        "Manifests": {},
        **changes,
    }
    return ok(json.dumps(whole).encode())


def routes(answers: dict[str, bytes]) -> Answer:
    """Answers by path, 404 for all others."""

    def answer(request: bytes) -> bytes:
        path = request.split(b" ")[1].decode()
        return answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nnot found\n")

    return answer


def asked(real_fleet: RealFleet, answer: Answer) -> Outcome:
    """A check of the fleet where the victim's CLI API answers like this."""
    with real_fleet.stage.holding(http_server(answer)) as server:
        outcome = real_fleet.check(cli_at(server.port))
    assert {name for name in outcome.errors if not name.endswith(f"@{VICTIM}")} == set()
    for one in outcome.json["readings"]:
        if one["error"] is not None:
            assert one["error"]["remedy"], one
            assert one["error"]["why"], one
    return outcome


STRANGE = "not as a Livepeer node"
WHOLE_API: dict[str, tuple[Answer, str, str]] = {
    "404-everywhere": (routes({}), "http-status", STRANGE),
    "html": (
        lambda _: ok(b"<!doctype html><html>\x1b[31m[bold]Welcome</html>", "text/html"),
        *("bad-answer", STRANGE),
    ),
    "truncated-json": (lambda _: ok(b'{"Version":"0.9.1","Regis'), "bad-answer", STRANGE),
    "slow": (lambda _: b"", "timeout", "no answer within"),
    "hangs-up": (lambda _: None, "http-protocol", "closed the connection without an answer"),
    "wants-a-login": (
        lambda _: b"HTTP/1.1 401 no\r\nContent-Length: 0\r\n\r\n",
        *("http-status", STRANGE),
    ),
    "fails": (
        lambda _: b"HTTP/1.1 500 no\r\nContent-Length: 15\r\n\r\n\x1b[31mboom[/red]",
        *("http-status", "boom"),
    ),
    "ten-megabytes": (
        lambda _: ok(b'{"Version":"' + b"x" * 10_000_000 + b'"}'),
        *("output-too-large", STRANGE),
    ),
    "deep": (lambda _: ok(b"[" * 100_000), "bad-answer", STRANGE),
    "not-http": (
        lambda _: b"SSH-2.0-OpenSSH_9.6\r\n\r\n\r\n",
        *("http-protocol", "not a proper HTTP answer"),
    ),
}
"""What every route answers, the error's kind, and what the finding says."""


@pytest.fixture(scope="module")
def whole_api(real_fleet: RealFleet) -> SideBySide:
    return SideBySide(
        {name: partial(asked, real_fleet, answer) for name, (answer, _, _) in WHOLE_API.items()}
    )


@pytest.mark.parametrize("name", WHOLE_API)
def test_the_whole_api(whole_api: SideBySide, name: str) -> None:
    outcome, (_, kind, word) = whole_api[name], WHOLE_API[name]
    assert outcome.error("NodeStatus", VICTIM)["kind"] == kind
    assert outcome.error("NodeIdentity", VICTIM)["kind"] == kind
    found = outcome.finding(f"node-up@{VICTIM}")
    assert found["severity"] == "CRITICAL"
    assert word in found["summary"]
    assert found["remedy"]
    assert outcome.severity("registered-key-once@main") == "UNKNOWN"
    assert outcome.severity(f"transcoders-expected@{VICTIM}") == "UNKNOWN"
    # All that is not known because of it says so.
    assert outcome.roots(MACHINE) == {f"node-up@{VICTIM}": "CRITICAL"}


def test_refused(real_fleet: RealFleet) -> None:
    with unused_port() as port:
        outcome = real_fleet.check(cli_at(port))
    assert outcome.error("NodeStatus", VICTIM)["kind"] == "refused"
    assert outcome.roots(MACHINE) == {f"node-up@{VICTIM}": "CRITICAL"}
    assert {name for name in outcome.errors if not name.endswith(f"@{VICTIM}")} == set()


def test_an_answer_that_is_cut_off(real_fleet: RealFleet) -> None:
    def serve(_: bytes) -> bytes:
        return b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"Version":"0.9.1"'

    with real_fleet.stage.holding(http_server(serve)) as server:
        server.close_after_answer = True
        outcome = real_fleet.check(cli_at(server.port))
    assert outcome.error("NodeStatus", VICTIM)["kind"] in ("http-protocol", "disconnected")
    assert outcome.severity(f"node-up@{VICTIM}") == "CRITICAL"


METRICS_NAN = b"""\
# TYPE livepeer_max_sessions_total gauge
livepeer_max_sessions_total NaN
livepeer_current_sessions_total +Inf
livepeer_transcoders_number -Inf
livepeer_success_rate NaN
livepeer_suggested_gas_price NaN
livepeer_value_redeemed 1e400
process_open_fds NaN
"""


def test_not_a_number(real_fleet: RealFleet) -> None:
    """What is no number is unknown, never zero and never a verdict."""
    outcome = asked(
        real_fleet,
        routes(
            {
                "/status": ok(b'{"Version":"0.9.1","RegisteredTranscodersNumber":NaN}'),
                "/metrics": ok(METRICS_NAN, "text/plain"),
                **{
                    path: ok(b"NaN")
                    for path in ("/ethAddr", "/maxGasPrice", "/minGasPrice", "/EthChainID")
                },
            }
        ),
    )
    assert outcome.error("NodeStatus", VICTIM)["kind"] == "bad-answer"
    assert outcome.error("NodeIdentity", VICTIM)["kind"] == "bad-answer"
    metrics = outcome.reading("NodeMetrics", VICTIM)["value"]
    for name in ("max_sessions", "current_sessions", "transcoders", "success_rate", "open_files"):
        assert metrics[name] is None
    assert outcome.severity(f"transcoders-expected@{VICTIM}") == "UNKNOWN"
    assert outcome.severity(f"sessions-capacity@{VICTIM}") == "UNKNOWN"


def test_the_largest_numbers(real_fleet: RealFleet) -> None:
    account = real_fleet.net.accounts[2].encode()
    outcome = asked(
        real_fleet,
        routes(
            {
                "/status": status(
                    RegisteredTranscodersNumber=BIG, BroadcasterPrices={"default": f"{BIG}/1"}
                ),
                "/ethAddr": ok(account),
                "/maxGasPrice": ok(str(BIG).encode()),
                "/minGasPrice": ok(str(BIG).encode()),
                "/EthChainID": ok(str(BIG).encode()),
                "/currentBlock": ok(b"\xff" * 32),
                "/metrics": ok(f"livepeer_max_sessions_total {BIG}\n".encode(), "text/plain"),
            }
        ),
    )
    assert outcome.error("NodeStatus", VICTIM)["kind"] == "bad-answer"
    identity = outcome.reading("NodeIdentity", VICTIM)["value"]
    assert identity["max_gas_price_wei"] is None
    assert identity["min_gas_price_wei"] == str(BIG)
    assert outcome.severity(f"node-chain@{VICTIM}") == "CRITICAL"
    assert outcome.severity(f"transcoders-expected@{VICTIM}") == "UNKNOWN"
    assert outcome.severity(f"sessions-capacity@{VICTIM}") == "UNKNOWN"


def hostile() -> Answer:
    """Control sequences and markup wherever a node may put a text."""
    return routes(
        {
            "/status": status(
                Version=EVIL,
                RegisteredTranscoders=[{"Address": EVIL, "Capacity": 1}],
                BroadcasterPrices={EVIL: "1/1"},
            ),
            "/ethAddr": ok(EVIL.encode()),
            "/EthChainID": ok(EVIL.encode()),
            "/metrics": ok(f'livepeer_versions{{livepeerversion="{EVIL}"}} 1\n'.encode()),
        }
    )


def test_control_sequences_and_markup(real_fleet: RealFleet) -> None:
    """No control character in any output is asserted of every run; here is much to assert."""
    outcome = asked(real_fleet, hostile())
    version = outcome.reading("NodeStatus", VICTIM)["value"]["version"]
    assert version == "[bold red]v9[/] [@click=app.quit]x[/]"
    assert outcome.error("NodeIdentity", VICTIM)["kind"] == "bad-answer"
    assert outcome.severity("version-skew@role:orchestrator") == "WARNING"


def test_control_sequences_in_every_format(real_fleet: RealFleet) -> None:
    with real_fleet.stage.holding(http_server(hostile())) as server:
        edit = cli_at(server.port)
        formats = {
            "text": ("check",),
            "prometheus": ("check", "--format", "prometheus"),
            "markdown": ("check", "--format", "markdown"),
            "status": ("status",),
        }
        done = SideBySide(
            {name: partial(real_fleet.run, *words, edit=edit) for name, words in formats.items()}
        )
    for name in formats:
        assert done[name].err == ""
        assert done[name].out


def test_a_node_without_monitor(real_fleet: RealFleet) -> None:
    config = real_fleet.nodes[VICTIM].config
    config.monitor = False
    try:
        outcome = real_fleet.check()
    finally:
        config.monitor = True
    assert outcome.errors == {}
    metrics = outcome.reading("NodeMetrics", VICTIM)["value"]
    assert metrics["monitored"] is False
    assert metrics["max_sessions"] is None
    assert "-monitor" in outcome.finding(f"node-metrics@{VICTIM}")["summary"]
    assert outcome.severity(f"node-up@{VICTIM}") == "OK"


def test_a_node_whose_transaction_routes_are_off(real_fleet: RealFleet) -> None:
    config = real_fleet.nodes["reward"].config
    config.cli_tx_routes = False
    try:
        outcome = real_fleet.check()
    finally:
        config.cli_tx_routes = True
    assert outcome.errors == {}
    assert outcome.severity("node-up@reward") == "OK"
    assert "-enableCliTxRoutes" in outcome.finding("node-up@reward")["summary"]
    assert "-enableCliTxRoutes" in outcome.finding("reward-caller@main")["remedy"]
    # Nothing that lptui reads may spend, and it found out without spending.
    assert real_fleet.calls.count("/reward") == 0
    assert real_fleet.calls.count("/initializeRound") == 0


def test_a_node_that_answers_slowly_is_waited_for(real_fleet: RealFleet) -> None:
    config = real_fleet.nodes[VICTIM].config
    config.answer_delay_s = 1.0
    try:
        outcome = real_fleet.check()
    finally:
        config.answer_delay_s = 0.0
    assert outcome.errors == {}
    assert outcome.reading("NodeStatus", VICTIM)["value"]["latency_seconds"] >= 1.0


def test_a_watcher_that_stands_still(real_fleet: RealFleet) -> None:
    config = real_fleet.nodes["reward"].config
    config.watched_block = real_fleet.net.first_block - 10_000
    try:
        outcome = real_fleet.check()
    finally:
        config.watched_block = None
    assert outcome.roots(MACHINE) == {"watcher-stalled@reward": "CRITICAL"}


def test_two_nodes_with_the_registered_key(real_fleet: RealFleet) -> None:
    config = real_fleet.nodes["orch-2"].config
    config.overrides["/ethAddr"] = (200, real_fleet.registered.encode())
    try:
        outcome = real_fleet.check()
    finally:
        del config.overrides["/ethAddr"]
    found = outcome.finding("registered-key-once@main")
    assert found["severity"] == "CRITICAL"
    assert "orch-2" in found["summary"]
    assert "reward" in found["summary"]
    assert outcome.code == 2


def test_a_livepeer_process_with_the_registered_key_that_nobody_configured(
    real_fleet: RealFleet, tmp_path: Path
) -> None:
    """The split brain that no node tells of: found in the processes of the hosts."""
    script = tmp_path / "livepeer"
    script.write_text(f"#!{sys.executable}\nimport sys; sys.stdin.read()\n")
    script.chmod(0o755)
    process = subprocess.Popen(
        [
            str(script),
            *("-orchestrator", "-network", "arbitrum-one-mainnet", "-ethAcctAddr"),
            *(real_fleet.registered, "-ethUrl", "https://rpc.example.org/v2/very-secret-key"),
            *("-ethPassword", "hunter2 \x1b[31m[red]", "-cliAddr=127.0.0.1:17935"),
        ],
        stdin=subprocess.PIPE,
    )
    try:
        comm = Path(f"/proc/{process.pid}/comm")
        real_fleet.stage.do(until(lambda: comm.read_text() == "livepeer\n", 30, "livepeer"))
        outcome = real_fleet.check()
    finally:
        process.kill()
        process.wait()
    found = outcome.finding("registered-key-once@main")
    assert found["severity"] == "CRITICAL"
    assert str(process.pid) in found["summary"]
    assert outcome.severity("password-visible@orch-1") != "OK"
    assert "hunter2" not in outcome.out
    assert "very-secret-key" not in outcome.out
