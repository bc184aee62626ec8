"""Drain, undrain and failover of a pool behind a real HAProxy, under traffic that is counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.command import Operator
from tests.pool import Pool, pool
from tests.sshd import Sshd, sshd
from tests.traffic import traffic

__all__ = ["sshd"]


@pytest.fixture
async def three(sshd: Sshd, tmp_path: Path) -> AsyncIterator[Pool]:
    async with pool(sshd, tmp_path) as one:
        yield one


@pytest.fixture
async def primary_and_backup(sshd: Sshd, tmp_path: Path) -> AsyncIterator[Pool]:
    async with pool(sshd, tmp_path, ("o1", "o2"), ("spare",)) as one:
        yield one


async def test_drain_and_undrain_cost_no_request(three: Pool) -> None:
    async with traffic(three.haproxy.port) as clients:
        code, told = await three.act("drain", "lb:web/o1")
        assert (code, told["result"]["outcome"]) == (0, "done")
        assert await three.haproxy.status("web/o1") == "DRAIN"
        assert (await clients.more()).keys() == {"o2", "o3"}
        code, told = await three.act("undrain", "lb:web/o1")
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        assert "new sessions came" in told["plan"]["steps"][-1]["detail"]
        assert (await clients.more()).keys() == {"o1", "o2", "o3"}
    assert clients.failed == []


async def test_a_dry_run_shows_the_plan_and_changes_nothing(three: Pool) -> None:
    outcome = await three.lptui("drain", "lb:web/o1", "--dry-run", "--format", "json")
    plan = outcome.json["plan"]
    assert outcome.code == 0
    assert plan["may_run"]
    assert "set server web/o1 state drain" in plan["steps"][0]["call"]
    again = await three.lptui("drain", "lb:web/o1", "--dry-run", "--format", "json")
    assert again.json["plan"]["hash"] == plan["hash"]
    assert await three.haproxy.status("web/o1") == "UP"


async def test_what_is_out_already_is_done(three: Pool) -> None:
    await three.haproxy.cli("set server web/o1 state drain")
    code, told = await three.act("drain", "lb:web/o1")
    assert code == 0
    assert "already" in told["result"]["summary"]


async def test_the_last_server_is_never_drained(three: Pool) -> None:
    code, told = await three.act("drain", "lb:web/o1", "lb:web/o2", "lb:web/o3")
    assert (code, told["result"]["outcome"]) == (1, "refused")
    assert "at least 1" in told["result"]["summary"]
    await three.servers["o2"].stop()
    await three.haproxy.until_status("web/o2", "DOWN")
    code, _ = await three.act("drain", "lb:web/o1")
    assert code == 0
    code, told = await three.act("drain", "lb:web/o3")
    assert (code, told["result"]["outcome"]) == (1, "refused")
    assert await three.haproxy.status("web/o3") == "UP"


async def test_a_server_comes_back_only_when_it_is_found_well(three: Pool) -> None:
    await three.haproxy.cli("set server web/o1 state maint")
    await three.servers["o1"].stop()
    async with traffic(three.haproxy.port) as clients:
        coming = asyncio.create_task(three.act("undrain", "lb:web/o1", "--wait", "20"))
        await three.haproxy.until_status("web/o1", "DOWN")
        await clients.more()
        assert not coming.done()
        await three.servers["o1"].start()
        code, told = await coming
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        assert "o1" in await clients.more()
    assert clients.failed == []


async def test_one_that_stays_ill_is_put_back_as_it_was(three: Pool) -> None:
    await three.haproxy.cli("set server web/o1 state maint")
    await three.servers["o1"].stop()
    code, told = await three.act("undrain", "lb:web/o1", "--wait", "1")
    assert (code, told["result"]["outcome"]) == (2, "failed")
    assert "undone" in told["result"]["summary"]
    assert (await three.haproxy.status("web/o1")).startswith("MAINT")


@pytest.mark.parametrize(
    ("late", "code", "status"), [("stop", 2, "UP"), ("go-on", 0, "DRAIN"), ("cut", 0, "DRAIN")]
)
async def test_the_operator_chooses_what_becomes_of_sessions_that_do_not_end(
    three: Pool, late: str, code: int, status: str
) -> None:
    async with three.held_session() as (server, closed):
        words = ("drain", f"lb:long/{server}", "--wait", "1", "--late", late)
        found, told = await three.act(*words)
        assert found == code, (told, three.said)
        assert await three.haproxy.status(f"long/{server}") == status
        assert closed() is (late == "cut")


async def test_backups_take_over_and_primaries_come_back(primary_and_backup: Pool) -> None:
    pair = primary_and_backup
    async with traffic(pair.haproxy.port) as clients:
        assert (await clients.more()).keys() == {"o1", "o2"}
        code, told = await pair.act("failover", "lb:web")
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        assert (await clients.more()).keys() == {"spare"}
        code, told = await pair.act("failover", "lb:web", "--to", "primary")
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        assert (await clients.more()).keys() == {"o1", "o2"}
    assert clients.failed == []


async def test_any_server_can_be_named_to_take_over(three: Pool) -> None:
    await three.haproxy.cli("set server web/o3 state drain")
    async with traffic(three.haproxy.port) as clients:
        code, told = await three.act("failover", "lb:web", "--to", "o3")
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        assert (await clients.more()).keys() == {"o3"}
    assert clients.failed == []


async def test_no_failover_to_one_that_is_ill(primary_and_backup: Pool) -> None:
    pair = primary_and_backup
    await pair.servers["spare"].stop()
    await pair.haproxy.until_status("web/spare", "DOWN")
    code, told = await pair.act("failover", "lb:web")
    assert (code, told["result"]["outcome"]) == (1, "refused")
    assert "spare is down" in told["result"]["summary"]


async def test_a_socket_without_the_right_is_named(three: Pool) -> None:
    three.document["balancers"]["edge"]["socket"] = three.haproxy.cli_address
    three.write()
    code, told = await three.act("drain", "lb:web/o1")
    assert (code, told["result"]["outcome"]) == (1, "refused")
    assert "level is operator" in told["result"]["summary"]


@pytest.mark.parametrize(
    "word",
    ["lb:web/o9", "lb:nope", "lb:web/o1; shutdown", "lb:web/o1\nset", "host:nowhere", "o1'\""],
)
async def test_targets_that_do_not_exist_are_refused(three: Pool, word: str) -> None:
    outcome = await three.lptui("drain", word, "--yes")
    assert outcome.code == 1
    assert "selects nothing" in outcome.err
    assert await three.haproxy.status("web/o1") == "UP"


@pytest.mark.parametrize("word", ["orch", "host:edge", "all", "lb:second/web/o1"])
async def test_what_may_be_at_an_unread_balancer_is_not_taken_for_all(
    three: Pool, word: str
) -> None:
    three.document["nodes"] = {"orch": {"host": "edge", "roles": ["orchestrator"]}}
    balancers = three.document["balancers"]
    balancers["edge"]["servers"] = {"o1": "orch"}
    balancers["second"] = {**balancers["edge"], "socket": "/nowhere.sock"}
    three.write()
    outcome = await three.lptui("drain", word, "--yes")
    assert outcome.code == 1
    assert "second (/nowhere.sock on edge: there is no such socket)" in outcome.err
    assert await three.haproxy.status("web/o1") == "UP"
    code, _ = await three.act("drain", "lb:web/o1")
    assert code == 0
    del balancers["edge"]
    three.write()
    outcome = await three.lptui("drain", "lb:web/o1", "--yes")
    assert outcome.code == 1
    assert "no server is known: could not be read: second (" in outcome.err


async def test_another_operator_sees_who_is_at_what(three: Pool, tmp_path: Path) -> None:
    other = Operator(tmp_path / "other")
    other.home.mkdir()
    async with three.held_session() as (server, _):
        words = ("drain", f"lb:long/{server}", "--wait", "30", "--late", "cut")
        waiting = asyncio.create_task(three.act(*words))
        while await three.haproxy.status(f"long/{server}") != "DRAIN":
            assert not waiting.done(), waiting.result()
            await asyncio.sleep(0.02)
        argv = ("--config", str(three.config), "--headless", "drain", "lb:web/o1", "--yes")
        refused = await asyncio.to_thread(other.run, *argv)
        assert refused.code == 1
        assert f"drain for lb:long/{server}" in refused.out
        assert "wait for sessions to end" in refused.out
        assert "lock on edge" in refused.out
        taken = await asyncio.to_thread(other.run, *argv, "--steal-lock")
        assert taken.code == 0, taken.out + taken.err
        assert await three.haproxy.status("web/o1") == "DRAIN"
        code, told = await waiting
    assert code == 3
    assert "taken the lock over" in told["result"]["summary"]
