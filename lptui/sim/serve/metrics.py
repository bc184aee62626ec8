"""The `/metrics` page of a simulated node (go-livepeer monitor/census.go): Prometheus text with
the real names, where a series does not exist before it was first recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lptui.fleet.topology import Role
from lptui.sim.world.livepeer import SCORE_BUCKETS, TRANSCODE_BUCKETS, LivepeerProcess
from lptui.sim.world.world import World

PROFILES: Final = 'profiles="P240p30fps16x9,P360p30fps16x9,P720p30fps16x9",trusted="trusted"'


def metrics_page(world: World, node: LivepeerProcess) -> str:
    """The whole page."""
    lines: list[str] = []
    account = f"{node.account}-" if node.account else ""
    base = f'node_id="{_label(world.say(account + node.host))}",node_type="{node.node_type}"'
    for name, kind, value, labels in _series(world, node):
        lines.append(f"# HELP {name} {name.removeprefix('livepeer_')}")
        lines.append(f"# TYPE {name} {kind}")
        joined = f"{base},{labels}" if labels else base
        lines.append(f"{name}{{{joined}}} {_number(value)}")
    if Role.ORCHESTRATOR in node.roles and node.work.transcoded:
        lines.extend(_histograms(node, base))
    lines.extend(_process(world, node))
    return "\n".join(lines) + "\n"


def _series(world: World, node: LivepeerProcess) -> Iterator[tuple[str, str, float, str]]:
    work = node.work
    version = f'livepeerversion="{_label(world.say(node.version))}"'
    build = 'compiler="gc",goarch="amd64",goos="linux",goversion="go1.23.2"'
    yield "livepeer_versions", "gauge", 1, f"{build},{version}"
    yield "livepeer_max_sessions_total", "gauge", node.max_sessions or 10, ""
    is_transcoder = Role.TRANSCODER in node.roles
    yield "livepeer_current_sessions_total", "gauge", 0 if is_transcoder else node.sessions, ""
    yield "livepeer_transcoders_number", "gauge", len(node.links), ""
    capacity = sum(link.capacity for link in node.links)
    yield "livepeer_transcoders_capacity", "gauge", capacity, ""
    yield "livepeer_transcoders_load", "gauge", 0, ""
    if node.has_chain:
        yield "livepeer_winning_tickets_recv", "counter", work.winning, 'sender="gateway"'
        yield "livepeer_value_redeemed", "counter", work.redeemed_gwei, 'sender="gateway"'
        yield "livepeer_min_gas_price", "gauge", node.min_gas_price / 1e9, ""
        yield "livepeer_suggested_gas_price", "gauge", world.ledger.gas_price / 1e9, ""
    if node.max_gas_price is not None:
        yield "livepeer_max_gas_price", "gauge", node.max_gas_price / 1e9, ""
    for name, count in (
        ("livepeer_reward_call_errors", work.reward_errors),
        ("livepeer_ticket_redemption_errors", work.redemption_errors),
        ("livepeer_segment_source_uploaded_total", work.uploaded),
        ("livepeer_segment_source_emerged_total", work.received),
        ("livepeer_tickets_recv", work.tickets),
        ("livepeer_ticket_value_recv", work.ticket_value_gwei),
    ):
        if count:
            yield name, "counter", count, ""
    if work.transcoded:
        yield "livepeer_segment_transcoded_total", "counter", work.transcoded, PROFILES
    if work.failed:
        labels = 'error_code="TranscodeLoopTimeout"'
        yield "livepeer_segment_transcode_failed_total", "counter", work.failed, labels
    if work.payment_errors:
        labels = 'error_code="PaymentError"'
        yield "livepeer_payment_recv_errors", "counter", work.payment_errors, labels


def _histograms(node: LivepeerProcess, base: str) -> Iterator[str]:
    work = node.work
    counted = max(work.transcode_buckets[-1], work.score_buckets[-1])
    for name, bounds, buckets, total in (
        (
            "transcode_time_seconds",
            TRANSCODE_BUCKETS,
            work.transcode_buckets,
            work.transcode_seconds,
        ),
        ("transcode_score", SCORE_BUCKETS, work.score_buckets, work.score_sum),
    ):
        yield from _histogram(f"livepeer_{name}", bounds, buckets, total, counted, base)


def _histogram(
    name: str,
    bounds: Sequence[float],
    buckets: Sequence[int],
    total: float,
    counted: int,
    base: str,
) -> Iterator[str]:
    labels = f"{base},{PROFILES}"
    yield f"# TYPE {name} histogram"
    for bound, count in zip(bounds, buckets, strict=True):
        yield f'{name}_bucket{{{labels},le="{bound:g}"}} {count}'
    yield f'{name}_bucket{{{labels},le="+Inf"}} {counted}'
    yield f"{name}_sum{{{labels}}} {_number(total)}"
    yield f"{name}_count{{{labels}}} {counted}"


def _process(world: World, node: LivepeerProcess) -> Iterator[str]:
    unit = world.machines[node.host].units.get(node.unit)
    process = world.machines[node.host].processes.get((unit.pid if unit else 0) or 0)
    for name, value in (
        ("go_goroutines", 60 + node.sessions * 6),
        ("process_start_time_seconds", node.started),
        ("process_open_fds", process.files if process else 0),
        ("process_max_fds", process.file_limit if process else 0),
        ("process_resident_memory_bytes", unit.memory if unit else 0),
        ("process_cpu_seconds_total", (world.now - node.started) * 0.4),
    ):
        kind = "counter" if name.endswith("_total") else "gauge"
        yield f"# TYPE {name} {kind}"
        yield f"{name} {_number(value)}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.10g}"


def _label(value: str) -> str:
    """A label's value as the text format wants it escaped."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
