"""A node's metrics in the text form that Prometheus reads, as the Go libraries write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

_Labels = tuple[tuple[str, str], ...]

_COUNTERS = {
    "segment_source_emerged_total": "Segments that arrived",
    "segment_source_uploaded_total": "Segments sent on",
    "segment_source_upload_failed_total": "Segments that could not be sent on",
    "segment_transcoded_total": "Segments transcoded",
    "segment_transcode_failed_total": "Segments that failed to transcode",
    "mil_pixels_processed": "Millions of pixels processed",
    "ticket_value_recv": "Expected value of tickets, gwei",
    "tickets_recv": "Tickets received",
    "winning_tickets_recv": "Winning tickets received",
    "payment_recv_errors": "Payments refused",
    "value_redeemed": "Value redeemed, gwei",
    "ticket_redemption_errors": "Redemptions that failed",
    "reward_call_errors": "Reward calls that failed",
}
_GAUGES = {
    "versions": "Build information",
    "max_sessions_total": "Session limit",
    "current_sessions_total": "Sessions now",
    "transcoders_number": "Transcoders connected",
    "transcoders_capacity": "Capacity of the connected transcoders",
    "transcoders_load": "Load of the connected transcoders",
    "suggested_gas_price": "Suggested gas price, gwei",
    "min_gas_price": "Lowest gas price, gwei",
    "max_gas_price": "Highest gas price, gwei",
    "transcoding_price": "Price, wei per pixel",
    "success_rate": "Share of segments transcoded",
    "gateway_deposit": "Deposit, gwei",
    "gateway_reserve": "Reserve, gwei",
}
_HISTOGRAMS = {
    "transcode_time_seconds": "Time to transcode a segment",
    "transcode_score": "Source duration by transcode time",
    "transcode_overall_latency_seconds": "Time from source to transcoded segment",
    "upload_time_seconds": "Time to send a segment on",
}
_BOUNDS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 10.0)


@dataclass(slots=True)
class _Histogram:
    total: float = 0.0
    values: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Metrics:
    """What one process recorded. A series does not exist before its first value."""

    base: dict[str, str]
    process_start_s: float
    goroutines: int = 57
    resident_bytes: int = 180_000_000
    _counters: dict[str, dict[_Labels, float]] = field(default_factory=dict)
    _gauges: dict[str, dict[_Labels, float]] = field(default_factory=dict)
    _histograms: dict[str, dict[_Labels, _Histogram]] = field(default_factory=dict)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Adds to a counter; adding nothing makes it exist."""
        _known(name, _COUNTERS)
        series = self._counters.setdefault(name, {})
        key = self._labels(labels)
        series[key] = series.get(key, 0.0) + amount

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Sets a gauge."""
        _known(name, _GAUGES)
        self._gauges.setdefault(name, {})[self._labels(labels)] = value

    def drop_gauge(self, name: str) -> None:
        """Takes a gauge out again."""
        self._gauges.pop(name, None)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Adds a value to a histogram."""
        _known(name, _HISTOGRAMS)
        series = self._histograms.setdefault(name, {})
        found = series.setdefault(self._labels(labels), _Histogram())
        found.total += value
        found.values.append(value)

    def restart(self, now_s: float) -> None:
        """Forgets everything, as a new process does."""
        self.process_start_s = now_s
        self._counters.clear()
        self._gauges.clear()
        self._histograms.clear()

    def render(self) -> str:
        """The whole page, in order of name."""
        blocks = self._process_blocks()
        for kind, texts, families in (
            ("counter", _COUNTERS, self._counters),
            ("gauge", _GAUGES, self._gauges),
        ):
            for name, series in families.items():
                lines = [f"livepeer_{name}{_braces(k)} {go_float(v)}" for k, v in series.items()]
                blocks[f"livepeer_{name}"] = _block(f"livepeer_{name}", texts[name], kind, lines)
        for name, histograms in self._histograms.items():
            full = f"livepeer_{name}"
            lines = [line for key, h in histograms.items() for line in _buckets(full, key, h)]
            blocks[full] = _block(full, _HISTOGRAMS[name], "histogram", lines)
        return "".join(text for _, text in sorted(blocks.items()))

    def _labels(self, labels: dict[str, str]) -> _Labels:
        return tuple(sorted((self.base | labels).items()))

    def _process_blocks(self) -> dict[str, str]:
        values = {
            "go_goroutines": ("Goroutines", self.goroutines),
            "process_resident_memory_bytes": ("Resident memory", self.resident_bytes),
            "process_start_time_seconds": ("Start of the process", self.process_start_s),
        }
        return {
            name: _block(name, text, "gauge", [f"{name} {go_float(value)}"])
            for name, (text, value) in values.items()
        }


def go_float(value: float) -> str:
    """A number as Go's shortest form: an exponent of two digits from a million up."""
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
    assert isinstance(exponent, int)
    power = len(digits) - 1 + exponent
    if -4 <= power < 6:
        return f"{Decimal((sign, digits, exponent)):f}"
    mantissa = str(digits[0]) + ("." + "".join(map(str, digits[1:])) if len(digits) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _known(name: str, names: dict[str, str]) -> None:
    if name not in names:
        raise KeyError(f"go-livepeer has no such series of this kind: {name}")


def _block(name: str, text: str, kind: str, lines: list[str]) -> str:
    return "\n".join([f"# HELP {name} {text}", f"# TYPE {name} {kind}", *lines]) + "\n"


def _buckets(name: str, key: _Labels, histogram: _Histogram) -> list[str]:
    lines = []
    for bound in _BOUNDS:
        below = sum(value <= bound for value in histogram.values)
        lines.append(f"{name}_bucket{_braces((*key, ('le', go_float(bound))))} {below}")
    number = len(histogram.values)
    lines.append(f"{name}_bucket{_braces((*key, ('le', '+Inf')))} {number}")
    lines.append(f"{name}_sum{_braces(key)} {go_float(histogram.total)}")
    lines.append(f"{name}_count{_braces(key)} {number}")
    return lines


def _braces(labels: _Labels) -> str:
    escaped = (
        (name, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
        for name, value in labels
    )
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"
