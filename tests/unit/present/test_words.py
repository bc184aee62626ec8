"""Figures in words, columns in widths, rows in order."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lptui.present import words
from lptui.present.chart import chart, value_ticks
from lptui.present.model import Cell, Column, Row, Section, Span, State, Tone, text_of
from lptui.present.query import matcher, ordered
from lptui.tui.overview import LEAST_MORE, LEAST_PANE, share, stack
from lptui.tui.widgets.columns import layout
from lptui.tui.widgets.drawing import fit, head_of, split_line, width_of, wrap

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cf", "Mn")))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.9, "59s"), (60, "1m"), (3_720, "1h02m"), (86_400 * 2 + 7_200, "2d2h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_an_age_that_keeps_pace_stands_still() -> None:
    texts = {words.fresh_age(age / 10, 2.0) for age in range(40)}
    assert texts == {"<4s"}
    assert words.fresh_age(9.0, 2.0) == "9s"
    assert words.fresh_age(math.inf, 2.0) == "never"


@given(st.floats(0, 1e7), st.floats(0.5, 600))
def test_a_calm_age_is_never_less_than_the_true_one(age: float, interval: float) -> None:
    text = words.fresh_age(age, interval)
    if text.startswith("<"):
        unit = {"s": 1, "m": 60, "h": 3600}[text[-1]]
        assert age <= (float(text[1:-1]) + (0 if unit == 1 else 1)) * unit


@given(st.floats(0, 1e9))
def test_ages_fit_four_characters(age: float) -> None:
    assert len(words.age(age)) <= 4


def test_a_sparkline_shows_gaps_and_extremes() -> None:
    assert words.spark([0.0, None, 100.0, 50.0], 0.0, 100.0) == "▁ █▅"
    assert words.spark([None, None]) == "  "
    assert words.spark([5.0, 5.0]) == "▁▁"
    assert words.spark([math.nan, 1.0, 2.0]) == " ▁█"


@given(st.floats(-1, 2), st.integers(1, 30))
def test_bars_have_their_width(part: float, width: int) -> None:
    assert len(words.bar(part, width)) == width


def test_no_trace_is_called_zero() -> None:
    assert words.percent(0.01) == "<0.1%"
    assert words.percent(0.0) == "0%"
    assert words.percent(100.0) == "100%"


@given(TEXTS, st.integers(0, 40), st.booleans())
def test_fitted_text_has_exactly_its_width(text: str, width: int, right: bool) -> None:
    assert width_of(fit(text, width, right)) == width


@given(TEXTS, TEXTS, st.integers(1, 60))
def test_lines_with_two_ends_have_exactly_their_width(left: str, right: str, width: int) -> None:
    line = split_line((Span(left),), (Span(fit(right, min(width, 8))),), width)
    assert width_of(text_of(line)) == width
    assert width_of(text_of(head_of((Span(left),), width))) <= width


@given(TEXTS, st.integers(24, 60))
def test_wrapping_loses_no_word_and_exceeds_no_width(text: str, width: int) -> None:
    lines = wrap((Span("  ok  ", Tone.OK), Span(text)), width)
    assert all(cell_len(text_of(line)) <= width for line in lines)
    kept = "".join("".join(text_of(line).split()) for line in lines)
    assert kept == "".join(f"  ok  {text}".split())


COLUMNS = (
    Column("a", "a", 4),
    Column("b", "b", 10, 2),
    Column("c", "c", 8, 1),
    Column("d", "d", 5, 0, right=True),
)


@given(st.integers(1, 80), st.integers(1, 2))
def test_columns_never_exceed_their_room(width: int, gap: int) -> None:
    shown = layout(COLUMNS, width, gap)
    assert shown
    assert sum(w for _, w in shown) + gap * (len(shown) - 1) <= max(width, 1)
    assert [index for index, _ in shown] == sorted(index for index, _ in shown)


def test_the_least_important_column_gives_way_first() -> None:
    keys = ["".join(COLUMNS[i].key for i, _ in layout(COLUMNS, width, 1)) for width in (40, 22, 12)]
    assert keys == ["abcd", "acd", "ad"]


def test_why_is_shown_short_rather_than_not_at_all() -> None:
    columns = (*COLUMNS[:3], Column("why", "why", 20, 1, grow=True), COLUMNS[3])
    shown = {columns[i].key: room for i, room in layout(columns, 4 + 8 + 13 + 5 + 3, 1)}
    assert shown == {"a": 4, "c": 8, "why": 13, "d": 5}


def row(name: str, value: float | None, state: State = State.OK) -> Row:
    cells = (Cell(name, sort=name), Cell(str(value), sort=value))
    return Row(name, cells, state, search=f"{name} role:orchestrator host:h1", taken_at=5.0)


SECTION = Section(
    "s",
    "thing",
    (Column("name", "name", 5), Column("value", "value", 5)),
    (row("b", 2.0), row("a", 1.0), row("c", None), row("d", 2.0)),
)


def keys_of(column: str, reverse: bool) -> str:
    return "".join(r.key for r in ordered(SECTION, column, reverse))


def test_order_is_stable_and_the_unknown_come_last() -> None:
    assert keys_of("value", False) == "abdc"
    assert keys_of("value", True) == "bdac"
    assert keys_of("name", False) == "abcd"
    assert keys_of("nothing", False) == "bacd"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("edge", True),
        ("EDGE", True),
        ("!edge", False),
        ("edge !gpu", True),
        ("/ed.e-1/", True),
        ("/[/", False),
        (r"/edge\S1/", True),
        (r"/EDGE\s/", False),
        ("/1 role:o/", True),
        ("!/1 role:o/", False),
        ("/1 role:t/ edge", False),
        ("role:orch", True),
        ("!role:orch", False),
        ("state:ok", True),
        ("state:crit", False),
        ("host:h2", False),
        ("", True),
        ("!", False),
    ],
)
def test_filters(query: str, found: bool) -> None:
    assert matcher(query)(row("edge-1", 1.0)) is found


@given(st.text(max_size=30))
def test_no_filter_fails(query: str) -> None:
    matcher(query)(row("edge-1", 1.0))


@given(st.lists(st.integers(1, 300), min_size=3, max_size=3), st.integers(15, 80))
def test_panes_share_all_the_room_and_nobody_starves(wanted: list[int], room: int) -> None:
    heights = share(wanted, room)
    assert sum(heights) == room
    assert all(height >= LEAST_PANE for height in heights)


@given(
    st.lists(st.integers(1, 60), min_size=6, max_size=6),
    st.permutations(range(6)),
    st.integers(1, 80),
)
def test_panes_one_above_the_other_use_all_the_room(
    wanted: list[int], order: list[int], room: int
) -> None:
    heights = stack(wanted, order, room)
    if not heights:
        assert room < 6 + LEAST_MORE
        return
    assert sum(heights) == room
    assert min(heights) >= 1
    others = {index: height for index, height in enumerate(heights) if index != order[0]}
    assert all(height == 1 or LEAST_MORE < height <= wanted[i] for i, height in others.items())
    if any(height > 1 for height in others.values()):
        assert heights[order[0]] >= wanted[order[0]]


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_ticks_enclose_the_values_and_are_few(low: float, extent: float) -> None:
    ticks = value_ticks(low, low + extent)
    slack = 1e-6 * max(1.0, extent, abs(low))
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + extent - slack
    assert len(ticks) <= 6


def test_ticks_of_percent_never_pass_a_hundred() -> None:
    assert max(value_ticks(99.5, 99.9, 100.0)) == 100.0


def test_a_chart_has_its_size_whatever_the_terminal_and_draws_no_colours() -> None:
    points = [(float(t), None if 40 < t < 60 else math.sin(t / 9)) for t in range(120)]
    lines = chart(points, 150, 12)
    assert len(lines) == 12
    assert max(cell_len(text_of(line)) for line in lines) <= 151
    assert "\x1b" not in "".join(text_of(line) for line in lines)
    assert any("now" in text_of(line) for line in lines)


@given(st.floats(1, 1e6))
def test_no_two_times_of_a_chart_read_alike(span: float) -> None:
    lines = chart([(0.0, 1.0), (span, 2.0)], 200, 6)
    times = text_of(lines[-1]).split()
    assert len(set(times)) == len(times) >= 2


def test_a_chart_of_nothing_is_nothing() -> None:
    assert chart([(1.0, None)], 80, 10) == []
