"""What the panes say: evidence, ages, unknowns; never zero or an old value unmarked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.checks import run_checks
from lptui.errors import ProblemKind
from lptui.fleet.facts.balancer import BalancerState
from lptui.fleet.facts.chain import (
    ChainRound,
    OrchestratorRecord,
    RewardEvent,
    RewardHistory,
    RoundOutcome,
    SignerAccount,
)
from lptui.fleet.facts.host import HostDisks, HostVitals
from lptui.fleet.facts.livepeer import ConnectedTranscoder, NodeMetrics, NodeStatus
from lptui.fleet.facts.money import EarningsFlow, Flow, RoundFlow
from lptui.fleet.facts.reward import Hindrance, NodeReward, RewardWatch, RoundNote
from lptui.fleet.facts.rpc import RpcHead, SyncProgress
from lptui.fleet.facts.stake import TranscoderPool
from lptui.fleet.facts.tickets import RedeemedInRound, Redemptions
from lptui.fleet.units import Address, L1Block, L2Block, Lptu, Percent, Round, Wei
from lptui.history.series import History
from lptui.present.catalog import PRESENTERS
from lptui.present.detail import detail
from lptui.present.model import AGE, UNKNOWN_CELL, Cell, PaneModel, Row, State, Tone, text_of
from lptui.present.view import Findings, Memo, View
from lptui.tui.commands import PANES
from tests.snapshots import NETWORK, NOW, REDEEMER, REGISTERED, ROUND, FleetBuilder

LAST = Round(ROUND - 1)


def view_of(builder: FleetBuilder, *, after: float = 0.0, memo: Memo | None = None) -> View:
    snapshot = builder.snapshot()
    history = History()
    history.record(snapshot)
    findings = Findings(run_checks(snapshot))
    return View(snapshot, NOW + after, findings, history, memo or Memo())


def pane(name: str, builder: FleetBuilder, *, after: float = 0.0) -> PaneModel:
    return PRESENTERS[name](view_of(builder, after=after))


def row(model: PaneModel, key: str) -> Row:
    found = model.row(key)
    assert found is not None, [r.key for s in model.sections for r in s.rows]
    return found


def cell(model: PaneModel, key: str, column: str) -> Cell:
    found = row(model, key)
    section = next(s for s in model.sections if found in s.rows)
    return found.cells[[c.key for c in section.columns].index(column)]


@pytest.mark.parametrize(
    ("events", "outcome", "shown"),
    [
        ((RewardEvent(LAST, L2Block(7), "0x1", Lptu(59 * 10**18), None, None),), None, "59.00"),
        ((), RoundOutcome.MISSED, "0"),
        ((), RoundOutcome.CALLED, "?"),
        ((), RoundOutcome.UNKNOWN, "?"),
    ],
)
def test_what_a_round_minted_is_told_by_its_log_and_not_by_the_stake(
    events: tuple[RewardEvent, ...], outcome: RoundOutcome | None, shown: str
) -> None:
    """A stake rises by what delegators bond as well."""
    rounds = ((LAST, outcome or RoundOutcome.CALLED),)
    builder = FleetBuilder().change(RewardHistory, "main", events=events, rounds=rounds)
    whole = RoundFlow(LAST, up=700 * 10**18, seconds=1e9)
    flow = Flow(10**18, 0, Round(ROUND), NOW, (whole, RoundFlow(Round(ROUND))))
    builder.put(EarningsFlow(None, flow), "main")
    assert cell(pane("balances", builder), f"signer:{REGISTERED}", "minted").text == shown


def test_redeemed_tickets_stand_beside_the_queue_and_the_fees() -> None:
    fleet = FleetBuilder()
    assert cell(pane("balances", fleet), f"signer:{REGISTERED}", "redeemed").text == "0.1700"
    assert cell(pane("balances", fleet), "queue:redeemer", "proved").text == "2: 0.0200 ETH"
    at = cell(pane("balances", fleet), "queue:redeemer", "proved-at")
    assert at.sort == NOW - 2_000


def test_a_round_whose_logs_were_not_all_read_is_unknown_and_not_zero() -> None:
    seen = RedeemedInRound(Round(ROUND), L2Block(2), 0, Wei(0))
    fleet = FleetBuilder().change(Redemptions, "main", rounds=(), partial=seen, newest=None)
    shown = pane("balances", fleet)
    assert cell(shown, f"signer:{REGISTERED}", "redeemed") == UNKNOWN_CELL
    assert cell(shown, "queue:redeemer", "proved") == UNKNOWN_CELL
    later = FleetBuilder().change(ChainRound, NETWORK, round=Round(ROUND + 1))
    assert cell(pane("balances", later), "queue:redeemer", "proved") == UNKNOWN_CELL


def test_the_caller_is_who_has_called_and_before_that_who_is_expected_to() -> None:
    def caller(fleet: FleetBuilder) -> tuple[str, Tone]:
        shown = cell(pane("rounds", fleet), "orchestrator:main", "caller")
        return shown.text, shown.tone

    def sent_by(account: str) -> FleetBuilder:
        fleet = FleetBuilder()
        event = replace(fleet.value(RewardHistory, "main").events[-1], caller=account)
        return fleet.change(RewardHistory, "main", events=(event,))

    assert caller(FleetBuilder()) == ("reward", Tone.NORMAL)
    assert caller(sent_by(REDEEMER)) == ("redeemer", Tone.WARN)
    assert caller(sent_by("0x" + "12" * 20)) == ("0x1212…1212", Tone.WARN)
    later = FleetBuilder().change(ChainRound, NETWORK, round=Round(ROUND + 1))
    assert caller(later) == ("reward", Tone.MUTED), "nobody has called in this one"


def test_a_record_read_just_after_the_round_changed_is_called() -> None:
    fleet = FleetBuilder().change(OrchestratorRecord, "main", last_reward_round=Round(ROUND + 1))
    assert cell(pane("rounds", fleet), "orchestrator:main", "reward").text == "called"


def test_there_is_a_presenter_for_every_pane() -> None:
    assert list(PRESENTERS) == [name for name, _ in PANES]


@pytest.mark.parametrize("name", PRESENTERS)
def test_rows_have_a_cell_for_every_column_and_keys_are_unique(name: str) -> None:
    for builder in (FleetBuilder(), FleetBuilder().lose_host("lb-1").lose_host("gpu-1")):
        model = pane(name, builder)
        for section in model.sections:
            assert all(len(r.cells) == len(section.columns) for r in section.rows)
            assert section.columns[-1].key == AGE
        keys = [r.key for s in model.sections for r in s.rows]
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", PRESENTERS)
def test_a_healthy_fleet_is_ok_everywhere(name: str) -> None:
    assert pane(name, FleetBuilder()).state is State.OK


@pytest.mark.parametrize("name", PRESENTERS)
def test_before_anything_was_read_nothing_is_ok_and_nothing_is_zero(name: str) -> None:
    snapshot = FleetBuilder().empty()
    view = View(snapshot, NOW, Findings((), checked=False), History())
    model = PRESENTERS[name](view)
    for section in model.sections:
        for each in section.rows:
            assert each.state is State.PENDING
            assert each.taken_at == 0.0
            for column, found in zip(section.columns, each.cells, strict=True):
                if column.right and column.key != AGE:
                    assert found.text in ("?", "-"), (each.key, column.key, found)


def test_a_called_reward_names_chain_event_and_amount() -> None:
    model = pane("rounds", FleetBuilder())
    assert cell(model, "orchestrator:main", "reward").text == "called"
    assert cell(model, "orchestrator:main", "evidence").text == "tx 0x7e7e7e… +87.00 LPT"


def test_chain_and_event_that_disagree_are_said_to() -> None:
    builder = FleetBuilder().change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
    model = pane("rounds", builder)
    assert cell(model, "orchestrator:main", "reward").text == "unsure"
    assert "chain says no" in cell(model, "orchestrator:main", "evidence").text


def test_without_the_contract_the_next_source_is_named() -> None:
    builder = FleetBuilder().fail(OrchestratorRecord, "main")
    model = pane("rounds", builder)
    assert cell(model, "orchestrator:main", "reward").text == "called"
    assert cell(model, "orchestrator:main", "evidence").text == "Reward log alone"
    builder.fail(RewardHistory, "main").fail(NodeReward, "reward")
    model = pane("rounds", builder)
    assert cell(model, "orchestrator:main", "reward").text == "?"


def rewards_detail(builder: FleetBuilder) -> list[str]:
    view = view_of(builder)
    model = PRESENTERS["rounds"](view)
    found = row(model, "orchestrator:main")
    lines = [text_of(line) for line in detail(view, model.sections[0], found, [])]
    start = lines.index(next(line for line in lines if line.startswith(" Reward")))
    return lines[start : lines.index("", start)]


def test_the_detail_puts_the_sources_side_by_side() -> None:
    lines = rewards_detail(FleetBuilder())
    for kind in ("contract", "event", "node"):
        (line,) = [one for one in lines if one.strip().startswith(f"{kind} ")]
        assert " called " in line
        assert " ago  " in line
    assert any("LPT in 0x7e7e" in line for line in lines)
    assert any("3189 L1 blocks, ~10 h 38 min" in line for line in lines)


def test_the_detail_names_contradictions_and_explains_past_rounds() -> None:
    builder = FleetBuilder().change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
    rounds = ((Round(ROUND - 1), RoundOutcome.MISSED), (ROUND, RoundOutcome.CALLED))
    builder.change(RewardHistory, "main", rounds=rounds)
    note = RoundNote(Round(ROUND - 1), Hindrance.GAS_ABOVE_CAP, "gas was dear", NOW - 9, NOW - 2)
    builder.put(RewardWatch(notes=(note,)), "main")
    lines = rewards_detail(builder)
    assert any("CONTRADICTION" in line for line in lines)
    (miss,) = [line for line in lines if line.strip().startswith(f"{ROUND - 1} missed")]
    assert "gas was dear" in miss


def test_a_reward_that_is_due_says_how_long_is_left() -> None:
    builder = FleetBuilder()
    builder.change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
    builder.change(RewardHistory, "main", events=())
    builder.change(NodeReward, "reward", last_reward_round=Round(ROUND - 1))
    model = pane("rounds", builder)
    assert cell(model, "orchestrator:main", "reward").text == "due"
    assert cell(model, "orchestrator:main", "evidence").text.endswith("left")
    clock = builder.value(ChainRound, NETWORK)
    late = L1Block(clock.start_block + clock.length - 10)
    model = pane("rounds", builder.change(ChainRound, NETWORK, block=late))
    assert cell(model, "orchestrator:main", "reward").text == "LATE"
    assert model.state is State.CRITICAL


def test_an_old_chain_reading_never_looks_like_now() -> None:
    builder = FleetBuilder().fail(ChainRound, NETWORK).fail(OrchestratorRecord, "main")
    model = pane("rounds", builder)
    reward = cell(model, "orchestrator:main", "reward")
    assert reward.since == NOW - 30.0
    assert row(model, "orchestrator:main").state is State.UNKNOWN
    assert "seen 30s ago" in text_of(model.lead[0])
    stale = pane("rounds", FleetBuilder(), after=300.0)
    assert cell(stale, "orchestrator:main", "reward").since == NOW - 1.0
    assert "seen 5m ago" in text_of(stale.lead[0])


def test_the_round_tells_who_initialised_it() -> None:
    def lead(by: Address | None, of: int = ROUND) -> str:
        rounds = ((Round(of), RoundOutcome.CALLED),)
        builder = FleetBuilder().change(RewardHistory, "main", begun_by=by, rounds=rounds)
        return text_of(pane("rounds", builder).lead[1])

    assert "initialised by redeem" in lead(REDEEMER)
    assert "initialised by 0x0a0a…0a0a" in lead(Address("0x" + "0a" * 20))
    assert "initialised by" not in lead(None)
    assert "initialised by" not in lead(REDEEMER, of=ROUND - 1)


def test_a_low_balance_is_marked_and_an_unknown_one_is_no_zero() -> None:
    builder = FleetBuilder().change(SignerAccount, REDEEMER, balance=Wei(5 * 10**15))
    balance = cell(pane("balances", builder), f"signer:{REDEEMER}", "balance")
    assert (balance.text, balance.tone, balance.sort) == ("0.00500", Tone.CRITICAL, 5 * 10**15)
    builder = FleetBuilder().drop(SignerAccount, REDEEMER)
    assert cell(pane("balances", builder), f"signer:{REDEEMER}", "balance").text == "?"


def test_pending_transactions_show_beside_the_nonce() -> None:
    builder = FleetBuilder().change(SignerAccount, REDEEMER, pending_nonce=903)
    nonce = cell(pane("balances", builder), f"signer:{REDEEMER}", "nonce")
    assert (nonce.text, nonce.tone) == ("900+3", Tone.WARN)


def test_a_lost_host_keeps_its_last_figures_with_their_age() -> None:
    model = pane("hosts", FleetBuilder().lose_host("edge-1"))
    load = cell(model, "host:edge-1", "load")
    assert load.since == NOW - 30.0
    lost = row(model, "host:edge-1")
    assert lost.taken_at == NOW - 30.0
    assert lost.state is State.CRITICAL
    assert "cannot be reached" in cell(model, "host:edge-1", "note").text
    assert model.sections[0].rows[0] is lost


def test_a_missing_mount_comes_before_fullness() -> None:
    builder = FleetBuilder().change(HostDisks, "edge-1", missing=("/data",))
    assert cell(pane("hosts", builder), "host:edge-1", "disk").text == "/data gone"


def test_sessions_are_against_capacity_and_unknown_ones_are_not_counted() -> None:
    model = pane("transcoders", FleetBuilder())
    assert cell(model, "node:orch-1", "sessions").text == "10/40"
    assert text_of(model.summary).startswith("sessions 20/80 ")
    builder = FleetBuilder().fail(NodeMetrics, "orch-1", ProblemKind.TIMEOUT)
    assert text_of(pane("transcoders", builder).summary).startswith("sessions 10/40+? ")


def test_how_many_more_sessions_are_taken_and_what_sets_the_limit() -> None:
    elsewhere = tuple(ConnectedTranscoder(f"198.51.100.{n}:50000", 20) for n in (1, 2))
    builder = FleetBuilder().change(NodeStatus, "orch-2", transcoders=elsewhere)
    model = pane("transcoders", builder)
    assert cell(model, "node:orch-1", "headroom").text == "10 NVENC"
    # The machines behind the other one are not known: only its caps are.
    assert cell(model, "node:orch-2", "headroom").text == "30 cap?"
    assert cell(model, "node:trans-1", "headroom").text == "-"
    assert "room 40 (NVENC, cap)" in text_of(model.summary)
    builder.put(NodeMetrics(monitored=False), "orch-1")
    assert "room 30+? (cap)" in text_of(pane("transcoders", builder).summary)
    old = pane("transcoders", builder, after=7200)
    assert "room ?" in text_of(old.summary)
    full = builder.change(NodeMetrics, "orch-2", current_sessions=40)
    assert cell(pane("transcoders", full), "node:orch-2", "headroom").tone is Tone.WARN


def test_a_place_near_the_last_one_is_marked() -> None:
    model = pane("rounds", FleetBuilder())
    assert cell(model, "orchestrator:main", "place").text == "51/100"
    assert cell(model, "orchestrator:main", "margin").text == "147000.00"
    builder = FleetBuilder().limit(stake_margin_warn=Percent(60.0))
    assert cell(pane("rounds", builder), "orchestrator:main", "place").tone is Tone.WARN
    gone = FleetBuilder().change(TranscoderPool, NETWORK, members=())
    assert cell(pane("rounds", gone), "orchestrator:main", "place").text == "none"
    unread = FleetBuilder().fail(TranscoderPool, NETWORK)
    assert cell(pane("rounds", unread), "orchestrator:main", "place").since is not None


def test_rates_that_cannot_be_changed_are_told_beside_them() -> None:
    assert cell(pane("rounds", FleetBuilder()), "orchestrator:main", "cuts").text == "10/50%"
    locked = FleetBuilder().change(ChainRound, NETWORK, locked=True)
    assert cell(pane("rounds", locked), "orchestrator:main", "cuts").text == "10/50% locked"


def test_encoder_sessions_are_against_what_the_driver_allows() -> None:
    builder = FleetBuilder().configure_host("gpu-1", nvenc_sessions=None)
    assert cell(pane("transcoders", builder), "gpu:gpu-1:0", "sessions").text == "4"
    for index in (0, 1):
        builder.change_gpu("gpu-1", index, name="NVIDIA GeForce RTX 3080")
    shown = cell(pane("transcoders", builder), "gpu:gpu-1:0", "sessions")
    assert (shown.text, shown.tone) == ("4/8", Tone.CRITICAL)


def test_a_missing_gpu_has_a_row_of_its_own() -> None:
    builder = FleetBuilder().configure_host("gpu-1", gpus=3)
    model = pane("transcoders", builder)
    assert cell(model, "gpu:gpu-1:missing2", "name").text == "gpu-1/2"
    assert row(model, "gpu:gpu-1:missing2").state >= State.WARNING


def test_a_hot_gpu_is_marked() -> None:
    builder = FleetBuilder().change_gpu("gpu-1", 0, temperature_c=95.0, throttle_reasons=0x40)
    model = pane("transcoders", builder)
    assert cell(model, "gpu:gpu-1:0", "temperature").tone is Tone.CRITICAL
    assert cell(model, "gpu:gpu-1:0", "throttle").text == "hw thermal"
    assert row(model, "gpu:gpu-1:0").state is State.CRITICAL


def test_servers_of_a_balancer_that_does_not_answer_are_neither_up_nor_down() -> None:
    builder = FleetBuilder().fail(BalancerState, "front").fail(BalancerState, "ws")
    model = pane("balancers", builder)
    assert text_of(model.summary) == "? of 3 servers up"
    assert cell(model, "server:front:orchestrators/o1", "health").since == NOW - 30.0
    builder = FleetBuilder().drop(BalancerState, "front")
    assert cell(pane("balancers", builder), "balancer:front", "health").text == "?"


def test_the_service_uri_is_compared_with_the_chain() -> None:
    lead = text_of(pane("balancers", FleetBuilder()).lead[0])
    assert lead.endswith("https://stream.example.org:8935 = chain")
    builder = FleetBuilder().change(
        OrchestratorRecord, "main", service_uri="https://elsewhere.example.org:8935"
    )
    lead = text_of(pane("balancers", builder).lead[0])
    assert "chain says https://elsewhere.example.org:8935" in lead


def test_syncing_lag_and_wrong_chain() -> None:
    progress = SyncProgress(90, 100)
    builder = FleetBuilder().change(
        RpcHead, "nitro", syncing=progress, head=L2Block(299_999_000), chain_id=1
    )
    model = pane("sync", builder)
    # What explains the rest comes first; a client that syncs is behind, and shows how far it is.
    assert cell(model, "rpc:nitro", "sync").text == "wrong chain"
    behind = FleetBuilder().change(RpcHead, "nitro", syncing=progress)
    assert cell(pane("sync", behind), "rpc:nitro", "sync").text == "sync 90.0%"
    assert cell(model, "rpc:nitro", "chain").tone is Tone.CRITICAL
    assert cell(model, "rpc:reference", "lag").text == "0"
    builder = FleetBuilder().change(RpcHead, "nitro", head=L2Block(299_999_000))
    lag = cell(pane("sync", builder), "rpc:nitro", "lag")
    assert (lag.text, lag.tone) == ("1000", Tone.CRITICAL)
    assert cell(pane("sync", builder), "rpc:nitro", "sync").text == "behind"


def test_a_node_that_says_it_is_synced_but_stands_still_is_stalled() -> None:
    builder = FleetBuilder().change(RpcHead, "nitro", head_time=NOW - 400)
    model = pane("sync", builder)
    assert cell(model, "rpc:nitro", "sync").text == "stalled"
    assert cell(model, "rpc:nitro", "head_age").tone is Tone.CRITICAL
    assert text_of(model.summary) == "1 of 2 synced"


def test_only_rows_whose_readings_changed_are_made_again() -> None:
    builder, memo = FleetBuilder(), Memo()
    before = {
        r.key: r for s in PRESENTERS["hosts"](view_of(builder, memo=memo)).sections for r in s.rows
    }
    builder.change(HostVitals, "edge-1", load_1m=9.0)
    after = {
        r.key: r for s in PRESENTERS["hosts"](view_of(builder, memo=memo)).sections for r in s.rows
    }
    assert {key for key in after if after[key] is not before[key]} == {"host:edge-1"}


def test_detail_gives_findings_values_and_evidence() -> None:
    builder = FleetBuilder().lose_host("edge-1")
    view = view_of(builder)
    model = PRESENTERS["hosts"](view)
    found = row(model, "host:edge-1")
    text = "\n".join(text_of(line) for line in detail(view, model.sections[0], found, []))
    assert "cannot be reached" in text
    assert "check the machine's network" in text
    assert "seen 30s ago" in text
    assert "HostVitals edge-1  1s ago" in text
    assert "last good, 30s ago" in text
    assert "load_1m" in text


@pytest.mark.parametrize(
    ("name", "fresh", "old"),
    [
        ("rounds", "1 of 1 called", "? of 1 called"),
        ("balances", "lowest 0.", "lowest known 0."),
        ("transcoders", "sessions 20/80", "sessions ?  "),
        ("balancers", "3 of 3 servers up", "? of 3 servers up"),
        ("sync", "2 of 2 synced", "? of 2 synced"),
        ("hosts", "6 of 6 reached  units 7/7 active", "? of 6 reached  units ?/7 active"),
    ],
)
def test_a_summary_counts_nothing_that_is_not_known_now(name: str, fresh: str, old: str) -> None:
    assert text_of(pane(name, FleetBuilder()).summary).startswith(fresh)
    assert text_of(pane(name, FleetBuilder(), after=7200).summary).startswith(old)


@pytest.mark.parametrize(
    ("head_time", "text"),
    [(1795742635, "2026-11-27T01:23:55.000Z"), (5, "5"), (2**64, "18446744073709551616")],
)
def test_evidence_tells_times_as_people_do(head_time: int, text: str) -> None:
    view = view_of(FleetBuilder().change(RpcHead, "nitro", head_time=head_time))
    model = PRESENTERS["sync"](view)
    section = model.sections[0]
    lines = [text_of(line).split() for line in detail(view, section, section.rows[0], [])]
    assert ["head_time", text] in lines


def test_a_summary_counts_the_cards_that_are_seen() -> None:
    summary = text_of(pane("transcoders", FleetBuilder().lose_host("gpu-1")).summary)
    assert summary.endswith("GPUs 2+?")
    assert text_of(pane("transcoders", FleetBuilder()).summary).endswith("GPUs 4")
    old = pane("transcoders", FleetBuilder(), after=7200)
    assert text_of(old.summary).endswith("GPUs ?")


def test_a_summary_tells_known_from_unknown() -> None:
    builder = FleetBuilder().drop(HostVitals, "gpu-1").lose_host("gpu-2")
    assert text_of(pane("hosts", builder).summary).startswith("4 of 6 reached, 1 unknown")
