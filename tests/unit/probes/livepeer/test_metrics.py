"""`/metrics`: absent counters are zero, absent gauges unknown, money exact."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.probes.livepeer.metrics import gwei, parse_metrics, quantile
from tests.unit.probes.hostile import HOSTILE

BASE = 'node_id="0xab-edge-1",node_type="orch"'
VERSIONS = f'livepeer_versions{{compiler="gc",livepeerversion="0.9.1",{BASE}}} 1'


def read(*lines: str, before: NodeMetrics | None = None) -> NodeMetrics:
    return parse_metrics("\n".join((VERSIONS, *lines, "")).encode(), before)


class TestPage:
    def test_a_fresh_node_has_zeros_and_unknowns(self) -> None:
        found = read()
        assert found.monitored
        assert found.version == "0.9.1"
        assert found.reward_errors == found.segments_transcoded == found.winning_tickets == 0
        assert found.value_redeemed == 0
        assert found.max_sessions is None
        assert found.suggested_gas_price is None
        assert found.success_rate is None
        assert found.transcode_score_p50 is None
        assert found.latency_avg_s is None

    def test_reads_counters_and_gauges_among_other_lines(self) -> None:
        found = read(
            "# HELP livepeer_max_sessions_total MaxSessions",
            "# TYPE livepeer_max_sessions_total gauge",
            f"livepeer_max_sessions_total{{{BASE}}} 20",
            f"livepeer_current_sessions_total{{{BASE}}} 7",
            f"livepeer_transcoders_number{{{BASE}}} 3",
            f"livepeer_transcoders_capacity{{{BASE}}} 30",
            f"livepeer_reward_call_errors{{{BASE}}} 2",
            f'livepeer_payment_recv_errors{{error_code="InvalidPrice",{BASE}}} 1',
            f'livepeer_payment_recv_errors{{error_code="PaymentError",{BASE}}} 4',
            f"livepeer_success_rate_per_stream{{{BASE}}} 0.1",
            "go_goroutines 200",
            "process_start_time_seconds 1.79e+09",
            "process_open_fds 123",
            "process_max_fds 65536",
            "process_resident_memory_bytes 3.4e+08",
        )
        assert (found.max_sessions, found.current_sessions) == (20, 7)
        assert (found.transcoders, found.transcoders_capacity) == (3, 30)
        assert found.reward_errors == 2
        assert found.payment_errors == 5
        assert found.success_rate is None
        assert found.started_at == 1_790_000_000
        assert (found.open_files, found.max_files) == (123, 65536)
        assert found.resident_memory == 340_000_000

    def test_the_share_of_good_segments_comes_from_the_counters(self) -> None:
        done = f"livepeer_segment_transcoded_total{{{BASE}}}"
        failed = f'livepeer_segment_transcode_failed_total{{error_code="x",{BASE}}}'
        found = read(f"{done} 90", f"{failed} 10")
        assert found.success_rate == pytest.approx(0.9)
        gateway = read(f"{done} 90", f"{failed} 10", f"livepeer_success_rate{{{BASE}}} 0.5")
        assert gateway.success_rate == 0.5

    def test_a_standalone_transcoder_counts_its_uploads(self) -> None:
        base = 'node_type="trcr"'
        page = (
            f'livepeer_versions{{livepeerversion="0.9.1",{base}}} 1\n'
            f'livepeer_segment_source_uploaded_total{{orchestrator_uri="https://a",{base}}} 41\n'
            f"livepeer_segment_source_upload_failed_total{{{base}}} 2\n"
        )
        found = parse_metrics(page.encode())
        assert (found.segments_transcoded, found.segments_failed) == (41, 2)

    @pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "1e308", "-1"])
    def test_absurd_values_are_not_believed(self, value: str) -> None:
        found = read(
            f"livepeer_max_sessions_total{{{BASE}}} {value}",
            f"livepeer_success_rate{{{BASE}}} {value}",
            f"livepeer_suggested_gas_price{{{BASE}}} {value}",
            f"livepeer_transcode_time_seconds_sum{{{BASE}}} {value}",
            f"livepeer_transcode_time_seconds_count{{{BASE}}} {value}",
        )
        assert found.max_sessions is None
        assert found.success_rate is None
        assert found.suggested_gas_price is None
        assert found.latency_avg_s is None

    @pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "1e308", "-1"])
    def test_a_count_that_is_none_is_not_taken_for_zero(self, value: str) -> None:
        with pytest.raises(BadAnswerError, match="reward_call_errors is no count"):
            read(f"livepeer_reward_call_errors{{{BASE}}} {value}")

    def test_label_values_do_not_carry_control_sequences(self) -> None:
        page = 'livepeer_versions{livepeerversion="0.9\x1b[31m.1\\n<b>"} 1\n'
        assert parse_metrics(page.encode()).version == "0.9.1 <b>"

    @pytest.mark.parametrize(
        "page",
        [
            b"",
            b"<html>login</html>",
            b'{"error": "x"}',
            b"node_load1 0.3\nprocess_open_fds 12\n",
            b"livepeer_versions{x=1 1\n",
            b"livepeer_versions one\n",
        ],
    )
    def test_another_page_is_a_bad_answer(self, page: bytes) -> None:
        with pytest.raises(BadAnswerError):
            parse_metrics(page)

    @HOSTILE
    @given(st.binary(max_size=200))
    def test_no_bytes_do_any_harm(self, raw: bytes) -> None:
        with contextlib.suppress(BadAnswerError):
            parse_metrics(raw)

    @HOSTILE
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(
                    [
                        "livepeer_versions",
                        "livepeer_max_sessions_total",
                        "livepeer_transcode_score_bucket",
                        "livepeer_value_redeemed",
                        "process_start_time_seconds",
                    ]
                ),
                st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=30),
            ),
            max_size=6,
        )
    )
    def test_no_line_does_any_harm(self, lines: list[tuple[str, str]]) -> None:
        with contextlib.suppress(BadAnswerError):
            found = read(*(name + rest for name, rest in lines))
            assert found.version.isprintable()


class TestTimes:
    SUM = f'livepeer_transcode_time_seconds_sum{{profiles="a",{BASE}}}'
    COUNT = f'livepeer_transcode_time_seconds_count{{profiles="a",{BASE}}}'
    START = "process_start_time_seconds 1.79e+09"

    def test_the_first_reading_is_the_average_since_the_start(self) -> None:
        assert read(f"{self.SUM} 50", f"{self.COUNT} 100", self.START).latency_avg_s == 0.5

    def test_the_next_is_the_average_since_then(self) -> None:
        first = read(f"{self.SUM} 50", f"{self.COUNT} 100", self.START)
        later = read(f"{self.SUM} 70", f"{self.COUNT} 110", self.START, before=first)
        assert later.latency_avg_s == 2.0

    def test_a_restart_begins_anew(self) -> None:
        first = read(f"{self.SUM} 50", f"{self.COUNT} 100", self.START)
        restart = "process_start_time_seconds 1.8e+09"
        later = read(f"{self.SUM} 208", f"{self.COUNT} 104", restart, before=first)
        assert later.latency_avg_s == 2.0

    def test_without_new_segments_the_whole_life_counts(self) -> None:
        first = read(f"{self.SUM} 50", f"{self.COUNT} 100", self.START)
        assert (
            read(f"{self.SUM} 50", f"{self.COUNT} 100", self.START, before=first).latency_avg_s
            == 0.5
        )

    def test_the_real_time_factor_is_that_of_the_newest_segments(self) -> None:
        total = f'livepeer_transcode_score_sum{{profiles="a",{BASE}}}'
        count = f'livepeer_transcode_score_count{{profiles="a",{BASE}}}'
        first = read(f"{total} 400", f"{count} 100", self.START)
        assert first.real_time_factor == 4.0
        later = read(f"{total} 408", f"{count} 110", self.START, before=first)
        assert later.real_time_factor == 0.8
        assert read(self.START, f"{self.COUNT} 1").real_time_factor is None


class TestQuantile:
    def test_is_linear_within_a_bucket(self) -> None:
        assert quantile(0.5, [(1, 0), (2, 10), (float("inf"), 10)]) == 1.5

    def test_adds_label_sets_up(self) -> None:
        one = [(1.0, 4.0), (2.0, 4.0), (float("inf"), 4.0)]
        other = [(1.0, 0.0), (2.0, 4.0), (float("inf"), 4.0)]
        assert quantile(0.5, one + other) == 1.0

    def test_is_unknown_without_counts_or_beyond_the_last_bound(self) -> None:
        assert quantile(0.5, []) is None
        assert quantile(0.5, [(1, 0), (float("inf"), 0)]) is None
        assert quantile(0.5, [(1, 1), (float("inf"), 10)]) is None
        assert quantile(0.5, [(1, 1), (2, 10)]) is None

    @HOSTILE
    @given(st.lists(st.tuples(st.floats(), st.floats()), max_size=8))
    def test_takes_any_numbers(self, buckets: list[tuple[float, float]]) -> None:
        quantile(0.5, buckets)


class TestMoney:
    @HOSTILE
    @given(st.decimals(0, 10**15, places=9))
    def test_is_exact_to_the_wei(self, amount: Decimal) -> None:
        assert gwei(str(amount)) == int(amount.scaleb(9))

    def test_sums_label_sets_without_floats(self) -> None:
        found = read(
            f'livepeer_value_redeemed{{sender="0x1",{BASE}}} 9007199254740993.000000001',
            f'livepeer_value_redeemed{{sender="0x2",{BASE}}} 1e-09',
            f"livepeer_suggested_gas_price{{{BASE}}} 0.0105",
            f"livepeer_max_gas_price{{{BASE}}} 1.5e+02",
        )
        assert found.value_redeemed == 9007199254740993 * 10**9 + 2
        assert found.suggested_gas_price == 10_500_000
        assert found.max_gas_price == 150 * 10**9

    @pytest.mark.parametrize("text", ["NaN", "Inf", "-1", "1e999999999", "", "x", "1e-999999"])
    def test_what_is_no_amount_is_unknown(self, text: str) -> None:
        assert gwei(text) is None
