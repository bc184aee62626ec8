"""The established sockets of a transcoder's host."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.facts.connections import Connection
from lptui.probes.host.connections import MOST, parse, socket_address
from tests.unit.probes.hostile import HOSTILE, TEXT

SS = """\
0      0              192.0.2.21:41234      192.0.2.11:8935
0      36    [::ffff:192.0.2.21]:40001    [::ffff:192.0.2.12]:8935
0      0              192.0.2.21:22         192.0.2.200:50122
0      0      [2001:db8::21]:41300    [2001:db8::11]:9935
0      0      [fe80::21%eth0]:41301    [fe80::1%eth0]:8935
"""
NETSTAT = """\
Active Internet connections (w/o servers)
Proto Recv-Q Send-Q Local Address           Foreign Address         State
tcp        0      0 192.0.2.21:41234        192.0.2.11:8935         ESTABLISHED
tcp        0      0 192.0.2.21:41235        192.0.2.11:8935         TIME_WAIT
tcp6       0      0 2001:db8::21:41300      2001:db8::11:8935       ESTABLISHED
"""


def test_those_to_the_ports_are_kept_and_written_in_one_way() -> None:
    found = parse(SS, [8935, 9935])
    assert [(one.local, one.peer) for one in found.connections] == [
        ("192.0.2.21:41234", "192.0.2.11:8935"),
        ("192.0.2.21:40001", "192.0.2.12:8935"),
        ("[2001:db8::21]:41300", "[2001:db8::11]:9935"),
        ("[fe80::21]:41301", "[fe80::1]:8935"),
    ]
    assert found.ports == (8935, 9935)


def test_netstats_other_states_are_no_connections() -> None:
    assert parse(NETSTAT, [8935]).connections == (
        Connection("192.0.2.21:41234", "192.0.2.11:8935"),
        Connection("[2001:db8::21]:41300", "[2001:db8::11]:8935"),
    )


def test_no_connection_at_all_is_an_answer() -> None:
    assert parse("", [8935]).connections == ()


@pytest.mark.parametrize("line", ["garbage", "0 0 192.0.2.1:1", "0 0 a:1 b:2", "0 0 1.2.3.4:1 x"])
def test_a_line_that_is_no_socket_is_refused(line: str) -> None:
    with pytest.raises(BadAnswerError):
        parse(f"{SS}{line}\n", [8935])


def test_of_very_many_some_are_kept() -> None:
    many = "".join(f"0 0 192.0.2.21:{port} 192.0.2.11:8935\n" for port in range(1, 2000))
    assert len(parse(many, [8935]).connections) == MOST


@HOSTILE
@given(st.lists(TEXT, max_size=8).map(" ".join) | st.text(max_size=80))
def test_anything_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(BadAnswerError):
        parse(text, [8935])
    assert socket_address(text) is None or ":" in text
