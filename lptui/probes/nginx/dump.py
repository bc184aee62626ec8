"""nginx's configuration as text: the files of a dump, each read with crossplane."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any, Final

from lptui.errors import BadAnswerError
from lptui.text import clean

MOST_FILES: Final = 400
_DEEPEST: Final = 12
"""Levels of includes; more is a file that includes itself."""

_MOST_DIRECTIVES: Final = 20_000
_FILE: Final = re.compile(r"# (configuration|unreadable) file (/[^\n]{0,1000}):")


@dataclass(frozen=True, slots=True)
class Directive:
    """A statement: its name, arguments, where it stands, and what its braces hold."""

    name: str
    args: tuple[str, ...]
    file: str
    line: int
    block: tuple[Directive, ...] | None = None


@dataclass(frozen=True, slots=True)
class Dump:
    """The files of a dump by path, the main one first, and what could not be read."""

    files: Mapping[str, str] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()

    @property
    def main(self) -> str:
        return next(iter(self.files), "")


def split(text: str) -> Dump:
    """The files in the output of `nginx -T` or `lptui_nginx_files`; messages before are dropped.

    Raises BadAnswerError when there are too many.
    """
    files: dict[str, list[str]] = {}
    unreadable: list[str] = []
    lines: list[str] | None = None
    for line in text.replace("\r\n", "\n").split("\n"):
        match = _FILE.fullmatch(line)
        if match is None:
            if lines is not None:
                lines.append(line)
        elif match[1] == "unreadable":
            unreadable.append(match[2])
            lines = None
        else:
            lines = files.setdefault(match[2], [])
            lines.clear()
    if len(files) > MOST_FILES:
        raise BadAnswerError("nginx configuration", f"more than {MOST_FILES} files")
    whole = {path: "\n".join(body) + "\n" for path, body in files.items()}
    return Dump(whole, tuple(unreadable))


def read(dump: Dump) -> tuple[Directive, ...]:
    """All directives, with includes replaced by what they include.

    Blocking: crossplane reads files, so the dump is written to a temporary folder. Raises
    BadAnswerError on a syntax error: a partial tree is never used.
    """
    if not dump.files:
        raise BadAnswerError("nginx configuration", "there is no file in the dump")
    trees: dict[str, Sequence[Mapping[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="lptui-nginx-") as folder:
        for number, (path, body) in enumerate(dump.files.items()):
            local = Path(folder) / f"{number}.conf"
            local.write_text(body, encoding="utf-8", errors="replace")
            trees[normpath(path)] = _tree(local, path)
    tree = trees[normpath(dump.main)]
    return tuple(_Splicer(dump.main, trees).directives(dump.main, tree, 0))


def includes(dump: Dump) -> tuple[str, ...]:
    """The patterns of all includes, as absolute paths; blocking, raises BadAnswerError."""
    found: dict[str, None] = {}
    with tempfile.TemporaryDirectory(prefix="lptui-nginx-") as folder:
        for number, (path, body) in enumerate(dump.files.items()):
            local = Path(folder) / f"{number}.conf"
            local.write_text(body, encoding="utf-8", errors="replace")
            for statement in _walk(_tree(local, path)):
                if statement["directive"] == "include" and statement["args"]:
                    found[_absolute(dump.main, str(statement["args"][0]))] = None
    return tuple(found)


def matches(pattern: str, path: str) -> bool:
    """Whether a path is meant by an include, as glob(3) has it: `*` stops at `/` and dotfiles."""
    wanted, given = pattern.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        _component(one).fullmatch(other) for one, other in zip(wanted, given, strict=True)
    )


@dataclass(slots=True)
class _Splicer:
    """Puts the directives of included files where they are included."""

    main: str
    trees: Mapping[str, Sequence[Mapping[str, Any]]]
    """By path without `.` and `..`."""
    seen: int = 0

    def directives(
        self, file: str, tree: Sequence[Mapping[str, Any]], depth: int
    ) -> Iterator[Directive]:
        if depth > _DEEPEST:
            raise BadAnswerError("nginx configuration", f"includes itself: {clean(file, 120)}")
        for statement in tree:
            self.seen += 1
            if self.seen > _MOST_DIRECTIVES:
                raise BadAnswerError("nginx configuration", "too many directives")
            name, args = str(statement["directive"]), tuple(map(str, statement["args"]))
            if name == "include" and args:
                for path in self._included(args[0]):
                    yield from self.directives(path, self.trees[path], depth + 1)
                continue
            block = statement.get("block")
            inner = None if block is None else tuple(self.directives(file, block, depth))
            yield Directive(name, args, file, int(statement["line"]), inner)

    def _included(self, path: str) -> list[str]:
        """The files that an include means. nginx names them as the include does: `a/./b`."""
        pattern = normpath(_absolute(self.main, path))
        found = sorted(path for path in self.trees if matches(pattern, path))
        if not found and not any(char in pattern for char in "*?["):
            raise BadAnswerError("nginx configuration", f"no included file {clean(path, 120)}")
        return found


def _tree(local: Path, path: str) -> Sequence[Mapping[str, Any]]:
    """crossplane's tree of one file."""
    import crossplane

    try:
        # Its tables of contexts and arguments are older than today's nginx.
        found = crossplane.parse(
            str(local), single=True, comments=False, check_ctx=False, check_args=False
        )
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadAnswerError(
            clean(path, 200), f"it cannot be read: {clean(str(error), 80)}"
        ) from None
    if found.get("status") != "ok" or not found.get("config"):
        first: Mapping[str, Any] = next(iter(found.get("errors", ())), {})
        why = str(first.get("error", "syntax error")).replace(f" in {local}", "")
        raise BadAnswerError(f"{clean(path, 200)}", clean(why.replace(str(local), path), 160))
    parsed: Sequence[Mapping[str, Any]] = found["config"][0]["parsed"]
    return parsed


def _walk(tree: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    stack = list(tree)
    while stack:
        statement = stack.pop()
        yield statement
        stack.extend(statement.get("block") or ())


def _absolute(main: str, path: str) -> str:
    """nginx takes relative paths from the folder of its main file."""
    return path if path.startswith("/") else f"{str(PurePosixPath(main).parent).rstrip('/')}/{path}"


def _component(pattern: str) -> re.Pattern[str]:
    """One path component of a glob pattern."""
    import fnmatch

    translated = fnmatch.translate(pattern)
    if pattern[:1] in ("*", "?", "["):
        return re.compile(rf"(?!\.){translated}")
    return re.compile(translated)
