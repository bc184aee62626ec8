"""The tools that read and change files on a simulated machine, as the console uses them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Final

from lptui.clock import utc
from lptui.sim.serve.host.call import Call, Reply
from lptui.sim.world.files import Files
from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

Tool = Callable[[World, Machine, Call], Reply]


def cat(_: World, machine: Machine, call: Call) -> Reply:
    """Files, or what is read; `/proc/mounts` is made from the machine's disks."""
    paths = _paths(call)
    if not paths:
        return Reply(call.stdin)
    out, errors = [], []
    for path in paths:
        try:
            is_mounts = path == "/proc/mounts"
            files = machine.files
            out.append(_mounts(machine) if is_mounts else files.read(path, is_root=call.is_root))
        except OSError as error:
            errors.append(_complaint(call, error))
    return Reply("".join(out), int(bool(errors)), "".join(errors))


def readlink(_: World, machine: Machine, call: Call) -> Reply:
    """`readlink -f PATH`."""
    try:
        return Reply("".join(f"{machine.files.real(path)}\n" for path in _paths(call)))
    except OSError:
        return Reply("", 1)


def sha256sum(_: World, machine: Machine, call: Call) -> Reply:
    lines: list[str] = []
    for path in _paths(call):
        try:
            text = machine.files.read(path, is_root=call.is_root)
        except OSError as error:
            return Reply("".join(lines), 1, _complaint(call, error))
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        lines.append(f"{digest}  {path}\n")
    return Reply("".join(lines))


def stat(_: World, machine: Machine, call: Call) -> Reply:
    """`stat -L -c '%Y %y %n' -- PATH…`, and formats of the same letters."""
    words = call.words
    form = words[words.index("-c") + 1] if "-c" in words[:-1] else "%n"
    paths = words[words.index("--") + 1 :] if "--" in words else _paths(call)[1:]
    lines, errors = [], []
    for path in paths:
        file = machine.files.find(path)
        if file is None:
            errors.append(f"stat: cannot statx '{path}': No such file or directory\n")
            continue
        when = f"{utc(file.modified):%Y-%m-%d %H:%M:%S}.{file.modified % 1 * 1e9:09.0f} +0000"
        line = form.replace("%Y", str(int(file.modified))).replace("%y", when)
        lines.append(line.replace("%s", str(len(file.text))).replace("%n", path) + "\n")
    return Reply("".join(lines), int(bool(errors)), "".join(errors))


def tail(_: World, machine: Machine, call: Call) -> Reply:
    """`tail -n COUNT PATH`."""
    words = call.words
    count = words[words.index("-n") + 1] if "-n" in words[:-1] else "10"
    try:
        text = machine.files.read(words[-1], is_root=call.is_root)
    except OSError as error:
        return Reply("", 1, _complaint(call, error))
    lines = text.splitlines(keepends=True)
    return Reply("".join(lines[-int(count) :] if count.isdecimal() and count != "0" else []))


def tee(world: World, machine: Machine, call: Call) -> Reply:
    now = world.host_time(machine)
    return _changed(
        call,
        call.stdin,
        lambda path: machine.files.write(path, call.stdin, now, is_root=call.is_root),
    )


def touch(world: World, machine: Machine, call: Call) -> Reply:
    now, files = world.host_time(machine), machine.files

    def touched(path: str) -> None:
        file = files.find(path)
        files.write(path, file.text if file is not None else "", now, is_root=call.is_root)

    return _changed(call, "", touched)


def test(_: World, machine: Machine, call: Call) -> Reply:
    """`test -e PATH`; status 2 for what is no test of a file."""
    if len(call.words) != 3 or call.words[1] not in ("-e", "-f"):
        return Reply("", 2, f"{call.program}: not simulated\n")
    return Reply(status=int(machine.files.find(call.words[2]) is None))


def copy(_: World, machine: Machine, call: Call) -> Reply:
    """`cp -p FROM TO`."""
    return _from_to(call, machine.files.copy)


def move(_: World, machine: Machine, call: Call) -> Reply:
    """`mv -f FROM TO`."""
    return _from_to(call, machine.files.move)


def remove(_: World, machine: Machine, call: Call) -> Reply:
    """`rm -f PATH…`: what is not there is no error."""
    files = machine.files

    def gone(path: str) -> None:
        if path in files.by_path:
            files.remove(path, is_root=call.is_root)

    return _changed(call, "", gone)


TOOLS: Final[dict[str, Tool]] = {
    "cat": cat,
    "readlink": readlink,
    "sha256sum": sha256sum,
    "stat": stat,
    "tail": tail,
    "tee": tee,
    "touch": touch,
    "test": test,
    "cp": copy,
    "mv": move,
    "rm": remove,
}


def _paths(call: Call) -> tuple[str, ...]:
    return tuple(word for word in call.words[1:] if not word.startswith("-"))


def _from_to(call: Call, change: Callable[..., None]) -> Reply:
    paths = _paths(call)
    if len(paths) != 2:
        return Reply("", 1, f"{call.program}: missing file operand\n")
    return _changed(call, "", lambda path: change(path, paths[1], is_root=call.is_root), paths[:1])


def _changed(
    call: Call, out: str, change: Callable[[str], None], paths: tuple[str, ...] | None = None
) -> Reply:
    errors = []
    for path in _paths(call) if paths is None else paths:
        try:
            change(path)
        except OSError as error:
            errors.append(_complaint(call, error))
    return Reply(out, int(bool(errors)), "".join(errors))


def _complaint(call: Call, error: OSError) -> str:
    return f"{call.program}: {error.filename}: {error.strerror}\n"


def _mounts(machine: Machine) -> str:
    lines = ["proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0"]
    for disk in machine.disks:
        path = disk.path.replace(" ", "\\040")
        mode = "ro" if disk.read_only else "rw"
        lines.append(f"{disk.device} {path} {disk.fs_type} {mode},relatime 0 0")
    return "\n".join(lines) + "\n"


def matching_lines(files: Files, path: str, pattern: str, *, is_root: bool) -> Iterator[str]:
    """Lines of a file that an extended regular expression finds something in; raises OSError."""
    wanted = re.compile(pattern.replace("[[:blank:]]", "[ \t]"))
    for line in files.read(path, is_root=is_root).split("\n"):
        if wanted.search(line):
            yield line
