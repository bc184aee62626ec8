"""A block explorer's API as it answers, and as it fails: a real HTTP server with its shapes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from lptui.errors import Problem, ProblemKind
from lptui.fleet.facts.chain import RewardEvent, RewardHistory, RoundOutcome
from lptui.fleet.facts.reward import ExplorerRewards
from lptui.fleet.reading import Key
from lptui.fleet.topology import Endpoint, SecretRef
from lptui.fleet.units import L2Block, Lptu, Round
from lptui.probes import explorer
from lptui.probes.chain.probe import ChainProbe
from lptui.probes.explorer import ExplorerProbe
from lptui.probes.probe import Answer
from tests.devnet.chain import Devnet
from tests.devnet.fixtures import anvil, devnet
from tests.devnet.httpd import HttpServer, Request, Response
from tests.integration.cycles import Cycles, cycles, devnet_fleet, lower

__all__ = ["anvil", "devnet"]

PROBE = ExplorerProbe()
KEY = "s3cr3t&key"
TOPIC = "0x619caafabdd75649b302ba8419e48cccf64f37f1983ac4727cfb38b57703ffc9"
Answering = Callable[[dict[str, str]], Response]


def ok(result: object, message: str = "OK", status: str = "1") -> Response:
    body = {"status": status, "message": message, "result": result}
    return Response(200, json.dumps(body).encode(), "application/json")


def notok(reason: str) -> Response:
    return ok(reason, "NOTOK", "0")


def a_log(net: Devnet, who: str, number: int, **changed: Any) -> dict[str, Any]:
    """A log in the shape that Etherscan gives (docs.etherscan.io, getLogs)."""
    return {
        "address": net.bonding.address.lower(),
        "topics": [TOPIC, "0x" + "0" * 24 + who[2:].lower()],
        "data": f"0x{10**18 * number:064x}",
        "blockNumber": hex(net.first_block + number),
        "blockHash": f"0x{number:064x}",
        "timeStamp": hex(1_790_000_000 + number),
        "gasPrice": "0x989680",
        "gasUsed": "0x5d3c1",
        "logIndex": "0x",
        "transactionHash": f"0x{number:064x}",
        "transactionIndex": "0x1",
    } | changed


@contextlib.asynccontextmanager
async def asked(
    net: Devnet, *who: str, answer: Answering, key: bool = False
) -> AsyncIterator[tuple[Cycles, list[dict[str, str]]]]:
    """A fleet whose explorer answers so; and what the explorer was asked."""
    seen: list[dict[str, str]] = []

    async def respond(request: Request) -> Response:
        seen.append(request.params)
        return answer(request.params)

    server = HttpServer(respond)
    await server.start()
    fleet = devnet_fleet(net, orchestrators={f"orch-{n}": one for n, one in enumerate(who)})
    assert fleet.chain is not None
    secret = SecretRef("env", "EXPLORER_KEY") if key else None
    endpoint = Endpoint(f"{server.url}/api", None, query_key=secret)
    fleet = replace(fleet, chain=replace(fleet.chain, explorer=endpoint))
    try:
        async with cycles(fleet) as it:
            await it.ask(ChainProbe())
            yield it, seen
    finally:
        await server.stop()


def problem(it: Cycles, name: str = "orch-0") -> Problem:
    found = it.ledger.snapshot.reading(ExplorerRewards, name).problem
    assert found is not None
    return found


async def test_asks_for_one_orchestrators_logs_with_the_key_at_the_end(
    devnet: Devnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_KEY", KEY)
    who = devnet.accounts[1]
    logs = [a_log(devnet, who, number) for number in (2, 1)]
    async with asked(devnet, who, answer=lambda _: ok(logs), key=True) as (it, seen):
        await it.ask(PROBE)
        found = it.value(ExplorerRewards, "orch-0")
        assert [reward.block for reward in found.rewards] == [
            devnet.first_block + 1,
            devnet.first_block + 2,
        ]
        assert found.rewards[0].amount == 10**18
        assert found.rewards[0].at == 1_790_000_001
        assert found.complete
        (query,) = seen
        assert query["apikey"] == KEY
        assert query["chainid"] == str(devnet.chain_id)
        assert (query["module"], query["action"]) == ("logs", "getLogs")
        assert query["address"] == devnet.bonding.address.lower()
        assert query["topic0"] == TOPIC
        assert query["topic1"].endswith(who[2:].lower())
        reading = it.ledger.snapshot.reading(ExplorerRewards, "orch-0")
        assert KEY not in reading.source


async def test_no_records_is_an_empty_list(devnet: Devnet) -> None:
    answer = ok([], "No records found", "0")
    async with asked(devnet, devnet.accounts[1], answer=lambda _: answer) as (it, _):
        await it.ask(PROBE)
        assert it.value(ExplorerRewards, "orch-0").rewards == ()


async def test_reads_page_by_page_and_no_more_than_enough(
    devnet: Devnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer, "PAGE", 2)
    who = devnet.accounts[1]

    def page(query: dict[str, str], most: int) -> Response:
        number = int(query["page"])
        first = 2 * number - 1
        return ok([a_log(devnet, who, n) for n in (first, first + 1) if n <= most])

    async with asked(devnet, who, answer=lambda query: page(query, 5)) as (it, seen):
        await it.ask(PROBE)
        found = it.value(ExplorerRewards, "orch-0")
        assert (len(found.rewards), len(seen), found.complete) == (5, 3, True)
    async with asked(devnet, who, answer=lambda query: page(query, 10**6)) as (it, seen):
        await it.ask(PROBE)
        found = it.value(ExplorerRewards, "orch-0")
        assert (len(found.rewards), len(seen), found.complete) == (10, 5, False)


async def test_logs_of_others_are_left_out(devnet: Devnet) -> None:
    who, other = devnet.accounts[1:3]
    logs = [
        a_log(devnet, other, 1),
        a_log(devnet, who, 2, address="0x" + "12" * 20),
        a_log(devnet, who, 3, topics=["0x" + "34" * 32, "0x" + "56" * 32]),
    ]
    async with asked(devnet, who, answer=lambda _: ok(logs)) as (it, _):
        await it.ask(PROBE)
        assert it.value(ExplorerRewards, "orch-0").rewards == ()


REFUSALS = {
    "rate limit": (notok("Max rate limit reached"), ProblemKind.RATE_LIMITED),
    "calls a second": (
        notok("Max calls per sec rate limit reached (3/sec)"),
        ProblemKind.RATE_LIMITED,
    ),
    "key": (notok("Invalid API Key (#err2)|xyz-01"), ProblemKind.FORBIDDEN),
    "chain": (
        notok("Missing or unsupported chainid parameter (required for v2 api)"),
        ProblemKind.WRONG_CHAIN,
    ),
    "module": (notok("Error! Missing Or invalid Action name"), ProblemKind.BAD_ANSWER),
    "nothing": (ok(None, "NOTOK", "0"), ProblemKind.BAD_ANSWER),
    "429": (Response(429, b"slow down", "text/plain"), ProblemKind.RATE_LIMITED),
    "503": (Response(503, b"<html>", "text/html"), ProblemKind.HTTP_STATUS),
    "redirect": (Response(302, b"", "text/html"), ProblemKind.HTTP_STATUS),
    "html": (Response(200, b"<html>\x1b[31m[red]</html>", "text/html"), ProblemKind.BAD_ANSWER),
    "list": (Response(200, b"[1]", "application/json"), ProblemKind.BAD_ANSWER),
    "deep": (Response(200, b"[" * 100_000, "application/json"), ProblemKind.BAD_ANSWER),
    "large": (Response(200, b"x" * 3_000_000, "text/html"), ProblemKind.OUTPUT_TOO_LARGE),
    "a log that is none": (ok([7]), ProblemKind.BAD_ANSWER),
    "hostile": (notok("\x1b]0;owned\x07[bold]" + "x" * 9000), ProblemKind.BAD_ANSWER),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_is_a_problem_with_its_reason(devnet: Devnet, name: str) -> None:
    answer, kind = REFUSALS[name]
    async with asked(devnet, devnet.accounts[1], answer=lambda _: answer) as (it, _):
        await it.ask(PROBE)
        found = problem(it)
        assert found.kind is kind
        assert found.why
        assert len(str(found)) < 1000
        assert "\x1b" not in str(found)


@pytest.mark.parametrize(
    "change",
    [
        {"blockNumber": "0x" + "ff" * 32},
        {"blockNumber": 12},
        {"transactionHash": "0x12"},
        {"data": "0x"},
        {"timeStamp": "yesterday"},
        {"topics": None},
    ],
)
async def test_a_log_that_makes_no_sense_is_not_taken_for_none(
    devnet: Devnet, change: dict[str, Any]
) -> None:
    who = devnet.accounts[1]
    answer = ok([a_log(devnet, who, 1, **change)])
    async with asked(devnet, who, answer=lambda _: answer) as (it, _):
        await it.ask(PROBE)
        assert problem(it).kind is ProblemKind.BAD_ANSWER


async def test_who_has_had_enough_is_not_asked_for_the_others(devnet: Devnet) -> None:
    who = devnet.accounts[1:4]
    answer = notok("Max rate limit reached")
    async with asked(devnet, *who, answer=lambda _: answer) as (it, seen):
        await it.ask(PROBE)
        assert len(seen) == 1
        assert {problem(it, f"orch-{n}").kind for n in range(3)} == {ProblemKind.RATE_LIMITED}


async def test_one_that_has_none_of_what_is_there_is_another_chains(devnet: Devnet) -> None:
    answer = ok([], "No records found", "0")
    async with asked(devnet, devnet.accounts[1], answer=lambda _: answer) as (it, _):
        events = tuple(
            RewardEvent(Round(4199 + n), L2Block(n), f"0x{n:064x}", Lptu(1)) for n in (1, 2)
        )
        history = RewardHistory(
            ((Round(4200), RoundOutcome.CALLED),), events, L2Block(0), L2Block(9)
        )
        it.ledger.record(
            [Answer(Key(RewardHistory, "orch-0"), history)],
            source="test",
            taken_at=it.clock.now(),
            took_s=0.0,
            interval_s=60.0,
        )
        it.ledger.publish(it.clock.now())
        await it.ask(PROBE)
        assert problem(it).kind is ProblemKind.WRONG_CHAIN
        assert "another chain's" in problem(it).why


async def test_a_key_that_is_not_there_is_told_and_nothing_is_sent(
    devnet: Devnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EXPLORER_KEY", raising=False)
    async with asked(devnet, devnet.accounts[1], answer=lambda _: ok([]), key=True) as (it, seen):
        await it.ask(PROBE)
        assert problem(it).kind is ProblemKind.SECRET
        assert seen == []


def test_without_one_configured_nobody_is_asked(devnet: Devnet) -> None:
    fleet = devnet_fleet(devnet, orchestrators={"orch-0": devnet.accounts[1]})
    assert PROBE.targets(fleet) == ()
    assert lower(devnet.accounts[1])
