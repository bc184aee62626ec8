"""A console that runs calls a reward by itself on a real chain, and tells what it waits for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lptui.live import LiveSession
from lptui.tui import retrying
from lptui.tui.app import LptuiApp
from tests.chain_bench import Bench, bench
from tests.devnet.call_log import CallLog
from tests.live_console import LiveConsole

__all__ = ["bench"]

pytest_plugins = ("tests.devnet.fixtures",)


@asynccontextmanager
async def console(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, read_only: bool = False
) -> AsyncIterator[LiveConsole]:
    monkeypatch.setattr(retrying, "LOOK_S", 0.2)
    monkeypatch.setenv("LPTUI_STATE", str(bench.state))
    app = LptuiApp(LiveSession(config=bench.config, read_only=read_only))
    async with app.run_test(size=(200, 60)) as pilot:
        yield LiveConsole(app, pilot)
        await app.session.close()


def allow(bench: Bench, **more: object) -> None:
    policy = {"tries": 2, "spacing": "1s", "after": "0s", "last_blocks": 5, **more}

    def change(document: dict[str, object]) -> None:
        chain = document["chain"]
        assert isinstance(chain, dict)
        chain["reward_retry"] = policy
        document["intervals"] = {"chain": "1s", "node": "1s", "timeout": "20s"}

    bench.edit(change)


async def test_it_calls_what_the_node_did_not_and_then_has_nothing_to_do(
    bench: Bench, call_log: CallLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(bench)
    number = await bench.net.next_round(blocks_into=20)
    async with console(bench, monkeypatch) as screen:
        await screen.shows(f"automatic armed main 1/2 already called in round {number}")
        await screen.shows(f"reward of main done: reward called in round {number}")
    assert await bench.net.last_reward_round(bench.account) == number
    assert call_log.count("/reward") == 1
    runs = {line["run"]: line["who"] for line in bench.audit()}
    assert [who.startswith("automatic, for ") for who in runs.values()] == [True]


async def test_it_shows_why_it_does_not_call_and_calls_nothing_in_read_only(
    bench: Bench, call_log: CallLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(bench, max_gas_price="1 wei")
    await bench.net.next_round(blocks_into=20)
    async with console(bench, monkeypatch) as screen:
        await screen.shows("automatic armed main 0/2 not now: gas at ")
    allow(bench)
    async with console(bench, monkeypatch, read_only=True) as screen:
        await screen.shows("not now: this console is read-only")
    assert call_log.count("/reward") == 0
