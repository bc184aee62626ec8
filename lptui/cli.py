"""The command line: parses and dispatches; everything else is imported when it is needed."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from lptui import __version__
from lptui.actions import options
from lptui.errors import LptuiError, RefusedError, UnusableError
from lptui.paths import find_config
from lptui.text import clean

USAGE_ERROR: Final = 3
"""Wrong usage is UNKNOWN to a monitoring system, never CRITICAL."""

REFUSED: Final = 1

FORMATS: Final = ("text", "json", "prometheus", "markdown", "nagios", "agent", "http")

EPILOG: Final = """\
commands with --headless (also with --demo):
  check              one collection, all checks; exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
  status             the whole snapshot
  validate           the configuration's mistakes; exit 0 or 1
  logs TARGET…       the last lines of the targets' logs; exit 0, or 3 where one is not read
  acceptance NODE    is it fit to be given traffic? exit 0 yes, 1 no, 3 not all is known
  health NODE        a word for a balancer: --format agent (HAProxy's agent-check) or http
  get NODE /ROUTE    what one of the node's routes without effect answers
{actions}
  run NAME [TARGET…] a command of your own, from `commands:` of the configuration
  runs               the newest runs of this fleet, and those that were cut half-way
  resume [RUN]       goes on with a run that was cut; --dry-run only compares it with the fleet
  undo [RUN]         takes back what a run has made

other commands:
  audit [RUN]        the record of actions: all runs, or one with its steps
  audit --verify     whether it is as it was written; exit 0, or 2 and which line is not
  sudoers [HOST…]    rules for exactly the commands that are run as root on each host
  sudoers --check    whether the hosts' sudo has them; exit 0, or 1 and which are missing
  keystore verify F  whether a copy of a key file opens, and whose key it is; F may be HOST:PATH
  config schema      JSON Schema of the configuration, for editors
  check schema       of what check prints as JSON; status schema: of status
  completion SHELL   completion script for bash, zsh, fish, …

actions ask before they change anything, or take --yes; --dry-run prints the whole plan
targets: all, an orchestrator's or node's name, role:ROLE, host:NAME, tag:NAME, lb:BACKEND/SERVER
"""


class _Parser(argparse.ArgumentParser):
    def format_help(self) -> str:
        """With the actions that there are; to load them is not worth any other run's time."""
        from lptui.commands import action_lines

        self.epilog = EPILOG.format(actions="\n".join(action_lines()))
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE_ERROR, f"lptui: {clean(message)}\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line's grammar."""
    made = _Parser(
        prog="lptui",
        description="Terminal operations console for fleets of Livepeer orchestrators.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("words", nargs="*", metavar="COMMAND", help="see below")
    made.add_argument("--config", metavar="PATH", help="configuration file")
    made.add_argument("--demo", action="store_true", help="a simulated fleet on this machine")
    made.add_argument("--scenario", metavar="NAME", help="the demo's situation; help lists them")
    made.add_argument("--demo-hosts", type=_count, metavar="N", help="size of the demo's fleet")
    made.add_argument("--read-only", action="store_true", help="refuse every change")
    made.add_argument("--interval", type=_seconds, metavar="S", help="seconds between readings")
    made.add_argument("--theme", metavar="NAME", help="theme of the screen")
    made.add_argument("--headless", action="store_true", help="run a command without the screen")
    made.add_argument("--format", choices=FORMATS, default="text", help="what to print")
    made.add_argument(
        "--output",
        metavar="FILE",
        help="of check and status: into a file, replaced as a whole; - is standard output",
    )
    made.add_argument(
        "--timeout", type=_seconds, metavar="S", help="deadline of the whole run, in seconds"
    )
    made.add_argument(
        "--dry-run", action="store_true", help="print an action's plan, change nothing"
    )
    made.add_argument("--yes", action="store_true", help="do not ask before an action")
    made.add_argument(
        "--if-due",
        action="store_true",
        help="of reward: call it where chain.reward_retry allows that now; for cron",
    )
    made.add_argument("--lines", type=_lines, metavar="N", help="of logs: so many of each; 100")
    made.add_argument("--since", metavar="WHEN", help="of logs: 10m, 2h, or a time in UTC")
    made.add_argument("--follow", action="store_true", help="of logs: go on until it is ended")
    made.add_argument(
        "--page-only",
        action="store_true",
        help="of check: exit code and text count only what is worth a page now (paging:)",
    )
    made.add_argument("--verify", action="store_true", help="of audit: follow the record's chain")
    made.add_argument("--check", action="store_true", help="of sudoers: try each rule there")
    made.add_argument("--steal-lock", action="store_true", help="take over another operator's lock")
    made.add_argument(
        "--within",
        type=_span,
        metavar="TIME",
        help="of an action: wait so long, like 6h, until nothing stands in its way; for cron",
    )
    for option in options.ALL:
        if option.values == options.TOGGLE:
            made.add_argument(
                f"--{option.name}",
                action="store_const",
                const=option.values[1],
                help=f"of an action: {option.help}",
            )
            continue
        made.add_argument(
            f"--{option.name}",
            choices=option.values or None,
            metavar=option.metavar or None,
            help=f"of an action: {option.help}",
        )
    made.add_argument("--version", action="version", version=f"lptui {__version__}")
    return made


def run(argv: Sequence[str]) -> int:
    """Runs one command; the result is the exit code."""
    _settle_output()
    arguments = parser().parse_intermixed_args(argv)
    # They come back in messages, and scripts pass on what they were given.
    arguments.words = [clean(word) for word in arguments.words]
    # Ended from outside, a run closes its connections and ends its demo as for Ctrl+C.
    signal.signal(signal.SIGTERM, _as_interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup's
        signal.signal(signal.SIGHUP, _as_interrupt)
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except LptuiError as error:
        _complain(str(error))
        if error.remedy:
            _complain(error.remedy)
        return REFUSED if isinstance(error, RefusedError) else USAGE_ERROR
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        # What is left in the buffer would fail once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            _complain(clean(str(error)))
        if isinstance(error, UnusableError):
            _complain(error.remedy)
        return USAGE_ERROR
    except Exception as error:
        _complain(_fault(error))
        return USAGE_ERROR


def _complain(words: str) -> None:
    """The exit code tells it also where nobody takes the words."""
    with suppress(OSError):
        print(f"lptui: {words}", file=sys.stderr)


def _as_interrupt(_number: int, _frame: object) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Begun in the background by a shell: Ctrl+C is not for it, this is.
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)


def _fault(error: Exception) -> str:
    """Where the code failed, without the values that an exception's message may hold."""
    import traceback

    last = traceback.extract_tb(error.__traceback__)[-1]
    place = "/".join(Path(last.filename).parts[-3:])
    return f"{type(error).__name__} at {place}:{last.lineno}: a fault in lptui; please report it"


def _settle_output() -> None:
    """Output to nowhere is dropped, and what the terminal's encoding lacks is shown as `?`."""
    while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass  # it was closed: no connection may take its number
    os.close(spare)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # started with it closed
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _dispatch(arguments: argparse.Namespace) -> int:
    words: list[str] = arguments.words
    if arguments.scenario and not arguments.demo:
        raise LptuiError("--scenario", "only the demo has scenarios", "add --demo")
    if arguments.demo_hosts and not arguments.demo:
        raise LptuiError("--demo-hosts", "only the demo has them", "add --demo")
    if arguments.demo and arguments.config is not None:
        raise LptuiError("--config", "the demo has a fleet of its own", "leave out one of the two")
    if arguments.scenario == "help":
        from lptui.sim.scenarios import SCENARIOS

        for name, scenario in SCENARIOS.items():
            print(f"{name:<24} {scenario.summary}")
        return 0
    if arguments.headless:
        from lptui.headless.run import run_headless

        return run_headless(arguments)
    if words == ["config", "schema"]:
        import json

        from lptui.config import json_schema

        print(json.dumps(json_schema(), indent=2))
        return 0
    if words in (["check", "schema"], ["status", "schema"]):
        from lptui.report.schema import text

        print(text(words[0]).rstrip("\n"))
        return 0
    if words[:1] == ["audit"]:
        from lptui.headless.audit import audit

        return audit(arguments)
    if words[:1] == ["sudoers"]:
        from lptui.headless.sudoers import sudoers

        return sudoers(arguments)
    if words[:1] == ["keystore"]:
        from lptui.headless.keystore import keystore

        return keystore(arguments)
    if words[:1] == ["completion"]:
        return _completion(words[1:])
    if words:
        from lptui.commands import unknown_command

        raise unknown_command(" ".join(words))
    return _console(arguments)


def _completion(words: Sequence[str]) -> int:
    import shtab

    if len(words) != 1 or words[0] not in shtab.SUPPORTED_SHELLS:
        known = ", ".join(shtab.SUPPORTED_SHELLS)
        raise LptuiError("completion", "which shell?", f"one of: {known}")
    print(shtab.complete(_for_completion(), shell=words[0]))
    return 0


def _for_completion() -> argparse.ArgumentParser:
    """The grammar with all words that it knows; to find them is not worth a run's time."""
    import shtab

    from lptui.commands import HEADLESS, OTHER_WORDS
    from lptui.paths import theme_dirs
    from lptui.sim.scenarios import SCENARIOS

    made = parser()
    themes = {file.stem for folder in theme_dirs() for file in folder.glob("*.yaml")}
    shells = shtab.SUPPORTED_SHELLS
    known = {
        "words": (*HEADLESS, *OTHER_WORDS, *shells, *_declared()),
        "scenario": (*SCENARIOS, "help"),
        "theme": tuple(sorted(themes)),
    }
    for option in made._actions:  # argparse has no other way to ask
        option.choices = known.get(option.dest, option.choices)
        if option.dest in ("config", "output"):
            option.complete = shtab.FILE  # type: ignore[attr-defined]
    return made


def _declared() -> tuple[str, ...]:
    """The commands of the operator's own configuration, where there is one without mistakes."""
    from lptui.config import load_fleet

    try:
        return tuple(load_fleet(find_config(None)).commands)
    except LptuiError:
        return ()


def _console(arguments: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise LptuiError(
            "the console needs a terminal",
            "standard input or output is not one",
            "for scripts: lptui --headless check",
        )
    from lptui.tui.main import run_console

    return run_console(
        config=None if arguments.demo else find_config(arguments.config),
        scenario=(arguments.scenario or "healthy") if arguments.demo else None,
        demo_hosts=arguments.demo_hosts,
        read_only=arguments.read_only,
        interval_s=arguments.interval,
        theme=arguments.theme,
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0.1 to 3600")
    return value


def _span(text: str) -> float:
    from lptui.config.kinds import duration

    try:
        value = duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(clean(str(error))) from None
    if not 0.1 <= value <= 7 * 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no time up to 7d")
    return value


def _count(text: str) -> int:
    return _whole(text, 1000)


def _lines(text: str) -> int:
    return _whole(text, 100_000)


def _whole(text: str, most: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {most}")
    return value
