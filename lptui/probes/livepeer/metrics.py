"""Reads a node's `/metrics` page (go-livepeer monitor/census.go).

A page has some hundred lines for each one that matters here, most of them Go's own; only the
lines of interest are given to the Prometheus parser, which would take six times longer for all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.units import WEI_PER_GWEI, Wei
from lptui.text import clean

PAGE_LIMIT: Final = 4 * 1024 * 1024
"""Most bytes of a page; `-metricsPerStream` makes long ones."""

_MANY_LINES: Final = 20_000
_PREFIX: Final = "livepeer_"
_WANTED: Final = (
    "livepeer_versions",
    "livepeer_max_sessions_total",
    "livepeer_current_sessions_total",
    "livepeer_transcoders_number",
    "livepeer_transcoders_capacity",
    "livepeer_segment_source_emerged_total",
    "livepeer_segment_source_uploaded_total",
    "livepeer_segment_source_upload_failed_total",
    "livepeer_segment_transcoded_total",
    "livepeer_segment_transcode_failed_total",
    "livepeer_transcode_score_bucket",
    "livepeer_transcode_score_sum",
    "livepeer_transcode_score_count",
    "livepeer_transcode_time_seconds_sum",
    "livepeer_transcode_time_seconds_count",
    "livepeer_success_rate",
    "livepeer_reward_call_errors",
    "livepeer_ticket_redemption_errors",
    "livepeer_payment_recv_errors",
    "livepeer_winning_tickets_recv",
    "livepeer_ticket_value_recv",
    "livepeer_value_redeemed",
    "livepeer_suggested_gas_price",
    "livepeer_max_gas_price",
    "process_start_time_seconds",
    "process_open_fds",
    "process_max_fds",
    "process_resident_memory_bytes",
)
_TRANSCODER: Final = "trcr"
"""The node type of a standalone transcoder, which counts its work by its uploads alone."""


@dataclass(frozen=True, slots=True)
class _Sample:
    """A line: labels, the value, and the value as it was written."""

    labels: dict[str, str]
    value: float
    text: str


class _Page:
    """The samples of interest by name."""

    def __init__(self, samples: Iterable[tuple[str, _Sample]]) -> None:
        self._by_name: dict[str, list[_Sample]] = {}
        for name, sample in samples:
            self._by_name.setdefault(name.removeprefix(_PREFIX), []).append(sample)

    def of(self, name: str) -> list[_Sample]:
        return self._by_name.get(name, [])

    def counter(self, name: str) -> int:
        """The sum over all label sets; 0 when nothing was recorded yet. Raises BadAnswerError."""
        samples = self.of(name)
        total = _whole(math.fsum(_finite(samples)))
        if total is None or len(_finite(samples)) < len(samples):
            raise BadAnswerError("/metrics", f"{name} is no count")
        return total

    def share(self, name: str) -> float | None:
        """A gauge from 0 to 1, None when there is none or it is none of these."""
        found = self.gauge(name)
        return found if found is not None and 0 <= found <= 1 else None

    def gauge(self, name: str) -> float | None:
        """The sum over all label sets, None when there is none."""
        values = _finite(self.of(name))
        return math.fsum(values) if values else None

    def whole(self, name: str) -> int | None:
        found = self.gauge(name)
        return None if found is None else _whole(found)

    def money(self, name: str) -> Wei | None:
        """The sum over all label sets in wei, exact; None when there is none."""
        amounts = [amount for s in self.of(name) if (amount := gwei(s.text)) is not None]
        return Wei(sum(amounts)) if amounts else None

    def label(self, name: str, label: str) -> str:
        return next((clean(s.labels.get(label, ""), 80) for s in self.of(name)), "")


def parse_metrics(raw: bytes, before: NodeMetrics | None = None) -> NodeMetrics:
    """A metrics page; `before` is the reading before it. Raises BadAnswerError.

    The average time a segment took and the real-time factor are over the segments since `before`;
    over the process's whole life where there is none, or no new segment, or the process has
    restarted. The median score is over the whole life. `success_rate` is a gateway's own figure;
    elsewhere it is the share of segments that were transcoded, since the start.
    """
    page = _Page(_samples(raw))
    started = page.gauge("process_start_time_seconds")
    count = page.gauge("transcode_time_seconds_count") or 0.0
    total = page.gauge("transcode_time_seconds_sum") or 0.0
    score = [(_bound(s), s.value) for s in page.of("transcode_score_bucket")]
    scored = page.gauge("transcode_score_count") or 0.0
    score_sum = page.gauge("transcode_score_sum") or 0.0
    done, failed = "segment_transcoded_total", "segment_transcode_failed_total"
    is_same = before is not None and before.monitored and before.started_at == started
    past = before if is_same else None
    sessions = page.whole("current_sessions_total")
    node_type = page.label("versions", "node_type")
    if node_type == _TRANSCODER:
        # A transcoder of its own never counts its sessions: its gauge stays at 0.
        sessions = None
        done, failed = "segment_source_uploaded_total", "segment_source_upload_failed_total"
    transcoded, lost = page.counter(done), page.counter(failed)
    rate = page.share("success_rate")
    if rate is None and transcoded + lost:
        rate = transcoded / (transcoded + lost)
    return NodeMetrics(
        monitored=True,
        started_at=started,
        version=page.label("versions", "livepeerversion"),
        max_sessions=page.whole("max_sessions_total"),
        current_sessions=sessions,
        transcoders=page.whole("transcoders_number"),
        transcoders_capacity=page.whole("transcoders_capacity"),
        segments_received=page.counter("segment_source_emerged_total"),
        segments_transcoded=transcoded,
        segments_failed=lost,
        success_rate=rate,
        transcode_score_p50=quantile(0.5, score),
        real_time_factor=_average(
            (scored, score_sum), (past.score_count, past.score_sum) if past else None
        ),
        latency_avg_s=_average(
            (count, total), (past.transcode_count, past.transcode_sum_s) if past else None
        ),
        transcode_count=count,
        transcode_sum_s=total,
        score_count=scored,
        score_sum=score_sum,
        reward_errors=page.counter("reward_call_errors"),
        redemption_errors=page.counter("ticket_redemption_errors"),
        payment_errors=page.counter("payment_recv_errors"),
        winning_tickets=page.counter("winning_tickets_recv"),
        ticket_value=page.money("ticket_value_recv") or Wei(0),
        value_redeemed=page.money("value_redeemed") or Wei(0),
        suggested_gas_price=page.money("suggested_gas_price"),
        max_gas_price=page.money("max_gas_price"),
        open_files=page.whole("process_open_fds"),
        max_files=page.whole("process_max_fds"),
        resident_memory=page.whole("process_resident_memory_bytes"),
        node_type=node_type,
    )


def gwei(text: str) -> Wei | None:
    """An amount in gwei, as a page writes it, in whole wei; None for NaN, infinite and absurd."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount < 0 or amount.adjusted() > 60 or amount.adjusted() < -60:
        return Wei(0) if amount.is_zero() else None
    return Wei(int(Fraction(amount) * WEI_PER_GWEI))


def quantile(share: float, buckets: Iterable[tuple[float, float]]) -> float | None:
    """A quantile of a histogram as Prometheus estimates it: linear within a bucket.

    `buckets` are upper bounds and cumulative counts, of several label sets in any order. None
    when nothing was counted, or it lies beyond the last finite bound.
    """
    sums: dict[float, float] = {}
    for bound, value in buckets:
        if not math.isnan(bound) and math.isfinite(value) and value >= 0:
            sums[bound] = sums.get(bound, 0.0) + value
    ordered = sorted(sums.items())
    total = ordered[-1][1] if ordered and math.isinf(ordered[-1][0]) else 0.0
    below, lower = 0.0, 0.0
    for bound, reached in ordered:
        if total > 0 and reached >= share * total and reached > below:
            if math.isinf(bound):
                return None
            return lower + (bound - lower) * (share * total - below) / (reached - below)
        below, lower = max(below, reached), max(bound, 0.0)
    return None


def _samples(raw: bytes) -> list[tuple[str, _Sample]]:
    """The lines of interest, parsed. Raises BadAnswerError for what is no metrics page."""
    # Imported late: it loads an HTTP server along.
    from prometheus_client.parser import text_string_to_metric_families

    what = "/metrics"
    text = raw.decode("utf-8", "replace")
    if not text.strip() or text.lstrip()[:1] in "<{":
        raise BadAnswerError(what, f"not a metrics page: {clean(text, 60) or 'an empty answer'}")
    lines = [line for line in text.split("\n") if line.startswith(_WANTED)][:_MANY_LINES]
    found: list[tuple[str, _Sample]] = []
    for line in lines:
        try:
            families = list(text_string_to_metric_families(line))
        except Exception as error:  # its parser has no error class of its own
            raise BadAnswerError(what, f"a line that is no sample: {clean(line, 60)}") from error
        written = line.rpartition("}")[2].split() if "}" in line else line.split()[1:]
        for family in families:
            found += [
                (s.name, _Sample(s.labels, s.value, written[0] if written else ""))
                for s in family.samples
            ]
    if not any(name.startswith(_PREFIX) for name, _ in found):
        raise BadAnswerError(what, "no livepeer_ series in it: the page of something else?")
    return found


Counted = tuple[float, float]
"""How many there were of something, and their sum."""


def _average(now: Counted, before: Counted | None) -> float | None:
    """Of those since `before`; of all where there is none, or no new one."""
    count, total = now
    if before is not None and count > before[0] and total >= before[1]:
        return (total - before[1]) / (count - before[0])
    return total / count if count > 0 else None


def _bound(sample: _Sample) -> float:
    try:
        return float(sample.labels.get("le", "nan"))
    except ValueError:
        return math.nan


def _finite(samples: Iterable[_Sample]) -> list[float]:
    return [s.value for s in samples if math.isfinite(s.value) and abs(s.value) < 2.0**200]


def _whole(value: float) -> int | None:
    """A number of things; None for what cannot be one."""
    return round(value) if 0 <= value < 2.0**63 else None
