"""Pane 2: each signing key's money: balance, trend, runway, limits; deposits, fees, stake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.fleet.facts.chain import (
    ChainRound,
    GasPrices,
    OrchestratorRecord,
    RewardHistory,
    RoundOutcome,
    SenderDeposit,
    SignerAccount,
)
from lptui.fleet.facts.gas import FeeTrend, PaidCall
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.facts.money import AccountFlow, EarningsFlow
from lptui.fleet.facts.tickets import Redemptions
from lptui.fleet.flows import Basis, burn, runway, whole_rounds
from lptui.fleet.gas import exact_gwei, suggested_cap
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Orchestrator, Role, Signer
from lptui.fleet.units import Round, Wei, format_gwei, format_units, short_address
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
)
from lptui.present.redemption import redemption
from lptui.present.view import (
    SPARK_WINDOW_S,
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
from lptui.present.words import duration, spark

_FRUITLESS: Final = (RoundOutcome.MISSED, RoundOutcome.INACTIVE, RoundOutcome.NOT_INITIALIZED)


def present(view: View) -> PaneModel:
    """The pane."""
    signers = known_signers(view.snapshot)
    watched = view.snapshot.fleet.signers
    rows = tuple(_row(view, signer) for signer in signers)
    queue = redemption(view)
    queues = (queue,) if queue is not None else ()
    everything = (*rows, *(row for part in queues for row in part.rows))
    state, counts = tally(everything)
    accounts = [view.seen(SignerAccount, signer.address) for signer in watched]
    lowest = min((known.balance for known, _ in accounts if known is not None), default=None)
    summary: Line = ()
    if lowest is not None:
        sure = all(known is not None and since is None for known, since in accounts)
        word = "lowest " if sure else "lowest known "
        summary = (Span(word, Tone.MUTED), Span(f"{format_units(lowest, 4)} ETH"))
    return PaneModel(
        "balances",
        State.OK if not everything else state,
        counts,
        summary,
        _lead(view),
        (section("signers", "key", _columns(signers), rows), *queues),
        empty="no signing keys in the configuration",
    )


def known_signers(snapshot: Snapshot) -> tuple[Signer, ...]:
    """Configured signers, which have limits; then other accounts of nodes that are read as well."""
    fleet = snapshot.fleet
    found = {signer.address: signer for signer in fleet.signers}
    for node in fleet.nodes.values():
        if node.account is not None and node.account not in found and node.is_livepeer:
            role = min(node.roles, key=list(Role).index)
            found[node.account] = Signer(node.name, node.account, role.value)
    if fleet.chain is not None:
        for it in fleet.chain.orchestrators:
            if it.address not in found:
                found[it.address] = Signer(it.name, it.address, "registered")
    configured = {signer.address for signer in fleet.signers}
    return tuple(
        signer
        for signer in found.values()
        if signer.address in configured or snapshot.reading(SignerAccount, signer.address).taken_at
    )


def _columns(signers: Sequence[Signer]) -> tuple[Column, ...]:
    return (
        Column("state", "st", 4),
        Column("name", "key", name_width((s.name for s in signers), 8, 18)),
        Column("role", "role", 12, 4),
        Column("balance", "ETH", 11, right=True),
        Column("trend", "trend 5m", 10, 5),
        Column("runway", "runway", 12, 1, right=True),
        Column("burn", "ETH/round", 11, 11, right=True),
        Column("limit", "warn/crit", 13, 6),
        Column("nonce", "nonce", 9, 3, right=True),
        Column("deposit", "deposit+reserve", 15, 9, right=True),
        Column("fees", "fees ETH", 10, 8, right=True),
        Column("earned", "fees/round", 10, 12, right=True),
        Column("redeemed", "tickets/round", 13, 14, right=True),
        Column("stake", "stake LPT", 11, 10, right=True),
        Column("minted", "LPT/round", 10, 13, right=True),
        Column("address", "address", 11, 11),
        Column("note", "why", 20, grow=True),
        Column("age", "age", 5, 0, right=True),
    )


def _row(view: View, signer: Signer) -> Row:
    fleet = view.snapshot.fleet
    chain = fleet.chain
    network = chain.network if chain else ""
    reading = view.reading(SignerAccount, signer.address)
    gas = view.reading(GasPrices, network)
    clock = view.reading(ChainRound, network)
    deposit = view.reading(SenderDeposit, signer.address)
    registered = next(
        (it for it in (chain.orchestrators if chain else ()) if it.address == signer.address), None
    )
    record = view.reading(OrchestratorRecord, registered.name if registered else "")
    flow = view.reading(AccountFlow, signer.address)
    earnings = view.reading(EarningsFlow, registered.name if registered else "")
    rewards = view.reading(RewardHistory, registered.name if registered else "")
    redeemed = view.reading(Redemptions, registered.name if registered else "")
    subjects = (("signer", signer.name), ("signer", signer.address))
    verdict = view.findings.verdict(subjects)
    old = (view.is_old(reading), view.is_old(gas), view.is_old(record), view.is_old(deposit))

    def make() -> Row:
        state = row_state(verdict, reading, old[0])
        note = note_cell(verdict, problem_words(reading))
        more: tuple[tuple[type, str], ...] = ((AccountFlow, signer.address),)
        if registered is not None:
            more += (
                (OrchestratorRecord, registered.name),
                (EarningsFlow, registered.name),
                (Redemptions, registered.name),
                (RewardHistory, registered.name),
                (PaidCall, registered.name),
            )
        if _is_gateway(fleet, signer):
            more += ((SenderDeposit, signer.address),)
        cells = (
            state_cell(state, verdict.acknowledged),
            cell(signer.name),
            cell(signer.role, tone=Tone.MUTED),
            _balance(view, signer),
            _trend(view, signer),
            _runway(view, signer),
            _burn(view, signer),
            _limits(view, signer),
            _nonce(view, signer),
            _deposit(view, signer),
            _record_cell(view, registered.name if registered else None, "pending_fees", 4),
            _earned(view, registered),
            _redeemed(view, registered),
            _record_cell(view, registered.name if registered else None, "pending_stake", 2),
            _minted(view, registered),
            cell(short_address(signer.address), tone=Tone.MUTED),
            note,
            EMPTY_CELL,
        )
        return Row(
            f"signer:{signer.address}",
            cells,
            state,
            (*subjects, *((("orchestrator", registered.name),) if registered else ())),
            keys((SignerAccount, signer.address), (GasPrices, network), *more),
            shown_at(reading),
            reading.interval_s,
            search_text(signer.name, signer.address, note.text, role=signer.role),
            problem_words(reading),
            verdict.acknowledged,
            ((signer.address, "balance", "balance, ETH"),),
        )

    return view.memo.row(
        f"signer:{signer.address}",
        (reading, gas, clock, deposit, record, flow, earnings, rewards, redeemed),
        (verdict, old),
        make,
    )


def _balance(view: View, signer: Signer) -> Cell:
    value, since = view.seen(SignerAccount, signer.address)
    if value is None:
        return UNKNOWN_CELL
    if signer not in view.snapshot.fleet.signers:
        return Cell(format_units(value.balance, 5), Tone.NORMAL, value.balance, since)
    warn, critical = _thresholds(view, signer)
    tone = Tone.CRITICAL if value.balance < critical else Tone.NORMAL
    if value.balance < warn and tone is Tone.NORMAL:
        tone = Tone.WARN
    return Cell(format_units(value.balance, 5), tone, value.balance, since)


def _thresholds(view: View, signer: Signer) -> tuple[int, int]:
    limits = view.snapshot.fleet.thresholds
    warn = limits.balance_warn if signer.warn_below is None else signer.warn_below
    critical = limits.balance_critical if signer.critical_below is None else signer.critical_below
    return warn, critical


def _limits(view: View, signer: Signer) -> Cell:
    if signer not in view.snapshot.fleet.signers:
        return EMPTY_CELL
    warn, critical = _thresholds(view, signer)
    return Cell(f"{_short(warn)}/{_short(critical)}", Tone.MUTED, warn)


def _short(wei: int) -> str:
    return format_units(wei, 4).rstrip("0").rstrip(".") or "0"


def _trend(view: View, signer: Signer) -> Cell:
    series = view.history.get(signer.address, "balance")
    if series is None or len(series) < 2:
        return Cell("", Tone.MUTED)
    return Cell(spark(series.buckets(10, SPARK_WINDOW_S)), Tone.ACCENT)


def _runway(view: View, signer: Signer) -> Cell:
    """How long the balance lasts: by the measured burn, else in rounds of one reward call."""
    value, since = view.seen(SignerAccount, signer.address)
    chain = view.snapshot.fleet.chain
    if signer not in view.snapshot.fleet.signers or chain is None:
        return EMPTY_CELL
    clock, _ = view.seen(ChainRound, chain.network)
    if value is None or clock is None:
        return UNKNOWN_CELL
    flow, _ = view.seen(AccountFlow, signer.address)
    gas, _ = view.seen(GasPrices, chain.network)
    paid = [view.seen(PaidCall, item.name)[0] for item in chain.orchestrators]
    length = clock.length * chain.block_seconds
    limits = view.snapshot.fleet.thresholds
    found = runway(
        value.balance,
        flow.balance if flow is not None else None,
        length,
        Wei(gas.gas_price * limits.reward_gas) if gas is not None else None,
        max((call.cost for call in paid if call is not None), default=None),
    )
    if found is None:
        return UNKNOWN_CELL
    if found.rounds is None:
        return Cell("no cost", Tone.MUTED, None, since)
    tone = Tone.NORMAL
    if found.rounds < limits.runway_warn_rounds:
        tone = Tone.CRITICAL if found.rounds < limits.runway_critical_rounds else Tone.WARN
    seconds = found.rounds * length
    if found.basis is Basis.MEASURED:
        return Cell(duration(seconds), tone, seconds, since)
    text = f"{found.rounds} rounds" if found.rounds < 10_000 else ">9999 rounds"
    return Cell(text, tone, seconds, since)


def _burn(view: View, signer: Signer) -> Cell:
    """What it spends a round, once enough rounds were watched; the last whole one until then."""
    chain = view.snapshot.fleet.chain
    flow, since = view.seen(AccountFlow, signer.address)
    clock, _ = view.seen(ChainRound, chain.network if chain else "")
    if chain is None or flow is None or clock is None:
        return UNKNOWN_CELL if chain is not None else EMPTY_CELL
    length = clock.length * chain.block_seconds
    found = burn(flow.balance, length)
    if found is not None:
        return Cell(format_units(found[0], 6), Tone.NORMAL, found[0], since)
    whole = whole_rounds(flow.balance, length)
    if not whole:
        return Cell("not yet", Tone.MUTED, None, since)
    return Cell(f"~{format_units(whole[-1].down, 6)}", Tone.MUTED, whole[-1].down, since)


def _earned(view: View, registered: Orchestrator | None) -> Cell:
    """By what the pending fees rose in the last round that was watched as a whole."""
    chain = view.snapshot.fleet.chain
    if registered is None or chain is None:
        return EMPTY_CELL
    earnings, since = view.seen(EarningsFlow, registered.name)
    clock, _ = view.seen(ChainRound, chain.network)
    if earnings is None or earnings.fees is None or clock is None:
        return UNKNOWN_CELL
    whole = whole_rounds(earnings.fees, clock.length * chain.block_seconds)
    if not whole:
        return Cell("not yet", Tone.MUTED, None, since)
    return Cell(format_units(whole[-1].up, 4), Tone.NORMAL, whole[-1].up, since)


def _redeemed(view: View, registered: Orchestrator | None) -> Cell:
    """The face value of the tickets redeemed in the last finished round, by the chain's logs: it
    is what gateways paid; of that only a part is pending fees, the rest is the delegators'."""
    chain = view.snapshot.fleet.chain
    if registered is None or chain is None:
        return EMPTY_CELL
    found, since = view.seen(Redemptions, registered.name)
    clock, _ = view.seen(ChainRound, chain.network)
    part = found.of(clock.round - 1) if found is not None and clock is not None else None
    if part is None:
        return UNKNOWN_CELL
    return Cell(format_units(part.value, 4), Tone.NORMAL, part.value, since)


def _minted(view: View, registered: Orchestrator | None) -> Cell:
    """The last finished round's reward by its log: a stake rises by delegators' bonds as well."""
    chain = view.snapshot.fleet.chain
    if registered is None or chain is None:
        return EMPTY_CELL
    history, since = view.seen(RewardHistory, registered.name)
    clock, _ = view.seen(ChainRound, chain.network)
    if history is None or clock is None:
        return UNKNOWN_CELL
    last = Round(clock.round - 1)
    event = history.event_of(last)
    if event is not None:
        return Cell(format_units(event.amount, 2), Tone.NORMAL, event.amount, since)
    if dict(history.rounds).get(last) in _FRUITLESS:
        return Cell("0", Tone.WARN, 0, since)
    return UNKNOWN_CELL


def _nonce(view: View, signer: Signer) -> Cell:
    value, since = view.seen(SignerAccount, signer.address)
    if value is None:
        return UNKNOWN_CELL
    if not value.pending:
        return Cell(str(value.nonce), Tone.NORMAL, value.nonce, since)
    return Cell(f"{value.nonce}+{value.pending}", Tone.WARN, value.nonce, since)


def _is_gateway(fleet: Fleet, signer: Signer) -> bool:
    return any(
        Role.GATEWAY in node.roles and node.account == signer.address
        for node in fleet.nodes.values()
    )


def _deposit(view: View, signer: Signer) -> Cell:
    reading = view.reading(SenderDeposit, signer.address)
    value, since = view.last(reading)
    if value is None:
        asked = reading.taken_at or _is_gateway(view.snapshot.fleet, signer)
        return UNKNOWN_CELL if asked else EMPTY_CELL
    text = f"{format_units(value.deposit, 3)}+{format_units(value.reserve, 3)}"
    return Cell(text, Tone.NORMAL, value.deposit, since)


def _record_cell(view: View, orchestrator: str | None, field: str, places: int) -> Cell:
    if orchestrator is None:
        return EMPTY_CELL
    value, since = view.seen(OrchestratorRecord, orchestrator)
    amount = getattr(value, field) if value is not None else None
    if amount is None:
        return UNKNOWN_CELL
    return Cell(format_units(amount, places), Tone.NORMAL, amount, since)


def _lead(view: View) -> tuple[Line, ...]:
    fleet = view.snapshot.fleet
    if fleet.chain is None:
        return ()
    gas, since = view.seen(GasPrices, fleet.chain.network)
    if gas is None:
        return (label("gas price", Span("unknown", Tone.UNKNOWN)),)
    tone = Tone.MUTED if since is not None else Tone.STRONG
    parts = [label("gas", Span(format_gwei(gas.gas_price), tone))]
    if gas.base_fee is not None:
        parts.append(label("base fee", Span(format_gwei(gas.base_fee))))
    cost = gas.gas_price * fleet.thresholds.reward_gas
    parts.append(label("reward()", Span(f"≈ {format_units(cost, 6)} ETH")))
    paid = _paid(view)
    if paid:
        parts.append(label("last paid", Span(paid)))
    caps = _caps(view)
    if caps:
        parts.append(label("caps", Span(caps)))
    trend, _ = view.seen(FeeTrend, fleet.chain.network)
    if trend is not None and trend.windows:
        lowest = min(window.lowest for window in trend.windows)
        span = f"{format_gwei(lowest)} to {format_gwei(trend.highest)}"
        parts.append(label(f"base fee in {duration(view.now - trend.windows[0].at)}", Span(span)))
    suggested = suggested_cap(gas, trend)
    if caps and suggested is not None:
        parts.append(label("suggested cap", Span(exact_gwei(suggested))))
    return (joined(parts),)


def _paid(view: View) -> str:
    """The price that the newest reward call that was seen has paid."""
    chain = view.snapshot.fleet.chain
    calls = [view.seen(PaidCall, it.name)[0] for it in (chain.orchestrators if chain else ())]
    newest = max((call for call in calls if call is not None), key=lambda c: c.block, default=None)
    return format_gwei(newest.price) if newest is not None else ""


def _caps(view: View) -> str:
    """The gas price caps of the nodes that send transactions."""
    found: dict[str, list[str]] = {}
    for name, node in view.snapshot.fleet.nodes.items():
        identity = view.reading(NodeIdentity, name).value
        if not node.is_livepeer or identity is None or identity.has_gas_cap is None:
            continue
        if identity.has_gas_cap and identity.max_gas_price is not None:
            found.setdefault(format_gwei(identity.max_gas_price), []).append(name)
        else:
            found.setdefault("none", []).append(name)
    return ", ".join(
        f"{cap} ({names[0]}{f' +{len(names) - 1}' if len(names) > 1 else ''})"
        for cap, names in list(found.items())[:3]
    )
