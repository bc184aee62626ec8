"""Input nobody promised, for the property tests of parsers."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# A loaded machine is no failure of the parser.
HOSTILE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

TEXT = st.text(st.characters(max_codepoint=0x2FF), max_size=12) | st.sampled_from(
    ["", "0x", "0x0", "0x1", "0xg", "latest", "\x1b[2J", "\u202e", "<html>", "9" * 90, "-1", "NaN"]
)

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.just(2**256 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
