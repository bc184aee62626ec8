"""What a node's route answered, printed: hostile answers included."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lptui.errors import LptuiError
from lptui.present.inspected import (
    LONGEST,
    MOST_CHARACTERS,
    MOST_ON_SCREEN,
    Inspected,
    inspected,
    page,
)
from lptui.present.model import text_of
from lptui.probes.livepeer import routes
from lptui.report.inspected import render
from lptui.transport.protocols import Http, HttpAnswer


def answered(body: bytes, route: str = "/status", status: int = 200) -> Inspected:
    return inspected("orch-1", route, status, body, took_s=0.012, at=1_800_000_000.0)


def told(body: bytes, route: str = "/status", status: int = 200, form: str = "text") -> str:
    return render(answered(body, route, status), form)


def test_json_is_laid_out_and_numbers_stay_whole() -> None:
    assert told(b'{"a":[1,115792089237316195423570985008687907853269984665640564039457]}') == (
        '{\n  "a": [\n    1,\n'
        "    115792089237316195423570985008687907853269984665640564039457\n  ]\n}\n"
    )


def test_a_block_is_a_number() -> None:
    assert told((512_000_000).to_bytes(4, "big"), "/currentBlock") == "512000000\n"
    assert told(b"", "/currentBlock") == "0\n"
    assert "HTTP 500" in told(b"no database", "/currentBlock", 500)


@pytest.mark.parametrize("body", [b"NaN", b"1e999", b"[" * 100_000, b"{", b"\xff\xfe"])
def test_what_is_no_json_is_text(body: bytes) -> None:
    document = json.loads(told(body, form="json"))
    assert isinstance(document["body"], str)


def test_an_empty_answer_is_said_and_what_it_stands_for() -> None:
    assert told(b"", "/maxGasPrice") == "(an empty answer)\n"
    assert answered(b"", "/maxGasPrice").notes == ("it has no cap",)
    assert "fault" in answered(b"\n", "/protocolParameters").notes[0]
    assert answered(b'"a"', "/maxGasPrice").notes == ()


@pytest.mark.parametrize(
    ("status", "body", "note"),
    [
        (404, b"404 page not found", "an older version"),
        (401, b"", "wants a login"),
        (403, b"", "forbids it"),
        (429, b"", "too often"),
        (500, b"missing ETH client", "without a chain"),
        (502, b"", "see its log"),
    ],
)
def test_what_is_no_success_is_explained(status: int, body: bytes, note: str) -> None:
    found = answered(body, status=status)
    assert note in found.notes[0]
    assert note in json.loads(render(found, "json"))["notes"][0]


def test_what_begins_like_json_and_is_none_is_shown_as_it_came() -> None:
    found = answered(b'{"Version": "0.9.1",\n "a": }')
    assert (found.value, found.lines) == (None, ('{"Version": "0.9.1",', '"a": }'))
    assert "line 2" in found.notes[0]


def test_what_would_be_endless_white_space_is_not_laid_out() -> None:
    deep = b"[" * 500 + b",".join([b"1"] * 100_000) + b"]" * 500
    found = answered(deep)
    assert found.value is None
    assert "too much" in found.notes[0]
    assert sum(map(len, found.lines)) <= LONGEST


def test_a_page_is_bounded_and_says_how_to_see_the_rest() -> None:
    found = answered(json.dumps(["x" * 10_000, *range(MOST_ON_SCREEN)]).encode())
    lines = [text_of(line) for line in page(found, None)]
    assert len(lines) == MOST_ON_SCREEN + 1
    assert max(map(len, lines)) <= LONGEST + 1
    wide = page(answered(json.dumps(["x" * 3_000] * 1_000).encode()), None)
    assert sum(len(text_of(line)) for line in wide) < MOST_CHARACTERS + 2 * LONGEST
    assert lines[-1].endswith("3 lines more; all of it: lptui --headless get orch-1 /status")


def test_a_page_shows_an_older_answer_under_the_failure() -> None:
    failure = LptuiError("GET /status of orch-1", "no answer within 120 s", "give it longer")
    lines = [text_of(line) for line in page(answered(b'{"a": 1}'), failure)]
    assert lines[:3] == [f" ! {failure}", "   → give it longer", ""]
    assert lines[3:] == [" {", '   "a": 1', " }"]
    assert len(page(None, failure)) == 2


@given(st.binary(max_size=400), st.sampled_from(sorted(routes.INSPECTABLE)))
def test_nothing_that_a_terminal_would_obey_is_printed(body: bytes, route: str) -> None:
    for form in ("text", "json"):
        printed = told(body, route, form=form)
        assert all(char == "\n" or char.isprintable() for char in printed)
    json.loads(told(body, route, form="json"))


@given(st.text(max_size=40), st.text(max_size=40))
@example("\x7f", "\x9b2J\u202e")
def test_nothing_that_a_terminal_would_obey_is_shown_of_json(key: str, value: str) -> None:
    body = json.dumps({key: [value, key]}, ensure_ascii=False).encode("utf-8", "replace")
    found = answered(body)
    for line in page(found, None):
        assert text_of(line).isprintable()
    assert all(char == "\n" or char.isprintable() for char in render(found, "text"))


@given(st.text(max_size=30))
async def test_no_route_besides_those_listed_is_asked(route: str) -> None:
    class Asked(Http):
        async def request(self, *_: object, **__: object) -> HttpAnswer:
            raise AssertionError("it was asked")

    if route not in routes.INSPECTABLE:
        with pytest.raises(LptuiError):
            await routes.inspect(Asked(), route, 1.0)


def test_what_acts_signs_or_writes_is_not_listed() -> None:
    acting = {"/reward", "/initializeRound", "/withdrawFees", "/claimEarnings", "/unlock"}
    acting |= {"/cancelUnlock", "/withdraw", "/requestTokens", "/signMessage", "/unbondingLocks"}
    assert not acting & routes.INSPECTABLE.keys()
    assert not [route for route in routes.INSPECTABLE if route.startswith("/set")]


def test_what_a_reading_may_ask_an_operator_may_ask_too_but_the_gate() -> None:
    assert routes.READABLE - {routes.GATE} <= routes.INSPECTABLE.keys()
