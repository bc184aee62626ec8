"""What the configuration says of automatic calls of reward."""

from __future__ import annotations

from pathlib import Path

import pytest

from lptui.config import find_mistakes, load_fleet
from lptui.fleet.retry import RewardRetry
from lptui.fleet.units import Wei

BASE = """\
hosts:
  a: {{address: 192.0.2.1}}
rpcs:
  arb: {{url: "http://127.0.0.1:8547", via: a}}
chain:
  network: arbitrum-one-mainnet
  {more}
"""


def written(tmp_path: Path, more: str) -> Path:
    path = tmp_path / "f.yaml"
    path.write_text(BASE.format(more=more))
    return path


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", None),
        ("reward_retry: {}", RewardRetry()),
        (
            "reward_retry: {tries: 5, spacing: 15m, after: 0s, last_blocks: 0, "
            "max_gas_price: 0.5 gwei}",
            RewardRetry(5, 900.0, 0.0, 0, Wei(500_000_000)),
        ),
    ],
)
def test_what_is_left_out_keeps_its_default_and_all_of_it_means_never(
    tmp_path: Path, more: str, expected: RewardRetry | None
) -> None:
    chain = load_fleet(written(tmp_path, more)).chain
    assert chain is not None
    assert chain.reward_retry == expected


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("reward_retry: {tries: 0}", "it must be at least 1"),
        ("reward_retry: {tries: 21}", "it must be at most 20"),
        ("reward_retry: {spacing: 20}", "'20' is not a duration"),
        ("reward_retry: {max_gas_price: 1}", "'1' is not an amount"),
        ("reward_retry: {max_tries: 3}", "unknown key"),
        ("reward_retry: true", "expected a mapping"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, more: str, why: str) -> None:
    found = [str(mistake) for mistake in find_mistakes(written(tmp_path, more))]
    assert len(found) == 1
    assert why in found[0]
