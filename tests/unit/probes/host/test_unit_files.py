"""Files that units take settings from: what became of them since the process was started, by the
script in each shell, on real files."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.facts.upkeep import Change, UnitFile
from lptui.probes.host.unit_files import SCRIPT, Named, named, parse
from tests.unit.probes.hostile import HOSTILE

SHELLS = [
    shell
    for shell in (["sh"], ["bash", "--posix"], ["busybox", "sh"], ["dash"])
    if shutil.which(shell[0])
]
AN_HOUR = 3600.0


def uptime() -> float:
    return float(Path("/proc/uptime").read_text().split()[0])


def asked(shell: list[str], *paths: Path, ran_s: float = AN_HOUR, **more: object) -> list[Change]:
    """What is said of files of a process that runs for so long."""
    words = tuple(map(str, paths))
    unit = Named(words, started=uptime() - ran_s, **more)  # type: ignore[arg-type]
    done = subprocess.run(
        [*shell, "-c", SCRIPT, "sh", *words], capture_output=True, text=True, check=True
    )
    [files] = parse([unit], done.stdout)
    return [file.since for file in files]


def written(path: Path, ago_s: float) -> Path:
    path.touch()
    os.utime(path, (time.time() - ago_s,) * 2, follow_symlinks=False)
    return path


@pytest.mark.parametrize("shell", SHELLS, ids="-".join)
def test_what_was_written_to_since_is_told_from_what_was_before(
    shell: list[str], tmp_path: Path
) -> None:
    old, new = written(tmp_path / "o l'd", 2 * AN_HOUR), written(tmp_path / "new", AN_HOUR / 2)
    ahead = written(tmp_path / "ahead", -AN_HOUR)
    found = asked(shell, old, new, tmp_path / "gone", tmp_path / "no" / "where", ahead)
    assert found == [Change.NONE, Change.WRITTEN, Change.GONE, Change.GONE, Change.UNKNOWN]


@pytest.mark.parametrize("shell", SHELLS, ids="-".join)
def test_a_link_is_as_new_as_what_it_leads_to_or_itself(shell: list[str], tmp_path: Path) -> None:
    old, new = written(tmp_path / "old", 2 * AN_HOUR), written(tmp_path / "new", 60)
    links = [tmp_path / name for name in ("to-old", "to-new", "turned", "lost")]
    for link, target in zip(links, (old, new, old, tmp_path / "gone"), strict=True):
        link.symlink_to(target)
        ago_s = 60 if link.name == "turned" else 3 * AN_HOUR
        os.utime(link, (time.time() - ago_s,) * 2, follow_symlinks=False)
    expected = [Change.NONE, Change.WRITTEN, Change.WRITTEN, Change.GONE]
    assert asked(shell, *links) == expected


def test_a_file_in_a_folder_that_is_closed_to_the_login_is_not_known() -> None:
    if os.getuid() != 0:
        pytest.skip("another user than root has nothing to close")
    asks = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh"]
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        link = folder / "link"
        link.symlink_to(closed / "o.env")
        assert asked(asks, closed / "o.env", link) == [Change.UNKNOWN, Change.UNKNOWN]
        assert asked(["sh"], closed / "o.env", link) == [Change.GONE, Change.GONE]


def test_a_moment_before_or_after_the_start_is_the_start(tmp_path: Path) -> None:
    assert asked(["sh"], written(tmp_path / "x", AN_HOUR - 1)) == [Change.NONE]
    assert asked(["sh"], written(tmp_path / "x", AN_HOUR - 5)) == [Change.WRITTEN]


def test_a_clock_that_was_set_since_makes_no_file_newer() -> None:
    """A host that began in 1970: what counts is how long the process runs."""
    unit = Named(("/a",), started=10.0)
    [[file]] = parse([unit], "now 1763668800 3610.00\n1763660000\n")
    assert file == UnitFile("/a", Change.NONE, 1763660000.0)


def test_an_uptime_below_the_start_is_of_another_clock() -> None:
    [[file]] = parse([Named(("/a",), started=900.0)], "now 1763668800 10.00\n1763668700\n")
    assert file.since is Change.UNKNOWN


def test_what_a_unit_starts_without_may_be_gone() -> None:
    unit = Named(("/a", "/b"), frozenset({"/a"}), 10.0)
    [files] = parse([unit], "now 1763668800 3610.00\ngone\ngone\n")
    assert files == (UnitFile("/b", Change.GONE),)


def test_what_a_unit_names() -> None:
    lines = [
        "file /etc/a b.env (ignore_errors=no)",
        "file /etc/more.env (ignore_errors=yes)",
        "config o.conf",
        "in !/srv/lp",
        "start 5213456",
    ]
    paths = ("/etc/a b.env", "/etc/more.env", "/srv/lp/o.conf")
    assert named(lines, "") == Named(paths, frozenset({"/etc/more.env"}), 5.213456)
    assert named(lines, "/etc/x.conf").paths == (*paths[:2], "/etc/x.conf")
    assert named(["config o.conf", "in ~", "start 0"], "") == Named()


@HOSTILE
@given(st.text(max_size=200))
def test_anything_else_is_refused_or_harmless(text: str) -> None:
    for answer in (text, f"now 1 2\n{text}"):
        try:
            [files] = parse([Named(("/a",), started=1.0)], answer)
        except BadAnswerError:
            continue
        assert len(files) == 1
    assert "\x1b" not in repr(named([f"file /{text}", f"config {text}", f"in {text}"], text))
