"""What the configuration says of pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from lptui.config import find_mistakes, load_fleet
from lptui.fleet.finding import Severity
from lptui.fleet.guards import Window
from lptui.fleet.paging import Paging

BASE = "hosts:\n  a: {{local: true, mounts: [/not-there]}}\n{more}\n"


def written(tmp_path: Path, more: str) -> Path:
    path = tmp_path / "f.yaml"
    path.write_text(BASE.format(more=more))
    return path


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", None),
        ('paging: {quiet_hours: "22:00-07:00"}', Paging((Window(1320, 420),))),
        (
            'paging: {quiet_hours: ["sat 00:00-24:00"], timezone: Europe/Berlin, '
            "severities: [critical, warning], quiet_severities: critical, always: reward-due, "
            "can_wait: [disk]}",
            Paging(
                (Window(0, 1440, ("sat",)),),
                "Europe/Berlin",
                frozenset({Severity.CRITICAL, Severity.WARNING}),
                frozenset({Severity.CRITICAL}),
                frozenset({"reward-due"}),
                frozenset({"disk"}),
            ),
        ),
    ],
)
def test_what_is_left_out_keeps_its_default(
    tmp_path: Path, more: str, expected: Paging | None
) -> None:
    assert load_fleet(written(tmp_path, more)).paging == expected


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("paging: {}", "quiet_hours"),
        ('paging: {quiet_hours: "22-7"}', "22:00-07:00"),
        ('paging: {quiet_hours: "22:00-07:00", timezone: europe/berlin}', "Europe/Berlin"),
        ('paging: {quiet_hours: "22:00-07:00", timezone: ../../etc/passwd}', "no time zone"),
        ('paging: {quiet_hours: "22:00-07:00", timezone: Mars/Base}', "no time zone"),
        ('paging: {quiet_hours: "22:00-07:00", severities: [ok]}', "severity"),
        ('paging: {quiet_hours: "22:00-07:00", quiet_severities: []}', "an empty list"),
    ],
)
def test_mistakes_are_told_with_what_was_meant(tmp_path: Path, more: str, told: str) -> None:
    [mistake] = find_mistakes(written(tmp_path, more))
    assert mistake.line >= 3
    assert told in str(mistake)
