"""What the configuration says of backups, least versions and settings that may differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from lptui.config import find_mistakes, load_fleet
from lptui.config.schema_upkeep import flag_name, least_version, size
from lptui.fleet.backups import Backup
from lptui.fleet.versions import version
from tests.unit.config.refusal import refusal


def written(tmp_path: Path, host: str, more: str = "") -> Path:
    path = tmp_path / "f.yaml"
    path.write_text(f"hosts:\n  a: {{address: 192.0.2.1{host}}}\n{more}\n")
    return path


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{path: /b/k.gz}", Backup("k", "/b/k.gz", 86_400.0, 1)),
        (
            "{path: /b/*.gz, max_age: 7d, min_size: 1.5 MiB, checksum: true}",
            Backup("k", "/b/*.gz", 604_800.0, 1_572_864, checksum=True),
        ),
        ("{path: /b/k.gz, max_age: 0s, min_size: 0 B}", Backup("k", "/b/k.gz", 0.0, 0)),
    ],
)
def test_a_backup_is_a_path_and_what_is_asked_of_it(
    tmp_path: Path, spec: str, expected: Backup
) -> None:
    fleet = load_fleet(written(tmp_path, f", backups: {{k: {spec}}}"))
    assert fleet.hosts["a"].backups == (expected,)


def test_versions_and_names_are_known_in_any_case(tmp_path: Path) -> None:
    more = (
        "minimum_versions: {Livepeer: 0.8.9, Geth: '1.14'}\nmay_differ: [-maxGasPrice, LimitNOFILE]"
    )
    fleet = load_fleet(written(tmp_path, "", more))
    assert fleet.minimum_versions == {"livepeer": "0.8.9", "geth": "1.14"}
    assert fleet.may_differ == {"maxgasprice", "limitnofile"}


@pytest.mark.parametrize(
    ("host", "more", "expected"),
    [
        (", backups: {k: {max_age: 1d}}", "", "has no `path`"),
        (", backups: {k: {path: k.gz}}", "", "'k.gz' is not an absolute path"),
        (", backups: {k: {path: /k, min_size: 1 XB}}", "", "'1 XB' is not a size"),
        (", backups: {k: {path: /k, max_size: 1 B}}", "", "unknown key"),
        ("", "minimum_versions: {geth: 1.14}", "put it in quotes"),
        ("", "minimum_versions: {geth: newest}", "'newest' is not a version"),
        ("", "may_differ: ['a b']", "'a b' is not a flag's name"),
        ("", "thresholds: {disk_days_warn: 1}", "disk_days"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, host: str, more: str, expected: str) -> None:
    [mistake] = find_mistakes(written(tmp_path, host, more))
    assert expected in f"{mistake}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("100 B", 100), ("1kB", 1000), ("1 KiB", 1024), ("2 GB", 2_000_000_000), ("0.5 TiB", 2**39)],
)
def test_sizes_are_bytes(text: str, expected: int) -> None:
    assert size(text) == expected


def test_what_was_meant_is_suggested() -> None:
    assert refusal(size, 100)[1] == "100 B"
    assert refusal(flag_name, "--")[0].startswith("'--' is not")
    assert refusal(least_version, "v1")[0].startswith("'v1' is not")


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("0.8.9", "0.8.10"),
        ("0.8.9", "0.10.0"),
        ("v1.9.25-stable", "1.14"),
        ("0.8.9-rc1", "0.8.9"),
        ("0.8.9~beta2", "0.8.9-1a2b3c4d"),
        ("5.1.6-0+deb12u1", "6.0"),
    ],
)
def test_versions_are_compared_number_by_number(older: str, newer: str) -> None:
    first, second = version(older), version(newer)
    assert first is not None
    assert second is not None
    assert first < second


@pytest.mark.parametrize("text", ["", "undefined", "1", "latest", "1.2.3.4.5.6.7", "x1.2"])
def test_what_is_no_version_is_none(text: str) -> None:
    assert version(text) is None
