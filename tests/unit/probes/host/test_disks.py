"""File systems."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError, CommandError, ProblemKind
from lptui.fleet.facts.host import HostDisks
from lptui.probes.host.disks import HostDisksProbe, combine, parse_df, parse_mounts
from lptui.transport.protocols import Command, Output
from tests.unit.probes.host.given import HOST, asking, fleet, ran, sample
from tests.unit.probes.hostile import HOSTILE


def _disks(*wanted: str) -> HostDisks:
    return combine(
        parse_df(sample("df.txt")),
        parse_df(sample("df-inodes.txt")),
        parse_mounts(sample("mounts.txt")),
        wanted,
    )


def test_only_what_can_fill_up_is_shown() -> None:
    assert [mount.path for mount in _disks().mounts] == ["/", "/srv/live peer", "/boot/efi"]
    assert "/dev/shm" in [mount.path for mount in _disks("/dev/shm").mounts], "asked for"


def test_sizes_inodes_and_read_only() -> None:
    root, data, efi = _disks().mounts
    assert root.size == 264212084 * 1024
    assert root.used_percent == pytest.approx(100 * 13068020 / (13068020 + 82433244))
    assert not root.read_only, "errors=remount-ro is another word"
    assert data.read_only
    assert data.inodes_used == 99.0
    assert efi.inodes_used is None, "vfat has no inodes"


def test_a_wanted_mount_point_that_is_only_a_directory_is_missing() -> None:
    assert _disks("/srv/live peer/", "/d1", "/srv/nfs").missing == ("/d1",)


def test_no_table_is_no_answer() -> None:
    for text in ("", "df: not a thing"):
        with pytest.raises(BadAnswerError):
            parse_df(text)
    with pytest.raises(BadAnswerError):
        parse_mounts("<html>")


async def test_df_of_busybox_is_asked_in_its_own_way() -> None:
    def answer(command: Command) -> Output | str:
        if command.argv[0] == "cat":
            return sample("mounts.txt")
        if "l" in command.argv[1]:
            return Output(b"", 1)
        return sample("df.txt" if "k" in command.argv[1] else "df-inodes.txt")

    given_, _ = asking(answer, fleet(mounts=["/d1"]))
    [found, _] = await HostDisksProbe().ask(given_, HOST)
    assert isinstance(found.value, HostDisks)
    assert found.value.missing == ("/d1",)
    assert len(found.value.mounts) == 3


async def test_a_df_that_hangs_is_a_timeout() -> None:
    given_, _ = asking({("df",): Output(b"", 124), ("cat",): sample("mounts.txt")})
    with pytest.raises(CommandError) as caught:
        await HostDisksProbe().ask(given_, HOST)
    assert caught.value.kind is ProblemKind.TIMEOUT


NFS = "Filesystem Type 1024-blocks Used Available Capacity Mounted on\n"
NFS += "nas:/x nfs4 1000 900 100 90% /srv/nfs\n"


async def test_a_network_mount_is_asked_for_only_where_it_was_named() -> None:
    answers = {
        ("df", "-PTkl"): sample("df.txt"),
        ("df", "-PTil"): sample("df-inodes.txt"),
        ("df", "-PTk", "--", "/srv/nfs"): NFS,
        ("cat",): sample("mounts.txt"),
    }
    given_, reach = asking(answers, fleet(mounts=["/srv/nfs/", "/d1"]))
    [found, _] = await HostDisksProbe().ask(given_, HOST)
    assert found.value.mounts[-1].used_percent == 90
    assert (found.value.missing, found.value.silent) == (("/d1",), ())
    assert ran(reach) == ["df", "df", "cat", "df"], "nothing is asked of what is not mounted"
    given_, reach = asking(answers)
    await HostDisksProbe().ask(given_, HOST)
    assert ran(reach) == ["df", "df", "cat"]


async def test_a_network_mount_that_does_not_answer_is_told_and_costs_nothing_else() -> None:
    answers = {
        ("df", "-PTkl"): sample("df.txt"),
        ("df", "-PTil"): sample("df-inodes.txt"),
        ("df", "-PTk"): Output(b"", 124),
        ("cat",): sample("mounts.txt"),
    }
    given_, _ = asking(answers, fleet(mounts=["/srv/nfs"]))
    [found, _] = await HostDisksProbe().ask(given_, HOST)
    assert (found.value.silent, found.value.incomplete) == (("/srv/nfs",), False)
    assert len(found.value.mounts) == 3


async def test_where_df_hangs_the_root_is_asked_for_alone() -> None:
    def answer(command: Command) -> Output | str:
        if command.argv[0] == "cat":
            return sample("mounts.txt")
        return sample("df.txt") if command.argv[-1] == "/" else Output(b"", 137)

    given_, _ = asking(answer, fleet(mounts=["/srv/nfs"]))
    [found, _] = await HostDisksProbe().ask(given_, HOST)
    assert [mount.path for mount in found.value.mounts] == ["/"]
    assert (found.value.silent, found.value.incomplete) == (("/srv/nfs",), True)


_TABLE = st.lists(
    st.sampled_from(sample("df.txt").splitlines()) | st.text(max_size=60), max_size=8
).map("\n".join)


@HOSTILE
@given(_TABLE, _TABLE, st.text(max_size=80))
def test_any_text_is_disks_or_a_bad_answer(table: str, inodes: str, mounts: str) -> None:
    try:
        disks = combine(parse_df(table), parse_df(inodes), parse_mounts(mounts), ("/d1",))
    except BadAnswerError:
        return
    assert all(mount.size > 0 for mount in disks.mounts)
