"""What must hold of hosts: what may be written, and what a mistake says."""

from __future__ import annotations

from pathlib import Path

import pytest

from lptui.config import find_mistakes, load_fleet
from lptui.fleet.safety import NO_SAFETY, Safety

BASE = "nodes: {t1: {host: a, role: transcoder}}\nhosts:\n"


def written(folder: Path, host: str) -> Path:
    path = folder / "f.yaml"
    path.write_text(f"{BASE}  a: {{{host}}}\n")
    return path


def test_nothing_is_stated_unless_it_is_written(tmp_path: Path) -> None:
    path = written(tmp_path, "address: 192.0.2.1")
    assert find_mistakes(path) == ()
    assert load_fleet(path).hosts["a"].safety == NO_SAFETY


def test_all_of_it(tmp_path: Path) -> None:
    text = (
        "address: 192.0.2.1, safety: {allowed_ports: [], closed_ports: 7935, logins: keys, "
        "encrypted: true, security_updates: 3}"
    )
    safety = load_fleet(written(tmp_path, text)).hosts["a"].safety
    assert safety == Safety((), (7935,), "192.0.2.1", True, True, 3)


@pytest.mark.parametrize(
    ("safety", "said"),
    [
        ("{closed_ports: [7935]}, jump: b.example.org", "give `public_address`"),
        ("{closed_ports: [80], allowed_ports: [80]}", "port 80 is among `allowed_ports` as well"),
        ("{public_address: 192.0.2.7}", "it is for `closed_ports`"),
        ("{closed_ports: [70000]}", "70000"),
        ("{logins: key}", "unknown kind of login 'key', did you mean 'keys'?"),
        ("{security_updates: 0}", "it must be at least 1"),
        ("{ports: [80]}", "ports"),
    ],
)
def test_mistakes(safety: str, said: str, tmp_path: Path) -> None:
    [mistake] = find_mistakes(written(tmp_path, f"address: 192.0.2.1, safety: {safety}"))
    assert said in str(mistake)


def test_a_node_without_a_key_has_no_key_file(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(
        "hosts: {a: {address: 192.0.2.1}}\n"
        "nodes: {t1: {host: a, role: transcoder, keystore_check: true}}\n"
    )
    [mistake] = find_mistakes(path)
    assert "has no key" in str(mistake)
