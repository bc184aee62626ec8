"""`runs`, `resume`, `undo`, `audit` and Ctrl+C from the command line, on a real pool."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from lptui.actions.journal import Journal
from lptui.actions.plan import Plan
from lptui.actions.spec import Event
from lptui.clock import SystemClock
from tests.forked import Console
from tests.pool import Pool, pool
from tests.sshd import Sshd, sshd
from tests.waiting import until

__all__ = ["sshd"]


@pytest.fixture
async def three(sshd: Sshd, tmp_path: Path) -> AsyncIterator[Pool]:
    async with pool(sshd, tmp_path) as one:
        one.document["name"] = f"up-{uuid.uuid4().hex[:12]}"
        one.write()
        yield one
    for lock in Path("/tmp").glob(f"lptui-fleet-{one.document['name']}.*"):
        shutil.rmtree(lock)


def journal(one: Pool) -> Journal:
    return Journal(one.operator.state / "journal.db", SystemClock())


async def drained(one: Pool) -> str:
    """A drain that is done; its run."""
    code, _ = await one.act("drain", "lb:web/o1")
    assert code == 0
    return journal(one).newest(str(one.document["name"]))[0].id


async def cut(one: Pool, run: str = "") -> str:
    """The run of a drain whose console was killed when its first step was made."""
    name = str(one.document["name"])
    plan: Plan = journal(one).newest(name)[0].plan if run else await _planned(one)
    run = run or "abcd1234"
    journal(one).begin(run, plan, name, "ada at box")
    journal(one).event(run, 0, Event.BEGAN, "")
    journal(one).event(run, 0, Event.MADE, "")
    return run


async def _planned(one: Pool) -> Plan:
    entry = journal(one).entry(await drained(one))
    assert entry is not None
    return entry.plan


async def begin(one: Pool, *words: str) -> Console:
    return await asyncio.to_thread(
        Console,
        *("--config", str(one.config), "--headless", *words),
        cwd=one.operator.home,
        environment=one.operator.environment(),
    )


async def until_said(console: Console, words: str) -> str:
    """What it says up to these words, and maybe more."""
    await until(lambda: words in console.err or console.poll() is not None, 60, words)
    assert words in console.err, console.err
    return console.err


async def ended(console: Console) -> tuple[int, str, str]:
    code = await asyncio.to_thread(console.wait)
    return code, console.out, console.err


async def test_a_cut_run_holds_up_others_and_is_told_with_what_to_do(three: Pool) -> None:
    run = await cut(three)
    refused = await three.lptui("drain", "lb:web/o2", "--yes")
    assert refused.code == 1
    assert f"resume {run}" in refused.out
    listed = await three.lptui("runs")
    assert f"{run} cut: drain lb:web/o1" in listed.out
    as_json = (await three.lptui("runs", "--format", "json")).json
    assert [one["state"] for one in as_json["runs"]] == ["done", "cut"]
    assert as_json["runs"][-1]["steps"][0]["standing"] == "made"


async def test_a_dry_run_only_compares(three: Pool) -> None:
    run = await cut(three)
    await three.haproxy.cli("set server web/o1 state maint")
    told = await three.lptui("resume", "--dry-run")
    assert told.code == 0
    assert "1. take out of service (web/o1): changed by somebody: web/o1 is maint" in told.out
    back = (await three.lptui("undo", run, "--dry-run", "--format", "json")).json
    standings = {one["number"]: one["standing"] for one in back["steps"]}
    assert standings == {2: "nothing to undo", 1: "changed by somebody"}
    assert await three.haproxy.status("web/o1") == "MAINT"
    refused = await three.lptui("resume")
    assert (refused.code, "add --yes" in refused.err) == (1, True)


async def test_undo_brings_back_what_a_run_has_made_long_ago(three: Pool) -> None:
    run = await drained(three)
    none = await three.lptui("undo", "--yes")
    assert (none.code, "was cut" in none.err) == (1, True)
    code, told = await three.act("undo", run)
    assert (code, told["result"]["outcome"]) == (0, "done")
    assert told["plan"]["steps"][0]["detail"] == "undone: web/o1 is in service"
    assert await three.haproxy.status("web/o1") == "UP"
    again = await three.lptui("undo", run, "--yes")
    assert (again.code, "nothing that could be undone" in again.err) == (1, True)


async def test_a_damaged_journal_says_what_to_do(three: Pool) -> None:
    await drained(three)
    (three.operator.state / "journal.db").write_bytes(b"what is left after a crash " * 999)
    for words in (("runs",), ("resume", "--yes"), ("undo", "--yes")):
        told = await three.lptui(*words)
        assert told.code == 3, words
        assert "move journal.db* aside" in told.err
    code, refused = await three.act("undrain", "lb:web/o1")
    assert code == 1
    assert "move journal.db* aside" in refused["result"]["remedy"]


async def test_of_several_cut_runs_one_is_named(three: Pool) -> None:
    first = await cut(three)
    await cut(three, "ffff0000")
    which = await three.lptui("resume", "--yes")
    assert which.code == 1
    assert f"2 runs were cut: {first} (drain lb:web/o1), ffff0000" in which.err
    assert (await three.lptui("resume", first, "--yes")).code == 0
    assert (await three.lptui("resume", "none", "--yes")).code == 3
    assert (await three.lptui("undo", "--yes")).code == 0, "the only one that is left"


async def test_the_first_ctrl_c_stops_between_steps_and_undoes(three: Pool) -> None:
    async with three.held_session() as (server, _):
        process = await begin(three, "drain", f"lb:long/{server}", "--yes")
        await until_said(process, "2/2 wait")
        process.send_signal(signal.SIGINT)
        code, out, err = await ended(process)
    assert "stopping after this step; Ctrl+C again ends at once" in err
    assert (code, out.split(":")[0]) == (2, "failed")
    assert "stopped by the operator; undone: take out of service" in out
    assert (await three.haproxy.status(f"long/{server}")).startswith("UP")
    assert journal(three).unfinished(str(three.document["name"])) == ()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ended_at_once_the_run_stays_open_and_both_verbs_are_named(
    three: Pool, sshd: Sshd, number: signal.Signals
) -> None:
    async with three.held_session() as (server, _):
        process = await begin(three, "drain", f"lb:long/{server}", "--yes")
        await until_said(process, "2/2 wait")
        frozen = []
        if number is signal.SIGINT:
            # What the host does not answer, it cannot stop in order.
            frozen = sshd.freeze()
            process.send_signal(signal.SIGINT)
            await until_said(process, "stopping after this step")
        process.send_signal(number)
        code, out, _ = await ended(process)
        for pid in frozen:
            with suppress(ProcessLookupError):  # its console is gone, and it may be too
                os.kill(pid, signal.SIGCONT)
    [entry] = journal(three).unfinished(str(three.document["name"]))
    assert code == 3
    assert f"lptui --headless resume {entry.id}" in out
    assert f"lptui --headless undo {entry.id}" in out
    assert (await three.lptui("undo", "--yes")).code == 0
    assert (await three.haproxy.status(f"long/{server}")).startswith("UP")


async def test_the_record_tells_each_run_under_its_id_and_an_edit_shows(three: Pool) -> None:
    run = await drained(three)
    await three.act("undo", run)
    operator = three.operator
    listed = await asyncio.to_thread(operator.run, "audit")
    assert [line.split()[1] for line in listed.out.splitlines()] == [run]
    assert "done (undo)" in listed.out
    told = await asyncio.to_thread(operator.run, "audit", run, "--format", "json")
    events = [one["event"] for one in told.json["run"]["events"]]
    assert (events[0], events[-1]) == ("started", "ended")
    assert "undo" in events
    whole = await asyncio.to_thread(operator.run, "audit", "--verify")
    lines = (operator.state / "audit.jsonl").read_bytes().splitlines(keepends=True)
    assert (whole.code, whole.out) == (0, f"{len(lines)} lines, chained, whole\n")
    lines[1] = lines[1].replace(b"web/o1", b"web/o2")
    (operator.state / "audit.jsonl").write_bytes(b"".join(lines))
    broken = await asyncio.to_thread(operator.run, "audit", "--verify", "--format", "json")
    assert broken.code == 2
    assert [fault["line"] for fault in json.loads(broken.out)["faults"]] == [2]
    missing = await asyncio.to_thread(operator.run, "audit", "nobody")
    assert missing.code == 3
