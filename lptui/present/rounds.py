"""Pane 1: the round, and for each orchestrator whether reward was called, with the evidence."""

from __future__ import annotations

from collections.abc import Callable

from lptui.fleet.callers import accounts_of
from lptui.fleet.deadline import pace_of
from lptui.fleet.duty import at_work
from lptui.fleet.facts.chain import (
    ChainRound,
    GasPrices,
    OrchestratorRecord,
    RewardHistory,
    RoundOutcome,
)
from lptui.fleet.facts.livepeer import NodeIdentity, NodeStatus
from lptui.fleet.facts.reward import (
    ExplorerRewards,
    L1Pace,
    NodeReward,
    NodeRewardLog,
    RewardWatch,
)
from lptui.fleet.facts.stake import StakeHistory, TranscoderPool
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Chain, Node, Orchestrator, Role
from lptui.fleet.units import Address, format_gwei, format_units, short_address
from lptui.present.callers import automatic_lines
from lptui.present.model import (
    EMPTY_CELL,
    UNKNOWN_CELL,
    Cell,
    Column,
    Line,
    PaneModel,
    Row,
    Span,
    State,
    Tone,
    spans_cell,
)
from lptui.present.rewards import reward_cells
from lptui.present.stake import place_cells, rates_cell
from lptui.present.view import (
    View,
    cell,
    joined,
    keys,
    label,
    name_width,
    note_cell,
    problem_words,
    row_state,
    search_text,
    section,
    shown_at,
    state_cell,
    tally,
)
from lptui.present.words import age, bar, duration, grouped, out_of

STRIP_ROUNDS = 30

SIGNS = {
    RoundOutcome.CALLED: Span("▇", Tone.OK),
    RoundOutcome.MISSED: Span("x", Tone.CRITICAL),
    RoundOutcome.INACTIVE: Span("·", Tone.MUTED),
    RoundOutcome.PENDING: Span("▁", Tone.ACCENT),
    RoundOutcome.NOT_INITIALIZED: Span("-", Tone.WARN),
    RoundOutcome.UNKNOWN: Span("?", Tone.UNKNOWN),
}
"""One character a round: called, missed, inactive, still to call, not initialised, not known."""


def present(view: View) -> PaneModel:
    """The pane."""
    chain = view.snapshot.fleet.chain
    if chain is None:
        return PaneModel("rounds", State.OK, empty="no chain in the configuration")
    clock = view.reading(ChainRound, chain.network)
    rows = tuple(_row(view, chain, each, clock) for each in chain.orchestrators)
    round_verdict = view.findings.verdict((("round", chain.network), ("round", "round")))
    state, counts = tally(rows)
    if round_verdict.state > State.PENDING:
        state = max(state, round_verdict.state)
        merged = dict(counts)
        merged[round_verdict.state] = merged.get(round_verdict.state, 0) + 1
        counts = tuple(sorted(merged.items(), reverse=True))
    told = [row.cells[2] for row in rows]
    called = sum(1 for each in told if each.text == "called" and each.since is None)
    unknown = sum(1 for each in told if each.text == "?" or each.since is not None)
    summary = (Span(out_of(called, len(rows), "called", unknown)),) if rows else ()
    return PaneModel(
        "rounds",
        state,
        counts,
        summary,
        (*_lead(view, chain, clock), *automatic_lines(view)),
        (section("orchestrators", "orchestrator", _columns(chain), rows),),
        empty="no orchestrators in the configuration",
    )


def _columns(chain: Chain) -> tuple[Column, ...]:
    names = name_width(each.name for each in chain.orchestrators)
    callers = name_width((_caller_name(each) for each in chain.orchestrators), 6, 16)
    return (
        Column("state", "st", 4),
        Column("name", "orch", max(names, 8)),
        Column("reward", "reward", 8),
        Column("evidence", "evidence", 24, 1),
        Column("last", "last", 6, 5, right=True),
        Column("caller", "caller", callers, 4),
        Column("active", "active", 8, 6),
        Column("stake", "stake LPT", 11, 7, right=True),
        Column("place", "place", 7, 8, right=True),
        Column("margin", "above last", 12, 9, right=True),
        Column("cuts", "cut/share", 13, 10),
        Column("price", "wei/pixel", 9, 11, right=True),
        Column("cost", "call now → mint", 24, 12),
        Column("strip", "last rounds", 12, 3, grow=True, tail=True),
        Column("note", "why", 20, grow=True),
        Column("age", "age", 5, 0, right=True),
    )


def _row(view: View, chain: Chain, it: Orchestrator, clock: Reading[ChainRound]) -> Row:
    record = view.reading(OrchestratorRecord, it.name)
    past = view.reading(RewardHistory, it.name)
    gas = view.reading(GasPrices, chain.network)
    pool = view.reading(TranscoderPool, chain.network)
    nodes = _nodes_of(view, it)
    statuses = tuple(view.reading(NodeStatus, node.name) for node in nodes)
    words = tuple(view.reading(NodeReward, node.name) for node in nodes)
    subjects = (("orchestrator", it.name), ("round", chain.network))
    verdict = view.findings.verdict(subjects[:1])
    old = tuple(view.is_old(reading) for reading in (record, clock, past, gas, pool))

    def make() -> Row:
        reward, evidence = reward_cells(view, it, clock, record, past)
        note = note_cell(verdict, problem_words(record))
        state = row_state(verdict, record, old[0])
        cells = (
            state_cell(state, verdict.acknowledged),
            cell(it.name),
            reward,
            evidence,
            _of_record(
                view, record, lambda r: str(r.last_reward_round), lambda r: r.last_reward_round
            ),
            _caller(view, it, clock, past),
            _active(view, record),
            _of_record(
                view,
                record,
                lambda r: "?" if r.stake is None else format_units(r.stake, 2),
                lambda r: r.stake,
            ),
            *place_cells(view, it, pool),
            rates_cell(view, record, clock),
            _price(statuses),
            _cost(view, chain, clock, record, gas),
            _strip(view, past),
            note,
            EMPTY_CELL,
        )
        return Row(
            f"orchestrator:{it.name}",
            cells,
            state,
            subjects,
            keys(
                (OrchestratorRecord, it.name),
                (ChainRound, chain.network),
                (RewardHistory, it.name),
                (GasPrices, chain.network),
                (StakeHistory, it.name),
                *((NodeIdentity, node.name) for node in nodes),
                *((NodeStatus, node.name) for node in nodes),
                *((NodeReward, n.name) for n in nodes if view.reading(NodeReward, n.name).source),
                *((NodeRewardLog, n.name) for n in nodes if _has_log(view, n)),
                (RewardWatch, it.name),
                (TranscoderPool, chain.network),
                *(((ExplorerRewards, it.name),) if chain.explorer is not None else ()),
            ),
            shown_at(record),
            record.interval_s,
            search_text(
                it.name, it.address, reward.text, evidence.text, note.text, role="orchestrator"
            ),
            problem_words(record),
            verdict.acknowledged,
        )

    return view.memo.row(
        f"orchestrator:{it.name}",
        (clock, record, past, gas, pool, view.reading(L1Pace, chain.network), *statuses, *words),
        (verdict, old),
        make,
    )


def _of_record(
    view: View,
    record: Reading[OrchestratorRecord],
    say: Callable[[OrchestratorRecord], str],
    sort: Callable[[OrchestratorRecord], int | None],
) -> Cell:
    value, since = view.last(record)
    if value is None:
        return UNKNOWN_CELL
    text = say(value)
    return Cell(text, Tone.UNKNOWN if text == "?" else Tone.NORMAL, sort(value), since)


def _active(view: View, record: Reading[OrchestratorRecord]) -> Cell:
    value, since = view.last(record)
    if value is None:
        return UNKNOWN_CELL
    if value.active:
        return Cell("active", Tone.OK, 0, since)
    word = "inactive" if value.registered else "unregist"
    return Cell(word, Tone.CRITICAL, 1, since)


def _has_log(view: View, node: Node) -> bool:
    return bool(view.reading(NodeRewardLog, node.name).taken_at)


def _nodes_of(view: View, it: Orchestrator) -> tuple[Node, ...]:
    """The nodes that work for an orchestrator."""
    fleet = view.snapshot.fleet
    return tuple(
        node
        for node in fleet.nodes.values()
        if node.is_livepeer
        and (it.address in (node.recipient, node.account) or node.name == it.reward_caller)
    )


def _caller_name(it: Orchestrator) -> str:
    return it.reward_caller or ""


def _caller(
    view: View, it: Orchestrator, clock: Reading[ChainRound], past: Reading[RewardHistory]
) -> Cell:
    """Who has called in this round; before that, muted, who is expected to."""
    expected = _expected_caller(view, it)
    now, _ = view.last(clock)
    history, since = view.last(past)
    events = history.events if history is not None and now is not None else ()
    account = next((e.caller for e in reversed(events) if now and e.round == now.round), None)
    if account is None:
        return cell(expected, tone=Tone.MUTED) if expected else UNKNOWN_CELL
    names = _names_of(view, account)
    if expected in names:
        return cell(expected, since=since)
    tone = Tone.WARN if it.reward_caller else Tone.NORMAL
    return cell(names[0], tone=tone, since=since)


def _names_of(view: View, account: Address) -> tuple[str, ...]:
    """The nodes that act with an account and the signers with it, else its address."""
    nodes = (node.name for node, held, _ in accounts_of(view.snapshot) if held == account)
    signers = (one.name for one in view.snapshot.fleet.signers if one.address == account)
    return (*nodes, *signers) or (short_address(account),)


def _expected_caller(view: View, it: Orchestrator) -> str:
    """The configured node, or the one with the key or the role; "" where there is none."""
    if it.reward_caller:
        return at_work(view.snapshot, it.reward_caller)
    for node in _nodes_of(view, it):
        if Role.REWARD in node.roles or node.account == it.address:
            return at_work(view.snapshot, node.name)
    return ""


def _price(statuses: tuple[Reading[NodeStatus], ...]) -> Cell:
    """The default price of the first node that says one."""
    for reading in statuses:
        if reading.value is not None:
            for gateway, price in reading.value.prices:
                if gateway == "default":
                    return Cell(f"{float(price):.4g}", Tone.NORMAL, price)
    return EMPTY_CELL if not statuses else UNKNOWN_CELL


def _cost(
    view: View,
    chain: Chain,
    clock: Reading[ChainRound],
    record: Reading[OrchestratorRecord],
    gas: Reading[GasPrices],
) -> Cell:
    """What the call costs at the present gas price, and what it would mint."""
    prices, since = view.last(gas)
    if prices is None:
        return UNKNOWN_CELL
    cost = prices.gas_price * view.snapshot.fleet.thresholds.reward_gas
    round_, held = clock.value, record.value
    mint = "?"
    if round_ and held and round_.mintable and round_.total_active_stake and held.stake is not None:
        mint = format_units(round_.mintable * held.stake // round_.total_active_stake, 2)
    return Cell(f"{format_units(cost, 6)} ETH → {mint} LPT", Tone.NORMAL, cost, since)


def _strip(view: View, past: Reading[RewardHistory]) -> Cell:
    value, since = view.last(past)
    if value is None:
        return UNKNOWN_CELL
    recent = value.rounds[-STRIP_ROUNDS:]
    spans: list[Span] = []
    for _, outcome in recent:
        sign = SIGNS[outcome] if since is None else SIGNS[outcome]._replace(tone=Tone.MUTED)
        if spans and spans[-1].tone is sign.tone:
            spans[-1] = Span(spans[-1].text + sign.text, sign.tone)
        else:
            spans.append(sign)
    missed = sum(1 for _, outcome in recent if outcome is RoundOutcome.MISSED)
    return spans_cell(tuple(spans), missed)


def _lead(view: View, chain: Chain, clock: Reading[ChainRound]) -> tuple[Line, ...]:
    value, since = view.last(clock)
    if value is None:
        return ((Span("round unknown: ", Tone.UNKNOWN), Span(problem_words(clock), Tone.MUTED)),)
    if since is not None:
        why = problem_words(clock) or "its head is old"
        text = f"round {value.round}, seen {age(view.now - since)} ago: {why}"
        return ((Span(text, Tone.UNKNOWN),),)
    done = value.blocks_into / value.length if value.length else 0.0
    begun = (
        Span("initialised", Tone.OK)
        if value.initialized
        else Span("not initialised", Tone.CRITICAL)
    )
    pace = pace_of(view.snapshot)
    to_lock = max(0, value.blocks_left - value.lock_blocks) * pace.seconds
    lock = (
        Span("locked", Tone.WARN)
        if value.locked
        else Span(f"lock in {duration(to_lock)}", Tone.MUTED)
    )
    first = joined(
        (
            (Span(f"round {value.round} ", Tone.STRONG), Span(bar(done, 16), Tone.ACCENT)),
            (Span(f"{min(100, done * 100):.0f}%", Tone.NORMAL),),
            (Span(f"~{duration(value.blocks_left * pace.seconds)} left", Tone.STRONG),),
            (begun,),
            (lock,),
            (Span(f"{value.blocks_into}/{value.length} L1 blocks", Tone.MUTED),),
        ),
        "  ",
    )
    gas, gas_since = view.seen(GasPrices, chain.network)
    facts = [label("rpc", Span(value.rpc))]
    if value.head is not None:
        facts.append(label("L2 block", Span(grouped(value.head))))
    if gas is not None and gas_since is None:
        facts.append(label("gas", Span(format_gwei(gas.gas_price))))
    initialiser = _initialiser(view, chain, value)
    if initialiser is not None:
        facts.append(label("initialised by", Span(_names_of(view, initialiser)[0])))
    if value.pool_size is not None:
        facts.append(label("pool", Span(f"{value.pool_size}/{value.pool_max or '?'}")))
    return (first, joined(facts))


def _initialiser(view: View, chain: Chain, clock: ChainRound) -> Address | None:
    """Who initialised the current round, as far as the logs have told."""
    for each in chain.orchestrators:
        past = view.reading(RewardHistory, each.name).value
        if past is not None and past.is_of(clock.round):
            return past.begun_by
    return None
