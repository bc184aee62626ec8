"""The book of log lines: bounded, in the order of time, narrowed, held."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.collector.follow import Phase, State
from lptui.errors import Problem, ProblemKind
from lptui.fleet.logs import Choice, Level, LogLine, Stream, TimeKind
from lptui.fleet.topology import LogKind, LogSource
from lptui.present.logs import LogBook, Query, line_of, notes, title, when
from lptui.present.model import Tone, text_of

ONE = Stream("one", "edge-1", LogSource(LogKind.JOURNAL, "one.service"))
TWO = Stream("two", "edge-2", LogSource(LogKind.JOURNAL, "two.service"))
NOW = 1_795_799_258.0


def line(at: float, text: str, stream: Stream = ONE, level: Level = Level.INFO) -> LogLine:
    return LogLine(at, stream.name, text, level)


def texts(book: LogBook) -> list[str]:
    return [entry.line.text for entry in book.shown]


def test_lines_of_several_hosts_stand_in_the_order_of_time() -> None:
    book = LogBook()
    book.add([(ONE, line(3, "c")), (ONE, line(5, "e"))])
    book.add([(TWO, line(4, "d", TWO)), (TWO, line(3, "c2", TWO)), (TWO, line(1, "a", TWO))])
    assert texts(book) == ["a", "c", "c2", "d", "e"]


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["x", "y"])), max_size=80))
def test_it_keeps_the_newest_in_order_and_shows_those_that_match(
    given_lines: list[tuple[int, str]],
) -> None:
    book = LogBook(most=20)
    book.search(Query("x"))
    for at, text in given_lines:
        book.add([(ONE, line(at, text))])
    book.search(Query(""))
    assert len(book.shown) == min(20, len(given_lines))
    assert [e.at for e in book.shown] == sorted(e.at for e in book.shown)
    book.search(Query("x"))
    assert set(texts(book)) <= {"x"}


def test_what_is_looked_at_stays_while_it_is_held() -> None:
    book = LogBook(most=10)
    book.add([(ONE, line(n, f"old {n}")) for n in range(10)])
    book.hold()
    book.add([(ONE, line(100 + n, f"new {n}")) for n in range(25)])
    assert texts(book) == [f"old {n}" for n in range(10)]
    assert (book.waiting, book.lost) == (25, 15)
    book.release()
    assert texts(book) == [f"new {n}" for n in range(15, 25)]
    assert (book.waiting, book.lost, book.total) == (0, 0, 35)


def test_a_stream_that_begins_anew_is_there_once() -> None:
    book = LogBook()
    book.add([(ONE, line(1, "mine")), (TWO, line(2, "others", TWO))])
    book.restart(ONE)
    assert texts(book) == ["others"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("eof", ["EOF from rpc"]),
        ("!eof", ["all well", "lost [x"]),
        ("/e[o0]f/ rpc", ["EOF from rpc"]),
        ("/[/", []),
        ("[x", ["lost [x"]),
        ("level:warn", ["EOF from rpc"]),
        ("level:nonsense", ["all well", "EOF from rpc", "lost [x"]),
        ("one", ["all well", "EOF from rpc", "lost [x"]),
    ],
)
def test_what_is_looked_for(query: str, found: list[str]) -> None:
    book = LogBook()
    book.add(
        [
            (ONE, line(1, "all well")),
            (ONE, line(2, "EOF from rpc", level=Level.ERROR)),
            (ONE, line(3, "lost [x")),
        ]
    )
    book.search(Query(query))
    assert texts(book) == found


def test_a_line_shows_its_level_by_a_word_and_what_is_looked_for_apart() -> None:
    book = LogBook()
    book.add([(ONE, line(NOW, "an EOF and eof", level=Level.ERROR))])
    drawn = line_of(book.shown[0], NOW, 5, Query("eof"))
    assert text_of(drawn) == "17:07:38.000 ERROR one   an EOF and eof"
    assert [span.text for span in drawn if span.tone is Tone.STRONG] == ["EOF", "eof"]
    assert text_of(line_of(book.shown[0], NOW, 0, left=3)) == "17:07:38.000 ERROR EOF and eof"


def test_a_time_that_is_not_the_lines_own_is_told_apart() -> None:
    assert when(line(NOW, "x"), NOW) == "17:07:38.000"
    assert when(line(NOW - 86_400, "x"), NOW) == "11-26 17:07"
    assert when(LogLine(NOW, "one", "x", time_kind=TimeKind.SEEN), NOW) == "~17:07:38"
    assert when(LogLine(NOW, "one", "x", time_kind=TimeKind.UNKNOWN), NOW) == "?"
    assert when(line(9e15, "x"), NOW) == "12-31 23:59"


def test_the_title_says_who_is_lost_and_a_note_what_to_do() -> None:
    book, choice = LogBook(), Choice("role:o", (ONE, TWO))
    problem = Problem(ProblemKind.FORBIDDEN, "x", "the login may not read it", "add it")
    states = {ONE: State(Phase.FOLLOWING), TWO: State(Phase.LOST, problem)}
    left, right = title(choice, book, states)
    assert text_of(left) == " Logs  role:o  2 logs"
    assert text_of(right) == "  0 lines  1 LOST, 1 following "
    [said] = notes(choice.streams, states, 3)
    assert text_of(said) == " two: the login may not read it; add it"
    book.hold()
    book.add([(ONE, line(1, "x"))])
    assert text_of(title(choice, book, states)[1]) == "  1 line  PAUSED, 1 new "
