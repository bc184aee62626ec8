"""What a node's route answered, printed: hostile answers included."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import LptuiError
from lptui.probes.livepeer import routes
from lptui.report.inspected import render
from lptui.transport.protocols import Http, HttpAnswer


def told(body: bytes, route: str = "/status", status: int = 200, form: str = "text") -> str:
    return render("orch-1", route, HttpAnswer(status, {}, body), 1_800_000_000.0, form)


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


def test_an_empty_answer_is_said() -> None:
    assert told(b"", "/maxGasPrice") == "(an empty answer)\n"


@given(st.binary(max_size=400), st.sampled_from(sorted(routes.INSPECTABLE)))
def test_nothing_that_a_terminal_would_obey_is_printed(body: bytes, route: str) -> None:
    for form in ("text", "json"):
        printed = told(body, route, form=form)
        assert all(char == "\n" or char.isprintable() for char in printed)
    json.loads(told(body, route, form="json"))


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
    assert not acting & routes.INSPECTABLE
    assert not [route for route in routes.INSPECTABLE if route.startswith("/set")]
